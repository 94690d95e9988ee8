"""What parts of a model may ask the engine for, and get."""

from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from test_cold_serving import photo
from tiny import PLUGIN, student, tiny
from torch import Generator, Tensor

from outfitrec import Run, run
from outfitrec.core.build import build_recommender, given_by, given_without_data, parameter_counts
from outfitrec.core.data import Dataset
from outfitrec.core.engine import load_dataset
from outfitrec.core.errors import DataError, RecipeError
from outfitrec.core.loading import plugins
from outfitrec.core.outfits import Outfits
from outfitrec.core.recipe import load_recipe
from outfitrec.core.seeds import generator
from outfitrec.core.serving import Model
from outfitrec.core.settings import Recipe
from outfitrec.core.step import Batch, Step

ASKERS = PLUGIN.with_name("askers.py")
MODEL = {**tiny()["model"], "aggregator": "apart"}


def asking(**changes: Any) -> dict[str, Any]:
    return tiny(**{"plugins": [str(PLUGIN), str(ASKERS)], "model": MODEL, **changes})


def told(found: Run) -> dict[str, list[Any]]:
    """What the parts of a run's model wrote down: a plugin file is a module of its own for each run."""
    return dict(vars(__import__(type(found.recommender.aggregator).__module__, fromlist=["TOLD"]))["TOLD"])


def test_each_step_is_told_its_epoch_and_shown_its_items(tmp_path: Path) -> None:
    found = run(asking(), out=tmp_path)
    heard = told(found)
    # 144 pairs in steps of 16, three epochs.
    assert heard["epoch"] == [epoch for epoch in range(3) for _ in range(9)]
    # The rehearsal; steps; the validation of three epochs, of the best one, and the test.
    assert len(heard["candidates"]) == 1 + 27 + 5
    items, category = heard["candidates"][1]
    assert len(items) == len(category) <= 2 * 16 * 3


def test_a_teacher_is_shown_the_items_of_the_training_split(tmp_path: Path) -> None:
    teacher = asking(name="master")
    del teacher["dataset"]
    found = run(student(plugins=[str(PLUGIN), str(ASKERS)], teacher=teacher), out=tmp_path)
    assert found.teacher is not None
    dataset = load_dataset(load_recipe(found.directory / "recipe.yaml"))
    items = dataset.splits["train"].positives.outfits.items
    shown, category = told(found.teacher)["candidates"][-1]
    assert category.tolist() == dataset.catalog.category[items.unique()].tolist()
    features = dataset.catalog.features
    assert features is not None
    expected = found.teacher.recommender.embed(features[items.unique()], category)
    torch.testing.assert_close(shown, expected)


def served(aggregator: str) -> Model:
    encoder = {"name": "alexnet", "weights": "none"}
    model = {"encoder": encoder, "aggregator": aggregator}
    recipe = load_recipe({"name": "r", "plugins": [str(ASKERS)], "image": {"size": 64}, "model": model})
    given = given_without_data(recipe, 5)
    return Model(build_recommender(recipe.model, given).eval(), recipe.model, recipe.image, given)


def test_in_serving_the_candidates_are_the_items_of_the_request() -> None:
    model = served("apart")
    heard = vars(__import__(type(model.recommender.aggregator).__module__, fromlist=["TOLD"]))["TOLD"]
    model.score_photos([0], [[photo(1), photo(2)]], [["shoe", "top"]])
    items, category = heard["candidates"][-1]
    assert category.tolist() == [2, 0]
    torch.testing.assert_close(items, model.embed_photos([photo(1), photo(2)], ["shoe", "top"]))


