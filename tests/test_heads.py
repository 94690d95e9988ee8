"""Heads: the trainable half of an encoder."""

from pathlib import Path
from typing import Any

import pytest
import torch
from commands import document
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny
from torch import Tensor, nn

from outfitrec.core.build import parameter_counts
from outfitrec.core.create import create
from outfitrec.core.engine import run
from outfitrec.core.errors import RecipeError, UserError
from outfitrec.core.recipe import load_recipe
from outfitrec.plugins.heads.identity import Identity
from outfitrec.plugins.heads.item_encoder import ItemEncoder
from outfitrec.plugins.heads.linear import Linear
from outfitrec.protocols import Head

NONE = torch.zeros(0, dtype=torch.long)
# Length of the tiny data's features.
SIZE = 12


def with_head(head: Any, dim: int = 16, **changes: Any) -> dict[str, Any]:
    """The tiny recipe with another head."""
    model = {**tiny()["model"], "dim": dim, "encoder": {"name": "features", "size": SIZE, "head": head}}
    return tiny(model=model, **changes)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def naive(parameters: dict[str, Tensor], rows: Tensor) -> Tensor:
    """What an item encoder makes of features, item by item and unit by unit."""
    first, bias, second = (parameters[name] for name in ("1.weight", "1.bias", "4.weight"))
    found = torch.zeros(len(rows), len(second), dtype=rows.dtype)
    for item, row in enumerate(rows):
        hidden = [max(float(weight @ row + shift), 0.0) for weight, shift in zip(first, bias, strict=True)]
        for unit, weight in enumerate(second):
            found[item, unit] = sum(float(one) * value for one, value in zip(weight, hidden, strict=True))
    return found


@pytest.mark.parametrize("head", [ItemEncoder(dim=8), Linear(dim=8), Identity(dim=12)])
def test_every_head_follows_the_protocol(head: Head) -> None:
    assert isinstance(head, Head)
    layers = head.build(12)
    assert isinstance(layers, nn.Module)
    category = torch.arange(5) % 3
    assert layers(torch.randn(5, 12), category).shape == (5, head.dim)  # type: ignore[attr-defined]  # all here have it
    assert layers(torch.randn(0, 12), NONE).shape[0] == 0


@given(size=st.integers(2, 40), dim=st.integers(1, 20))
def test_numbers_of_parameters(size: int, dim: int) -> None:
    half = size // 2
    assert count(ItemEncoder(dim=dim).build(size)) == half * size + half + dim * half
    assert count(Linear(dim=dim).build(size)) == dim * size + dim
    assert count(Linear(dim=dim, bias=False).build(size)) == dim * size
    assert count(Identity(dim=dim).build(dim)) == 0


def test_the_item_encoder_of_the_paper_is_that_of_table_5() -> None:
    # AlexNet-small's 256 features: 128 × 256 + 128, and 128 × 128 without bias.
    assert count(ItemEncoder(dim=128).build(256)) == 49_280


def test_the_item_encoder_is_two_layers_under_dropout() -> None:
    layers = ItemEncoder(dim=3, dropout=0.4).build(7).double()
    assert list(layers.state_dict()) == ["1.weight", "1.bias", "4.weight"]
    rows = torch.randn(6, 7, dtype=torch.float64)
    category = torch.arange(6) % 3
    torch.testing.assert_close(layers.eval()(rows, category), naive(layers.state_dict(), rows))
    assert [one.p for one in layers if isinstance(one, nn.Dropout)] == [0.4, 0.4]
    layers.train()
    assert not layers(rows, category).equal(layers(rows, category))


def test_without_dropout_training_and_evaluation_are_the_same() -> None:
    layers = ItemEncoder(dim=3, dropout=0.0).build(7)
    rows, category = torch.randn(6, 7), torch.arange(6) % 3
    assert layers.train()(rows, category).equal(layers.eval()(rows, category))


@pytest.mark.parametrize("bias", [True, False])
def test_the_linear_head_is_one_product(bias: bool) -> None:
    layers = Linear(dim=3, bias=bias).build(7).double()
    state = layers.state_dict()
    assert list(state) == ["0.weight", "0.bias"][: 2 if bias else 1]
    rows = torch.randn(6, 7, dtype=torch.float64)
    expected = [
        [sum(a * b for a, b in zip(weight, row, strict=True)) for weight in state["0.weight"].tolist()]
        for row in rows.tolist()
    ]
    shift = state["0.bias"] if bias else torch.zeros(3, dtype=torch.float64)
    torch.testing.assert_close(layers(rows, torch.arange(6) % 3), torch.tensor(expected, dtype=torch.float64) + shift)


