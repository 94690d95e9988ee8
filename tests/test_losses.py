import math
from collections.abc import Callable, Iterator

import jaxtyping
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor

from outfitrec.plugins.distillers.fnd import FND
from outfitrec.plugins.losses.bpr import BPR
from outfitrec.plugins.losses.npair import NPair
from outfitrec.protocols import Distiller, Loss

LOSSES = [NPair, BPR]
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture
def unchecked() -> Iterator[None]:
    """The package as it is for users, without the test session's checks of shapes."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def scores(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Numbers as cosines are: from -1 to 1."""
    return (torch.rand(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1).to(dtype)


def mask(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=Generator().manual_seed(seed)) < 0.6


def naive(loss: str, temperature: float, positive: Tensor, negative: Tensor, weight: Tensor, kept: Tensor) -> float:
    total = 0.0
    for pair in range(len(positive)):
        up = math.exp(positive[pair].item() / temperature)
        terms = [
            math.exp(weight[pair, k].item() * negative[pair, k].item() / temperature)
            for k in range(negative.shape[1])
            if kept[pair, k]
        ]
        if loss == "npair":
            total += -math.log(up / (up + sum(terms)))
        elif terms:
            total += sum(-math.log(up / (up + term)) for term in terms) / len(terms)
    return total / len(positive)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5), (torch.bfloat16, 3e-2)]
)
@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_value_is_that_of_a_naive_loop(
    loss: type[NPair | BPR], temperature: float, dtype: torch.dtype, tolerance: float
) -> None:
    positive, negative = scores(5, seed=1, dtype=dtype), scores(5, 7, seed=2, dtype=dtype)
    weight, kept = scores(5, 7, seed=3, dtype=dtype) * 2, mask(5, 7, seed=4)
    kept[2] = False
    value = loss(temperature=temperature)(positive, negative, weight, kept)
    assert value.dtype == dtype
    expected = naive(loss.__name__.lower(), temperature, positive, negative, weight, kept)
    assert value.item() == pytest.approx(expected, rel=tolerance)
    every = torch.ones_like(kept)
    plain = loss(temperature=temperature)(positive, negative)
    expected = naive(loss.__name__.lower(), temperature, positive, negative, torch.ones_like(weight), every)
    assert plain.item() == pytest.approx(expected, rel=tolerance)


def test_equal_scores_have_the_loss_of_chance() -> None:
    equal = torch.full((4,), 0.3), torch.full((4, 9), 0.3)
    assert NPair()(*equal).item() == pytest.approx(math.log(10), rel=1e-6)
    assert BPR()(*equal).item() == pytest.approx(math.log(2), rel=1e-6)


def test_defaults_are_the_papers() -> None:
    assert (NPair().temperature, BPR().temperature, FND().alpha) == (0.1, 1.0, 1.25)


