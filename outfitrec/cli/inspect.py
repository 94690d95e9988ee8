"""``outfitrec inspect``: the size and cost of a recipe's model, without data."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outfitrec.cli.output import show, show_table
from outfitrec.core.errors import UserError

if TYPE_CHECKING:
    from outfitrec.core.settings import Recipe


@click.command("inspect")
@click.argument("recipe")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--users", type=click.IntRange(min=1), help="Number of users, where the recipe's dataset does not say.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(recipe: str, overrides: tuple[str, ...], users: int | None, as_json: bool) -> dict[str, Any] | None:
    """Show the parameters of RECIPE's model by part, and the cost of an item and of an outfit; its teacher's too.

    No data, no weights and no network are needed.
    """
    from outfitrec.core.recipe import load_recipe

    loaded = load_recipe(recipe, overrides)
    users = users or _users(loaded)
    found = {"recipe": loaded.name, "users": users, **_sizes(loaded, users)}
    teacher = _teacher(loaded)
    if teacher is not None:
        found["teacher"] = {"recipe": teacher.name, **_sizes(teacher, users)}
        found["percent_of_teacher"] = _percent(found, found["teacher"])
    if as_json:
        return found
    _show(found)
    return None


def _users(recipe: "Recipe") -> int:
    users = getattr(recipe.dataset, "users", None)
    if not isinstance(users, int):
        raise UserError(f"the dataset {recipe.dataset.name!r} does not say its number of users", hint="give --users")
    return users


def _teacher(recipe: "Recipe") -> "Recipe | None":
    from outfitrec.core.recipe import load_recipe
    from outfitrec.core.runs import RECIPE
    from outfitrec.core.settings import FinishedRun

    teacher = recipe.teacher
    return load_recipe(Path(teacher.path) / RECIPE) if isinstance(teacher, FinishedRun) else teacher


def _sizes(recipe: "Recipe", users: int) -> dict[str, Any]:
    import attrs

    from outfitrec.core.build import parameter_counts
    from outfitrec.core.costs import costs

    cost = costs(recipe, users)
    return {"parameters": parameter_counts(recipe, users), "cost": attrs.asdict(cost) if cost else None}


def _percent(student: dict[str, Any], teacher: dict[str, Any]) -> dict[str, float | None]:
    cost = student["cost"] and teacher["cost"]
    return {
        "parameters": 100 * student["parameters"]["total"] / teacher["parameters"]["total"],
        "outfit": 100 * student["cost"]["outfit"]["macs"] / teacher["cost"]["outfit"]["macs"] if cost else None,
    }


def _show(found: dict[str, Any]) -> None:
    models = [found, found["teacher"]] if "teacher" in found else [found]
    heads = [one["recipe"] for one in models]
    percent = found.get("percent_of_teacher")
    show(f"{found['recipe']}, {found['users']:,} users", style="bold")
    show()
    parts = dict.fromkeys(part for one in models for part in one["parameters"])
    rows = [[part, *(f"{one['parameters'].get(part, 0):,}" for one in models)] for part in parts]
    rows += [
        [f"MACs, {unit}", *(_short(one["cost"] and one["cost"][unit]["macs"]) for one in models)]
        for unit in ("item", "outfit")
    ]
    if percent:
        heads = [f"{heads[0]} (student)", f"{heads[1]} (teacher)", "%"]
        shares = {"total": percent["parameters"], "MACs, outfit": percent["outfit"]}
        for row in rows:
            share = shares.get(row[0])
            row.append("" if share is None else f"{share:.2f}")
    show_table(("parameters", *heads), rows, numbers=heads)
    show("\nMACs: multiply–accumulates of matrix products and convolutions (FLOPs: twice that)")
    if any(one["cost"] is None for one in models):
        show("unknown: the cost depends on values or on features of unknown length")


def _short(count: int | None) -> str:
    """A large number for people: ``655.6 M``."""
    if count is None:
        return "unknown"
    power = min((len(str(count)) - 1) // 3, 4)
    return f"{count / 1000**power:,.1f} {' kMGT'[power]}" if power else str(count)
