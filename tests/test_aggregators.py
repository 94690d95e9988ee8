import json
import math

import pytest
import torch
from fixtures import SHARED
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from outfitrec.plugins.aggregators.attention import AttentionBlock
from outfitrec.plugins.aggregators.mean import Mean
from outfitrec.plugins.aggregators.set_transformer import SetTransformer

DIM = 16
VARIANTS = [
    {"residual": residual, "scale": scale, "output": output, "norm": norm, "blocks": blocks}
    for residual, scale, output, norm, blocks in (
        ("raw", "head", True, True, 2),
        ("projected", "head", False, True, 2),
        ("projected", "dim", False, False, 1),
        ("raw", "dim", True, False, 0),
    )
]


def aggregators() -> list[nn.Module]:
    torch.manual_seed(1)
    made: list[nn.Module] = [SetTransformer(dim=DIM, heads=4, **options) for options in VARIANTS]  # type: ignore[arg-type]  # one mapping, many types
    return [*[one.double().eval() for one in made], Mean()]


def outfits(seed: int, count: int, slots: int) -> tuple[Tensor, Tensor, Tensor]:
    draws = torch.Generator().manual_seed(seed)
    mask = torch.rand(count, slots, generator=draws) < 0.6
    mask[:, 0] = True
    items = torch.randn(count, slots, DIM, generator=draws, dtype=torch.float64)
    category = torch.where(mask, torch.randint(0, 3, (count, slots), generator=draws), -1)
    return items * mask[..., None], mask, category


@pytest.mark.parametrize("aggregator", aggregators(), ids=lambda one: type(one).__name__)
@given(seed=st.integers(0, 2**31), count=st.integers(1, 4), slots=st.integers(1, 5))
def test_the_order_of_the_items_does_not_matter(aggregator: nn.Module, seed: int, count: int, slots: int) -> None:
    items, mask, category = outfits(seed, count, slots)
    shuffled = torch.randperm(slots, generator=torch.Generator().manual_seed(seed + 1))
    expected = aggregator(items, mask, category)
    torch.testing.assert_close(aggregator(items[:, shuffled], mask[:, shuffled], category[:, shuffled]), expected)


@pytest.mark.parametrize("aggregator", aggregators(), ids=lambda one: type(one).__name__)
@given(seed=st.integers(0, 2**31), count=st.integers(1, 4), slots=st.integers(1, 5), more=st.integers(1, 4))
def test_empty_slots_do_not_matter(aggregator: nn.Module, seed: int, count: int, slots: int, more: int) -> None:
    items, mask, category = outfits(seed, count, slots)
    expected = aggregator(items, mask, category)
    wide = nn.functional.pad(items, (0, 0, 0, more))
    padded = (wide, nn.functional.pad(mask, (0, more)), nn.functional.pad(category, (0, more), value=-1))
    torch.testing.assert_close(aggregator(*padded), expected)


@pytest.mark.parametrize("aggregator", aggregators(), ids=lambda one: type(one).__name__)
def test_empty_slots_get_no_gradient(aggregator: nn.Module) -> None:
    items, mask, category = outfits(3, 6, 5)
    items.requires_grad_()
    aggregator(items, mask, category).square().sum().backward()
    assert items.grad is not None
    assert not items.grad[~mask].any()
    assert items.grad[mask].any(dim=-1).all()


@pytest.mark.parametrize("aggregator", aggregators(), ids=lambda one: type(one).__name__)
def test_each_outfit_is_scored_on_its_own(aggregator: nn.Module) -> None:
    items, mask, category = outfits(5, 6, 4)
    together = aggregator(items, mask, category)
    for k in range(6):
        alone = aggregator(items[k : k + 1], mask[k : k + 1], category[k : k + 1])
        torch.testing.assert_close(alone[0], together[k])


def test_mean_is_the_mean_of_the_items_present() -> None:
    items, mask, category = outfits(7, 5, 4)
    expected = torch.stack([items[k][mask[k]].mean(dim=0) for k in range(5)])
    torch.testing.assert_close(Mean()(items, mask, category), expected)


def deterministic(index: int, *shape: int) -> Tensor:
    count = math.prod(shape)
    return (0.5 * torch.sin(0.37 * torch.arange(count, dtype=torch.float64) + 1.1 * index + 0.5)).view(*shape)


def test_the_published_block_gives_the_original_figures() -> None:
    file = SHARED / "reference" / "goldens.json"
    if not file.is_file():
        pytest.skip("the figures of the original implementations are not here (../shared/reference)")
    golden = json.loads(file.read_text())["lee_mab"]
    block = AttentionBlock(8, 2, residual="projected", scale="dim", output=False, norm=True).double()
    shapes = {"weight": (8, 8), "bias": (8,)}
    values = {}
    for index, name in enumerate(golden["params"]):
        layer, which = name.split(".")
        values[name] = deterministic(index, *((8,) if layer.startswith("ln") else shapes[which]))
    names = {
        "project.weight": torch.cat([values[f"fc_{x}.weight"] for x in "qkv"]),
        "project.bias": torch.cat([values[f"fc_{x}.bias"] for x in "qkv"]),
        "feed_forward.weight": values["fc_o.weight"],
        "feed_forward.bias": values["fc_o.bias"],
        "norm_attention.weight": values["ln0.weight"],
        "norm_attention.bias": values["ln0.bias"],
        "norm_output.weight": values["ln1.weight"],
        "norm_output.bias": values["ln1.bias"],
    }
    block.load_state_dict(names)
    out = block(deterministic(100, 2, 3, 8), deterministic(101, 2, 4, 8))
    torch.testing.assert_close(out[0, 0], torch.tensor(golden["out[0,0]"], dtype=torch.float64), atol=1e-9, rtol=0)
    assert abs(float(out.detach().sum()) - golden["sum"]) < 1e-9


def test_the_papers_attention_is_torchs_multihead_attention() -> None:
    block = AttentionBlock(DIM, 4, residual="raw", scale="head", output=True, norm=True).double()
    reference = nn.MultiheadAttention(DIM, 4, batch_first=True, dtype=torch.float64)
    output = block.output
    assert isinstance(output, nn.Linear)
    with torch.no_grad():
        reference.in_proj_weight.copy_(block.project.weight)
        reference.in_proj_bias.copy_(block.project.bias)
        reference.out_proj.weight.copy_(output.weight)
        reference.out_proj.bias.copy_(output.bias)
    items, mask, _ = outfits(11, 7, 5)
    attended, _ = reference(items, items, items, key_padding_mask=~mask)
    hidden = block.norm_attention(items + attended)
    expected = block.norm_output(hidden + torch.relu(block.feed_forward(hidden)))
    torch.testing.assert_close(block(items, items, mask), expected)


def test_the_papers_set_transformer_has_249344_parameters() -> None:
    assert sum(p.numel() for p in SetTransformer(dim=128).parameters()) == 249_344


def test_heads_must_divide_the_dimension() -> None:
    with pytest.raises(ValueError, match="5 heads do not divide the dimension 16"):
        SetTransformer(dim=16, heads=5)
