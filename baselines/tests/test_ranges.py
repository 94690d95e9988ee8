"""The ranges that a search tries by default hold what the components start from."""

from searched import complaints, with_ranges


def test_ranges_lie_within_their_limits_and_hold_the_defaults() -> None:
    fields = with_ranges("outfitrec-baselines")
    assert len(fields) > 15
    assert list(complaints(fields, {})) == []
