"""Cold starters served from photos."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from colds import naive_weights
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny import tiny
from torch import Generator

import outfitrec
from outfitrec.core.build import build_recommender, given_without_data
from outfitrec.core.errors import DataError, UserError
from outfitrec.core.recipe import load_recipe
from outfitrec.core.serving import Model
from outfitrec.core.yamlfile import parse

DOCUMENT = Path(__file__).parents[1] / "docs" / "compositions.md"


def photo(seed: int) -> bytes:
    """A PNG of random colours."""
    pixels = torch.randint(0, 256, (70, 70, 3), dtype=torch.uint8, generator=Generator().manual_seed(seed))
    file = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def model() -> Model:
    """An untrained model of photos that knows five users."""
    recipe = load_recipe(
        {"name": "r", "image": {"size": 64}, "model": {"encoder": {"name": "alexnet", "weights": "none"}}}
    )
    given = given_without_data(recipe, 5)
    return Model(build_recommender(recipe.model, given).eval(), recipe.model, recipe.image, given)


LIKED = [[photo(1), photo(2)], [photo(3), photo(4), photo(5)]], [["top", "shoe"], ["top", "bottom", "shoe"]]
OFFERED = [[photo(6), photo(7)], [photo(8)], [photo(9), photo(2)]], [["top", "bottom"], ["shoe"], ["bottom", "shoe"]]


@pytest.mark.parametrize(("strategy", "temperature"), [("average", None), ("weighted_average", 0.3)])
def test_a_stored_profile_scores_new_photos(
    model: Model, tmp_path: Path, strategy: str, temperature: float | None
) -> None:
    fields: dict[str, Any] = {"threshold": 0.01} | ({"temperature": temperature} if temperature else {})
    save_file(model.profile_photos(*LIKED, strategy, **fields), tmp_path / "user.safetensors")
    profile = load_file(tmp_path / "user.safetensors")
    scores = model.score_profile(profile, *OFFERED, strategy, **fields)
    means = model.score_photos(range(5), *LIKED).mean(dim=1).tolist()
    weights = naive_weights(means, 0.01, temperature)
    expected = torch.tensor(weights) @ model.score_photos(range(5), *OFFERED)
    torch.testing.assert_close(scores, expected)
    several = {name: torch.stack([tensor, tensor.flip(0)]) for name, tensor in profile.items()}
    both = model.score_profile(several, *OFFERED, strategy)
    assert both.shape == (2, 3)
    torch.testing.assert_close(both[0], scores)


def test_the_weighted_average_is_what_serves_by_default(model: Model) -> None:
    profile = model.profile_photos(*LIKED)
    assert torch.equal(profile["weight"], model.profile_photos(*LIKED, "weighted_average", temperature=0.2)["weight"])
    assert torch.equal(model.score_profile(profile, *OFFERED), model.score_profile(profile, *OFFERED, "average"))


def test_what_cannot_be_served_is_said(model: Model) -> None:
    outfits, words = LIKED
    profile = model.profile_photos(*LIKED)
    for liked, categories, message in (
        ([], [], "no liked outfits"),
        (outfits, words[:1], "2 outfits, and categories of 1"),
        (outfits, [["top", "hat"], words[1]], "photo 1: unknown category 'hat'"),
        ([[b"no photo"]], [["top"]], "photo 0 "),
        ([[]], [[]], "outfit 0: give the bytes of one photo or more"),
    ):
        with pytest.raises(DataError, match=message):
            model.profile_photos(liked, categories)
    for wrong, message in (
        ({"weight": torch.ones(4)}, "the profile is of a model of 4 users, and this one knows 5"),
        ({"anchors": torch.ones(2, 4)}, "no profile of this strategy"),
    ):
        with pytest.raises(DataError, match=message):
            model.score_profile(wrong, *OFFERED)
    with pytest.raises(DataError, match="no outfits to score"):
        model.score_profile(profile, [], [])
    with pytest.raises(UserError, match="did you mean 'weighted_average'"):
        model.profile_photos(*LIKED, "weighted")
    with pytest.raises(UserError, match="temprature: unknown key of cold_start 'weighted_average'"):
        model.score_profile(profile, *OFFERED, temprature=1)


def test_the_documented_recipe_and_code_work(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = DOCUMENT.read_text(encoding="utf-8").partition("## Cold starters\n")[2].partition("\n## ")[0]
    text, code = (section.partition(f"```{language}\n")[2].partition("```")[0] for language in ("yaml", "python"))
    (tmp_path / "cold.yaml").write_text(text)
    asked = load_recipe(tmp_path / "cold.yaml").evaluate.cold_start
    assert asked is not None
    written = parse(text, "cold.yaml").value["evaluate"]["cold_start"]
    # What is shown are the defaults.
    assert asked == load_recipe(tiny(), {"evaluate.cold_start.dataset": written["dataset"]}).evaluate.cold_start
    monkeypatch.setattr(outfitrec, "Run", lambda directory: SimpleNamespace(model=model))
    names: dict[str, Any] = {"outfitrec": outfitrec, "liked": LIKED[0], "liked_categories": LIKED[1]}
    exec(code, names | {"outfits": OFFERED[0], "categories": OFFERED[1]}, names)  # noqa: S102  # the document's own
    assert names["scores"].shape == (3,)
