import json
import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pairwise import distance, masked, sce_net, seeds, type_aware
from scipy.stats import chisquare
from tiny import tiny
from torch import Generator, Tensor

from outfitrec import Batch, Catalog, DataError, Outfits, RecipeError, Recommender, Rows, Split, Step, create, run
from outfitrec.core.recipe import load_recipe
from outfitrec_baselines.triplets.objective import Triplet
from outfitrec_baselines.triplets.terms import embedding_norm, nearer, similarity

TYPES = ("top", "bottom", "shoe")
ITEMS = 60
# Tops are 0, 3, 6, …, bottoms 1, 4, 7, …, shoes 2, 5, 8, …
CATALOG = Catalog([f"item {k}" for k in range(ITEMS)], torch.arange(ITEMS) % 3, TYPES)
POSTED = [(0, 1, 2, -1), (3, 6, 4, 5), (9, -1, 7, 8), (0, -1, 10, -1), (12, 15, 13, 14), (0, 18, 16, -1)]


def split(outfits: Sequence[Sequence[int]] = POSTED) -> Split:
    return Split(Rows(torch.zeros(len(outfits), dtype=torch.long), CATALOG.outfits(torch.tensor(outfits))))


def batch(outfits: Sequence[Sequence[int]]) -> Batch:
    none = torch.empty(0, dtype=torch.long)
    return Batch(none, CATALOG.outfits(torch.tensor(outfits)), none)


def objective(outfits: Sequence[Sequence[int]] = POSTED, **fields: Any) -> Triplet:
    return Triplet(split=split(outfits), catalog=CATALOG, **fields)


def recommender(name: str, dim: int = 4, **fields: Any) -> Recommender:
    facts = {"categories": TYPES, "most": (2, 1, 1)} if name == "type_aware" else {}
    aggregator = create("aggregator", name, dim=dim, **facts, **fields)
    encoder = create("encoder", "features", size=dim, norm=False, head="identity", dim=dim)
    return Recommender(encoder, aggregator, create("preference", "compatibility")).double()


def step(made: Recommender, one: Batch, extra: Outfits, items: Tensor) -> Step:
    """A step in which every item of the catalogue has an embedding."""
    return Step(
        Batch(one.users, one.positives, one.items, extra={"triplet": extra}),
        ids=torch.arange(ITEMS),
        category=CATALOG.category,
        features=items,
        items=items,
        states={},
        recommender=made,
        teacher=None,
        epoch=0,
        generator=Generator(),
    )


def embeddings(seed: int = 0) -> Tensor:
    return torch.randn(ITEMS, 4, dtype=torch.float64, generator=Generator().manual_seed(seed))


