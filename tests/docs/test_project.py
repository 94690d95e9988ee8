"""The texts at the root of the repository are of this version, and of the form that programs read."""

import re
import tomllib
from typing import Any

import yaml
from pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
# Of the Citation File Format 1.2.0.
NEEDED = {"cff-version", "message", "title", "authors"}
KNOWN = NEEDED | {"abstract", "doi", "date-released", "keywords", "license", "references", "type", "url", "version"}


def citation() -> Any:
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_citation_is_of_this_version() -> None:
    found = citation()
    assert set(found) >= NEEDED
    assert set(found) <= KNOWN
    assert found["cff-version"] == "1.2.0"
    assert (found["version"], found["title"]) == (PROJECT["version"], PROJECT["name"])
    assert found["license"] == PROJECT["license"]
    assert found["keywords"] == PROJECT["keywords"]
    assert PROJECT["description"] in " ".join(found["abstract"].split())


def test_the_citation_names_the_paper() -> None:
    [paper] = citation()["references"]
    assert {"type", "title", "authors"} <= set(paper)
    assert [one["family-names"] for one in paper["authors"]] == ["Kim", "Seol", "Lim", "Lee"]
    assert (paper["year"], paper["url"]) == (2021, "https://arxiv.org/abs/2110.06483")


def test_the_changelog_has_this_version_and_the_usual_headings() -> None:
    versions = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert all(re.fullmatch(r"Unreleased(: \d+\.\d+\.\d+)?|\d+\.\d+\.\d+ – \d{4}-\d\d-\d\d", one) for one in versions)
    assert PROJECT["version"] in versions[0]
    usual = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= usual
