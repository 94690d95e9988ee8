"""Of several components, each that cannot be checked as it is is said, and how it can be."""

from pathlib import Path

import pytest
from commands import invoke
from plugin_file import LOSS, write

from outfitrec.core.errors import UserError
from outfitrec.testing import check_component, parametrize_with_checks

WANTING = """
@component
class Wanting(Soft):
    '''A loss with a key that must be given.'''

    margin: float = field(help="the margin")
"""


def test_of_several_components_one_that_must_be_told_more_is_said_to_be_unchecked(tmp_path: Path) -> None:
    path = tmp_path / "two.py"
    write(path, WANTING, '"loss", "wanting", ":Wanting", "a loss"')
    report = check_component(str(path))
    (bad,) = report.bad
    assert (bad.subject, bad.state) == ("loss/two.py/wanting", "not run")
    assert "margin" in bad.message
    assert f"outfitrec check loss/{path}/wanting KEY=VALUE" in bad.hint
    # Keys are for one of them, which is named so that it can be taken.
    with pytest.raises(UserError, match="several components") as caught:
        check_component(str(path), fields={"margin": 0.0})
    assert f"loss/{path}/wanting" in caught.value.problems[0].hint
    alone = check_component(f"loss/{path}/wanting", fields={"margin": 0.0}, only=["is_a_scalar"])
    assert alone.ok, alone
    assert report.counts["passed"] > 10
    with pytest.raises(UserError, match="margin"):
        parametrize_with_checks([str(path)])


DATASET = '"dataset", "reading", ":Reading", "a dataset"'
READING = """
@component
class Reading:
    '''A dataset in a folder, which fails as it loads: whoever calls it is seen.'''

    root: str = field(path=True, help="folder of the dataset")
    users: int = field(help="its users")
    size: int = field(default=3, help="its size")

    def load(self):
        raise NotImplementedError
"""


def test_of_several_components_one_that_reads_its_users_files_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "my plugins" / "files.py"
    path.parent.mkdir()
    write(path, READING, DATASET)
    report = check_component(str(path))
    assert report.ok, report
    (left,) = [one for one in report.results if one.subject.startswith("dataset")]
    assert left.state == "not applicable"
    command = f"dataset/{path}/reading"
    said = f"it needs files or folders of its user's: outfitrec check '{command}' root=PATH users=VALUE"
    assert left.message == said
    shown = invoke("check", path)
    assert shown.exit_code == 0, shown.stderr
    assert f"dataset/files.py/reading: not checked, {said}" in shown.stdout
    # By itself, it is asked for them, and checked with them.
    alone = invoke("check", command)
    assert alone.exit_code == 2
    assert "root" in alone.stderr
    checked = invoke("check", command, f"root={tmp_path}", "users=2")
    assert checked.exit_code == 1
    assert "NotImplementedError" in checked.stderr


def test_as_tests_what_needs_its_users_files_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "files.py"
    write(path, READING, DATASET)
    cases = parametrize_with_checks([str(path)]).args[1]
    skipped = [one for one in cases if any(mark.name == "skip" for mark in one.marks)]
    assert [one.id for one in skipped] == ["dataset/files.py/reading-is_built_from_its_fields"]
    assert len(cases) > 10
    # Where there is nothing else, all would be green and nothing checked.
    write(path, READING, DATASET, DATASET.replace("reading", "again"))
    path.write_text(path.read_text().replace(LOSS, ""))
    assert not check_component(str(path)).ok
    with pytest.raises(ValueError, match=r"nothing to check: dataset/files\.py/\w+: it needs files or folders"):
        parametrize_with_checks([str(path)])
    assert "has nothing that can be checked as it is" in invoke("check", path, "--list").stderr