def test_the_identity_changes_nothing() -> None:
    rows = torch.randn(6, 7)
    assert Identity(dim=7).build(7)(rows, torch.arange(6) % 3) is rows


@pytest.mark.parametrize("head", [{"name": "item_encoder", "dropout": 0.0}, {"name": "linear"}, "identity"])
def test_built_in_heads_are_the_same_for_all_categories(head: Any) -> None:
    encoder = create("encoder", "features", size=SIZE, head=head, dim=SIZE)
    rows = torch.randn(4, SIZE)
    for category in (torch.zeros(4, dtype=torch.long), torch.tensor([2, 0, 1, 1])):
        assert encoder.embed(rows, category).equal(encoder.embed(rows, torch.full((4,), 2)))


def test_an_encoder_has_the_layers_that_its_head_built() -> None:
    for head, expected in ((ItemEncoder(dim=8), 6 * 12 + 6 + 8 * 6), (Linear(dim=8), 8 * 12 + 8)):
        encoder = create("encoder", "features", size=12, head=head, norm=False)
        assert count(encoder.layers) == count(encoder) == expected
        rows = torch.randn(4, 12)
        category = torch.arange(4) % 3
        torch.testing.assert_close(encoder.eval().embed(rows, category), encoder.layers(rows, category))


@pytest.mark.parametrize(
    ("head", "dim", "expected"),
    [
        ("item_encoder", 16, 6 * SIZE + 6 + 16 * 6),
        ({"name": "linear", "bias": False}, 16, 16 * SIZE),
        ({"name": "linear"}, 16, 16 * SIZE + 16),
        ("identity", SIZE, 0),
    ],
)
def test_a_recipe_trains_with_any_head(tmp_path: Path, head: Any, dim: int, expected: int) -> None:
    recipe = with_head(head, dim)
    found = run(recipe, ["train.epochs=1"], out=tmp_path)
    assert found.result.parameters["encoder"] == expected
    assert parameter_counts(load_recipe(recipe), users=6) == found.result.parameters
    assert 0 < found.result.test["auc"] < 1
    assert found.recommender.parameter_counts() == found.result.parameters


@pytest.mark.parametrize("dim", [SIZE - 2, SIZE + 2])
def test_the_identity_refuses_features_of_another_length(tmp_path: Path, dim: int) -> None:
    with pytest.raises(
        RecipeError, match=f"head identity: the features have length 12, and model.dim is {dim}"
    ) as caught:
        run(with_head("identity", dim), out=tmp_path)
    assert caught.value.problems[0].hint == "set model.dim: 12, or choose another head"
    assert not list(tmp_path.glob("*/*"))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"name": "item_encoder", "dropout": 1.0}, "model.encoder.head.dropout: must be ≥ 0, < 1, not 1.0"),
        ({"name": "item_encoder", "dropout": -0.1}, "model.encoder.head.dropout: must be ≥ 0, < 1, not -0.1"),
        ({"name": "linear", "dropout": 0.1}, "model.encoder.head.dropout: "),
        ("item_encodr", "item_encoder"),
    ],
)
def test_what_is_wrong_in_a_head_is_named(head: Any, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_recipe(with_head(head))
    assert "head" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["features", "alexnet", "torchvision"])
def test_encoders_have_the_item_encoder_unless_another_is_named(name: str) -> None:
    needs: dict[str, Any] = {"features": {"size": SIZE}, "torchvision": {"architecture": "squeezenet1_1"}}
    encoder = {"name": name, **needs.get(name, {})}
    for changes, expected in (({}, "item_encoder"), ({"head": "linear"}, "linear")):
        recipe: Any = load_recipe(tiny(model={**tiny()["model"], "encoder": {**encoder, **changes}}))
        assert recipe.model.encoder.head.name == expected


def test_heads_are_listed() -> None:
    assert {entry["name"] for entry in document("ls", "head")} >= {"item_encoder", "linear", "identity"}
