"""The model directory: what serving needs, and nothing else. Weights are tensors, the rest is JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from outfitrec.core.augment import prepare
from outfitrec.core.build import build_recommender
from outfitrec.core.config import create, plain
from outfitrec.core.document import Document, Place
from outfitrec.core.errors import DataError, PluginError, Problem, RecipeError, RunError, listed
from outfitrec.core.files import file_digest, whole, write_json
from outfitrec.core.loading import plugins
from outfitrec.core.outfits import Outfits
from outfitrec.core.photos import BadPhotoError, decode
from outfitrec.core.recommender import Recommender
from outfitrec.core.registry import Registry
from outfitrec.core.settings import ImageSettings, ModelSettings
from outfitrec.core.state import State
from outfitrec.core.structure import structure_component
from outfitrec.protocols import ColdStart

WEIGHTS = "weights.safetensors"
CONFIG = "model.json"
FORMAT = 2


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
        settings: Its configuration.
        image: How photos are prepared for it.
        given: What the data gave (number of users, categories, …).
        registry: Where components are looked up.
    """

    recommender: Recommender
    settings: ModelSettings
    image: ImageSettings
    given: Mapping[str, Any]
    registry: Registry = attrs.field(factory=lambda: plugins().registry)

    @torch.inference_mode()
    def embed_photos(self, photos: Sequence[bytes], categories: Sequence[str]) -> Float[Tensor, "item dim"]:
        """Embeddings of items that need not be in any catalogue; worth keeping, since this is the expensive half.

        Args:
            photos: Encoded photos (JPEG, PNG, …).
            categories: Category of each, one of those that the model was trained with.

        Raises:
            DataError: A photo cannot be used, or a category is unknown; all of them.
        """
        return self._embedded(photos, categories, "photo {}".format)

    def _embedded(
        self, photos: Sequence[bytes], categories: Sequence[str], where: Callable[[int], str]
    ) -> Float[Tensor, "item dim"]:
        """`embed_photos`; ``where`` is what messages call a photo, by its number."""
        if len(photos) != len(categories):
            raise DataError(f"{len(photos)} photos, and {len(categories)} categories")
        known = list(self.given["categories"])
        pixels, problems = [], []
        for number, (photo, category) in enumerate(zip(photos, categories, strict=True)):
            if category not in known:
                hint = f"known: {listed(known)}"
                problems.append(Problem(f"{where(number)}: unknown category {category!r}", hint=hint))
            try:
                pixels.append(torch.tensor(decode(photo, self.image.stored or self.image.size)))
            except BadPhotoError as error:
                problems.append(Problem(f"{where(number)} {error}"))
        if problems:
            raise DataError(problems)
        device = next(self.recommender.parameters()).device
        images = prepare(torch.stack(pixels).permute(0, 3, 1, 2).to(device), self.image.size)
        index = torch.tensor([known.index(category) for category in categories], device=device)
        return self.recommender.embed(self.recommender.encoder.features(images), index)

    @torch.inference_mode()
    def score_photos(
        self, users: Sequence[int | str], outfits: Sequence[Sequence[bytes]], categories: Sequence[Sequence[str]]
    ) -> Float[Tensor, "user outfit"]:
        """Score of each user for each outfit, higher is better.

        Args:
            users: Users that the model was trained with: numbers, or names where the data have names.
            outfits: The encoded photos of each outfit.
            categories: The category of each photo of each outfit.

        Raises:
            DataError: A user or category is unknown, an outfit is empty, or a photo cannot be used.
        """
        known = self._users(users)
        state = self._state(outfits, categories)
        device = next(self.recommender.parameters()).device
        return self.recommender.score_all(torch.tensor(known, device=device), state)

    def _users(self, users: Sequence[int | str]) -> list[int]:
        """Numbers of users that are given by number or name."""
        if isinstance(users, int | str):
            raise DataError(f"users are a list: [{users!r}], not {users!r}")
        if not users:
            raise DataError("no users to score for")
        count, names = self.given["users"], self.given.get("user_names", ())
        numbers = {name: number for number, name in enumerate(names)}
        strangers = [one for one in users if one not in numbers and not (isinstance(one, int) and 0 <= one < count)]
        if strangers:
            called = f", or by name: {listed(names)}" if names else ""
            raise DataError(f"unknown users {strangers}: the model knows users 0 to {count - 1}{called}")
        return [one if isinstance(one, int) else numbers[one] for one in users]

    @torch.inference_mode()
    def profile_photos(
        self,
        outfits: Sequence[Sequence[bytes]],
        categories: Sequence[Sequence[str]],
        strategy: str = "weighted_average",
        unobserved: tuple[Sequence[Sequence[bytes]], Sequence[Sequence[str]]] | None = None,
        **fields: Any,
    ) -> dict[str, Tensor]:
        """What is to be kept of a new user, who is known by liked outfits alone; `score_profile` takes it.

        Args:
            outfits: The encoded photos of each outfit that the user likes, one outfit or more.
            categories: The category of each photo of each outfit.
            strategy: Name of the component (``cold_start``) that serves the user.
            unobserved: Photos and categories, likewise, of outfits that the user did not post: for a strategy that
                learns from such, and for no other.
            fields: Its keys, as a recipe has them.

        Returns:
            Tensors by name; safetensors, for one, can store them.

        Raises:
            DataError: There is no outfit, a category is unknown, an outfit is empty, a photo cannot be used, or the
                strategy needs unobserved outfits (or has no use for any).
            UserError: There is no such strategy, or it has no such key.
        """
        if not outfits:
            raise DataError("no liked outfits: a profile is made of one or more")
        cold = self._strategy(strategy, fields)
        learn: Callable[[State], None] | None = getattr(cold, "unobserved", None)
        if learn is not None and unobserved is not None:
            learn(self._state(*unobserved))
        elif learn is not None:
            raise DataError(
                f"the strategy {strategy} learns from outfits that the user did not post",
                hint="give some, such as outfits put together at random: unobserved=(outfits, categories)",
            )
        elif unobserved is not None:
            raise DataError(f"the strategy {strategy} has no use for unobserved outfits", hint="leave them out")
        return dict(cold.profile(self.recommender, self._state(outfits, categories)))

    @torch.inference_mode()
    def score_profile(
        self,
        profile: Mapping[str, Tensor],
        outfits: Sequence[Sequence[bytes]],
        categories: Sequence[Sequence[str]],
        strategy: str = "weighted_average",
        **fields: Any,
    ) -> Float[Tensor, "... outfit"]:
        """Score of each outfit for a new user, higher is better.

        Args:
            profile: What `profile_photos` gave; of several users, stacked tensor by tensor.
            outfits: The encoded photos of each outfit.
            categories: The category of each photo of each outfit.
            strategy: The strategy that the profile is of.
            fields: Its keys, as a recipe has them.

        Raises:
            DataError: The profile is of another strategy or model, or the outfits cannot be used (see `score_photos`).
            UserError: There is no such strategy, or it has no such key.
        """
        cold = self._strategy(strategy, fields)
        device = next(self.recommender.parameters()).device
        there = {name: tensor.to(device) for name, tensor in profile.items()}
        return cold.score(self.recommender, there, self._state(outfits, categories))

    def _strategy(self, name: str, fields: Mapping[str, Any]) -> ColdStart:
        written = Document.of({**fields, "name": name}, Place(f"cold_start/{name}"))
        cold: ColdStart = create(structure_component(written, "cold_start", self.registry), **self.given)
        return cold

    def _state(self, outfits: Sequence[Sequence[bytes]], categories: Sequence[Sequence[str]]) -> State:
        """State of each outfit, after a check of all of them."""
        if not outfits:
            raise DataError("no outfits to score")
        if len(categories) != len(outfits):
            raise DataError(f"{len(outfits)} outfits, and categories of {len(categories)}")
        for number, (outfit, words) in enumerate(zip(outfits, categories, strict=True)):
            if not outfit or not all(isinstance(photo, bytes) for photo in outfit):
                raise DataError(f"outfit {number}: give the bytes of one photo or more, as a list")
            if len(outfit) != len(words):
                raise DataError(f"outfit {number} has {len(outfit)} photos, and {len(words)} categories")
        flat = [photo for outfit in outfits for photo in outfit]
        named = [word for words in categories for word in words]
        places = [f"outfit {row}, photo {place}" for row, outfit in enumerate(outfits) for place in range(len(outfit))]
        table = self._embedded(flat, named, places.__getitem__)
        width = max(map(len, outfits))
        index = torch.full((len(outfits), width), -1)
        start = 0
        for row, outfit in enumerate(outfits):
            index[row, : len(outfit)] = torch.arange(start, start + len(outfit))
            start += len(outfit)
        known = torch.tensor([list(self.given["categories"]).index(word) for word in named])
        self.recommender.candidates(table, known.to(table.device))
        category = torch.where(index >= 0, known[index.clamp(min=0)], -1)
        self.recommender.check_sizes(Outfits(index, category), "outfits of the request")
        return self.recommender.state(table, index.to(table.device), category.to(table.device))


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
        given["most"] = tuple(given["most"])
        state = load_file(weights)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, RecipeError, PluginError) as error:
        raise RunError(f"the model in {folder} cannot be read: {error}") from error
    with torch.random.fork_rng():
        recommender = build_recommender(model, given)
    try:
        recommender.load_state_dict(state)
    except RuntimeError as error:
        raise RunError(f"{weights} does not fit the model of {config}: {error}") from error
    return Model(recommender.eval(), model, image, given, registry or plugins().registry)