@given(seeds, st.sampled_from([0.05, 0.1, 1.0, 3.0]))
def test_npair_with_one_negative_is_bpr(seed: int, temperature: float) -> None:
    positive, negative, weight = scores(6, seed=seed), scores(6, 1, seed=seed + 1), scores(6, 1, seed=seed + 2)
    npair, bpr = NPair(temperature=temperature), BPR(temperature=temperature)
    torch.testing.assert_close(npair(positive, negative), bpr(positive, negative), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(
        npair(positive, negative, weight), bpr(positive, negative, weight), rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("loss", LOSSES)
def test_weight_one_changes_nothing(loss: type[NPair | BPR], dtype: torch.dtype) -> None:
    positive, negative = scores(5, seed=1, dtype=dtype), scores(5, 7, seed=2, dtype=dtype)
    assert torch.equal(loss()(positive, negative, torch.ones_like(negative)), loss()(positive, negative))


@given(seeds)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_masked_entry_is_as_if_it_were_not_there(loss: type[NPair | BPR], seed: int) -> None:
    positive, negative = scores(4, seed=seed).requires_grad_(), scores(4, 6, seed=seed + 1).requires_grad_()
    weight, kept = scores(4, 6, seed=seed + 2) * 3, mask(4, 6, seed=seed + 3)
    value = loss()(positive, negative, weight, kept)
    ragged = torch.stack(
        [
            loss()(positive[k : k + 1], negative[k : k + 1, kept[k]], weight[k : k + 1, kept[k]])
            for k in range(len(positive))
        ]
    ).mean()
    torch.testing.assert_close(value, ragged, rtol=1e-12, atol=1e-14)
    for one, other in zip(
        torch.autograd.grad(value, (positive, negative)), torch.autograd.grad(ragged, (positive, negative)), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_pair_without_negatives_has_loss_zero_and_no_gradient(loss: type[NPair | BPR]) -> None:
    positive, negative = scores(3, seed=1).requires_grad_(), scores(3, 4, seed=2).requires_grad_()
    value = loss()(positive, negative, scores(3, 4, seed=3), torch.zeros(3, 4, dtype=torch.bool))
    assert value.item() == 0
    for gradient in torch.autograd.grad(value, (positive, negative)):
        assert torch.equal(gradient, torch.zeros_like(gradient))
    assert loss()(positive, torch.zeros(3, 0, dtype=torch.float64)).item() == 0


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_those_of_finite_differences(loss: type[NPair | BPR]) -> None:
    inputs = tuple(
        part.requires_grad_() for part in (scores(3, seed=1), scores(3, 4, seed=2), scores(3, 4, seed=3) * 2)
    )
    made = loss(temperature=0.5)
    kept = mask(3, 4, seed=4)

    def function(positive: Tensor, negative: Tensor, weight: Tensor) -> Tensor:
        return made(positive, negative, weight, kept)

    check: Callable[..., bool] = torch.autograd.gradcheck
    assert check(function, inputs)


@pytest.mark.parametrize("loss", LOSSES)
def test_wide_margins_neither_overflow_nor_vanish(loss: type[NPair | BPR]) -> None:
    positive = torch.tensor([-5000.0, 5000.0], requires_grad=True)
    negative = torch.tensor([[5000.0], [-5000.0]], requires_grad=True)
    value = loss(temperature=0.1)(positive, negative)
    assert value.item() == pytest.approx(50_000)
    gradient = torch.autograd.grad(value, negative)[0]
    assert gradient.flatten().tolist() == pytest.approx([5.0, 0.0])


@given(seeds, st.sampled_from([0.05, 0.1, 1.0]), st.floats(0.1, 5))
def test_gradient_of_a_negative_is_equation_16(seed: int, temperature: float, alpha: float) -> None:
    positive, negative = scores(5, seed=seed), scores(5, 8, seed=seed + 1).requires_grad_()
    mean, teacher = scores(5, seed=seed + 2), scores(5, 8, seed=seed + 3)
    weight = FND(alpha=alpha)(mean, teacher)
    gradient = torch.autograd.grad(NPair(temperature=temperature)(positive, negative, weight), negative)[0]
    for pair in range(5):
        d = [alpha * (mean[pair].item() - teacher[pair, k].item()) for k in range(8)]
        up = [math.exp(d[k] * negative[pair, k].item() / temperature) for k in range(8)]
        below = math.exp(positive[pair].item() / temperature) + sum(up)
        for k in range(8):
            # The loss is the mean of five.
            assert gradient[pair, k].item() * 5 == pytest.approx(d[k] / temperature * up[k] / below, rel=1e-9)
            assert math.copysign(1, gradient[pair, k].item()) == math.copysign(1, d[k])


def test_a_false_negative_is_pulled_towards_the_user() -> None:
    negative = torch.zeros(1, 2, requires_grad=True)
    weight = FND()(torch.tensor([0.5]), torch.tensor([[0.9, 0.1]]))
    NPair()(torch.tensor([0.2]), negative, weight).backward()
    assert negative.grad is not None
    liked, other = negative.grad.flatten().tolist()
    assert liked < 0 < other


def test_fnd_weights_are_alpha_times_the_difference_and_have_no_gradient() -> None:
    mean, negative = torch.tensor([0.5, -0.25], requires_grad=True), torch.tensor([[0.9, 0.1], [0.0, -0.25]])
    weight = FND(alpha=2.0)(mean, negative)
    torch.testing.assert_close(weight, torch.tensor([[-0.8, 0.8], [-0.5, 0.0]]))
    assert not weight.requires_grad


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.usefixtures("unchecked")
def test_shapes_that_would_broadcast_are_refused(loss: type[NPair | BPR]) -> None:
    for positive, negative in (((4, 1), (4, 3)), ((1,), (4, 3)), ((4,), (4,))):
        with pytest.raises(ValueError, match=r"expected \[pair\] and \[pair, negative\]"):
            loss()(torch.zeros(positive), torch.zeros(negative))
    with pytest.raises(ValueError, match=r"weight of shape \(4, 1\) for negatives of shape \(4, 3\)"):
        loss()(torch.zeros(4), torch.zeros(4, 3), torch.zeros(4, 1))
    with pytest.raises(ValueError, match=r"mask of shape \(3,\)"):
        loss()(torch.zeros(4), torch.zeros(4, 3), mask=torch.ones(3, dtype=torch.bool))


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_parameters_out_of_range_are_refused(value: float) -> None:
    for make in (lambda: NPair(temperature=value), lambda: BPR(temperature=value), lambda: FND(alpha=value)):
        with pytest.raises(ValueError, match="must be > 0"):
            make()


def test_protocols_are_satisfied() -> None:
    losses: list[Loss] = [NPair(), BPR()]
    distiller: Distiller = FND()
    assert all(isinstance(loss, Loss) for loss in losses)
    assert isinstance(distiller, Distiller)
