import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from outfitrec.core.errors import RecipeError
from outfitrec.core.yamlfile import dump, parse, read

# Every character that YAML can hold: no lone surrogates.
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXT.filter(lambda key: key != "<<"), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1E+2", -100.0),
        ("12", 12),
        ("+12", 12),
        ("-0", 0),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("true", True),
        ("False", False),
        ("", None),
        ("~", None),
        ("Null", None),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("nUll", "nUll"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01"),
        ("0b1", "0b1"),
        ("-0x1", "-0x1"),
        ("1e", "1e"),
        (".", "."),
        ("'1'", "1"),
        ('"null"', "null"),
        ("|\n  true", "true"),
        ("=", "="),
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: Any) -> None:
    found = parse(f"key: {text}", "f.yaml").value["key"]
    assert found == value
    assert type(found) is type(value)


def test_nan() -> None:
    assert math.isnan(parse(".nan", "f.yaml").value)


def test_places() -> None:
    document = parse("a:\n  b: [1, {c: 2}]\nd: x\n", "f.yaml")
    assert document.where() == "f.yaml:1:1"
    assert document.where(("a", "b", 1, "c")) == "f.yaml:2:14"
    assert document.where(("a", "b", 1, "c"), key=True) == "f.yaml:2:11"
    assert document.where(("d",), key=True) == "f.yaml:3:1"
    assert document.where(("a", "b", 7, "c")) == "f.yaml:2:6"
    assert document.where(("a", "z", "y")) == "f.yaml:2:3"


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1", "duplicate key 'a'"),
        ("a: 1\n'a': 3", "f.yaml:2:1", "duplicate key 'a'"),
        ("x: {1: 2}", "f.yaml:1:5", "must be text, not 1"),
        ("true: 2", "f.yaml:1:1", "must be text, not True"),
        ("? [a]\n: 1", "f.yaml:1:3", "must be text, not ['a']"),
        ("a: !!python/name:os.system x", "f.yaml:1:4", "tags (tag:yaml.org,2002:python/name:os.system)"),
        ("a: !thing {b: 1}", "f.yaml:1:4", "tags (!thing)"),
        ("a: &x 1", "f.yaml:1:4", "anchors and aliases (x)"),
        ("a: &x [1]\nb: *x", "f.yaml:2:4", "anchors and aliases (x)"),
        ("<<: {a: 1}", "f.yaml:1:1", "merge keys"),
        ("a: 1\n---\nb: 1", "f.yaml:2:1", "second document"),
        ("a: [1", "f.yaml:1:6", "not valid YAML"),
        ("a: b: c", "f.yaml:1:5", "not valid YAML"),
        ("\ta: 1", "f.yaml:1:1", "not valid YAML"),
        ("a: 1\nb: \x07", "f.yaml:2:4", "a character that YAML does not allow"),
        ('"\\U00110000"', "f.yaml", "not valid YAML"),
        ("a: 1e999", "f.yaml:1:4", "too large"),
        (f"a: {'9' * 5000}", "f.yaml:1:4", "5000 digits"),
        ("[" * 100 + "]" * 100, "f.yaml:1:66", "nested deeper"),
    ],
)
def test_problems_have_places(text: str, where: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse(text, "f.yaml")
    assert where in [problem.where for problem in caught.value.problems]
    assert any(message in problem.message for problem in caught.value.problems)


def test_all_problems_come_at_once() -> None:
    with pytest.raises(RecipeError) as caught:
        parse("a: !x 1\na: 2\n3: &y 4\n", "f.yaml")
    assert [problem.where for problem in caught.value.problems] == [
        "f.yaml:1:4",
        "f.yaml:2:1",
        "f.yaml:3:4",
        "f.yaml:3:1",
    ]


def test_aliases_do_not_multiply() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{two}: &{two} [*{one}, *{one}]\n" for one, two in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(RecipeError, match="write the value out"):
        parse(bomb, "f.yaml")


@given(st.text(max_size=60) | st.text(alphabet="ab:-[]{}#&*!|>'\"%@`,? \n\t1.\\", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text, "f.yaml")
    except RecipeError as error:
        assert all(problem.where.startswith("f.yaml") for problem in error.problems)


@given(VALUES)
@example(["no", "1e-3", "null", "", "0o17", "on", "12:30", "=", "1_000", "<<", "2020-01-01", "- a", "a: b", "#"])
@example({"<<": {"a": 1}, "no": 1e-3, "null": 1e20, "1": -0.0})
def test_what_is_dumped_is_read_back(value: Any) -> None:
    found = parse(dump(value), "f.yaml").value
    assert found == value
    assert repr(found) == repr(value)


@given(VALUES)
def test_other_readers_agree(value: Any) -> None:
    assert yaml.safe_load(dump(value)) == value


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\r\nb: 1\r\n")
    assert read(path).value == {"a": "é", "b": 1}
    assert read(path).where(("b",)) == f"{path}:2:4"
    path.write_bytes(b"a: \xff")
    with pytest.raises(RecipeError, match="byte 3 is not UTF-8"):
        read(path)
    path.write_bytes(b"")
    assert read(path).value is None
    with pytest.raises(RecipeError, match="No such file"):
        read(tmp_path / "none.yaml")
    with pytest.raises(RecipeError, match="Is a directory"):
        read(tmp_path)
