"""What can be wrong with a recipe beyond its single keys, found without data."""

from outfitrec.core.config import create
from outfitrec.core.errors import Problem, RecipeError, did_you_mean
from outfitrec.core.settings import Recipe


def check_recipe(recipe: Recipe) -> None:
    """Check what only the whole recipe can tell; its teacher's too.

    Raises:
        RecipeError: All that is wrong.
    """
    problems: list[Problem] = []
    labels = [create(config).label for config in recipe.evaluate.metrics]
    where = f"recipe {recipe.name}"
    if recipe.train.select not in labels:
        hint = did_you_mean(recipe.train.select, labels)
        problems.append(Problem(f"train.select: {recipe.train.select!r} is not among evaluate.metrics", where, hint))
    doubled = sorted({label for label in labels if labels.count(label) > 1})
    if doubled:
        problems.append(Problem(f"evaluate.metrics: {', '.join(doubled)} occurs twice", where))
    if not recipe.objectives:
        problems.append(Problem("objectives: a recipe needs at least one", where))
    if recipe.image.stored is not None and recipe.image.stored < recipe.image.size:
        problems.append(
            Problem(f"image.stored: {recipe.image.stored} is less than image.size, which is {recipe.image.size}", where)
        )
    if problems:
        raise RecipeError(problems)
    if isinstance(recipe.teacher, Recipe):
        check_recipe(recipe.teacher)
