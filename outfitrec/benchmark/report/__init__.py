"""What a benchmark found, written down: one self-contained page, and tables as Markdown, CSV, JSON and LaTeX."""

from collections.abc import Mapping
from typing import Any

import attrs

from outfitrec.benchmark.entries import Entry
from outfitrec.benchmark.settings import Suite
from outfitrec.benchmark.tables import Table


@attrs.frozen
class Report:
    """All that a report tells.

    Attributes:
        suite: The suite.
        tables: Its tables, one a protocol.
        entries: What its cells found, in the suite's order.
        facts: How it came about, in JSON's types: ``command`` (text), ``overrides`` (texts), ``made`` (UTC, ISO 8601),
            ``seconds`` (of all runs together), ``wall`` (of this call), ``versions`` and ``hardware`` (of the first
            run's manifest), ``finished``, ``failed`` and ``missing`` (counts of runs, the last not run yet),
            ``partial`` (what of the suite there is, ``3 of 9 rows``; empty where it is all).
    """

    suite: Suite
    tables: tuple[Table, ...]
    entries: tuple[Entry, ...]
    facts: Mapping[str, Any]
