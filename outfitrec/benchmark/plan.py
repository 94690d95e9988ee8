"""What has to be done for a suite: the run of every cell, once each, with the runs that come before it."""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import torch

from outfitrec.benchmark.entries import Cell
from outfitrec.benchmark.executors.local import threads_each, usable_cores
from outfitrec.benchmark.jobs import Job
from outfitrec.benchmark.settings import Suite
from outfitrec.benchmark.setups import Setup, part_of
from outfitrec.benchmark.suite import Loaded
from outfitrec.core.config import plain
from outfitrec.core.data import Dataset
from outfitrec.core.engine import load_dataset
from outfitrec.core.errors import Problem, RunError, UserError
from outfitrec.core.files import digest
from outfitrec.core.manifest import code
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.recipe import identity, resolved, seeded
from outfitrec.core.runs import MANIFEST, RunDirectory, read_json
from outfitrec.core.session import STUDENT, Options, Session
from outfitrec.core.settings import Recipe
from outfitrec.core.values import shown

TRAIN, EVALUATE, EFFICIENCY = ("train", "evaluate", "efficiency")
# Beside the run directories: what was found of finished runs afterwards.
FOUND = "found"
# Times that the cost of a model is measured.
REPEATS = 5


@attrs.frozen(eq=False)
class Planned:
    """A cell, and where its figures come from.

    Attributes:
        cell: The cell.
        setup: Its recipe.
        directory: The run that is shown.
        trained: Key of the job that makes it.
        after: Key of the job that finds its figures in the finished run; empty where the run has them.
    """

    cell: Cell
    setup: Setup
    directory: Path
    trained: str
    after: str = ""


@attrs.frozen(eq=False)
class Plan:
    """The jobs of a suite.

    Attributes:
        cells: Its cells, in the order of rows, points, columns and seeds.
        jobs: All jobs, each after those that it needs.
        kept: Where what a job returned is kept, by its key; a training keeps it in its run directory.
    """

    cells: tuple[Planned, ...]
    jobs: tuple[Job, ...]
    kept: Mapping[str, Path]

    def finished(self, job: Job) -> bool:
        """Whether a job was done before."""
        if job.key in self.kept:
            return _readable(self.kept[job.key])
        return _finished(RunDirectory(Path(job.facts["out"]) / job.key, job.facts["identity"]))


def plan(loaded: Loaded, out: Path, progress: Progress = QUIET) -> Plan:
    """What has to be done.

    A line whose seeds all show one run (a teacher keeps its own seed) has one cell.

    Args:
        loaded: The suite.
        out: Folder of run directories.
        progress: Told of photos that are decoded, since a run's name depends on them.

    Raises:
        UserError: Data, photos or weights cannot be used: all that is wrong, each thing once.
    """
    planner, suite = Planner(out, progress), loaded.settings
    cells: list[Planned] = []
    problems: dict[tuple[str, str], Problem] = {}
    for setup in loaded.setups:
        made: set[str] = set()
        for seed in suite.seeds:
            try:
                one = planner.cell(setup, seed, suite)
            except UserError as error:
                for problem in error.problems:
                    told = attrs.evolve(problem, message=f"row {setup.row!r}: {problem.message}")
                    problems.setdefault((problem.message, problem.where), told)
                break
            if one.trained not in made:
                made.add(one.trained)
                cells.append(one)
    if problems:
        raise UserError(problems.values())
    return Plan(tuple(cells), tuple(planner.jobs.values()), planner.kept)


