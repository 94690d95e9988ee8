"""What a run records of itself: versions, plugins, hashes, hardware and times."""

import os
import platform
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from outfitrec.core.config import Config, components
from outfitrec.core.data import Dataset
from outfitrec.core.files import digest, file_digest
from outfitrec.core.registry import BUILTIN
from outfitrec.core.settings import Recipe, alone, changed


def used_components(recipe: Recipe) -> list[Config]:
    """Every component that a result depends on, nested ones among them; recipes in it have manifests of their own."""
    return [config for _, config in components(changed(alone(recipe), loggers=()))]


def versions(recipe: Recipe) -> dict[str, str]:
    """Versions that a result depends on: outfitrec, torch, torchvision, and each plugin that is used."""
    found = {name: version(name) for name in ("outfitrec", "torch", "torchvision")}
    for config in used_components(recipe):
        found.setdefault(config.registration.provider, config.registration.version)
    return dict(sorted(found.items()))


def sources(recipe: Recipe) -> dict[str, str]:
    """Hashes of the code of each plugin that a result depends on: it may change while the version stays.

    Plugin files have such a hash as their version, and the built-ins are known by theirs.
    """
    used = {config.registration for config in used_components(recipe)}
    found = {
        one.provider: _source(one.target.partition(".")[0].partition(":")[0])
        for one in used
        if one.provider != BUILTIN and not one.provider.endswith(".py")
    }
    return dict(sorted(found.items()))


@cache
def _source(package: str) -> str:
    """A hash of the Python files of a package that is imported, or of a module."""
    module = sys.modules[package]
    folders = [Path(one) for one in getattr(module, "__path__", ())]
    files = [(one, file) for one in folders for file in sorted(one.rglob("*.py"))]
    if not files and module.__file__:
        files = [(Path(module.__file__).parent, Path(module.__file__))]
    return digest([[str(file.relative_to(folder)), file_digest(file)] for folder, file in files])[:16]


def code(recipe: Recipe) -> dict[str, str]:
    """What a result depends on besides recipe and data: versions, and the code of each plugin that is used."""
    return versions(recipe) | {f"code of {provider}": one for provider, one in sources(recipe).items()}


def manifest(recipe: Recipe, identity: str, role: str, dataset: Dataset, fabric: Fabric) -> dict[str, Any]:
    """The manifest of a run that begins now."""
    device = fabric.device
    return {
        "recipe": recipe.name,
        "identity": identity,
        "role": role,
        "data": dataset.digest,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            **versions(recipe),
            **{name: version(name) for name in ("numpy", "lightning-fabric")},
            "python": platform.python_version(),
        },
        "sources": sources(recipe),
        "components": [
            {
                "kind": config.kind,
                "name": config.name,
                "provider": config.registration.provider,
                "version": config.registration.version,
            }
            for config in used_components(recipe)
        ],
        "hardware": {
            "device": device.type,
            "name": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor(),
            "devices": fabric.world_size,
            "threads": torch.get_num_threads(),
            "cores": os.cpu_count(),
            "precision": recipe.train.precision,
            "workers": recipe.train.workers,
        },
    }
