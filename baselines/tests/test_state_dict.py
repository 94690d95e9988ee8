"""What is given to `from_original` is told apart from a whole checkpoint."""

from collections.abc import Callable

import pytest
import torch
from ruled import ruled

from outfitrec import DataError, Recommender
from outfitrec_baselines import fhn, lpae, sce_net, type_aware
from outfitrec_baselines.shared.state_dict import checked


def test_a_whole_checkpoint_says_where_the_parameters_are() -> None:
    inner = {"masks.weight": torch.zeros(3, 4)}
    with pytest.raises(DataError, match="not the parameters of X: epoch, best, state_dict are no tensors") as caught:
        checked("X", {"epoch": 3, "best": 0.5, "state_dict": inner, "bias": torch.zeros(1)})
    assert caught.value.problems[0].hint == "this is a whole checkpoint: give what is in it under 'state_dict'"
    with pytest.raises(DataError, match="epoch are no tensors") as caught:
        checked("X", {"epoch": 3, **inner})
    assert caught.value.problems[0].hint == "leave them out"


def test_the_word_that_wrapping_puts_before_each_name_is_dropped() -> None:
    plain = {"masks.weight": ruled(0, 3, 8)}
    wrapped = {f"module.{name}": one for name, one in plain.items()}
    one, other = (type_aware.from_original(found).state_dict() for found in (plain, wrapped))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    # Before some names alone it is part of them.
    with pytest.raises(DataError, match=r"module\.bias is unknown"):
        type_aware.from_original({**plain, "module.bias": ruled(1, 3)})


@pytest.mark.parametrize("load", [fhn.from_original, lpae.from_original, sce_net.from_original])
def test_every_loader_drops_it(load: Callable[..., Recommender]) -> None:
    with pytest.raises(DataError) as caught:
        load({"module.nonsense": torch.zeros(2)})
    assert "module" not in str(caught.value)
