"""The built-in preferences keep to the contract, and checks of preferences are right for sound ones."""

from collections.abc import Callable

from mutants.preference import Everybodys, FromZero, Keeping, OverItems, Sound

from outfitrec.testing import check_component, parametrize_with_checks


@parametrize_with_checks(["preference/cosine"])
def test_built_in_preferences_keep_to_the_contract(check: Callable[[], None]) -> None:
    check()


def test_sound_preferences_pass() -> None:
    for cls in (Sound, FromZero, Everybodys):
        report = check_component(cls, kind="preference")
        assert report.ok, report
    assert check_component(Sound, kind="preference", beside={"aggregator": "mean"}).ok
    assert check_component(OverItems, kind="preference", beside={"aggregator": Keeping}).ok


def test_users_play_a_part_or_none_as_it_says() -> None:
    names = ["depends_on_the_user", "ignores_the_user_where_it_says_so"]
    states = {
        cls: [one.state for one in check_component(cls, kind="preference", only=names).results]
        for cls in (Sound, Everybodys)
    }
    assert states == {Sound: ["passed", "not applicable"], Everybodys: ["not applicable", "passed"]}


def test_the_subject_is_called_by_what_it_is_tried_with() -> None:
    report = check_component(Sound, kind="preference", beside={"aggregator": "mean"}, only=["takes_every_user"])
    assert report.results[0].subject == "preference/sound with aggregator mean"
