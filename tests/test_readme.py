"""What the README and the documentation show is run."""

import math
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import invoke

import outfitrec
from outfitrec.core.loading import plugins
from outfitrec.core.recipe import load_recipe

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands() -> list[list[str]]:
    """The README's outfitrec commands that need no data of one's own and train nothing."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines if line.startswith("outfitrec ")]
    return [one[1:] for one in words if one[1] not in ("run", "bench", "tune", "neighbours", "plot")]


def test_the_recipe_is_valid(tmp_path: Path) -> None:
    [text] = blocks("yaml")
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    recipe = load_recipe(file)
    assert recipe.name == "mine"
    assert recipe.teacher is not None


def test_the_commands_work_in_the_order_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = commands()
    assert [one[0] for one in shown] == ["inspect", "ls", "explain", "cp", "validate", "ls"]
    for one in shown:
        result = invoke(*one)
        assert result.exit_code == 0, result.output


def test_the_overrides_of_the_commands_that_train_are_valid() -> None:
    begins = ("outfitrec run", "outfitrec tune", "outfitrec neighbours")
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith(begins)]
    commands = [shlex.split(line, comments=True)[2:] for line in lines]
    # The baselines, which are blocked here, test their own.
    own = [command for command in commands if command[0] in plugins().registry.names("recipe")]
    assert (len(own), [name for name, *_ in commands if [name, *_] not in own]) == (7, ["lpae-u"])
    for name, *rest in own:
        assert load_recipe(name, [one for one in rest if "=" in one]).name == name


def test_the_python_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = blocks("python")[:2]
    monkeypatch.chdir(tmp_path)
    real = outfitrec.run

    def small(recipe: str, overrides: list[str]) -> Any:
        less = ["dataset.users=3", "dataset.items=400", "dataset.train=6", "dataset.valid=4", "dataset.test=3"]
        return real(recipe, [*overrides, *less])

    monkeypatch.setattr(outfitrec, "run", small)
    names: dict[str, Any] = {}
    exec(first, names)  # noqa: S102  # the README's own code
    photos = outfitrec.create("dataset", "synthetic").load().catalog.photos
    for word, item in (("top", 0), ("bottom", 70), ("shoe", 120)):
        (tmp_path / f"{word}.jpg").write_bytes(photos.read(item))
    exec(second, names)  # noqa: S102  # likewise
    assert names["scores"].shape == (2, 1)
    pairs = torch.tensor([0.5]), torch.tensor([[0.1, 0.2]])
    assert float(names["loss"](*pairs)) == pytest.approx(math.log(1 + math.exp(-4) + math.exp(-3)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert (document.parent / target).exists(), target
