"""LPAE against figures of its published code, and against its equations in plain loops."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from ruled import ruled
from torch import Tensor

from outfitrec import DataError, Recommender
from outfitrec.plugins.aggregators.attention import AttentionBlock
from outfitrec_baselines.lpae import from_original

CATEGORY = torch.tensor([[0, 0, 1, 2], [0, 1, 2, -1]])
Array = np.ndarray[Any, np.dtype[np.float64]]


def names(blocks: int = 2, general: bool = False, embed: bool = True) -> list[str]:
    """The original's parameters, sorted as its figures number them."""
    mabs = [f"encoder.{k}" for k in range(blocks)] + ["pma"]
    layers = [f"{mab}.mab.{one}" for mab in mabs for one in ("fc_q", "fc_k", "fc_v", "fc_o", "ln0", "ln1")]
    layers += ["embed.0", "embed.1"] if embed else []
    found = [f"visual_encoder.{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]
    found += [
        "visual_encoder.pma.S",
        "memory.out_proto",
        "memory.users",
        "memory.trans.0.weight",
        "memory.trans.0.bias",
    ]
    return sorted([*found, "memory.com_proto"] if general else found)


def parameters(
    ordered: Sequence[str], dim: int = 8, size: int = 6, users: int = 3, anchors: int = 4, general: int = 2
) -> dict[str, Tensor]:
    def shape(name: str) -> tuple[int, ...]:
        known = {
            "memory.out_proto": (users, anchors, dim),
            "memory.users": (users, 1, dim),
            "memory.com_proto": (1, general, dim),
            "visual_encoder.pma.S": (1, 1, dim),
            "visual_encoder.embed.0.weight": (dim, size),
        }
        vector = name.endswith("bias") or ".ln" in name or ".embed.1" in name
        return known.get(name, (dim,) if vector else (dim, dim))

    return {name: ruled(number, *shape(name)) for number, name in enumerate(ordered)}


def state_of(recommender: Recommender, features: Tensor, category: Tensor) -> Tensor:
    """The states of outfits whose items have these features, ``[outfit, slot, f]``."""
    index = torch.arange(category.numel()).view_as(category).masked_fill(category < 0, -1)
    with torch.no_grad():
        table = recommender.embed(features.flatten(0, 1), category.flatten().clamp(min=0))
        state = recommender.state(table, index, category)
    assert isinstance(state, Tensor)
    return state


def scores(recommender: Recommender, features: Tensor, category: Tensor, users: Tensor) -> list[float]:
    with torch.no_grad():
        found: list[float] = recommender.preference(users, state_of(recommender, features, category)).tolist()
    return found


def normed(x: Array, weight: Array, bias: Array) -> Array:
    mean = sum(x) / len(x)
    variance = sum((one - mean) ** 2 for one in x) / len(x)
    return np.array([(one - mean) / math.sqrt(variance + 1e-5) for one in x]) * weight + bias


def block(given: dict[str, Array], mab: str, queries: list[Array], keys: list[Array], heads: int) -> list[Array]:
    """The original's attention, vector by vector."""

    def linear(layer: str, x: Array) -> Array:
        return given[f"{mab}.{layer}.weight"] @ x + given[f"{mab}.{layer}.bias"]

    out = []
    for query in queries:
        q, width = linear("fc_q", query), len(query) // heads
        hidden = q.copy()
        for head in range(heads):
            part = slice(head * width, (head + 1) * width)
            dots = [q[part] @ linear("fc_k", key)[part] / math.sqrt(width) for key in keys]
            powers = [math.exp(dot) for dot in dots]
            hidden[part] += sum(
                power / sum(powers) * linear("fc_v", key)[part] for power, key in zip(powers, keys, strict=True)
            )
        hidden = normed(hidden, given[f"{mab}.ln0.weight"], given[f"{mab}.ln0.bias"])
        hidden = hidden + np.maximum(linear("fc_o", hidden), 0)
        out.append(normed(hidden, given[f"{mab}.ln1.weight"], given[f"{mab}.ln1.bias"]))
    return out


def naive(state_dict: dict[str, Tensor], items: Array, user: int, heads: int, blocks: int) -> float:
    """The original's score of one user for one outfit, which has these items and no empty slot."""
    given = {name.removeprefix("visual_encoder."): one.numpy() for name, one in state_dict.items()}
    hidden = list(items)
    if "embed.0.weight" in given:
        linear = [given["embed.0.weight"] @ item + given["embed.0.bias"] for item in items]
        hidden = [np.maximum(normed(one, given["embed.1.weight"], given["embed.1.bias"]), 0) for one in linear]
    for k in range(blocks):
        hidden = block(given, f"encoder.{k}.mab", hidden, hidden, heads)
    (pooled,) = block(given, "pma.mab", [given["pma.S"][0, 0]], hidden, heads)
    z = given["memory.trans.0.weight"] @ pooled + given["memory.trans.0.bias"]
    anchors = [*given["memory.out_proto"][user], *given.get("memory.com_proto", np.empty((1, 0, 0)))[0]]
    return float(sum(a @ z / math.sqrt((a @ a) * (z @ z)) for a in anchors))


def test_scores_are_those_of_the_published_code(goldens: dict[str, Any]) -> None:
    golden = goldens["lpae_u"]
    recommender = from_original(parameters(golden["params"]))
    found = scores(recommender, ruled(100, 2, 4, 6), CATEGORY, torch.tensor([0, 2]))
    assert found == pytest.approx(golden["score"], abs=1e-9)


def test_names_of_the_tests_are_those_of_the_published_code(goldens: dict[str, Any]) -> None:
    assert names() == goldens["lpae_u"]["params"]


@pytest.mark.parametrize(
    ("heads", "blocks", "general", "embed", "anchors"),
    [(4, 2, True, True, 2), (2, 1, False, True, 5), (8, 3, True, False, 1), (1, 0, False, False, 3)],
)
def test_scores_are_those_of_plain_loops(heads: int, blocks: int, general: bool, embed: bool, anchors: int) -> None:
    size = 6 if embed else 8
    state_dict = parameters(names(blocks, general, embed), size=size, anchors=anchors)
    recommender = from_original(state_dict, heads=heads)
    features = ruled(100, 2, 4, size)
    found = scores(recommender, features, CATEGORY, torch.tensor([2, 1]))
    expected = [
        naive(state_dict, items.numpy()[: 4 - row], user, heads, blocks)
        for row, (items, user) in enumerate(zip(features, (2, 1), strict=True))
    ]
    assert found == pytest.approx(expected, abs=1e-9)


def test_attention_is_that_of_the_set_transformers_published_code(goldens: dict[str, Any]) -> None:
    golden = goldens["lee_mab"]
    given = {
        name: ruled(number, *((8, 8) if ".weight" in name and "ln" not in name else (8,)))
        for number, name in enumerate(golden["params"])
    }
    attention = AttentionBlock(8, 2, residual="projected", scale="dim", output=False, norm=True).double()
    layers = {"feed_forward": "fc_o", "norm_attention": "ln0", "norm_output": "ln1"}
    loaded = {
        f"{here}.{kind}": given[f"{there}.{kind}"] for here, there in layers.items() for kind in ("weight", "bias")
    }
    for kind in ("weight", "bias"):
        loaded[f"project.{kind}"] = torch.cat([given[f"fc_{one}.{kind}"] for one in "qkv"])
    attention.load_state_dict(loaded)
    with torch.no_grad():
        out = attention(ruled(100, 2, 3, 8), ruled(101, 2, 4, 8))
    assert out[0, 0].tolist() == pytest.approx(golden["out[0,0]"], abs=1e-9)
    assert float(out.sum()) == pytest.approx(golden["sum"], abs=1e-9)


def test_it_is_ready_to_serve_and_of_the_parameters_type() -> None:
    for dtype in (torch.float32, torch.float64):
        recommender = from_original({name: one.to(dtype) for name, one in parameters(names()).items()})
        assert not recommender.training
        assert {one.dtype for one in recommender.parameters()} == {dtype}
        assert all(one.requires_grad and not one.is_meta for one in recommender.parameters())
        assert state_of(recommender, ruled(100, 2, 4, 6).to(dtype), CATEGORY).dtype == dtype


def test_what_is_not_used_may_be_there_or_not() -> None:
    full = parameters(names())
    users = torch.tensor([0, 2])
    expected = scores(from_original(full), ruled(100, 2, 4, 6), CATEGORY, users)
    with_mask = {**full, "visual_encoder.pma.mask": torch.ones(1, 1, 1)}
    with_network = {**full, "visual_feature.conv1.weight": torch.ones(2, 3), "visual_feature.bn1.steps": torch.ones(())}
    without = {name: one for name, one in full.items() if name != "memory.users"}
    for changed in (with_mask, with_network, without):
        assert scores(from_original(changed), ruled(100, 2, 4, 6), CATEGORY, users) == expected


def test_neither_the_parameters_nor_the_random_state_are_touched() -> None:
    given = parameters(names(general=True))
    before, state = {name: one.clone() for name, one in given.items()}, torch.get_rng_state()
    recommender = from_original(given)
    assert torch.equal(torch.get_rng_state(), state)
    with torch.no_grad():
        for one in recommender.parameters():
            one.zero_()
    assert all(torch.equal(before[name], one) for name, one in given.items())


def test_all_that_does_not_fit_is_named_at_once() -> None:
    given = parameters(names())
    del given["memory.trans.0.bias"], given["visual_encoder.encoder.0.mab.fc_k.weight"]
    given["visual_encoder.sab.mab.fc_q.weight"] = torch.zeros(8, 8)
    given["visual_encoder.pma.S"] = torch.zeros(1, 4, 8)
    given["visual_encoder.encoder.1.mab.fc_v.bias"] = torch.zeros(16)
    given["memory.users_more"] = torch.zeros(1)
    with pytest.raises(DataError) as caught:
        from_original(given)
    for text in (
        "memory.trans.0.bias is missing",
        "visual_encoder.encoder.0.mab.fc_k.weight is missing",
        "visual_encoder.sab.mab.fc_q.weight is unknown",
        "memory.users_more is unknown",
        "visual_encoder.pma.S has the shape [1, 4, 8], not [1, 1, 8]",
        "visual_encoder.encoder.1.mab.fc_v.bias has the shape [16], not [8]",
    ):
        assert text in str(caught.value)
    assert "memory.out_proto" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"memory\.out_proto is missing, and is \[user, anchor, dim\]"),
        ({"memory.out_proto": torch.zeros(3, 8)}, r"memory\.out_proto has the shape \[3, 8\]"),
        (
            {"memory.out_proto": torch.zeros(3, 4, 8), "memory.com_proto": torch.zeros(2, 8)},
            r"memory\.com_proto has the shape \[2, 8\], and is \[1, anchor, dim\]",
        ),
        ({"memory.out_proto": torch.zeros(3, 4, 8)}, r"memory\.trans\.0\.weight is missing"),
    ],
)
def test_parameters_of_something_else_are_refused(given: dict[str, Tensor], message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_original(given)


@pytest.mark.parametrize("heads", [3, 16, 0])
def test_heads_that_do_not_divide_the_dimension_are_refused(heads: int) -> None:
    with pytest.raises(DataError, match=f"heads: {heads} of them do not divide .*, which is 8"):
        from_original(parameters(names()), heads=heads)
