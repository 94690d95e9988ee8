from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from pairwise import distance, laid_out, linear, listed, masked, sce_net, type_aware, under, unit, weights
from ruled import ruled
from torch import Tensor

from outfitrec import DataError, RecipeError, Recommender
from outfitrec_baselines.sce_net import from_original as sce_net_from
from outfitrec_baselines.sce_net.aggregator import SCENet
from outfitrec_baselines.triplets.terms import embedding_norm, nearer, similarity
from outfitrec_baselines.type_aware import from_original as type_aware_from
from outfitrec_baselines.type_aware.aggregator import TypeAware

LOADERS = {"type_aware": type_aware_from, "sce_net": sce_net_from}


def sce_state(seen: int, dim: int = 64, conditions: int = 3) -> dict[str, Tensor]:
    """Parameters of the original whose branch sees so many items."""
    shapes = {
        "concept_branch.fc1.0.bias": (32,),
        "concept_branch.fc1.0.weight": (32, seen * dim),
        "concept_branch.fc2.0.bias": (conditions,),
        "concept_branch.fc2.0.weight": (conditions, 32),
        "embeddingnet.masks.weight": (conditions, dim),
    }
    return {name: ruled(number, *shape) for number, (name, shape) in enumerate(shapes.items())}


def type_aware_of(made: Recommender) -> TypeAware:
    assert isinstance(made.aggregator, TypeAware)
    return made.aggregator


def sce_net_of(made: Recommender) -> SCENet:
    assert isinstance(made.aggregator, SCENet)
    return made.aggregator


