"""Evaluation: each user's posted outfits ranked among negatives, with the same recommender as training."""

from collections.abc import Mapping, Sequence

import attrs
import torch
from torch import Tensor

from outfitrec.core.create import create
from outfitrec.core.data import Dataset, Rows, Split
from outfitrec.core.errors import DataError, RunError
from outfitrec.core.files import digest
from outfitrec.core.items import ItemSource, embed_all, tensor_digest
from outfitrec.core.progress import Progress
from outfitrec.core.recommender import Recommender
from outfitrec.core.seeds import generator
from outfitrec.core.team import ALONE, Team
from outfitrec.protocols import Metric, Negatives

FITB = "fitb"
COMPATIBILITY = "compatibility_auc"
# The protocol where nothing is ranked.
UNRANKED: Mapping[str, object] = {"split": "none", "negatives": "none", "seed": None, "hash": ""}


@attrs.frozen
class Evaluation:
    """What an evaluation found.

    Attributes:
        users: The users, ascending.
        values: Value of each metric for each of these users; NaN where it is undefined.
    """

    users: tuple[int, ...]
    values: Mapping[str, tuple[float, ...]]

    def means(self) -> dict[str, float]:
        """Mean of each metric over the users for whom it is defined."""
        return {
            label: float(torch.tensor(values, dtype=torch.float64).nanmean()) for label, values in self.values.items()
        }


