"""The built-in encoders keep to the contract, and checks of encoders are right for sound ones."""

from collections.abc import Callable

import pytest
from mutants.encoder import Large, Sound, Table

from outfitrec.testing import check_component, parametrize_with_checks
from outfitrec.testing.targets import subjects

# With batch statistics in what is frozen.
FROZEN = subjects("encoder/torchvision", fields={"architecture": "mobilenet_v3_small", "frozen": True})


@parametrize_with_checks(["encoder/alexnet", "encoder/torchvision", "encoder/features", "encoder/autoencoder", *FROZEN])
def test_built_in_encoders_keep_to_the_contract(check: Callable[[], None]) -> None:
    check()


def test_dropout_of_whole_layers_is_dropout() -> None:
    fields = {"architecture": "efficientnet_b0", "head": "linear"}
    assert check_component("encoder/torchvision", fields=fields, only=["draws_from_its_generator_alone"]).ok


@pytest.mark.parametrize("frozen", [False, True])
def test_a_sound_encoder_passes(frozen: bool) -> None:
    report = check_component(Sound, kind="encoder", fields={"frozen": frozen})
    assert report.ok, report
    state = next(one.state for one in report.results if one.check == "keeps_frozen_features")
    assert state == ("passed" if frozen else "not applicable")


def test_a_sound_encoder_of_given_features_passes() -> None:
    assert check_component(Table, kind="encoder").ok


def test_an_example_tells_how_large_photos_must_be() -> None:
    assert check_component(Large, kind="encoder").ok
    few = check_component(Large, kind="encoder", fields={"frozen": True}, only=["treats_each_item_alone"])
    assert [one.state for one in few.results] == ["failed"]
