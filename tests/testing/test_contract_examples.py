"""The example plugins keep to the contract, too."""

from collections.abc import Callable

from outfitrec_hinge.hinge import Hinge
from outfitrec_swap.swap import Swap

from outfitrec.testing import parametrize_with_checks
from outfitrec.testing.targets import subjects


@parametrize_with_checks([*subjects(Hinge, kind="loss"), *subjects(Swap, kind="augmenter")])
def test_the_examples_keep_to_the_contract(check: Callable[[], None]) -> None:
    check()
