"""Broken metrics."""

import math
from typing import Any

import torch
from torch import Tensor

from mutants import broken
from outfitrec import component


def auc(scores: Any, relevant: Any, user: Any) -> Tensor:
    """A metric that keeps to the contract: the area under the ROC curve, by all pairs."""
    return torch.stack([_auc(scores[user == one], relevant[user == one]) for one in user.unique()])


def _auc(scores: Tensor, relevant: Tensor) -> Tensor:
    gap = scores[relevant].double()[:, None] - scores[~relevant].double()
    return (gap.sign() + 1).mean() / 2


@component
class Sound:
    """Keeps to all of it."""

    label = "sound"
    higher_is_better = True

    def __call__(self, scores: Any, relevant: Any, user: Any) -> Tensor:
        return auc(scores, relevant, user)


@component
class Turned:
    """Keeps to all of it; less is better."""

    label = "turned"
    higher_is_better = False

    def __call__(self, scores: Any, relevant: Any, user: Any) -> Tensor:
        return 1 - auc(scores, relevant, user)


@broken("metric", "has_a_label")
@component
class Nameless(Sound):
    """Has a label of two words."""

    label = "area under"


@broken("metric", "has_a_label")
@component
class Aimless(Sound):
    """Does not say its direction."""

    higher_is_better = "yes"  # type: ignore[assignment]  # it is what is broken


@broken("metric", "gives_a_value_for_each_user")
@component
class ForEveryNumber(Sound):
    """A value for each number up to the largest."""

    def __call__(self, scores: Any, relevant: Any, user: Any) -> Tensor:
        found = torch.full((int(user.max()) + 1,), torch.nan, dtype=torch.float64)
        found[user.unique()] = auc(scores, relevant, user)
        return found


@broken("metric", "follows_the_order_of_users")
@component
class AsTheyCome(Sound):
    """In the order in which users come first."""

    def __call__(self, scores: Any, relevant: Any, user: Any) -> Tensor:
        order = list(dict.fromkeys(user.tolist()))
        return torch.stack([_auc(scores[user == one], relevant[user == one]) for one in order])


@broken("metric", "judges_users_by_themselves")
@component
class AmongAll(Sound):
    """A user's positives against the negatives of all."""

    def __call__(self, scores: Any, relevant: Any, user: Any) -> Tensor:
        own = [relevant & (user == one) for one in user.unique()]
        return torch.stack([_auc(scores[mine | ~relevant], mine[mine | ~relevant]) for mine in own])


@broken("metric", "does_not_depend_on_the_order_of_rows")
@component
class ByPlace(Sound):
    """Ties go to whoever comes first."""

    def __call__(self, scores: Any, relevant: Any, user: Any) -> Tensor:
        order = scores.double().argsort(stable=True, descending=True)
        falling = torch.empty(len(scores), dtype=torch.float64)
        falling[order] = torch.arange(len(scores), 0, -1).double()
        return auc(falling, relevant, user)


@broken("metric", "breaks_ties_neutrally")
@component
class Generous(Sound):
    """A tie is a win."""

    def __call__(self, scores: Any, relevant: Any, user: Any) -> Tensor:
        return auc(scores + 1e-4 * relevant, relevant, user)


@broken("metric", "stands_users_of_one_class")
@component
class Infinite(Sound):
    """A user without negatives is infinitely good."""

    def __call__(self, scores: Any, relevant: Any, user: Any) -> Tensor:
        return auc(scores, relevant, user).nan_to_num(nan=math.inf)


@broken("metric", "stands_users_of_one_class")
@component
class LeftOut(Sound):
    """Leaves out users of one class."""

    def __call__(self, scores: Any, relevant: Any, user: Any) -> Tensor:
        found = auc(scores, relevant, user)
        return found[~found.isnan()]


@broken("metric", "depends_on_ranks_alone")
@component
class MeanGap(Sound):
    """By how much positives are above negatives."""

    def __call__(self, scores: Any, relevant: Any, user: Any) -> Tensor:
        rows = [user == one for one in user.unique()]
        return torch.stack([scores[mine & relevant].mean() - scores[mine & ~relevant].mean() for mine in rows])


@broken("metric", "tells_its_direction")
@component
class Backwards(Sound):
    """Less is better, it says."""

    higher_is_better = False


@broken("metric", "agrees_with_its_oracle", oracle=auc)
@component
class Halved(Sound):
    """Half of what it should be."""

    def __call__(self, scores: Any, relevant: Any, user: Any) -> Tensor:
        return auc(scores, relevant, user) / 2
