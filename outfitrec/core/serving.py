"""The model directory: what serving needs, and nothing else. Weights are tensors, the rest is JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from outfitrec.core.build import build_recommender
from outfitrec.core.config import plain
from outfitrec.core.document import Document, Place
from outfitrec.core.errors import PluginError, RecipeError, RunError
from outfitrec.core.files import file_digest, whole, write_json
from outfitrec.core.loading import plugins
from outfitrec.core.recommender import Recommender
from outfitrec.core.registry import Registry
from outfitrec.core.settings import ImageSettings, ModelSettings
from outfitrec.core.structure import structure_component

WEIGHTS = "weights.safetensors"
CONFIG = "model.json"
FORMAT = 1


def save_model(
    folder: Path, recommender: Recommender, model: ModelSettings, image: ImageSettings, given: Mapping[str, Any]
) -> None:
    """Write a model directory.

    Args:
        folder: Where to.
        recommender: The model.
        model: Its configuration.
        image: How photos are prepared for it.
        given: What the data gave (number of users, categories, …).
    """
    with whole(folder / WEIGHTS) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in recommender.state_dict().items()}, temporary)
    facts = {
        "format": FORMAT,
        "model": plain(model),
        "image": plain(image),
        "given": dict(given),
        "sha256": file_digest(folder / WEIGHTS),
    }
    write_json(folder / CONFIG, facts)


@attrs.frozen(eq=False)
class Model:
    """A trained model, ready to serve.

    Attributes:
        recommender: The recommender, in evaluation mode.
        image: How photos are prepared for it.
        given: What the data gave (number of users, categories, …).
    """

    recommender: Recommender
    image: ImageSettings
    given: Mapping[str, Any]


def load_model(folder: Path, registry: Registry | None = None) -> Model:
    """The model of a model directory, on the CPU.

    Args:
        folder: The directory.
        registry: Where its components are looked up; by default, what is installed.

    Raises:
        RunError: A file is missing, damaged, or of a later format.
    """
    config, weights = folder / CONFIG, folder / WEIGHTS
    try:
        facts = json.loads(config.read_text(encoding="utf-8"))
        if facts["format"] != FORMAT:
            raise RunError(f"{config} is of format {facts['format']}, and this version reads format {FORMAT}")
        if file_digest(weights) != facts["sha256"]:
            raise RunError(f"{weights} is damaged: its content is not what was written")
        parts = {
            kind: structure_component(
                Document.of(facts["model"][kind], Place(str(config))), kind, registry or plugins().registry
            )
            for kind in ("encoder", "aggregator", "preference")
        }
        model, image = ModelSettings(dim=facts["model"]["dim"], **parts), ImageSettings(**facts["image"])
        given = {**facts["given"], "categories": tuple(facts["given"]["categories"])}
        state = load_file(weights)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, RecipeError, PluginError) as error:
        raise RunError(f"the model in {folder} cannot be read: {error}") from error
    with torch.random.fork_rng():
        recommender = build_recommender(model, given)
    try:
        recommender.load_state_dict(state)
    except RuntimeError as error:
        raise RunError(f"{weights} does not fit the model of {config}: {error}") from error
    return Model(recommender.eval(), image, given)
