"""Evaluation on cold starters: users whom the model does not know, served by a few outfits that they liked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from outfitrec.core.config import create
from outfitrec.core.create import create as make
from outfitrec.core.data import Dataset
from outfitrec.core.errors import DataError, Problem, RunError, UserError, listed
from outfitrec.core.evaluation import Evaluator
from outfitrec.core.files import digest
from outfitrec.core.items import ItemSource, embed_all, tensor_digest
from outfitrec.core.progress import Progress
from outfitrec.core.recommender import Recommender, slice_state
from outfitrec.core.seeds import generator
from outfitrec.core.settings import ColdStartSettings
from outfitrec.core.state import State
from outfitrec.protocols import ColdStart, Metric, Negatives

KEY = "evaluate.cold_start"
MOST_LISTED = 20


def load_cold(settings: ColdStartSettings, known: Dataset) -> Dataset:
    """The data of the unknown users, checked against those that the model is made for.

    Args:
        settings: What is to be evaluated.
        known: The data of the known users.

    Raises:
        DataError: Something is missing or wrong in it, or the model cannot take its outfits.
    """
    try:
        dataset: Dataset = create(settings.dataset).load()
    except UserError as error:
        # Of two datasets, which one it is.
        raise DataError(attrs.evolve(one, message=f"{KEY}.dataset: {one.message}") for one in error.problems) from error
    problems = [Problem(text, f"{KEY}.dataset") for text in _misfits(dataset, known)]
    if problems:
        raise DataError(problems)
    return dataset


def _misfits(dataset: Dataset, known: Dataset) -> Iterator[str]:
    missing = [name for name in ("train", "test") if not len(dataset.splits.get(name, ()))]
    if missing:
        yield f"the dataset has no outfits in {' and '.join(missing)}"
    if dataset.digest == known.digest:
        yield "these are the users that the model is trained on, and it shall be unknown ones"
    if dataset.catalog.categories != known.catalog.categories:
        was, found = (listed(one.catalog.categories) for one in (known, dataset))
        yield f"the model is made for the categories {was}, and the dataset has {found}"
    width = max(split.positives.outfits.width for split in dataset.splits.values())
    slots = known.splits["train"].positives.outfits.width
    if width > slots:
        yield f"the model is made for outfits of {slots} slots, and the dataset has outfits of {width}"


class ColdEvaluator:
    """Ranks outfits for users known by a few liked outfits alone: the protocol of the paper's Table 3.

    What is ranked is the same for every profile: the test split's positives among their negatives. The liked outfits of
    a profile come from the user's training positives, in a random order a draw: a smaller profile is the beginning of
    a larger one.

    Args:
        settings: Sizes of the profiles, and how often each is drawn.
        dataset: The data of the unknown users.
        test: Ranks their test split.
        strategies: How a profile gives scores, by label.
        metrics: What is computed from each user's ranking.
        source: Features of the dataset's items.
        seed: Seed of the draws.
        chunk: Outfits scored at once.
        photos: Photos encoded at once.

    Attributes:
        protocol: What two results must share to be compared, with its ``hash``.

    Raises:
        DataError: A user has fewer outfits than a profile; all of these.

    Reference:
        Kim et al. 2021, Table 3. That what is ranked is apart from the profiles shows in its rows of methods without
        users, which are the same for profiles of 1 and of 5 outfits.
    """

    def __init__(
        self,
        settings: ColdStartSettings,
        dataset: Dataset,
        test: Evaluator,
        strategies: Mapping[str, ColdStart],
        metrics: Sequence[Metric],
        source: ItemSource,
        *,
        seed: int,
        chunk: int,
        photos: int,
    ) -> None:
        self._sizes = settings.profiles
        self._draws = settings.draws
        self._catalog = dataset.catalog
        self._strategies = strategies
        self._metrics = metrics
        self._source = source
        self._chunk = chunk
        self._photos = photos
        order = test.rows.users.argsort(stable=True)
        self._rows, self._relevant = test.rows[order], test.relevant[order]
        users, self._place, counts = self._rows.users.unique(return_inverse=True, return_counts=True)
        self._counts: list[int] = counts.tolist()
        self._users: list[int] = users.tolist()
        liked = dataset.splits["train"].positives[self._drawn(dataset, users, seed).flatten()]
        self._liked, self._unobserved = liked.outfits, liked.outfits[:0]
        self._learners = [one for one in strategies.values() if hasattr(one, "unobserved")]
        if self._learners:
            fields = {"split": dataset.splits["train"], "catalog": dataset.catalog}
            negatives: Negatives = make("negatives", "random_mix", share="pair", count=1, **fields)
            self._unobserved = negatives.draw(liked, generator(seed, "unobserved")).outfits
        facts = {name: one for name, one in test.protocol.items() if name != "hash"}
        facts |= {"unobserved": tensor_digest(self._unobserved.items)} if self._learners else {}
        facts |= {"data": dataset.digest, "users": len(users), "draws": self._draws}
        self.protocol: dict[str, object] = {**facts, "hash": digest(facts)[:16]}

    def _drawn(self, dataset: Dataset, users: Int[Tensor, " user"], seed: int) -> Int[Tensor, "user draw liked"]:
        """Training positives of the largest profiles."""
        owner = dataset.splits["train"].positives.users
        rows = owner.argsort(stable=True).split(owner.bincount(minlength=dataset.users).tolist())
        wrong = [
            f"user {user} has {len(rows[user])} outfits in train, and a profile of {size} is asked for"
            for user in users.tolist()
            for size in self._sizes
            if size > len(rows[user])
        ]
        if len(wrong) > MOST_LISTED:
            wrong[MOST_LISTED:] = [f"… and {len(wrong) - MOST_LISTED} more of this kind"]
        if wrong:
            raise DataError(Problem(text, f"{KEY}.profiles") for text in wrong)
        orders = [
            rows[user][torch.randperm(len(rows[user]), generator=generator(seed, "profile", user, draw))]
            for user in users.tolist()
            for draw in range(self._draws)
        ]
        most = max(self._sizes)
        return torch.stack([one[:most] for one in orders]).view(len(users), self._draws, most)

    def evaluate(self, recommender: Recommender, device: torch.device, progress: Progress) -> dict[str, Any]:
        """Score and rank. Each item is encoded once.

        Returns:
            ``strategies``: by strategy, size of the profile and metric, ``mean`` and standard ``deviation`` over the
            draws of the mean over the users (one draw has no deviation: NaN), and ``per_user``, the mean over the draws
            of each of the ``users``, which are listed beside; and the ``protocol``.

        Raises:
            RunError: A strategy gives scores that are not finite.
        """
        for outfits, what in ((self._rows.outfits, "ranked"), (self._liked, "liked")):
            recommender.check_sizes(outfits, f"{KEY}, {what} outfits")
        training = recommender.training
        try:
            ranked = self._rows.outfits.items.unique()
            used = torch.cat([ranked, self._liked.items.unique(), self._unobserved.items.unique()]).unique()
            ranked, used = ranked[ranked >= 0], used[used >= 0]
            table = embed_all(
                recommender, self._source, self._catalog, used, device, chunk=self._photos, progress=progress
            )
            with torch.inference_mode():
                recommender.candidates(table[ranked], self._catalog.category[ranked].to(device))
                scores = self._score(recommender, table, device, progress)
                found = {label: self._measure(label, one) for label, one in scores.items()}
        finally:
            recommender.train(training)
        return {"strategies": found, "users": self._users, "protocol": self.protocol}

    def _score(
        self, recommender: Recommender, table: Tensor, device: torch.device, progress: Progress
    ) -> dict[str, Float[Tensor, "profile row"]]:
        """Scores of all rows for each profile of their user, by strategy; profiles by size, then draw."""
        for learner in self._learners:
            learner.unobserved(recommender.states(table, self._unobserved.to(device), self._chunk))
        liked = recommender.states(table, self._liked.to(device), self._chunk)
        parts: dict[str, list[Tensor]] = {label: [] for label in self._strategies}
        start = 0
        # A user's profiles score that user's outfits alone, so users are gone through one by one, and profiles are not.
        with progress.task("serving cold starters", len(self._counts), "users") as advance:
            for place, count in enumerate(self._counts):
                outfits = self._rows.outfits[start : start + count].to(device)
                state = recommender.states(table, outfits, self._chunk)
                for label, strategy in self._strategies.items():
                    profiles = self._profiles(recommender, strategy, liked, place)
                    parts[label].append(strategy.score(recommender, profiles, state).float())
                start += count
                advance(1)
        return {label: torch.cat(some, dim=1) for label, some in parts.items()}

    def _profiles(
        self, recommender: Recommender, strategy: ColdStart, liked: State, place: int
    ) -> dict[str, Shaped[Tensor, "profile ..."]]:
        most = max(self._sizes)
        first = place * self._draws * most
        made = [
            strategy.profile(recommender, slice_state(liked, first + draw * most, size))
            for size in self._sizes
            for draw in range(self._draws)
        ]
        return {key: torch.stack([one[key] for one in made]) for key in made[0]}

    def _measure(self, label: str, scores: Float[Tensor, "profile row"]) -> dict[str, dict[str, dict[str, Any]]]:
        if not torch.isfinite(scores).all():
            raise RunError(f"the cold start {label!r} gives scores that are not finite")
        if scores.device.type == "mps":  # metrics are computed in 64 bits, which it does not have
            scores = scores.cpu()
        profiles = len(scores)
        # To a metric, each profile of a user is a user of its own.
        user = torch.arange(profiles)[:, None] * len(self._counts) + self._place
        user, relevant = user.flatten().to(scores.device), self._relevant.repeat(profiles).to(scores.device)
        found: dict[str, dict[str, dict[str, Any]]] = {str(size): {} for size in self._sizes}
        for metric in self._metrics:
            values = metric(scores.flatten(), relevant, user).double().view(len(self._sizes), self._draws, -1)
            for size, by_draw in zip(self._sizes, values, strict=True):
                draws = by_draw.nanmean(dim=1)
                found[str(size)][metric.label] = {
                    "mean": float(draws.mean()),
                    "deviation": float(draws.std()) if self._draws > 1 else float("nan"),
                    "per_user": by_draw.nanmean(dim=0).tolist(),
                }
        return found
