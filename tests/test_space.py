"""Users and outfits in one space: what is shown against naive computation, and the figure."""

import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs
import numpy as np
import pytest
import torch
from commands import invoke, process
from PIL import Image
from plugins.tiny import Tiny
from tiny import DOT, PLUGIN, tiny
from torch import Generator, Tensor

from outfitrec import Run, run
from outfitrec.core import reevaluate
from outfitrec.core.data import Dataset, Split
from outfitrec.core.engine import load_dataset
from outfitrec.core.errors import UserError
from outfitrec.core.outfits import Outfits
from outfitrec.core.seeds import generator
from outfitrec.core.settings import Recipe
from outfitrec.core.space import NEGATIVE, POSITIVE, ROLES, TEST, USER, Space, open_space, project
from outfitrec.plots.figure import COLOURS, WIDTH, save
from outfitrec.plots.space import draw
from outfitrec.plugins.negatives.random_mix import RandomMix


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tiny(), out=tmp_path_factory.mktemp("runs"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spread(users: tuple[int, ...]) -> tuple[Space, Tensor]:
    """A space of random vectors in the plane, of which every third unobserved outfit is found."""
    role = torch.arange(4).repeat_interleave(6).repeat(len(users))
    user = torch.tensor(users).repeat_interleave(24)
    kept = (role > 0) | (torch.arange(len(role)) % 6 == 0)
    role, user = role[kept], user[kept]
    found = (role > 1) & (torch.arange(len(role)) % 3 == 0)
    vectors = torch.randn(len(role), 2, generator=Generator().manual_seed(0))
    return Space(users, vectors, user, role, found), vectors


@torch.no_grad()
def test_points_and_marks_are_those_of_naive_loops(finished: Run) -> None:
    space = open_space(finished, [4, 1], seed=3)
    dataset, model = Tiny().load(), finished.recommender
    features: Any = dataset.catalog.features
    table = model.embed(features, dataset.catalog.category)
    train, preference = dataset.splits["train"], model.preference
    weights: Any = preference.user.weight  # type: ignore[attr-defined]  # cosine has users

    def unit(vector: Tensor) -> Tensor:
        return vector / vector.square().sum().sqrt()

    def outfit(outfits: Outfits, row: int) -> Tensor:
        one = outfits[row : row + 1]
        state = model.state(table, one.items, one.category)
        assert isinstance(state, Tensor)
        return unit(state[0])

    expected: list[tuple[int, str, Tensor, bool]] = [(user, USER, unit(weights[user]), False) for user in (4, 1)]
    for user in (4, 1):
        own = train.positives[train.positives.users == user]
        mix = RandomMix(share="pair", split=train, catalog=dataset.catalog)
        test = dataset.splits["test"].positives
        shown = {
            POSITIVE: own.outfits,
            NEGATIVE: mix.draw(own, generator(3, "space", user)).outfits,
            TEST: test[test.users == user].outfits,
        }
        taste = unit(weights[user])
        mean = sum(float(taste @ outfit(own.outfits, row)) for row in range(len(own))) / len(own)
        for role, outfits in shown.items():
            for row in range(len(outfits)):
                vector = outfit(outfits, row)
                above = float(taste @ vector) > mean
                expected.append((user, role, vector, above and role in (NEGATIVE, TEST)))
    users, roles, vectors, found = zip(*expected, strict=True)
    assert space.users == (4, 1)
    assert space.user.tolist() == list(users)
    assert [ROLES[role] for role in space.role] == list(roles)
    torch.testing.assert_close(space.vectors, torch.stack(vectors), rtol=0, atol=1e-5)
    assert space.found.tolist() == list(found)
    assert {0, len(found)}.isdisjoint({sum(found)})
    assert [roles.count(role) for role in ROLES] == [2, 48, 48, 16]


def test_what_is_shown_of_a_user_does_not_depend_on_the_others(finished: Run) -> None:
    several, alone = open_space(finished, [4, 1]), open_space(finished, [1])
    own = several.user == 1
    torch.testing.assert_close(several.vectors[own], alone.vectors, rtol=0, atol=1e-6)
    assert several.found[own].tolist() == alone.found.tolist()


def test_the_seed_draws_other_negatives_and_nothing_else(finished: Run) -> None:
    one, other = open_space(finished, [2], seed=0), open_space(finished, [2], seed=1)
    differs = (one.vectors - other.vectors).abs().amax(dim=1) > 1e-6
    assert differs.any()
    assert not (differs & ~one.which(NEGATIVE)).any()


def test_the_three_users_of_most_outfits_are_shown(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def uneven(recipe: Recipe) -> Dataset:
        dataset = load_dataset(recipe)
        users = dataset.splits["train"].positives.users
        kept = torch.cat([(users == user).nonzero().flatten()[:many] for user, many in enumerate((3, 9, 0, 7, 9, 2))])
        splits: dict[str, Split] = {**dataset.splits, "train": dataset.splits["train"].take(kept)}
        return attrs.evolve(dataset, splits=splits)

    assert open_space(finished).users == (0, 1, 2)
    monkeypatch.setattr(reevaluate, "load_dataset", uneven)
    assert open_space(finished).users == (1, 4, 3)
    with pytest.raises(UserError, match=r"users \[2\] have no training positives"):
        open_space(finished, [1, 2])


@pytest.mark.parametrize(
    ("users", "message"),
    [
        ([1, 6, -2], r"unknown users \[6, -2\]: the model knows users 0 to 5"),
        ([1, 2, 1], "named twice: 1, 2, 1"),
    ],
)
def test_wrong_users_are_refused(finished: Run, users: list[int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        open_space(finished, users)


def test_a_preference_without_a_shared_space_is_refused(tmp_path: Path) -> None:
    model = {**tiny()["model"], "preference": "dot"}
    plugins = [str(PLUGIN), str(DOT)]
    other = run(tiny(plugins=plugins, model=model, negatives={"name": "random_mix", "share": "pair"}), out=tmp_path)
    result = invoke("plot", "space", other.directory, "--out", tmp_path / "space")
    assert result.exit_code == 2
    assert "share no space where the preference is dot.py/dot" in result.stderr
    assert not list(tmp_path.glob("space*"))


def test_neighbours_stay_neighbours_in_the_plane() -> None:
    draws = Generator().manual_seed(0)
    centres = torch.nn.functional.normalize(torch.randn(3, 16, generator=draws))
    group = torch.arange(3).repeat_interleave(40)
    vectors = torch.nn.functional.normalize(centres[group] + 0.05 * torch.randn(120, 16, generator=draws))
    points = project(vectors)
    distance = torch.cdist(points.double(), points.double()) + torch.eye(120) * 1e9
    assert (group[distance.argmin(dim=1)] == group).all()
    assert points.shape == (120, 2)


def test_places_repeat_and_no_global_generator_is_drawn_from() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(60, 520, generator=Generator().manual_seed(1)))
    before, numpy_before = torch.get_rng_state(), str(np.random.get_state(legacy=False))
    first = project(vectors, seed=5)
    assert torch.equal(project(vectors, seed=5), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert str(np.random.get_state(legacy=False)) == numpy_before


def test_few_points_have_places() -> None:
    points = project(torch.eye(3))
    assert points.shape == (3, 2)
    assert torch.isfinite(points).all()


def test_the_figure_shows_every_point_once_in_its_users_colour() -> None:
    space, points = spread((5, 0, 2))
    figure = draw(space, points)
    [axes] = figure.axes
    shown = {}
    for line in axes.lines:
        for x, y in np.asarray(line.get_xydata()).tolist():
            assert (x, y) not in shown
            shown[x, y] = (line.get_color(), line.get_markeredgecolor() == "black", line.get_marker())
    assert len(shown) == len(points)
    shapes: dict[str, set[object]] = {role: set() for role in ROLES}
    for place, (x, y) in enumerate(points.tolist()):
        colour, edge, marker = shown[x, y]
        role = ROLES[int(space.role[place])]
        assert colour == COLOURS[space.users.index(int(space.user[place]))]
        assert edge == (bool(space.found[place]) or role == USER)
        shapes[role].add(marker)
    assert shapes[POSITIVE] == {"o"}
    assert shapes[TEST] == {"^"}
    assert shapes[NEGATIVE] == {"x", "X"}
    assert len(shapes[USER]) == 3
    assert figure.get_size_inches()[0] == pytest.approx(WIDTH)
    texts = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert texts == ["user 5", "user 0", "user 2", POSITIVE, NEGATIVE, TEST, "found false negative (d < 0)"]


def test_more_users_than_colours_are_refused(finished: Run, here: Path) -> None:
    space, points = spread(tuple(range(7)))
    with pytest.raises(ValueError, match="7 users, and 6 colours"):
        draw(space, points)
    result = invoke("plot", "space", finished.directory, "--users", "0,1,2,3,4,5,6")
    assert result.exit_code == 2
    assert "no more than 6" in result.stderr


def test_the_command_writes_both_files_and_repeats_them_bit_for_bit(finished: Run, here: Path) -> None:
    result = invoke("plot", "space", finished.directory)
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in here.iterdir()) == ["space.png", "space.svg"]
    space = open_space(finished)
    marked = [int((space.found & space.which(role)).sum()) for role in (NEGATIVE, TEST)]
    words = f"users 0, 1, 2; d < 0: {marked[0]} of 72 {NEGATIVE}s, {marked[1]} of 24 {TEST}s"
    assert result.stdout == f"space.png, space.svg: {words}\n"
    with Image.open(here / "space.png") as picture:
        assert picture.format == "PNG"
        assert picture.width == round(WIDTH * 300)
        assert len(picture.convert("RGB").getcolors(picture.width * picture.height) or ()) > 100
    root = ElementTree.parse(here / "space.svg").getroot()  # noqa: S314  # our own file
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    files = {path.name: path.read_bytes() for path in here.iterdir()}
    invoke("plot", "space", finished.directory, "--users", "0,1,2", "--seed", "0")
    assert {path.name: path.read_bytes() for path in here.iterdir()} == files
    invoke("plot", "space", finished.directory, "--seed", "1", "--out", "other.PNG")
    assert (here / "other.PNG").read_bytes() != files["space.png"]
    assert not (here / "other.PNG.svg").exists()


def test_a_figure_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = draw(*spread((0, 1)))

    def fails(file: Path, **_: object) -> None:
        file.write_text("half")
        raise KeyboardInterrupt

    path = tmp_path / "space.png"
    path.write_text("old")
    monkeypatch.setattr(figure, "savefig", fails)
    with pytest.raises(KeyboardInterrupt):
        save(figure, [path])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--users", "1,x"), "'1,x' is no list of users: write their numbers as 1,5,7"),
        (("--users", "9"), "unknown users [9]"),
        (("--out", "space.pdf"), "space.pdf: a figure is written as .png or .svg"),
        (("--seed", "-1"), "--seed"),
    ],
)
def test_wrong_options_are_said(finished: Run, here: Path, options: tuple[str, ...], message: str) -> None:
    result = invoke("plot", "space", finished.directory, *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not list(here.iterdir())


@pytest.mark.parametrize("package", ["matplotlib", "sklearn"])
def test_a_missing_extra_is_said_before_anything_is_done(
    here: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    result = invoke("plot", "space", "nowhere")
    assert result.exit_code == 2
    assert f"not installed: {package}\n    pip install 'outfitrec[plots]'" in result.stderr


def test_help_and_evaluation_import_no_matplotlib() -> None:
    code = """
import sys
import outfitrec.core.reevaluate, outfitrec.core.space
from outfitrec.cli import main
try:
    main(["plot", "space", "--help"])
except SystemExit:
    print("heavy:", [name for name in ("matplotlib", "sklearn") if name in sys.modules])
"""
    assert process(code=code).stdout.splitlines()[-1] == "heavy: []"
