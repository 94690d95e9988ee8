"""The built-in heads keep to the contract, and checks of heads are right for sound ones."""

from collections.abc import Callable

from mutants.head import Layer, Sound
from torch import nn

from outfitrec import RecipeError, component, given
from outfitrec.testing import check_component, parametrize_with_checks


@parametrize_with_checks(["head/item_encoder", "head/linear", "head/identity"])
def test_built_in_heads_keep_to_the_contract(check: Callable[[], None]) -> None:
    check()


def test_a_sound_head_passes() -> None:
    report = check_component(Sound, kind="head")
    assert report.ok, report


@component
class Choosy:
    """For features of one length alone."""

    dim: int = given("size of an item embedding")

    def build(self, size: int) -> nn.Module:
        if size != 512:
            raise RecipeError(f"features of length 512, not {size}")
        return Layer(size, self.dim)


def test_a_head_may_refuse_lengths_of_features() -> None:
    assert check_component(Choosy, kind="head").ok


@component
class Refusing:
    """For no features at all."""

    def build(self, size: int) -> nn.Module:
        raise RecipeError(f"not of length {size}")


def test_a_head_that_refuses_every_length_fails() -> None:
    (result,) = check_component(Refusing, kind="head", only=["treats_each_item_alone"]).results
    assert result.state == "failed"
    assert "it refuses features of length 16, 32, 256" in result.message
