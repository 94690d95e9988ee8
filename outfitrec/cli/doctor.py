"""``outfitrec doctor``: what is installed here, what is wrong with it, and what to do."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

import attrs
import click

from outfitrec.cli.output import show_table, size
from outfitrec.core.errors import OutfitrecError
from outfitrec.core.files import cache_root
from outfitrec.core.kinds import KINDS
from outfitrec.core.loading import plugins
from outfitrec.core.registry import BUILTIN

# Below this, a run is likely to fill the disk.
LEAST_FREE = 2**30


@attrs.frozen
class Finding:
    """One thing that was looked at.

    Attributes:
        state: ``ok``; ``note``: worth knowing; ``wrong``: has to be mended.
        what: What was looked at.
        text: What was found.
        advice: What to do about it.
    """

    state: Literal["ok", "note", "wrong"]
    what: str
    text: str
    advice: str = ""


@click.command("doctor")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Check the installation: versions, devices, plugins, cache, disk, weights. Exit status 1: something is wrong."""
    findings = [one for look in (_versions, _extras, _torch, _plugins, _folders, _weights) for one in look()]
    rows = [(one.state, one.what, one.text + (f" – {one.advice}" if one.advice else "")) for one in findings]
    show_table(("state", "what", "found"), rows)
    if any(one.state == "wrong" for one in findings):
        ctx.exit(1)


def _versions() -> Iterator[Finding]:
    yield Finding("ok", BUILTIN, version(BUILTIN))
    yield Finding("ok", "python", f"{platform.python_version()}, {sys.executable}, {platform.platform()}")
    for name, wanted, found in _requirements(""):
        if found is None:
            yield Finding("wrong", name, "not installed", f"pip install '{name}{wanted}'")
        elif not _fits(wanted, found):
            yield Finding("wrong", name, f"{found}, and {wanted} is needed", f"pip install '{name}{wanted}'")
        else:
            yield Finding("ok", name, found)


def _extras() -> Iterator[Finding]:
    from importlib.metadata import metadata

    for extra in metadata(BUILTIN).get_all("Provides-Extra") or []:
        if extra == "dev":
            continue
        missing = [name for name, _, found in _requirements(extra) if found is None]
        text = f"not installed: {', '.join(missing)}" if missing else "installed"
        advice = f"pip install 'outfitrec[{extra}]' where it is wanted" if missing else ""
        yield Finding("note" if missing else "ok", f"extra {extra}", text, advice)


def _requirements(extra: str) -> Iterator[tuple[str, str, str | None]]:
    """Name, wanted versions and installed version of what outfitrec (or one of its extras) needs."""
    from packaging.requirements import Requirement

    for text in requires(BUILTIN) or []:
        one = Requirement(text)
        in_extra = one.marker is not None and "extra" in str(one.marker)
        if in_extra != bool(extra) or (one.marker is not None and not one.marker.evaluate({"extra": extra})):
            continue
        try:
            yield one.name, str(one.specifier), version(one.name)
        except PackageNotFoundError:
            yield one.name, str(one.specifier), None


def _fits(wanted: str, found: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(wanted).contains(found, prereleases=True)


def _torch() -> Iterator[Finding]:
    try:
        import torch
        import torchvision
    except Exception as error:  # a broken installation can raise anything
        advice = "install versions of torch and torchvision that belong together"
        yield Finding("wrong", "torch", f"cannot be imported: {type(error).__name__}: {error}", advice)
        return
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "no CUDA"
    yield Finding("ok", "torch build", f"torch {torch.__version__} ({build}), torchvision {torchvision.__version__}")
    yield Finding("ok", "processor", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads")
    for index in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(index)
        yield Finding("ok", f"cuda:{index}", f"{facts.name}, {size(facts.total_memory)}")
    if torch.backends.mps.is_available():
        yield Finding("ok", "mps", "available")
    if shutil.which("nvidia-smi") and not torch.cuda.is_available():
        advice = "install a torch that is built for the driver's CUDA, to train on it"
        yield Finding("note", "cuda", f"a driver is here, and torch ({build}) finds no device", advice)


def _plugins() -> Iterator[Finding]:
    from outfitrec.core.config import config_class

    loaded = plugins()
    for plugin in loaded.states:
        what, count = f"plugin {plugin.name}", len(plugin.provides)
        if plugin.state == "loaded":
            yield Finding("ok", what, f"{plugin.version}, provides {count}")
        elif plugin.state == "blocked":
            yield Finding("note", what, f"{plugin.version}, blocked: {plugin.reason}")
        else:
            advice = f"mend, update or uninstall it, or block it: OUTFITREC_BLOCK={plugin.name}"
            yield Finding("wrong", what, f"{plugin.version}, {plugin.state}: {plugin.reason}", advice)
    for entry in loaded.registry:
        try:
            if entry.kind in KINDS:
                config_class(entry)
            else:
                entry.path()
        except OutfitrecError as error:
            yield from (Finding("wrong", f"{entry.kind}/{entry.qualified}", p.message, p.hint) for p in error.problems)


def _folders() -> Iterator[Finding]:
    try:
        cache = cache_root()
    except OutfitrecError as error:
        yield from (Finding("wrong", "cache", problem.message, problem.hint) for problem in error.problems)
    else:
        used = sum(file.stat().st_size for file in cache.rglob("*") if file.is_file()) if cache.is_dir() else 0
        yield _folder(
            "cache", cache, f"{cache}, {size(used)}", "set OUTFITREC_CACHE to a folder that can be written to"
        )
    here = Path.cwd()
    yield _folder("folder", here, str(here), "change to another folder, or give --out")


def _folder(what: str, path: Path, text: str, advice: str) -> Finding:
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    text = f"{text}, {size(free)} free"
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding("wrong", what, f"{text}, cannot be written to", advice)
    if free < LEAST_FREE:
        return Finding("wrong", what, text, "free some space")
    return Finding("ok", what, text)


def _weights() -> Iterator[Finding]:
    try:
        from torch import hub
        from torchvision.models import AlexNet_Weights
    except Exception:  # said above
        return
    folder = Path(hub.get_dir()) / "checkpoints"
    files = sorted(file.name for file in folder.glob("*.pth")) if folder.is_dir() else []
    yield Finding("ok", "weights", f"{len(files)} in {folder}{': ' if files else ''}{', '.join(files)}")
    url = AlexNet_Weights.DEFAULT.url
    name = url.rpartition("/")[2]
    if name not in files:
        advice = f"they are downloaded when they are needed; without a network, put {url} at {folder / name}"
        yield Finding("note", "weights of alexnet", "not here", advice)
