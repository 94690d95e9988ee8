"""The settings of a suite. Each field is a key; its default, range and help line stand beside it."""

from typing import Any

from outfitrec.core.fields import field
from outfitrec.core.settings import INNER, settings

MEASURES = ("test", "cold_start", "efficiency")


@settings
class VariantSettings:
    """A row in one column, where it differs from the row elsewhere."""

    recipe: str | None = field(default=None, help="recipe (name or path); null: the row's")
    set: dict[str, Any] = field(factory=dict, help="keys of the recipe, as KEY: VALUE")


@settings
class ColumnSettings:
    """A condition under which all rows are compared, such as a set of users."""

    title: str | None = field(default=None, help="what tables call it; null: its key")
    set: dict[str, Any] = field(factory=dict, help="keys of every recipe of the column, as KEY: VALUE")


@settings
class RowSettings:
    """A method."""

    recipe: str | None = field(default=None, help="recipe (name or path); null where every column has one of its own")
    part: str | None = field(
        default=None, choices=INNER, help="show the run that comes before the recipe's own (teacher, …); null: its own"
    )
    strategy: str | dict[str, Any] | None = field(
        default=None, help="cold_start component by which the row serves unknown users; of measure cold_start"
    )
    set: dict[str, Any] = field(factory=dict, help="keys of the recipe, as KEY: VALUE")
    sweep: dict[str, list[Any]] = field(
        factory=dict, help="keys that take several values, as KEY: [VALUE, …]; of several keys, every combination"
    )
    columns: dict[str, VariantSettings] = field(factory=dict, help="by column, what differs there")
    search: dict[str, list[Any]] = field(
        factory=dict,
        help="keys that are tuned, as KEY: [LOW, HIGH] or a list of words; none: those with a range of their own",
    )


@settings
class PaperSettings:
    """What the paper reports."""

    where: str = field(default="", help="table or figure of the paper")
    users: dict[str, int] = field(
        factory=dict, help="by column, users of the paper's data: where polyvore_u has so many, figures are compared"
    )
    figures: dict[str, dict[str, dict[str, float]]] = field(
        factory=dict, help="by row, column and figure, in the unit of the table"
    )


@settings
class TuneSettings:
    """The same budget of search for every row, before its seeds are run."""

    trials: int = field(default=20, minimum=1, help="runs of the search, for each row and column")
    seed: int = field(default=0, minimum=0, help="of the search, and of its runs")


@settings
class Suite:
    """A suite, checked."""

    name: str = field(help="what the suite is called: letters, digits, '.', '_' and '-'")
    title: str = field(default="", help="heading of the report")
    description: str = field(default="", help="what is compared, and how; a paragraph of the report")
    measure: str = field(
        default="test",
        choices=MEASURES,
        help="test: metrics of the test split; cold_start: finished runs are evaluated again on unknown users (keys of "
        "evaluate.cold_start); efficiency: parameters, time and memory",
    )
    figures: tuple[str, ...] = field(default=(), help="figures of the table, in order; none: those of the measure")
    seeds: tuple[int, ...] = field(default=(0, 1, 2), minimum=0, help="seeds of every run")
    reference: str | None = field(default=None, help="row that the others are tested against, beside the best")
    set: dict[str, Any] = field(factory=dict, help="keys of every recipe, as KEY: VALUE")
    columns: dict[str, ColumnSettings] = field(factory=dict, help="conditions; none: a single one")
    rows: dict[str, RowSettings] = field(factory=dict, help="methods")
    tune: TuneSettings | None = field(default=None, help="search before the seeds are run; null: none")
    paper: PaperSettings | None = field(default=None, help="what the paper reports")
    space: str | None = field(default=None, help="row whose space of users and outfits is drawn; null: none")
    pictures: tuple[str, ...] = field(default=(), help="rows whose best-ranked outfits are shown as photos")
    false_negatives: str | None = field(
        default=None, help="row with a teacher, whose false negatives are shown as photos; null: none"
    )
