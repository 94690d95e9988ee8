"""OutfitNet's objective, and both of its stages as recipes."""

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_outfitnet import SIMILARITIES, naive_relevancy
from test_step import CATALOG, ITEMS, Linear, Table
from tiny import tiny
from torch import Generator, Tensor

import outfitrec
from outfitrec import Batch, Catalog, DataError, Outfits, RecipeError, Recommender, Rows, Run, Split, create
from outfitrec.core.batches import Batches
from outfitrec.core.items import TableItems
from outfitrec.core.program import Program
from outfitrec.core.recipe import load_recipe
from outfitrec.plugins.negatives.random_mix import RandomMix
from outfitrec_baselines.outfitnet.objective import ItemRelevancy
from outfitrec_baselines.outfitnet.relevancy import Relevancy
from outfitrec_baselines.shared.items import ItemSet

ITEM_SET = "outfitrec-baselines/items"
FIRST: dict[str, Any] = {
    "name": "relevancy",
    "objectives": [{"name": "outfitrec-baselines/item_relevancy", "temperature": 0.2}],
    "model": {**tiny()["model"], "aggregator": ITEM_SET, "preference": "outfitrec-baselines/relevancy"},
}
SECOND: dict[str, Any] = {
    "name": "outfitnet",
    "objectives": [{"name": "ranking", "loss": {"name": "bpr", "temperature": 0.2}}],
    "model": {**tiny()["model"], "aggregator": ITEM_SET, "preference": "outfitrec-baselines/outfitnet"},
}