class Planner:
    """Finds the jobs of recipes. Data and photos are opened once each.

    Args:
        out: Folder of run directories.
        progress: Told of photos that are decoded, since a run's name depends on them.

    Attributes:
        jobs: All jobs found so far, by key.
        kept: Where what a job returned is kept, by its key.
    """

    def __init__(self, out: Path, progress: Progress = QUIET) -> None:
        self.jobs: dict[str, Job] = {}
        self.kept: dict[str, Path] = {}
        self._options = Options(out=out, resume=True, progress=progress)
        self._datasets: dict[str, Dataset] = {}

    def session(self, recipe: Recipe) -> Session:
        """A recipe with its data, in the role of a student."""
        key = digest([recipe.dataset.name, plain(recipe.dataset)])
        if key not in self._datasets:
            self._datasets[key] = load_dataset(recipe)
        return Session(recipe, self._datasets[key], STUDENT, self._options)

    def jobs_of(self, recipe: Recipe) -> list[Job]:
        """The jobs that make a recipe's run: first those of the recipes in it, its own last.

        Raises:
            UserError: Data, photos or weights cannot be used.
        """
        wanted = {self.train(self.session(recipe), recipe.name).key}
        found = []
        # Each job is known after those that it needs.
        for job in reversed(self.jobs.values()):
            if job.key in wanted:
                wanted.update(job.needs)
                found.append(job)
        return found[::-1]

    def train(self, session: Session, name: str) -> Job:
        """The job that makes a session's run, known from now on with those before it."""
        needs = [self.train(one, f"{key} of {name}").key for key, one in session.before.items()]
        key = session.directory.path.name
        facts = {
            "recipe": resolved(session.recipe),
            "role": session.role,
            "out": str(session.options.out.absolute()),
            "identity": session.identity,
        }
        like = digest([resolved(seeded(session.recipe, 0)), session.role])
        return self._known(Job(key, name, TRAIN, facts, tuple(needs), like))

    def cell(self, setup: Setup, seed: int, suite: Suite) -> Planned:
        """A cell, with its jobs known from now on."""
        cell = setup.cell(seed)
        session = self.session(seeded(setup.recipe, seed))
        job = self.train(session, title(cell, suite))
        if setup.part:
            part_of(session.recipe, setup.part)
            session = session.before[setup.part]
            job = self.jobs[session.directory.path.name]
        planned = Planned(cell, setup, session.directory.path, job.key)
        if suite.measure == "cold_start":
            return attrs.evolve(planned, after=self._evaluate(setup, session, job).key)
        if suite.measure == "efficiency":
            return attrs.evolve(planned, after=self._measure(session, job).key)
        return planned

    def _evaluate(self, setup: Setup, session: Session, trained: Job) -> Job:
        """The job that evaluates a finished run again, on users that it does not know."""
        # The data of the unknown users decide as much as the keys do.
        again = attrs.evolve(setup, recipe=session.recipe, part="").evaluated
        cold = Session(again, session.dataset, session.role, self._options).cold
        content = [session.identity, identity(again), cold.content if cold else None, code(again)]
        # Resolved: workers may have another folder for their own.
        settings = resolved(again)["evaluate"]["cold_start"]
        facts = {"run": str(session.directory.path.absolute()), "overrides": {"evaluate.cold_start": settings}}
        return self._after(EVALUATE, f"{trained.name}, on unknown users", content, settings, facts, trained)

    def _measure(self, session: Session, trained: Job) -> Job:
        """The job that measures what a finished run's model costs on this machine."""
        recipe = session.recipe
        options = {"train.accelerator": recipe.train.accelerator, "evaluate.chunk": recipe.evaluate.chunk}
        options["evaluate.images"] = recipe.evaluate.images
        facts = {"run": str(session.directory.path.absolute()), "repeats": REPEATS, **options}
        content = [session.identity, REPEATS, options, machine(recipe.train.accelerator)]
        return self._after(EFFICIENCY, f"{trained.name}, time and memory", content, options, facts, trained)

    def _after(
        self, task: str, name: str, content: object, settings: object, facts: Mapping[str, Any], trained: Job
    ) -> Job:
        key = f"{trained.key}-{task}-{digest(content)[:8]}"
        self.kept[key] = self._options.out / FOUND / f"{key}.json"
        return self._known(Job(key, name, task, facts, (trained.key,), digest([trained.like, task, settings])))

    def _known(self, job: Job) -> Job:
        return self.jobs.setdefault(job.key, job)


def _finished(directory: RunDirectory) -> bool:
    if not directory.finished:
        return False
    try:
        return bool(read_json(directory.path / MANIFEST).get("identity") == directory.identity)
    except RunError:
        # Damaged: the run itself says so.
        return False


def _readable(path: Path) -> bool:
    """Whether what was found is there; a damaged file is as none, and is written again."""
    try:
        return path.is_file() and bool(read_json(path))
    except RunError:
        return False


def machine(accelerator: str) -> dict[str, Any]:
    """What times depend on, on this machine."""
    cuda = accelerator in ("auto", "cuda") and torch.cuda.is_available()
    return {
        "processor": _processor(),
        "cores": usable_cores(),
        "threads": threads_each(1),
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "torch": torch.__version__,
    }


def _processor() -> str:
    """The model of the processor, as far as the system tells."""
    told = Path("/proc/cpuinfo")
    if told.is_file():
        names = [line.partition(":")[2].strip() for line in told.read_text().splitlines() if "model name" in line]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def title(cell: Cell, suite: Suite) -> str:
    """What people call a cell."""
    column = [suite.columns[cell.column].title or cell.column] if len(suite.columns) > 1 else []
    point = [f"{key.rpartition('.')[2]} {shown(value)}" for key, value in cell.point]
    return " · ".join([cell.row, *column, *point, f"seed {cell.seed}"])
