"""An outfit as a sequence whose items are predicted in both directions."""

from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from outfitrec import Example, RecipeError, RunError, component, field, given
from outfitrec_baselines.bi_lstm.predictor import Predictor

# In place of a category: the end of the sequence.
END = -1
# Logits held at once: 64 MiB.
MOST = 2**24


class Predicted(NamedTuple):
    """How well the items of outfits are predicted.

    Attributes:
        score: Minus the mean cross-entropy forward, minus that backward, ``[outfit]``; higher is better.
        forward: Sum of the cross-entropies of each next item, ``[outfit]``.
        backward: Sum of the cross-entropies of each previous item, ``[outfit]``.
        positions: Number of items (the end among them) predicted in each direction, ``[outfit]``.
    """

    score: Float[Tensor, " outfit"]
    forward: Float[Tensor, " outfit"]
    backward: Float[Tensor, " outfit"]
    positions: Int[Tensor, " outfit"]


class Candidates(NamedTuple):
    """What a prediction is told apart from.

    Attributes:
        items: Embeddings as they enter the logits, ``[candidate, dim]``; zeros for the end.
        category: Category, ``[candidate]``; `END` for the end.
    """

    items: Float[Tensor, "candidate dim"]
    category: Int[Tensor, " candidate"]


@component
class BiLSTM(nn.Module):
    """An outfit is as good as its items are predictable, each from those before it and each from those after it.

    Items go in the order of their categories, and in slot order within one. An LSTM predicts x₂ … x_N and the end, a
    zero vector, from what stands before; another does so on the reversed sequence. The cross-entropy of a prediction
    is that of a softmax of its products with all candidates: the items of the step in training, those of the split in
    evaluation, and one end. With ``candidate_set: category`` an item is told apart from its own category alone (and
    from the end), the end from all.

    The defaults are the original's but for the sizes; Kim et al. add a temperature, and do not say which candidates,
    which similarity, or whether there is an end. In training the original's candidates are its targets, of all outfits:
    x₂ … x_N and an end for each of them forward, x_{N-1} … x₁ and an end backward. So an outfit's first item is no
    candidate forward, nor its last one backward, and an item counts once for each outfit that has it. Here, in both
    directions, they are the distinct items of the step, and one end; where another objective of the recipe has negative
    outfits, their items are among them.

    Reference:
        Han et al. 2017, "Learning Fashion Compatibility with Bidirectional LSTMs", Eq. 1–6.
    """

    predicts_items: ClassVar[bool] = True
    ordered: ClassVar[str] = "category"

    order: tuple[str, ...] = field(
        default=(), help="all categories in the order of the sequence; an empty list for that of the dataset"
    )
    hidden: int | None = field(default=None, minimum=1, help="size of each LSTM's state; null for model.dim")
    dropout: float = field(
        default=0.3, minimum=0, below=1, search=(0.0, 0.7), help="dropout of what an LSTM reads and of what it gives"
    )
    end_token: bool = field(default=True, help="whether the end of an outfit is predicted too")
    similarity: str = field(default="dot", choices=("dot", "cosine"), help="product of prediction and candidate")
    temperature: float = field(default=1.0, above=0, search=(0.02, 1.0), help="divides the products")
    candidate_set: str = field(
        default="all", choices=("all", "category"), help="all candidates, or those of the category to be predicted"
    )
    dim: int = given("size of an item embedding")
    categories: tuple[str, ...] = given("names of the categories")

    @staticmethod
    def examples() -> Iterable[Example]:
        """With and without an end, and by category."""
        yield Example()
        yield Example(fields={"end_token": False, "similarity": "cosine", "temperature": 0.1})
        yield Example(fields={"order": ["shoe", "top", "bottom"], "candidate_set": "category"})

    def __attrs_post_init__(self) -> None:
        order = self.order or self.categories
        wrong = {
            "unknown": [name for name in order if name not in self.categories],
            "missing": [name for name in self.categories if name not in order],
            "more than once": [name for name, count in Counter(order).items() if count > 1],
        }
        told = "; ".join(f"{what}: {', '.join(map(repr, names))}" for what, names in wrong.items() if names)
        if told:
            raise RecipeError(
                f"aggregator bi_lstm: order must name each category once ({told})",
                hint=f"the categories are {', '.join(self.categories)}",
            )
        rank = torch.tensor([order.index(name) for name in self.categories])
        self.register_buffer("rank", rank, persistent=False)
        size = self.hidden or self.dim
        self.ahead = Predictor(self.dim, size, self.dropout)
        self.back = Predictor(self.dim, size, self.dropout)
        self._shown: Candidates | None = None

    @property
    def fewest(self) -> int:
        """Without an end, a single item leaves nothing to predict."""
        return 1 if self.end_token else 2

    def candidates(self, items: Float[Tensor, "item dim"], category: Int[Tensor, " item"]) -> None:
        """Show the items that predictions are told apart from.

        Those with a gradient serve one call, and the rest until others are shown.
        """
        shown = self._comparable(items)
        if self.end_token:
            shown, category = F.pad(shown, (0, 0, 0, 1)), F.pad(category, (0, 1), value=END)
        self._shown = Candidates(shown, category)

    def forward(
        self,
        items: Float[Tensor, "outfit slot dim"],
        mask: Bool[Tensor, "outfit slot"],
        category: Int[Tensor, "outfit slot"],
    ) -> Predicted:
        """How well the items are predicted. Empty slots have no influence, nor have the other outfits.

        Raises:
            RunError: No candidates were shown, or none of a category that is to be predicted.
        """
        candidates = self._candidates()
        rank = self.get_buffer("rank")
        last = torch.where(mask, rank[category.clamp(min=0)], len(rank))
        ahead = last.argsort(dim=1, stable=True)
        place, size = torch.arange(mask.shape[1], device=mask.device), mask.sum(dim=1)
        present = place < size[:, None]
        back = ahead.gather(1, torch.where(present, size[:, None] - 1 - place, place))
        items, category = items.masked_fill(~mask.unsqueeze(-1), 0), category.masked_fill(~mask, END)
        # Every prediction has an item or the end after it; without an end, an item.
        counted = present if self.end_token else place < size[:, None] - 1
        sums = [
            self._cross_entropy(predictor, _sorted(items, index), category.gather(1, index), candidates)
            .masked_fill(~counted, 0)
            .sum(dim=1)
            for predictor, index in ((self.ahead, ahead), (self.back, back))
        ]
        positions = counted.sum(dim=1)
        return Predicted(-(sums[0] + sums[1]) / positions, sums[0], sums[1], positions)

    def _candidates(self) -> Candidates:
        shown = self._shown
        if shown is None or not len(shown.items):
            raise RunError(
                "aggregator bi_lstm: there are no candidates to tell an item apart from",
                hint="call the recommender's candidates(table, category) first; with a gradient, before each call",
            )
        if shown.items.requires_grad:
            # Held on to, they would keep the step's graph alive.
            self._shown = None
        return shown

    def _cross_entropy(
        self,
        predictor: Predictor,
        items: Float[Tensor, "outfit slot dim"],
        category: Int[Tensor, "outfit slot"],
        candidates: Candidates,
    ) -> Float[Tensor, "outfit slot"]:
        """Of what follows each place of sequences that are zeros, and `END`, after their end."""
        predicted = predictor(items)
        with _full_precision(items.device):
            predicted = self._comparable(predicted) / self.temperature
            target = F.pad(self._comparable(items)[:, 1:], (0, 0, 0, 1))
            wanted = F.pad(category[:, 1:], (0, 1), value=END)
            partition = self._log_partition(predicted.flatten(0, 1), wanted.flatten(), candidates)
            return partition.view_as(wanted) - (predicted * target).sum(dim=2)

    def _log_partition(
        self, predicted: Float[Tensor, "place dim"], wanted: Int[Tensor, " place"], candidates: Candidates
    ) -> Float[Tensor, " place"]:
        """Logarithm of the sum of the exponentials of each prediction's logits.

        In blocks, since a split's candidates times an evaluation's outfits are too many to hold at once.

        Raises:
            RunError: There is nothing to sum up.
        """
        rows = max(1, MOST // len(candidates.items))
        parts = []
        for some, kind in zip(predicted.split(rows), wanted.split(rows), strict=True):
            logits = some @ candidates.items.T
            if self.candidate_set == "category":
                end = (candidates.category == END) | (kind[:, None] == END)
                logits = logits.masked_fill(~end & (candidates.category != kind[:, None]), -torch.inf)
            parts.append(logits.logsumexp(dim=1))
        partition = torch.cat(parts)
        # To look is to wait for a GPU, and not needed in training: a step's items are among their own candidates.
        if self.candidate_set == "category" and not self.training and not partition.is_meta:
            missing = wanted[partition.isneginf()].unique().tolist()
            if missing:
                raise RunError(
                    "aggregator bi_lstm: there are no candidates of the category "
                    + ", ".join(repr(self.categories[index]) for index in missing),
                    hint="show some of each category that outfits have, or set candidate_set: all",
                )
        return partition

    def _comparable(self, vectors: Float[Tensor, "... dim"]) -> Float[Tensor, "... dim"]:
        """Vectors as they enter the logits, of 32 bits or more."""
        vectors = vectors.to(torch.promote_types(vectors.dtype, torch.float32))
        return F.normalize(vectors, dim=-1) if self.similarity == "cosine" else vectors


def _sorted(
    items: Float[Tensor, "outfit slot dim"], index: Int[Tensor, "outfit slot"]
) -> Float[Tensor, "outfit slot dim"]:
    """The items of each outfit in the order of ``index``."""
    start = torch.arange(len(index), device=index.device)[:, None] * index.shape[1]
    return items.flatten(0, 1).index_select(0, (start + index).flatten()).view_as(items)


def _full_precision(device: torch.device) -> AbstractContextManager[object]:
    # Tensors without values have no device that autocast knows.
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)