def test_outfits_of_too_few_items_are_refused_in_serving() -> None:
    with pytest.raises(DataError, match="Apart needs outfits of 2 items or more: 1 of 2 have fewer"):
        served("apart").score_photos([0], [[photo(1), photo(2)], [photo(1)]], [["shoe", "top"], ["top"]])
    assert served("mean").score_photos([0], [[photo(1)]], [["top"]]).shape == (1, 1)


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_outfits_of_too_few_items_stop_a_run_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: str
) -> None:
    def poor(recipe: Recipe) -> Dataset:
        dataset = load_dataset(recipe)
        rows = dataset.splits[split].positives
        outfits = Outfits(rows.outfits.items.clone(), rows.outfits.category.clone())
        outfits.items[3, 1:] = outfits.category[3, 1:] = -1
        changed = attrs.evolve(dataset.splits[split], positives=attrs.evolve(rows, outfits=outfits))
        return attrs.evolve(dataset, splits={**dataset.splits, split: changed})

    monkeypatch.setattr("outfitrec.core.engine.load_dataset", poor)
    with pytest.raises(DataError, match=f"{split}.*: Apart needs outfits of 2 items or more: 1 of"):
        run(asking(), out=tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    assert run(tiny(), out=tmp_path).result.test["auc"] > 0


def test_unknown_users_and_questions_are_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def poor(rows: Outfits) -> Outfits:
        outfits = Outfits(rows.items.clone(), rows.category.clone())
        outfits.items[0, 1:] = outfits.category[0, 1:] = -1
        return outfits

    def asked(recipe: Recipe) -> Dataset:
        dataset = load_dataset(recipe)
        questions = dataset.splits["test"].questions
        assert questions is not None
        changed = attrs.evolve(questions, outfits=poor(questions.outfits))
        test = attrs.evolve(dataset.splits["test"], questions=changed)
        return attrs.evolve(dataset, splits={**dataset.splits, "test": test})

    with monkeypatch.context() as patch:
        patch.setattr("outfitrec.core.engine.load_dataset", asked)
        with pytest.raises(DataError, match="dataset, test, questions: Apart needs outfits of 2 items or more"):
            run(asking(), out=tmp_path)
    cold = {"dataset": {"name": "pairs", "width": 1, "seed": 1}, "strategies": ["average"], "profiles": [1]}
    plugins = [str(PLUGIN), str(ASKERS), str(PLUGIN.with_name("pairs.py"))]
    with pytest.raises(DataError, match=r"evaluate\.cold_start\.dataset, train: Apart needs outfits of 2 items"):
        run(asking(plugins=plugins, evaluate={"cold_start": cold}), out=tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_a_view_that_leaves_too_few_items_is_refused_in_training(tmp_path: Path) -> None:
    halved = asking(
        objectives=[{"name": "ranking"}, {"name": "contrastive", "views": ["erase", "identity"]}],
        dataset={"name": "pairs"},
        plugins=[str(PLUGIN), str(ASKERS), str(PLUGIN.with_name("pairs.py"))],
    )
    with pytest.raises(DataError, match="Apart needs outfits of 2 items or more"):
        run(halved, out=tmp_path)


def test_a_cold_start_sees_unobserved_outfits_before_any_profile(tmp_path: Path) -> None:
    unknown = {"name": "tiny", "seed": 1, "users": 4}
    cold = {"dataset": unknown, "strategies": ["learner"], "draws": 2, "profiles": [1, 3]}
    found = run(asking(evaluate={"cold_start": cold}), out=tmp_path)
    (states,) = told(found)["unobserved"]
    # One for each outfit of the largest profiles: four users, two draws, three outfits.
    assert states.shape == (4 * 2 * 3, 16)
    assert told(found)["profile"] == [1] * 4 * 2 * 2


def test_in_serving_unobserved_outfits_are_given(tmp_path: Path) -> None:
    known = plugins().copy()
    known.add_file(ASKERS)
    model = attrs.evolve(served("apart"), registry=known.registry)
    liked: Any = ([[photo(1), photo(2)]], [["top", "shoe"]])
    others: Any = ([[photo(3), photo(4)], [photo(5), photo(2)]], [["top", "shoe"], ["top", "bottom"]])
    heard = vars(__import__(known.registry.get("cold_start", "learner").load().__module__, fromlist=["TOLD"]))["TOLD"]
    with pytest.raises(DataError, match="the strategy learner learns from outfits that the user did not post"):
        model.profile_photos(liked[0], liked[1], "learner")
    before = len(heard["unobserved"])
    assert set(model.profile_photos(liked[0], liked[1], "learner", others)) == {"nothing"}
    assert len(heard["unobserved"]) == before + 1
    assert heard["unobserved"][-1].shape == (2, 128)
    with pytest.raises(DataError, match="the strategy average has no use for unobserved outfits"):
        model.profile_photos(liked[0], liked[1], "average", others)


def test_most_is_the_largest_number_of_a_category_in_a_training_outfit() -> None:
    recipe = load_recipe(tiny())
    dataset = load_dataset(recipe)
    draws = generator(0, "most")
    items = torch.randint(-1, 90, (40, 5), generator=draws)
    items[:, 0].clamp_(min=0)
    rows = attrs.evolve(dataset.splits["train"].positives[slice(0, 40)], outfits=dataset.catalog.outfits(items))
    split = attrs.evolve(dataset.splits["train"], positives=rows)
    found = given_by(attrs.evolve(dataset, splits={"train": split}), recipe.model, recipe.image)["most"]
    naive = [max(sum(item >= 0 and item % 3 == c for item in row) for row in items.tolist()) for c in range(3)]
    assert found == tuple(naive)


@pytest.mark.parametrize(("users", "most"), [(630, (1, 1, 1)), (519, (2, 1, 1)), (32, (2, 1, 1)), (53, (1, 1, 1))])
def test_the_released_data_are_outlined_without_being_there(users: int, most: tuple[int, ...]) -> None:
    recipe = load_recipe("npair", [f"dataset.users={users}"])
    found = given_without_data(recipe, users)
    assert (found["most"], found["slots"], found["categories"]) == (most, sum(most), ("top", "bottom", "shoe"))
    assert parameter_counts(recipe, users)["preference"] == users * 128


def test_a_step_gives_the_embeddings_of_each_outfits_items() -> None:
    draws = Generator().manual_seed(0)
    table = torch.randn(50, 4, generator=draws, dtype=torch.float64)
    items = torch.tensor([[7, -1, 3], [-1, 49, -1], [3, 0, 7]])
    outfits = Outfits(items, torch.where(items >= 0, 0, -1))
    ids = torch.tensor([0, 3, 7, 12, 49])
    rows = table[ids].requires_grad_()
    none = torch.empty(0, dtype=torch.long)
    step: Any = Step(
        Batch(none, outfits[:0], none, extra={"more": outfits}),
        ids=ids,
        category=torch.zeros_like(ids),
        features=rows,
        items=rows,
        states={},
        recommender=build_recommender(load_recipe(tiny()).model, given_without_data(load_recipe(tiny()), 2)),
        teacher=None,
        epoch=0,
        generator=draws,
    )
    found, mask = step.embedded("more")
    assert mask.tolist() == (items >= 0).tolist()
    for row, outfit in enumerate(items.tolist()):
        for slot, item in enumerate(outfit):
            expected: Tensor = table[item] if item >= 0 else torch.zeros(4, dtype=torch.float64)
            torch.testing.assert_close(found[row, slot].detach(), expected)
    found.sum().backward()
    # Items 3 and 7 are there twice, item 12 not at all.
    assert rows.grad is not None
    assert rows.grad[:, 0].tolist() == [1, 2, 2, 0, 1]


def test_create_fills_in_what_components_within_ask_for() -> None:
    from outfitrec import create

    encoder = create("encoder", "features", size=6, head="linear", dim=4)
    assert encoder.layers[0].weight.shape == (4, 6)
    with pytest.raises(RecipeError, match="users: unknown key of encoder 'features'"):
        create("encoder", "features", size=6, head="linear", dim=4, users=3)
