import math
from collections.abc import Callable, Iterator

import jaxtyping
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor

import outfitrec
from outfitrec.core.errors import UserError
from outfitrec.plugins.contrasts.nt_xent import NTXent
from outfitrec.plugins.contrasts.supervised import Supervised
from outfitrec.protocols import Contrast

CONTRASTS = [NTXent, Supervised]
seeds = st.integers(0, 2**32 - 1)
counts = st.integers(1, 6)


@pytest.fixture
def unchecked() -> Iterator[None]:
    """The package as it is for users, without the test session's checks of shapes."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def vectors(count: int, seed: int, dtype: torch.dtype = torch.float64, dim: int = 5) -> Tensor:
    return torch.randn(count, dim, generator=Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def labels(count: int, seed: int) -> Tensor:
    """Users, most of them with several outfits."""
    return torch.randint(0, 3, (count,), generator=Generator().manual_seed(seed)) * 7


def cosine(one: list[float], two: list[float]) -> float:
    dot = sum(x * y for x, y in zip(one, two, strict=True))
    return dot / math.sqrt(sum(x * x for x in one) * sum(x * x for x in two))


def interleaved(a: Tensor, b: Tensor) -> list[list[float]]:
    """The 2N views as the paper counts them: 2n-1 and 2n (here 2n and 2n + 1) are those of one outfit."""
    return [row for pair in zip(a.tolist(), b.tolist(), strict=True) for row in pair]


def term(views: list[list[float]], n: int, m: int, temperature: float) -> float:
    """Equation 17."""
    below = sum(math.exp(cosine(views[n], views[t]) / temperature) for t in range(len(views)) if t != n)
    return -math.log(math.exp(cosine(views[n], views[m]) / temperature) / below)


def naive_nt_xent(a: Tensor, b: Tensor, temperature: float) -> float:
    """Equation 18."""
    views = interleaved(a, b)
    total = sum(
        term(views, 2 * n, 2 * n + 1, temperature) + term(views, 2 * n + 1, 2 * n, temperature) for n in range(len(a))
    )
    return total / len(views)


def naive_supervised(a: Tensor, b: Tensor, label: Tensor, temperature: float) -> float:
    views, owner = interleaved(a, b), [user for user in label.tolist() for _ in range(2)]
    total = 0.0
    for n in range(len(views)):
        positives = [m for m in range(len(views)) if m != n and owner[m] == owner[n]]
        total += sum(term(views, n, m, temperature) for m in positives) / len(positives)
    return total / len(views)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5), (torch.bfloat16, 3e-2)]
)
@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("count", [2, 6])
def test_values_are_those_of_naive_loops(count: int, temperature: float, dtype: torch.dtype, tolerance: float) -> None:
    a, b, label = vectors(count, 1, dtype), vectors(count, 2, dtype), labels(count, 3)
    plain = NTXent(temperature=temperature)(a, b)
    supervised = Supervised(temperature=temperature)(a, b, label)
    assert plain.dtype == supervised.dtype == dtype
    assert plain.item() == pytest.approx(naive_nt_xent(a, b, temperature), rel=tolerance)
    assert supervised.item() == pytest.approx(naive_supervised(a, b, label, temperature), rel=tolerance)


@given(seeds, counts, st.sampled_from([0.05, 0.1, 1.0]))
def test_values_are_those_of_naive_loops_whatever_the_views(seed: int, count: int, temperature: float) -> None:
    a, b, label = vectors(count, seed), vectors(count, seed + 1), labels(count, seed)
    plain, supervised = NTXent(temperature=temperature)(a, b), Supervised(temperature=temperature)(a, b, label)
    assert plain.item() == pytest.approx(naive_nt_xent(a, b, temperature), rel=1e-10, abs=1e-12)
    assert supervised.item() == pytest.approx(naive_supervised(a, b, label, temperature), rel=1e-10, abs=1e-12)


@given(seeds, counts)
def test_supervised_is_nt_xent_where_all_labels_differ_or_there_are_none(seed: int, count: int) -> None:
    a, b = vectors(count, seed), vectors(count, seed + 1)
    different = torch.randperm(100, generator=Generator().manual_seed(seed))[:count]
    for label in (different, None):
        torch.testing.assert_close(Supervised()(a, b, label), NTXent()(a, b), rtol=1e-12, atol=1e-14)


@given(seeds, counts)
def test_nt_xent_ignores_labels(seed: int, count: int) -> None:
    a, b = vectors(count, seed), vectors(count, seed + 1)
    assert torch.equal(NTXent()(a, b, labels(count, seed)), NTXent()(a, b))


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_a_single_outfit_has_loss_zero_and_no_gradient(contrast: type[NTXent | Supervised]) -> None:
    a, b = vectors(1, 1).requires_grad_(), vectors(1, 2).requires_grad_()
    value = contrast()(a, b, torch.tensor([4]))
    assert value.item() == 0
    for gradient in torch.autograd.grad(value, (a, b)):
        assert torch.equal(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_equal_views_have_the_loss_of_chance(contrast: type[NTXent | Supervised]) -> None:
    equal = torch.full((4, 3), 0.7)
    for label in (torch.arange(4), torch.zeros(4, dtype=torch.long), None):
        assert contrast()(equal, equal, label).item() == pytest.approx(math.log(7), rel=1e-6)


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_gradients_are_those_of_finite_differences(contrast: type[NTXent | Supervised]) -> None:
    made, label = contrast(temperature=0.5), torch.tensor([3, 1, 3, 3])

    def function(a: Tensor, b: Tensor) -> Tensor:
        return made(a, b, label)

    check: Callable[..., bool] = torch.autograd.gradcheck
    assert check(function, (vectors(4, 1).requires_grad_(), vectors(4, 2).requires_grad_()))


@pytest.mark.parametrize("contrast", CONTRASTS)
@given(seeds, counts)
def test_the_value_depends_on_angles_and_partners_alone(
    contrast: type[NTXent | Supervised], seed: int, count: int
) -> None:
    a, b, label, draws = vectors(count, seed), vectors(count, seed + 1), labels(count, seed), Generator()
    draws.manual_seed(seed)
    value = contrast()(a, b, label)
    order = torch.randperm(count, generator=draws)
    length = torch.rand(count, 1, generator=draws, dtype=torch.float64) * 100 + 0.01
    turn = torch.linalg.qr(vectors(5, seed + 2)).Q
    for other in (
        contrast()(b, a, label),
        contrast()(a[order], b[order], label[order]),
        contrast()(a * length, b, label),
        contrast()(a @ turn, b @ turn, label),
        contrast()(a, b, 1000 - label),
    ):
        torch.testing.assert_close(other, value, rtol=1e-9, atol=1e-12)


def test_outfits_of_one_user_attract_each_other_under_supervision_alone() -> None:
    together = torch.eye(4)[[0, 0, 1, 1]]
    apart = torch.eye(4)
    users = torch.tensor([5, 5, 2, 2])
    assert Supervised()(together, together, users) < Supervised()(apart, apart, users)
    assert NTXent()(together, together, users) > NTXent()(apart, apart, users)


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_a_small_temperature_neither_overflows_nor_vanishes(contrast: type[NTXent | Supervised]) -> None:
    # Each view is opposite to its other one, and at right angles to the two others.
    views = torch.eye(2)
    value = contrast(temperature=1e-3)(views, -views, torch.tensor([1, 2]))
    assert value.item() == pytest.approx(1000 + math.log(2), rel=1e-6)
    # Each view is that of the other outfit, and at right angles to its own other one.
    a, b, temperature = torch.eye(2, requires_grad=True), torch.eye(2).flip(0), 1e-3
    value = contrast(temperature=temperature)(a, b, torch.tensor([1, 2]))
    assert value.item() == pytest.approx(1000, rel=1e-6)
    # A pair's cosine stands in the terms of both its views, of which the loss is the mean of four.
    gradient = torch.autograd.grad(value, a)[0]
    torch.testing.assert_close(gradient, -2 / temperature / 4 * torch.eye(2).flip(0))


@pytest.mark.parametrize("contrast", CONTRASTS)
@pytest.mark.usefixtures("unchecked")
def test_shapes_that_do_not_fit_are_refused(contrast: type[NTXent | Supervised]) -> None:
    for one, two in (((3, 4), (2, 4)), ((3, 4), (3, 5)), ((4,), (4,)), ((2, 3, 4), (2, 3, 4))):
        with pytest.raises(ValueError, match=r"expected \[outfit, dim\] twice"):
            contrast()(torch.ones(one), torch.ones(two))


@pytest.mark.usefixtures("unchecked")
def test_labels_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match=r"labels of shape \(1,\) for 3 outfits"):
        Supervised()(torch.ones(3, 4), torch.ones(3, 4), torch.zeros(1, dtype=torch.long))


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
@pytest.mark.parametrize("contrast", CONTRASTS)
def test_temperatures_out_of_range_are_refused(contrast: type[NTXent | Supervised], value: float) -> None:
    with pytest.raises(ValueError, match="must be > 0"):
        contrast(temperature=value)


def test_they_are_used_alone() -> None:
    a, b = vectors(4, 1), vectors(4, 2)
    made = outfitrec.create("contrast", "nt_xent", temperature=0.1)
    assert made(a, b).item() == pytest.approx(naive_nt_xent(a, b, 0.1), rel=1e-12)
    assert outfitrec.create("contrast", "supervised").temperature == NTXent().temperature == 0.1
    with pytest.raises(UserError, match="temperature: must be > 0"):
        outfitrec.create("contrast", "nt_xent", temperature=0)


def test_protocols_are_satisfied() -> None:
    contrasts: list[Contrast] = [NTXent(), Supervised()]
    assert all(isinstance(contrast, Contrast) for contrast in contrasts)