def pairs(outfits: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    return [pair for outfit in outfits for pair in combinations([item for item in outfit if item >= 0], 2)]


def norm(rows: Sequence[Sequence[float]]) -> float:
    return math.sqrt(sum(one * one for row in rows for one in row))


@given(st.lists(st.sampled_from(POSTED), min_size=1, max_size=5), seeds)
def test_each_pair_has_a_negative_of_the_later_items_type_and_of_another_outfit(
    drawn: list[tuple[int, ...]], seed: int
) -> None:
    extra = objective().extra(batch(drawn), Generator().manual_seed(seed))
    assert extra.width == 2
    assert (extra.items >= 0).all()
    whose = [outfit for outfit in drawn for _ in pairs([outfit])]
    for outfit, (anchor, close), (kept, far) in zip(whose, pairs(drawn), extra.items.tolist(), strict=True):
        assert kept == anchor
        assert far % 3 == close % 3
        assert far not in outfit
        assert any(far in other for other in POSTED)


def test_an_outfit_is_drawn_evenly_and_then_one_of_its_items_of_the_type() -> None:
    # One triplet, (0, 1), whose negative is a bottom: outfits of one bottom, of three, and one that is not to be used.
    outfits = [(0, 1, -1, -1), (3, 4, 5, -1), (6, 7, 10, 13), (9, 4, -1, -1)]
    many = 6000
    extra = objective(outfits).extra(batch([outfits[0]] * many), Generator().manual_seed(1))
    counts = [int((extra.items[:, 1] == item).sum()) for item in (4, 7, 10, 13)]
    assert sum(counts) == many
    assert chisquare(counts, [many * share for share in (2 / 3, 1 / 9, 1 / 9, 1 / 9)]).pvalue > 1e-3


def test_an_outfit_that_several_users_posted_is_drawn_no_more_often() -> None:
    outfits = [(0, 1, 2), (3, 4, 5), (4, 3, 5), (5, 4, 3), (6, 7, 8)]
    many = 4000
    extra = objective(outfits).extra(batch([(0, 1, -1)] * many), Generator().manual_seed(2))
    counts = [int((extra.items[:, 1] == item).sum()) for item in (4, 7)]
    assert sum(counts) == many
    assert chisquare(counts).pvalue > 1e-3


def test_items_that_no_training_outfit_has_are_never_drawn() -> None:
    extra = objective().extra(batch([POSTED[0]] * 500), Generator().manual_seed(3))
    trained = {item for outfit in POSTED for item in outfit} - {-1}
    assert set(extra.items.flatten().tolist()) <= trained
    # All that may be drawn is drawn.
    assert set(extra.items[:, 1].tolist()) == {item for item in trained if item % 3} - {1, 2}


def test_the_same_generator_gives_the_same_negatives() -> None:
    one, other, third = (
        objective().extra(batch(POSTED), Generator().manual_seed(seed)).items.tolist() for seed in (4, 4, 5)
    )
    assert one == other
    assert one != third


def test_a_type_with_no_other_item_is_an_error() -> None:
    outfits = [(0, 1, 2), (3, 1, 5)]
    with pytest.raises(DataError, match=r"negatives cannot be drawn: .*'bottom'"):
        objective(outfits).extra(batch(outfits), Generator().manual_seed(0))


def test_terms_are_those_of_naive_loops() -> None:
    anchor, far, close = (embeddings(seed)[:7] for seed in range(3))
    a, f, c = (rows.tolist() for rows in (anchor, far, close))
    assert embedding_norm(anchor, far, close).item() == pytest.approx((norm(a) + norm(f) + norm(c)) / 3 / math.sqrt(7))
    intent = as_in_code = 0.0
    for one, other, third in zip(a, f, c, strict=True):
        alike = distance(other, third)
        for apart in (distance(other, one), distance(third, one)):
            intent += max(0.0, alike - apart + 0.4) / 14
            as_in_code += max(0.0, apart - alike + 0.4) / 14
    assert similarity(anchor, far, close, 0.4).item() == pytest.approx(intent)
    assert similarity(anchor, far, close, 0.4, as_in_code=True).item() == pytest.approx(as_in_code)
    near, away = torch.tensor([0.1, 0.5, 0.2]), torch.tensor([0.5, 0.1, 0.3])
    # The first is nearer by more than the margin; the others lack 0.7 and 0.2.
    assert nearer(near, away, 0.3).item() == pytest.approx((0 + 0.7 + 0.2) / 3)


@pytest.mark.parametrize("similar", ["intent", "as_in_code"])
@pytest.mark.parametrize("name", ["type_aware", "sce_net"])
def test_value_is_that_of_a_naive_loop(name: str, similar: str) -> None:
    made, table = recommender(name), embeddings()
    loss = objective(margin=0.25, embed_weight=0.3, mask_weight=0.2, similarity_weight=0.7, similarity=similar)
    # Two tops, a single pair, an empty slot between items.
    one = batch([POSTED[1], POSTED[3], POSTED[2]])
    extra = loss.extra(one, Generator().manual_seed(0))
    value = loss(step(made, one, extra, table))

    rows, state = table.tolist(), {key: tensor.tolist() for key, tensor in made.aggregator.state_dict().items()}  # type: ignore[attr-defined]  # an nn.Module
    by_types = dict(zip([(0, 1), (0, 2), (1, 2), (0, 0)], state["masks.weight"], strict=False))

    def apart(first: int, second: int) -> float:
        outfit = [(first % 3, rows[first]), (second % 3, rows[second])]
        return -(type_aware(outfit, by_types) if name == "type_aware" else sce_net(outfit, state, "pair"))

    close = [pair[1] for pair in pairs(one.positives.items.tolist())]
    triplets = [(anchor, far, near) for (anchor, far), near in zip(extra.items.tolist(), close, strict=True)]
    assert len(triplets) == 6 + 1 + 3
    terms = dict.fromkeys(("distance", "embed", "mask", "similarity"), 0.0)
    for anchor, far, near in triplets:
        terms["distance"] += max(0.0, apart(anchor, near) - apart(anchor, far) + 0.25) / len(triplets)
        for other in (far, near):
            gap = distance(rows[far], rows[near]) - distance(rows[other], rows[anchor])
            terms["similarity"] += max(0.0, (gap if similar == "intent" else -gap) + 0.25) / 2 / len(triplets)
        ones = [1.0] * 4
        if name == "type_aware":
            terms["mask"] += sum(masked(ones, by_types[min(anchor % 3, near % 3), max(anchor % 3, near % 3)])) / 10
        else:
            terms["mask"] += sum(sum(masked(ones, mask)) for mask in state["masks.weight"]) / 5 / 10
    terms["embed"] = sum(norm([rows[items[k]] for items in triplets]) for k in range(3)) / 3 / math.sqrt(10)
    factors = {"distance": 1.0, "embed": 0.3, "mask": 0.2, "similarity": 0.7}
    assert value.item() == pytest.approx(sum(factors[key] * terms[key] for key in terms), abs=1e-5)
    logged = step(made, one, extra, table)
    loss(logged)
    assert {key: number.item() for key, number in logged.logged.items()} == {
        f"triplet.{key}": pytest.approx(number, abs=1e-5) for key, number in terms.items()
    }


def test_empty_slots_add_no_triplet_and_change_no_value() -> None:
    made, table, loss = recommender("type_aware"), embeddings(), objective()
    one, wide = batch(POSTED), batch([(*outfit, -1, -1) for outfit in POSTED])
    found = [loss.extra(given, Generator().manual_seed(6)) for given in (one, wide)]
    assert found[0].items.tolist() == found[1].items.tolist()
    values = [loss(step(made, given, extra, table)).item() for given, extra in zip((one, wide), found, strict=True)]
    assert values[0] == pytest.approx(values[1], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("type_aware", {}),
        ("type_aware", {"projection": "linear"}),
        ("sce_net", {}),
        ("sce_net", {"branch": "triplet"}),
    ],
)
def test_gradients_are_those_of_finite_differences(name: str, fields: dict[str, Any]) -> None:
    made, loss = recommender(name, **fields), objective(margin=3.0, embed_weight=1.0, similarity_weight=1.0)
    one = batch([POSTED[1], POSTED[3]])
    extra = loss.extra(one, Generator().manual_seed(0))
    assert torch.autograd.gradcheck(
        lambda table: loss(step(made, one, extra, table)), embeddings().requires_grad_(), fast_mode=True
    )
    loss(step(made, one, extra, embeddings())).backward()
    assert all(one.grad is not None and one.grad.abs().sum() > 0 for one in made.aggregator.parameters())  # type: ignore[attr-defined]  # an nn.Module


