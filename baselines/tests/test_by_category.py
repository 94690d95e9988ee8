"""A head of its own for each category."""

from pathlib import Path
from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import DRY, tiny
from torch import Generator, Tensor, nn

import outfitrec
from outfitrec.protocols import Head
from outfitrec_baselines.shared.by_category import Branches, ByCategory

CATEGORIES = ("top", "bottom", "shoe")


def built(head: str = "item_encoder", size: int = 6) -> Any:
    inner = outfitrec.create("head", head, dim=4)
    return outfitrec.create("head", "by_category", head=inner, categories=CATEGORIES).build(size).double().eval()


def drawn(count: int, size: int = 6, seed: int = 0) -> Tensor:
    return torch.randn(count, size, generator=Generator().manual_seed(seed), dtype=torch.float64)


@given(st.lists(st.integers(0, 2), max_size=9), st.integers(0, 2**32 - 1))
def test_each_item_goes_through_the_head_of_its_category(category: list[int], seed: int) -> None:
    module, features = built(), drawn(len(category), seed=seed)
    items = module(features, torch.tensor(category, dtype=torch.long))
    assert items.shape == (len(category), 4)
    for item, row, kind in zip(items, features, category, strict=True):
        head = module[kind]
        torch.testing.assert_close(item, torch.relu(row @ head[1].weight.T + head[1].bias) @ head[4].weight.T)


def test_heads_are_named_by_the_index_of_their_category_and_share_nothing() -> None:
    module = built()
    layers = ("1.weight", "1.bias", "4.weight")
    assert set(module.state_dict()) == {f"{index}.{layer}" for index in range(3) for layer in layers}
    features = drawn(1).expand(3, -1)
    items = module(features, torch.arange(3))
    assert all(not torch.equal(items[a], items[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert isinstance(ByCategory(head=outfitrec.create("head", "linear", dim=4), categories=CATEGORIES), Head)


def test_gradients_reach_the_heads_whose_category_occurs_and_are_zero_in_the_others() -> None:
    module, features = built("linear"), drawn(4).requires_grad_()
    module(features, torch.tensor([2, 0, 2, 0])).square().sum().backward()
    for index, head in enumerate(module):
        assert all(bool(one.grad.any()) == (index != 1) for one in head.parameters())
    assert features.grad is not None
    assert features.grad.any(dim=1).all()


def test_gradients_are_those_of_finite_differences() -> None:
    module, category = built("linear"), torch.tensor([1, 0, 1])
    assert torch.autograd.gradcheck(lambda x: module(x, category), drawn(3).requires_grad_())


def test_a_head_that_normalises_sees_its_own_items_alone() -> None:
    class Centred(nn.Module):
        def forward(self, features: Tensor, category: Tensor) -> Tensor:
            assert len(category.unique()) <= 1
            return features - features.sum(dim=0) / max(len(features), 1)

    features = torch.tensor([[1.0], [10.0], [3.0], [30.0]])
    items = Branches([Centred(), Centred()])(features, torch.tensor([0, 1, 0, 1]))
    assert items.flatten().tolist() == [-1, -10, 1, 10]


def test_with_equal_heads_categories_make_no_difference() -> None:
    module, features = built(), drawn(8)
    for head in module[1:]:
        head.load_state_dict(module[0].state_dict())
    category = torch.tensor([0, 2, 1, 1, 0, 2, 2, 0])
    torch.testing.assert_close(module(features, category), module(features, torch.zeros_like(category)))


def test_gradients_repeat_bit_for_bit() -> None:
    module, features = built(size=64), drawn(3000, 64).requires_grad_()
    category = torch.arange(3000) * 7 % 3
    first, second = (torch.autograd.grad(module(features, category).square().sum(), features)[0] for _ in range(2))
    assert torch.equal(first, second)


def test_a_recipe_trains_it(tmp_path: Path) -> None:
    encoder = {"name": "features", "size": 12, "head": {"name": "by_category", "head": DRY}}
    model = {**tiny()["model"], "encoder": encoder}
    found = outfitrec.run(tiny(model=model, train={**tiny()["train"], "epochs": 1}), out=tmp_path)
    built_in: Any = found.recommender.encoder
    assert isinstance(built_in.layers, Branches)
    assert found.recommender.parameter_counts()["encoder"] == 3 * (12 * 6 + 6 + 6 * 16)