class Evaluator:
    """Ranks the outfits of one split.

    Args:
        dataset: The data.
        split: The split, or a part of it.
        name: What results call it.
        negatives: Gives the negatives.
        metrics: What is computed from each user's ranking.
        seed: Seed of negatives that are drawn.
        chunk: Outfits scored at once.
        photos: Photos encoded at once.

    Attributes:
        rows: The outfits, positives and negatives, with the user for whom each is ranked.
        relevant: Which of them are positives, ``[row]``.
        used: Their items, and those of the questions and of the labelled outfits, ascending.
        protocol: What two results must share to be compared, with its ``hash``.

    Raises:
        DataError: A question is of a user without outfits in the split, or labelled outfits are of more than one user's
            data.
    """

    def __init__(
        self,
        dataset: Dataset,
        split: Split,
        name: str,
        negatives: Negatives,
        metrics: Sequence[Metric],
        *,
        seed: int,
        chunk: int,
        photos: int,
    ) -> None:
        self._dataset = dataset
        self._metrics = metrics
        self._chunk = chunk
        self._photos = photos
        positives = split.positives
        drawn = negatives.draw(positives, generator(seed, "evaluation"))
        if drawn.shared:
            raise RunError(f"{type(negatives).__name__} shares its negatives: an evaluation needs some for each pair")
        users = positives.users.repeat_interleave(len(drawn.outfits) // len(positives))
        kept = slice(None) if drawn.mask is None else drawn.mask.flatten()
        wrong = Rows(users, drawn.outfits)[kept]
        width = max(positives.outfits.width, wrong.outfits.width)
        outfits = [positives.outfits.padded(width), wrong.outfits.padded(width)]
        self.rows = Rows(torch.cat([positives.users, wrong.users]), outfits[0].cat(outfits))
        self.relevant = torch.arange(len(self.rows)) < len(positives)
        self._questions = split.questions
        if split.questions is not None:
            strangers = set(split.questions.users.tolist()) - set(positives.users.tolist())
            if strangers:
                raise DataError(f"questions of users without outfits in the split {name}: {sorted(strangers)[:5]}")
        self._labelled = split.compatibility
        if self._labelled is not None and dataset.users != 1:
            raise DataError(
                f"the split {name} has labelled outfits, and the dataset {dataset.users} users: compatibility is no "
                "user's own",
                hint="leave the split's 'compatibility' out, or load the data as those of one user",
            )
        asked = [self.rows.outfits.items]
        if self._questions is not None:
            asked.append(self._questions.outfits.items)
        if self._labelled is not None:
            asked.append(self._labelled.outfits.items)
        items = torch.cat([part.flatten() for part in asked])
        self.used = items[items >= 0].unique()
        facts = {
            "split": name,
            "negatives": getattr(negatives, "source", type(negatives).__name__),
            "ties": "neutral",
            "metrics": [metric.label for metric in metrics],
            "seed": seed,
            "positives": len(positives),
            "rows": digest([tensor_digest(part) for part in (self.rows.users, self.rows.outfits.items)]),
        }
        # Only where there are any: results of data without labels keep their hash.
        if self._labelled is not None:
            labelled = (self._labelled.outfits.items, self._labelled.label)
            facts["compatibility"] = digest([tensor_digest(part) for part in labelled])
        self.protocol: dict[str, object] = {**facts, "hash": digest(facts)[:16]}

    def evaluate(
        self,
        recommender: Recommender,
        source: ItemSource,
        device: torch.device,
        progress: Progress,
        team: Team = ALONE,
    ) -> Evaluation:
        """Score and rank. Each item is encoded once; memory grows by item embeddings, ids and scores only.

        The processes of a ``team`` divide the encoding and the scoring, and all of them get the result.

        Raises:
            RunError: The model gives scores that are not finite.
        """
        recommender.check_sizes(self.rows.outfits, f"evaluation on {self.protocol['split']}")
        if self._questions is not None:
            recommender.check_sizes(self._questions.outfits, f"questions of {self.protocol['split']}")
        if self._labelled is not None:
            recommender.check_sizes(self._labelled.outfits, f"labelled outfits of {self.protocol['split']}")
        training = recommender.training
        try:
            table = embed_all(
                recommender,
                source,
                self._dataset.catalog,
                self.used,
                device,
                chunk=self._photos,
                progress=progress,
                team=team,
            )
            with torch.inference_mode():
                recommender.candidates(table[self.used], self._dataset.catalog.category[self.used].to(device))
                scores = self._score(recommender, table, self.rows, team)
                return self._measure(recommender, table, scores, team)
        finally:
            recommender.train(training)

    def _score(self, recommender: Recommender, table: Tensor, rows: Rows, team: Team) -> Tensor:
        """Score of each row."""
        mine = team.part(rows)
        part = recommender.score_rows(table, mine.users, mine.outfits, self._chunk).float()
        scores = team.whole(part, len(rows))
        if not torch.isfinite(scores).all():
            raise RunError("the model gives scores that are not finite")
        if scores.device.type == "mps":  # metrics are computed in 64 bits, which it does not have
            scores = scores.cpu()
        return scores

    def _measure(self, recommender: Recommender, table: Tensor, scores: Tensor, team: Team) -> Evaluation:
        user, relevant = self.rows.users.to(scores.device), self.relevant.to(scores.device)
        values = {metric.label: metric(scores, relevant, user) for metric in self._metrics}
        users = self.rows.users.unique()
        if self._questions is not None:
            values[FITB] = self._fill_in(recommender, table, users)
        if self._labelled is not None:
            values[COMPATIBILITY] = self._compatibility(recommender, table, team)
        listed = {label: tuple(column.double().tolist()) for label, column in values.items()}
        return Evaluation(tuple(users.tolist()), listed)

    def _fill_in(self, recommender: Recommender, table: Tensor, users: Tensor) -> Tensor:
        """Share of each user's questions whose right answer scores highest; ties share the point."""
        questions = self._questions
        if questions is None:
            raise TypeError("the split has no questions")
        rows = questions.users.repeat_interleave(questions.candidates)
        scores = recommender.score_rows(table, rows, questions.outfits, self._chunk).view(-1, questions.candidates)
        best = scores == scores.amax(dim=1, keepdim=True)
        point = (best[:, 0] / best.sum(dim=1)).double().cpu()
        place = torch.searchsorted(users, questions.users)
        total = torch.zeros(len(users), dtype=torch.float64).index_add_(0, place, point)
        return total / torch.bincount(place, minlength=len(users))

    def _compatibility(self, recommender: Recommender, table: Tensor, team: Team) -> Tensor:
        """AUC over all labelled outfits, by the scores of the one user; a tie counts one half."""
        labelled = self._labelled
        if labelled is None:
            raise TypeError("the split has no labelled outfits")
        rows = Rows(torch.zeros(len(labelled.outfits), dtype=torch.long), labelled.outfits)
        scores = self._score(recommender, table, rows, team)
        metric: Metric = create("metric", "auc")
        return metric(scores, labelled.label.to(scores.device), rows.users.to(scores.device))