def posted(count: int = 12, seed: int = 0) -> Outfits:
    """Outfits of a top, a bottom and a shoe, of which some lack the last or have a second top."""
    draws = Generator().manual_seed(seed)
    items = torch.randint(0, ITEMS // 3, (count, 4), generator=draws) * 3 + torch.tensor([0, 1, 2, 0])
    empty = torch.rand(count, 2, generator=draws) < 0.4
    items[:, 2:] = torch.where(empty | (items[:, 2:] == items[:, :1]), -1, items[:, 2:])
    return CATALOG.outfits(items)


def split(outfits: Outfits, users: Tensor | None = None) -> Split:
    return Split(Rows(torch.arange(len(outfits)) % 4 if users is None else users, outfits))


def objective(outfits: Outfits, **fields: Any) -> ItemRelevancy:
    return ItemRelevancy(split=split(outfits), catalog=CATALOG, **fields)


def batch_of(outfits: Outfits, term: ItemRelevancy, seed: int = 5) -> Batch:
    none = torch.empty(0, dtype=torch.long)
    bare = Batch(none, outfits, none)
    return Batch(none, outfits, none, extra={term.label: term.extra(bare, Generator().manual_seed(seed))})


def recommender(similarity: str = "cosine") -> Recommender:
    torch.manual_seed(0)
    return Recommender(Linear(), ItemSet(), Relevancy(similarity=similarity)).double()


def pairs(outfits: Outfits) -> list[tuple[int, int, set[int]]]:
    """Every ordered pair of items of an outfit, and the outfit."""
    found = []
    for row in outfits.items.tolist():
        items = [item for item in row if item >= 0]
        found += [(i, j, set(items)) for i, j in itertools.permutations(items, 2)]
    return found


@given(st.integers(0, 2**31))
def test_the_triplets_are_all_ordered_pairs_with_an_item_of_the_category_from_elsewhere(seed: int) -> None:
    outfits = posted(40, seed)
    extra = batch_of(outfits[:10], objective(outfits), seed).extra["item_relevancy"]
    assert extra.width == 2
    assert extra.category.equal(CATALOG.category[extra.items])
    rows = extra.items.tolist()
    positive, negative = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    expected = pairs(outfits[:10])
    assert [tuple(row) for row in positive] == [(i, j) for i, j, _ in expected]
    for (anchor, other), (i, j, items) in zip(negative, expected, strict=True):
        assert anchor == i
        assert other % 3 == j % 3
        assert other not in items


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_the_loss_is_that_of_a_naive_loop(similarity: str, temperature: float) -> None:
    outfits = posted()
    term, model, table = objective(outfits, temperature=temperature), recommender(similarity), Table()
    batch = batch_of(outfits[:5], term)
    loss, figures = Program(model, [term], table, CATALOG.category)(batch, 0, Generator())
    embedded = model.embed(table.rows, CATALOG.category).tolist()
    negatives = batch.extra[term.label].items[:, 1].tolist()
    expected = pairs(outfits[:5])
    total = 0.0
    for (i, j, _), k in zip(expected, negatives[len(expected) :], strict=True):
        right, wrong = (naive_relevancy(similarity, [embedded[i], embedded[other]]) for other in (j, k))
        total += math.log1p(math.exp(-(right - wrong) / temperature))
    assert loss.item() == pytest.approx(total / len(expected), rel=1e-12)
    assert figures["item_relevancy"] == loss.detach()
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_loss_by_hand() -> None:
    # Items 0 and 1 lie together, 3 and 4 too, at a right angle to them: c is 1 within an outfit and 0 across.
    table, model = Table(), recommender()
    outfits = CATALOG.outfits(torch.tensor([[0, 1], [3, 4]]))
    encoder: Any = model.encoder
    torch.nn.init.eye_(encoder.layer.weight)
    torch.nn.init.zeros_(encoder.layer.bias)
    table.rows = torch.zeros(ITEMS, 5, dtype=torch.float64)
    table.rows[[0, 1], 0], table.rows[[3, 4], 1] = 2.0, 3.0
    term = objective(outfits, temperature=0.5)
    loss, _ = Program(model, [term], table, CATALOG.category)(batch_of(outfits, term), 0, Generator())
    assert loss.item() == pytest.approx(math.log1p(math.exp(-2)))


def test_users_leave_the_first_stage_alone() -> None:
    outfits, losses, model = posted(), [], recommender()
    for users in (torch.arange(12) % 4, torch.zeros(12, dtype=torch.long), torch.arange(12).flip(0)):
        train = split(outfits, users)
        term = ItemRelevancy(split=train, catalog=CATALOG)
        batches = Batches(train, RandomMix(split=train, catalog=CATALOG), [term], 4, seed=3)
        program = Program(model, [term], Table(), CATALOG.category)
        drawn = [batches.draw(batches.order(0), 0, step) for step in range(batches.steps)]
        assert all(batch.users.numel() == 0 and batch.drawn is None for batch, _ in drawn)
        losses.append([program(batch, 0, draws)[0].item() for batch, draws in drawn])
    assert losses[0] == losses[1] == losses[2]
    assert len(losses[0]) == 3


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_the_first_stage_learns_which_items_go_together(similarity: str) -> None:
    # Each category shows each of four styles in its own way, and an outfit has one style.
    draws = Generator().manual_seed(0)
    category, style = torch.arange(120) % 3, torch.arange(120) // 3 % 4
    catalog = Catalog([f"item {k}" for k in range(120)], category, ("top", "bottom", "shoe"))
    table = torch.randn(3, 4, 12, generator=draws)[category, style] + 0.5 * torch.randn(120, 12, generator=draws)
    styles = torch.randint(0, 4, (200, 1), generator=draws)
    slots = torch.arange(3)
    outfits = catalog.outfits((torch.randint(0, 10, (200, 3), generator=draws) * 4 + styles) * 3 + slots)
    strange = catalog.outfits(torch.randint(0, 40, (200, 3), generator=draws) * 3 + slots)
    term = ItemRelevancy(split=split(outfits), catalog=catalog)
    encoder = create("encoder", "features", size=12, norm=False, head={"name": "item_encoder", "dropout": 0.0}, dim=16)
    model = Recommender(encoder, ItemSet(), Relevancy(similarity=similarity))
    program = Program(model, [term], TableItems(table), category)
    optimizer = torch.optim.Adam(program.parameters(), lr=0.01)
    for epoch in range(60):
        loss, _ = program(batch_of(outfits, term, seed=epoch), epoch, draws)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        items = model.embed(table, category)
        right, wrong = (model.score_rows(items, torch.zeros(200).long(), one) for one in (outfits, strange))
    assert (right[:, None] > wrong).float().mean() > 0.9


def test_a_category_of_one_item_leaves_nothing_to_draw() -> None:
    outfits = CATALOG.outfits(torch.tensor([[0, 1], [0, 4]]))
    with pytest.raises(DataError, match="no item of the type 'top' but those of the outfit that 'item 0' is in"):
        batch_of(outfits, objective(outfits))


@pytest.mark.parametrize("preference", ["cosine", "outfitrec-baselines/outfitnet", "outfitrec-baselines/compatibility"])
def test_another_preference_has_no_relevancy_to_train(preference: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(tiny(**{**FIRST, "model": {**FIRST["model"], "preference": preference}}))
    [problem] = caught.value.problems
    assert problem.message.startswith("model.preference: item_relevancy trains the preference 'relevancy', not")


@pytest.mark.parametrize("recipe", [FIRST, SECOND])
def test_an_aggregator_that_keeps_no_items_is_refused(recipe: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="scores the items of an outfit, and the aggregator does not give them"):
        outfitrec.run(tiny(**recipe), ["model.aggregator=mean"], out=tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Both stages, the second of which leaves the encoder as it is."""
    start = tiny(**FIRST)
    del start["dataset"]
    out = tmp_path_factory.mktemp("outfitnet")
    return outfitrec.run(tiny(**SECOND, start=start), ["train.freeze=[encoder]"], out=out)


def parameters(run: Run) -> dict[str, Tensor]:
    return dict(run.recommender.state_dict())


def test_the_first_stage_learns_the_relevancy_of_items(trained: Run) -> None:
    [folder] = trained.directory.parent.glob("relevancy-*")
    first = Run(folder)
    training = first.result.training
    assert training["figures"]["item_relevancy"] < training["first"]["item_relevancy"]
    assert first.result.parameters["preference"] == 0
    assert first.result.warnings == ()


def test_the_second_stage_starts_from_the_encoder_of_the_first(trained: Run) -> None:
    [folder] = trained.directory.parent.glob("relevancy-*")
    before, after = parameters(Run(folder)), parameters(trained)
    encoder = [name for name in after if name.startswith("encoder.")]
    assert len(encoder) == 3
    assert all(after[name].equal(before[name]) for name in encoder)
    assert {name for name in after if name not in before} == {
        f"preference.{name}.weight" for name in ("user", "item", "attention_user", "attention_item", "attention_weight")
    }
    assert after["preference.attention_weight.weight"].any()
    assert not after["preference.item.weight"].equal(torch.eye(16))


def test_the_second_stage_learns_what_users_like(trained: Run, tmp_path: Path) -> None:
    assert trained.result.warnings == ()
    untrained = outfitrec.run(tiny(**SECOND), ["train.epochs=0"], out=tmp_path)
    longer = outfitrec.run(tiny(**SECOND), ["train.epochs=12", "train.optimizer.lr=0.05"], out=tmp_path)
    assert longer.result.test["auc"] > untrained.result.test["auc"] + 0.1


def test_a_stage_repeats_bit_for_bit(tmp_path: Path) -> None:
    for recipe in (FIRST, SECOND):
        one, two = (outfitrec.run(tiny(**recipe), out=tmp_path / word) for word in ("one", "two"))
        again = parameters(two)
        assert all(tensor.equal(again[name]) for name, tensor in parameters(one).items())
        assert one.result.per_user == two.result.per_user