def inputs(made: Recommender, count: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Anchor, far and close items by the goldens' rule, through the recommender's encoder."""
    category = torch.zeros(count, dtype=torch.long)
    anchor, far, close = (made.embed(ruled(number, count, size), category) for number in (100, 101, 102))
    return anchor, far, close


def test_type_aware_gives_the_originals_figures(goldens: dict[str, Any]) -> None:
    golden = goldens["type_aware"]
    made = type_aware_from({"masks.weight": ruled(0, 3, 8)})
    aggregator, conditions = type_aware_of(made), torch.tensor([0, 1, 2, 0])
    anchor, far, close = inputs(made, 4, 8)
    to_far, to_close = aggregator.triplet(anchor, far, close, conditions)
    found = {
        "triplet": nearer(to_close, to_far, 0.3),
        "sim_i": similarity(anchor, far, close, 0.3, as_in_code=True),
        "mask": aggregator.mask_norm(conditions),
        "embed": embedding_norm(anchor, far, close),
    }
    for name, value in found.items():
        assert value.item() == pytest.approx(golden[name], abs=1e-7)
    assert aggregator.project(anchor, conditions)[0].tolist() == pytest.approx(golden["train_emb[0]"], abs=1e-7)
    bare = type_aware_of(type_aware_from({"masks.weight": ruled(0, 3, 8)}, bare_masks=True))
    assert bare.project(anchor, conditions)[0].tolist() == pytest.approx(golden["test_emb[0,0]"], abs=1e-7)


def test_sce_net_gives_the_originals_figures(goldens: dict[str, Any]) -> None:
    made = sce_net_from(sce_state(2))
    anchor, far, close = inputs(made, 2, 64)
    to_far, to_close = sce_net_of(made).triplet(anchor, far, close, torch.zeros(2, dtype=torch.bool))
    assert to_far.tolist() == pytest.approx(goldens["sce_pair"]["dist_far"], abs=1e-7)
    assert to_close.tolist() == pytest.approx(goldens["sce_pair"]["dist_close"], abs=1e-7)


def test_the_branch_of_three_items_is_told_by_its_shape() -> None:
    made = sce_net_from(sce_state(3, dim=6, conditions=4))
    assert sce_net_of(made).branch == "triplet"
    assert sce_net_of(made).conditions == 4
    state = {name: tensor.tolist() for name, tensor in sce_state(3, dim=6, conditions=4).items()}
    renamed = {
        "masks.weight": state["embeddingnet.masks.weight"],
        **{f"weighing.0.{end}": state[f"concept_branch.fc1.0.{end}"] for end in ("weight", "bias")},
        **{f"weighing.2.{end}": state[f"concept_branch.fc2.0.{end}"] for end in ("weight", "bias")},
    }
    anchor, far, close = inputs(made, 3, 6)
    to_far, to_close = sce_net_of(made).triplet(anchor, far, close, torch.zeros(3, dtype=torch.bool))
    for row, (a, f, c) in enumerate(torch.stack([anchor, far, close], dim=1).tolist()):
        omega = weights([a, f, c], renamed)
        assert to_far[row].item() == pytest.approx(under(a, f, omega, renamed["masks.weight"]), abs=1e-9)
        assert to_close[row].item() == pytest.approx(under(a, c, omega, renamed["masks.weight"]), abs=1e-9)
    given = laid_out([[0, 1, 2], [2, 0]], 6, seed=0)
    for value, outfit in zip(sce_net_of(made)(*given).tolist(), listed(*given), strict=True):
        assert value == pytest.approx(sce_net(outfit, renamed, "triplet"), abs=1e-9)


def test_linear_layers_go_to_the_pairs_that_they_are_of() -> None:
    pairs = [("shoe", "bottom"), ("top", "top"), ("top", "bottom"), ("top", "shoe")]
    shapes = {f"masks.{k}.{end}": (5, 5)[: 2 if end == "weight" else 1] for k in range(4) for end in ("bias", "weight")}
    state = {name: ruled(number, *shape) for number, (name, shape) in enumerate(shapes.items())}
    made = type_aware_from(state, pairs=pairs, normalize=False)
    table, category = ruled(100, 4, 5), torch.tensor([0, 0, 1, 2])
    layers = {(1, 2): 0, (0, 0): 1, (0, 1): 2, (0, 2): 3}
    expected = 0.0
    for i, j in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)):
        layer = layers[int(category[i]), int(category[j])]
        weight, bias = state[f"masks.{layer}.weight"].tolist(), state[f"masks.{layer}.bias"].tolist()
        expected += distance(*(linear(table[k].tolist(), weight, bias) for k in (i, j)))
    score = made.score_all(torch.arange(2), made.state(table, torch.arange(4)[None], category[None]))
    assert score.tolist() == [pytest.approx([-expected / 6], abs=1e-9)] * 2
    norm = type_aware_of(made).mask_norm(torch.tensor([3]))
    assert norm.item() == pytest.approx(state["masks.1.weight"].abs().sum().item())


def test_masks_go_to_the_pairs_that_they_are_of() -> None:
    masks = ruled(0, 4, 6)
    made = type_aware_from(
        {"masks.weight": masks}, pairs=[("shoe", "top"), ("shoe", "shoe"), ("bottom", "shoe"), ("bottom", "top")]
    )
    rows = masks.tolist()
    given = laid_out([[0, 1, 2], [2, 2, 1]], 6, seed=1)
    for value, outfit in zip(type_aware_of(made)(*given).tolist(), listed(*given), strict=True):
        assert value == pytest.approx(
            type_aware(outfit, {(0, 2): rows[0], (2, 2): rows[1], (1, 2): rows[2], (0, 1): rows[3]}), abs=1e-9
        )
    with pytest.raises(DataError, match=r"two items of type 'top'"):
        type_aware_of(made)(*laid_out([[0, 0, 1]], 6, seed=1))


def test_a_fourth_mask_is_that_of_two_tops_and_bare_masks_score_without_relu() -> None:
    masks = ruled(0, 4, 6) - 0.2
    made = type_aware_of(type_aware_from({"masks.weight": masks}, bare_masks=True))
    assert made.most == (2, 1, 1)
    items, mask, category = laid_out([[0, 0]], 6, seed=2)
    ends = [unit(masked(item.tolist(), masks[3].tolist(), relu=False)) for item in items[0]]
    assert made(items, mask, category).item() == pytest.approx(-distance(*ends), abs=1e-9)


def test_the_originals_last_layer_gives_the_general_embeddings() -> None:
    weight, bias, features = ruled(1, 64, 256), ruled(2, 64), ruled(100, 2, 256)
    layer = {"fc_embed.weight": weight, "fc_embed.bias": bias}
    network = {
        "conv1.weight": ruled(3, 64, 3, 7, 7),
        "bn1.running_mean": ruled(4, 64),
        "layer3.0.bn1.bias": ruled(5, 3),
    }
    inner = {f"embeddingnet.embeddingnet.{name}": tensor for name, tensor in {**layer, **network}.items()}
    text = {"text_branch.fc2.bias": ruled(6, 64)}
    for made in (
        type_aware_from({"embeddingnet.masks.weight": ruled(0, 3, 64), **inner, **text}),
        sce_net_from({**sce_state(2), **inner}),
    ):
        embedded = made.embed(features, torch.tensor([0, 1]))
        torch.testing.assert_close(embedded, features @ weight.T + bias, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_recommender_is_of_the_parameters_dtype_in_evaluation_mode_and_its_own(dtype: torch.dtype) -> None:
    before = torch.random.get_rng_state()
    given = {"masks.weight": ruled(0, 3, 8).to(dtype)}
    kept = given["masks.weight"].clone()
    for made in (
        type_aware_from(given),
        sce_net_from({name: tensor.to(dtype) for name, tensor in sce_state(2, dim=4).items()}),
    ):
        assert {one.dtype for one in made.parameters()} == {dtype}
        assert not made.training
        with torch.no_grad():
            for one in made.parameters():
                one.zero_()
    assert torch.equal(given["masks.weight"], kept)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_users_all_see_the_same_scores() -> None:
    made = sce_net_from(sce_state(2, dim=6))
    items, mask, category = laid_out([[0, 1, 2], [0, 1, -1]], 6, seed=3)
    state = sce_net_of(made)(items, mask, category)
    every = made.score_all(torch.arange(3), state)
    for user in range(3):
        for outfit in range(2):
            alone = made.preference(torch.tensor([user]), state[outfit : outfit + 1])
            assert every[user, outfit].item() == alone.item()


def changed(state: Mapping[str, Tensor], **changes: Tensor | None) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in {**state, **changes}.items() if tensor is not None}


MASKS = {"masks.weight": ruled(0, 3, 8)}
LAYERS = {f"masks.{k}.weight": ruled(k, 4, 4) for k in range(3)}


@pytest.mark.parametrize(
    ("method", "state", "message"),
    [
        ("type_aware", {}, r"masks\.weight is missing"),
        ("type_aware", {"masks.weight": ruled(0, 24)}, r"masks\.weight has the shape \[24\]"),
        ("type_aware", {**MASKS, "metric_branch.weight": ruled(1, 1, 8)}, r"metric_branch\.weight is unknown"),
        ("type_aware", {**MASKS, "embeddingnet.masks.weight": ruled(1, 3, 8)}, r"masks\.weight is there twice"),
        ("type_aware", {"masks.weight": ruled(0, 2, 8)}, r"2 masks, and 2 pairs of types without bottom–shoe"),
        ("type_aware", {"masks.weight": ruled(0, 7, 8)}, r"7 masks, and 6 pairs"),
        ("type_aware", LAYERS, r"masks\.0\.bias is missing"),
        ("type_aware", {**MASKS, "masks.0.weight": ruled(1, 8, 8)}, r"1 masks, and 1 pairs"),
        ("type_aware", {**MASKS, "fc_embed.weight": ruled(1, 9, 16)}, r"bias is missing.*\[9, 16\], not \[8, 16\]"),
        ("sce_net", {}, r"masks\.weight is missing"),
        ("sce_net", changed(sce_state(2), **{"concept_branch.fc2.0.bias": None}), r"fc2\.0\.bias is missing"),
        ("sce_net", changed(sce_state(2), extra=ruled(9, 2)), r"extra is unknown"),
        ("sce_net", sce_state(4), r"fc1\.0\.weight takes 256 numbers, and not two or three items of 64"),
        (
            "sce_net",
            changed(sce_state(2), **{"concept_branch.fc2.0.weight": ruled(3, 4, 32)}),
            r"fc2\.0\.weight has the shape \[4, 32\], not \[3, 32\]",
        ),
    ],
)
def test_what_is_not_the_originals_is_refused(method: str, state: dict[str, Tensor], message: str) -> None:
    load: Callable[..., Recommender] = LOADERS[method]
    with pytest.raises(DataError, match=message):
        load(state)


def test_bare_masks_of_fully_connected_layers_are_refused() -> None:
    layers = {**LAYERS, **{f"masks.{k}.bias": ruled(k, 4) for k in range(3)}}
    assert type_aware_of(type_aware_from(layers)).projection == "linear"
    with pytest.raises(RecipeError, match=r"bare_masks: projection: linear has no masks"):
        type_aware_from(layers, bare_masks=True)


def test_types_that_are_there_twice_are_refused() -> None:
    with pytest.raises(DataError, match=r"types: 'a' more than once"):
        type_aware_from(MASKS, types=("a", "a", "b"))


def test_pairs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match=r"'hat' is no type \(types: top, bottom, shoe\)"):
        type_aware_from(MASKS, pairs=[("top", "hat"), ("top", "shoe"), ("bottom", "shoe")])
    with pytest.raises(DataError, match=r"3 masks, and 3 pairs of types without top–shoe"):
        type_aware_from(MASKS, pairs=[("top", "bottom"), ("bottom", "top"), ("bottom", "shoe")])
