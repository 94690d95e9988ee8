"""What the README shows of recipes and Python is run; its commands are looked at with all others, in tests/docs."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import outfitrec
from outfitrec.core.recipe import load_recipe

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_recipe_is_valid(tmp_path: Path) -> None:
    [text] = blocks("yaml")
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    recipe = load_recipe(file)
    assert recipe.name == "mine"
    assert recipe.teacher is not None


def test_the_python_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = blocks("python")[:2]
    monkeypatch.chdir(tmp_path)
    real = outfitrec.run

    def small(recipe: str, overrides: list[str]) -> Any:
        less = ["dataset.users=3", "dataset.items=400", "dataset.train=6", "dataset.valid=4", "dataset.test=3"]
        return real(recipe, [*overrides, *less])

    monkeypatch.setattr(outfitrec, "run", small)
    names: dict[str, Any] = {}
    exec(first, names)  # noqa: S102  # the README's own code
    photos = outfitrec.create("dataset", "synthetic").load().catalog.photos
    for word, item in (("top", 0), ("bottom", 70), ("shoe", 120)):
        (tmp_path / f"{word}.jpg").write_bytes(photos.read(item))
    exec(second, names)  # noqa: S102  # likewise
    assert names["scores"].shape == (2, 1)
    pairs = torch.tensor([0.5]), torch.tensor([[0.1, 0.2]])
    assert float(names["loss"](*pairs)) == pytest.approx(math.log(1 + math.exp(-4) + math.exp(-3)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert target.startswith("https://") or (document.parent / target).exists(), target
