"""A training step as objectives see it."""

from collections.abc import Callable, Mapping

import attrs
import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor
from torch.nn import functional as F

from outfitrec.core.drawn import Drawn
from outfitrec.core.errors import RecipeError
from outfitrec.core.outfits import Outfits
from outfitrec.core.recommender import Recommender, slice_state
from outfitrec.core.state import State
from outfitrec.core.teacher import Teacher

POSITIVE = "positive"
NEGATIVE = "negative"


@attrs.frozen(eq=False)
class Batch:
    """What a step is made of, before anything is encoded. All tensors are on one device.

    Attributes:
        users: User of each pair, ``[pair]``; empty where the step draws outfits or items.
        positives: The pairs' outfits, or the outfits that the step draws.
        items: The items that the step draws, ``[item]``; empty elsewhere.
        drawn: Negatives of the pairs, where an objective of the recipe works on pairs.
        extra: Further outfits that objectives asked for, by the objective's label.
    """

    users: Int[Tensor, " pair"]
    positives: Outfits
    items: Int[Tensor, " item"]
    drawn: Drawn | None = None
    extra: Mapping[str, Outfits] = attrs.field(factory=dict)

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        drawn = self.drawn
        if drawn is not None:
            mask = None if drawn.mask is None else drawn.mask.to(device)
            drawn = Drawn(drawn.outfits.to(device), drawn.shared, mask)
        extra = {label: outfits.to(device) for label, outfits in self.extra.items()}
        return Batch(self.users.to(device), self.positives.to(device), self.items.to(device), drawn, extra)

    def roles(self) -> dict[str, Outfits]:
        """The outfits of the step by role: positives, negatives, and extras by label."""
        roles = {POSITIVE: self.positives} if len(self.positives) else {}
        if self.drawn is not None:
            roles[NEGATIVE] = self.drawn.outfits
        return {**roles, **self.extra}


class Step:
    """A step whose items and outfits are encoded: everything an objective may read.

    Attributes:
        batch: Users and outfits.
        ids: Catalogue index of each distinct item of the step, ``[item]``, ascending.
        category: Category of each distinct item, ``[item]``.
        features: The encoder's features of the distinct items, ``[item, f]``.
        items: Embeddings of the distinct items, ``[item, dim]``.
        recommender: The recommender that is trained.
        epoch: Epoch, from 0.
        generator: For an objective's own draws.
        logged: Figures that objectives logged, by name.
    """

    def __init__(
        self,
        batch: Batch,
        *,
        ids: Int[Tensor, " item"],
        category: Int[Tensor, " item"],
        features: Float[Tensor, "item f"],
        items: Float[Tensor, "item dim"],
        states: Mapping[str, State],
        recommender: Recommender,
        teacher: Teacher | None,
        epoch: int,
        generator: Generator,
        photos: Callable[[], Tensor] | None = None,
    ) -> None:
        self.batch = batch
        self.ids = ids
        self.category = category
        self.features = features
        self.items = items
        self.recommender = recommender
        self.epoch = epoch
        self.generator = generator
        self.logged: dict[str, Tensor] = {}
        self._states = states
        self._teacher = teacher
        self._photos = photos
        self._scores: dict[str, Tensor] = {}

    @property
    def users(self) -> Int[Tensor, " pair"]:
        """User of each pair."""
        return self.batch.users

    @property
    def photos(self) -> Float[Tensor, "item 3 height width"]:
        """The photos of the distinct items as the encoder saw them: normalised, cropped and mirrored.

        Raises:
            RecipeError: The encoder's features are computed once or given.
        """
        if self._photos is None:
            raise RecipeError("an objective needs the photos, and the step has none")
        return self._photos()

    def state(self, role: str) -> State:
        """State of the outfits of a role: ``positive``, ``negative``, or the label of the objective that asked."""
        return self._states[role]

    def embedded(self, role: str) -> tuple[Float[Tensor, "outfit slot dim"], Bool[Tensor, "outfit slot"]]:
        """Embeddings of the items of the outfits of a role (zeros in empty slots), and which slots hold one."""
        outfits = self.batch.roles()[role]
        mask = outfits.mask
        # The ids ascend. F.embedding's gradient repeats bit for bit; that of items[index] does not.
        index = torch.searchsorted(self.ids, torch.where(mask, outfits.items, self.ids[0]))
        return F.embedding(index, self.items) * mask.unsqueeze(-1), mask

    @property
    def positive(self) -> Float[Tensor, " pair"]:
        """Score of each pair's user for its outfit."""
        if POSITIVE not in self._scores:
            self._scores[POSITIVE] = self.recommender.preference(self.users, self.state(POSITIVE))
        return self._scores[POSITIVE]

    @property
    def negative(self) -> Float[Tensor, "pair negative"]:
        """Score of each pair's user for its negatives."""
        if NEGATIVE not in self._scores:
            shared = self._drawn().shared
            self._scores[NEGATIVE] = self.recommender.score_drawn(self.users, self.state(NEGATIVE), shared)
        return self._scores[NEGATIVE]

    @property
    def mask(self) -> Bool[Tensor, "pair negative"] | None:
        """False where a negative does not count for a pair; None where all count."""
        return self._drawn().mask

    @property
    def teacher(self) -> Teacher:
        """The frozen teacher.

        Raises:
            RecipeError: The recipe has none.
        """
        if self._teacher is None:
            raise RecipeError("an objective reads the teacher's scores, and the recipe has no teacher")
        return self._teacher

    @property
    def teacher_positive_mean(self) -> Float[Tensor, " pair"]:
        """The teacher's mean score of the training positives of each pair's user (Eq. 11)."""
        return self.teacher.positive_mean[self.users]

    @property
    def teacher_positive(self) -> Float[Tensor, " pair"]:
        """The teacher's score of each pair's user for its outfit."""
        key = "teacher_positive"
        if key not in self._scores:
            self._scores[key] = self.teacher.score_pairs(self.users, self.batch.positives)
        return self._scores[key]

    @property
    def teacher_negative(self) -> Float[Tensor, "pair negative"]:
        """The teacher's score of each pair's user for its negatives."""
        key = "teacher_negative"
        if key not in self._scores:
            drawn = self._drawn()
            self._scores[key] = self.teacher.score(self.users, drawn.outfits, drawn.shared)
        return self._scores[key]

    def log(self, name: str, value: Float[Tensor, ""]) -> None:
        """Log a figure; its mean over the epoch stands in ``metrics.jsonl``."""
        self.logged[name] = value.detach()

    def _drawn(self) -> Drawn:
        if self.batch.drawn is None:
            raise RecipeError("an objective reads negatives, and no objective of the recipe works on pairs")
        return self.batch.drawn


def split_state(state: State, roles: Mapping[str, Outfits]) -> dict[str, State]:
    """The states of all roles' outfits, encoded in one call, by role."""
    states, start = {}, 0
    for role, outfits in roles.items():
        states[role] = slice_state(state, start, len(outfits))
        start += len(outfits)
    return states
