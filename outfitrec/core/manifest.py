"""What a run records of itself: versions, plugins, hashes, hardware and times."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import torch
from lightning_fabric import Fabric

from outfitrec.core.config import Config, components
from outfitrec.core.data import Dataset
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
