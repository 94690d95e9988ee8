"""The recommender: encoder → aggregator → preference. Training, evaluation and serving all use this one class."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from outfitrec.core.errors import DataError
from outfitrec.core.outfits import Outfits
from outfitrec.core.state import State, cat_states, map_state
from outfitrec.protocols import Aggregator, Encoder, Preference


class Recommender(nn.Module):
    """Scores of users for outfits.

    Args:
        encoder: Photos or features → item embeddings.
        aggregator: Item embeddings of an outfit → its state.
        preference: User × state → score.
    """

    def __init__(self, encoder: Encoder, aggregator: Aggregator, preference: Preference) -> None:
        super().__init__()
        # Typed as their protocols, registered as modules.
        self.encoder: Encoder = encoder
        self.aggregator: Aggregator = aggregator
        self.preference: Preference = preference

    def initialize(self) -> None:
        """Let each component load what it starts training from, such as pretrained weights.

        Raises:
            DataError: Weights cannot be had, or do not fit.
        """
        for child in self.children():
            load: Callable[[], None] | None = getattr(child, "initialize", None)
            if load is not None:
                load()

    def parameter_counts(self) -> dict[str, int]:
        """Number of parameters by part, and in total."""
        counts = {name: sum(p.numel() for p in child.parameters()) for name, child in self.named_children()}
        return {"total": sum(counts.values()), **counts}

    def embed(self, features: Float[Tensor, "item f"], category: Int[Tensor, " item"]) -> Float[Tensor, "item dim"]:
        """Item embeddings from the encoder's features."""
        return self.encoder.embed(features, category)

    def state(
        self, table: Float[Tensor, "item dim"], index: Int[Tensor, "outfit slot"], category: Int[Tensor, "outfit slot"]
    ) -> State:
        """States of outfits.

        Args:
            table: Item embeddings.
            index: Row of the table in each slot; -1 where the slot is empty.
            category: Category in each slot; -1 where the slot is empty.
        """
        mask = index >= 0
        if mask.device.type == "cpu":  # elsewhere to look is to wait: who feeds it has looked
            self._check(mask, "")
        # F.embedding's gradient repeats bit for bit; that of table[index] does not.
        items = F.embedding(index.clamp(min=0), table) * mask.unsqueeze(-1)
        return self.aggregator(items, mask, category)

    @property
    def fewest(self) -> int:
        """Fewest items of an outfit that it can score."""
        return max(_fewest(self.aggregator), _fewest(self.preference))

    def check_sizes(self, outfits: Outfits, where: str) -> None:
        """Make sure that outfits have as many items as it needs.

        Args:
            outfits: The outfits; on the CPU, for the sake of speed.
            where: What they are, for the message.

        Raises:
            DataError: Some have too few.
        """
        self._check(outfits.mask, where)

    def _check(self, mask: Bool[Tensor, "outfit slot"], where: str) -> None:
        if self.fewest == 1:
            return
        few = int((mask.sum(dim=1) < self.fewest).sum())
        if few:
            part = self.aggregator if _fewest(self.aggregator) == self.fewest else self.preference
            raise DataError(
                f"{type(part).__name__} needs outfits of {self.fewest} items or more: {few} of {len(mask)} have fewer",
                where=where,
                hint="leave these outfits out (or the augmenter that makes them), or choose a method of single items",
            )

    def on_epoch(self, epoch: int) -> None:
        """Tell the parts that ask which epoch the next training step is of, from 0."""
        for part in self.children():
            tell: Callable[[int], None] | None = getattr(part, "on_epoch", None)
            if tell is not None:
                tell(epoch)

    def candidates(self, table: Float[Tensor, "item dim"], category: Int[Tensor, " item"]) -> None:
        """Show the aggregator the items that a softmax over candidates runs over, where it asks for them."""
        show: Callable[[Tensor, Tensor], None] | None = getattr(self.aggregator, "candidates", None)
        if show is not None:
            show(table, category)

    def candidates_of(self, table: Float[Tensor, "item dim"], outfits: Outfits) -> None:
        """Show the aggregator the items of these outfits, where it asks for candidates."""
        if hasattr(self.aggregator, "candidates"):
            ids, index = outfits.distinct()
            mask = outfits.mask
            category = outfits.category.new_zeros(len(ids)).index_put((index[mask],), outfits.category[mask])
            self.candidates(table[ids], category.to(table.device))

    def states(self, table: Float[Tensor, "item dim"], outfits: Outfits, chunk: int) -> State:
        """States of many outfits of catalogue items, ``chunk`` at a time; ``table`` has a row for every item."""
        return cat_states([self.state(table, part.items, part.category) for part in chunks(outfits, chunk)])

    def score_rows(
        self,
        table: Float[Tensor, "item dim"],
        users: Int[Tensor, " row"],
        outfits: Outfits,
        chunk: int = 4096,
    ) -> Float[Tensor, " row"]:
        """Score of each user for the outfit of the same row, ``chunk`` rows at a time."""
        scores = []
        for start, part in zip(range(0, len(outfits), chunk), chunks(outfits, chunk), strict=True):
            state = self.state(table, part.items.to(table.device), part.category.to(table.device))
            scores.append(self.preference(users[start : start + chunk].to(table.device), state))
        return torch.cat(scores)

    def score_all(self, users: Int[Tensor, " user"], state: State) -> Float[Tensor, "user outfit"]:
        """Score of every user for every outfit."""
        return self.preference(users[:, None], state)

    def score_drawn(self, users: Int[Tensor, " pair"], state: State, shared: bool) -> Float[Tensor, "pair negative"]:
        """Scores of a pair's user for its negatives (see `Drawn`)."""
        if shared:
            return self.score_all(users, state)
        outfits = len(state if isinstance(state, Tensor) else state[0])
        count = outfits // len(users)
        return self.preference(users.repeat_interleave(count), state).view(len(users), count)


def _fewest(part: Aggregator | Preference) -> int:
    fewest: int = getattr(part, "fewest", 1)
    return fewest


def chunks(outfits: Outfits, size: int) -> Iterator[Outfits]:
    """``outfits`` in pieces of at most ``size``."""
    for start in range(0, len(outfits), size):
        yield outfits[start : start + size]


def slice_state(state: State, start: int, length: int) -> State:
    """The states of ``length`` outfits from ``start``."""
    return map_state(lambda tensor: tensor.narrow(0, start, length), state)