def trained(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    model = {
        "dim": 16,
        "encoder": {"name": "features", "size": 12, "head": {"name": "linear"}},
        "aggregator": {"name": name, **fields},
        "preference": {"name": "compatibility"},
    }
    train = {"epochs": 4, "batch": 32, "optimizer": {"name": "adam", "lr": 0.01}, "accelerator": "cpu"}
    return tiny(name=name.replace("_", "-"), model=model, objectives=[{"name": "triplet"}], train=train)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("type_aware", {}),
        ("type_aware", {"projection": "linear", "normalize": False, "types": ["top", "bottom", "shoe"]}),
        ("sce_net", {"conditions": 3}),
        ("sce_net", {"branch": "triplet", "conditions": 4}),
    ],
)
def test_a_recipe_trains_with_falling_loss(name: str, fields: dict[str, Any], tmp_path: Path) -> None:
    made = run(trained(name, fields), out=tmp_path)
    lines = [json.loads(line) for line in (made.directory / "metrics.jsonl").read_text().splitlines()]
    losses = [line["train"]["triplet"] for line in lines]
    assert losses[-1] < losses[0]
    assert {"triplet.distance", "triplet.embed", "triplet.mask", "triplet.similarity"} <= lines[0]["train"].keys()


def test_another_aggregator_is_refused() -> None:
    recipe = trained("type_aware", {})
    recipe["model"]["aggregator"] = {"name": "mean"}
    with pytest.raises(RecipeError, match=r"'triplet' trains the distances of .* not 'mean'"):
        load_recipe(recipe)
    made, loss = recommender("type_aware"), objective()
    made.aggregator = create("aggregator", "mean")
    one = batch(POSTED)
    with pytest.raises(RecipeError, match="not 'Mean'"):
        loss(step(made, one, loss.extra(one, Generator()), embeddings()))


def test_a_recipe_whose_aggregator_contradicts_itself_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"no masks"):
        load_recipe(trained("type_aware", {"projection": "linear", "bare_masks": True}))
    with pytest.raises(RecipeError, match=r"'top' more than once"):
        load_recipe(trained("type_aware", {"types": ["top", "top", "bottom", "shoe"]}))


def test_a_dataset_without_a_named_type_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"type_aware: .*'shoe' missing"):
        run(trained("type_aware", {"types": ["top", "bottom"]}), out=tmp_path)
