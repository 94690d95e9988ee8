"""Steps of hand-made states with a teacher, and their scores by naive loops."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from outfitrec.core.data import Catalog, Rows
from outfitrec.core.drawn import Drawn
from outfitrec.core.outfits import Outfits
from outfitrec.core.recommender import Recommender
from outfitrec.core.state import State
from outfitrec.core.step import Batch, Step
from outfitrec.core.teacher import Teacher
from outfitrec.plugins.aggregators.mean import Mean
from outfitrec.plugins.preferences.cosine import Cosine

ITEMS, USERS, DIM, TEACHER_DIM = 30, 7, 8, 6
CATALOG = Catalog([f"item {k}" for k in range(ITEMS)], torch.arange(ITEMS) % 3, ("top", "bottom", "shoe"))


class Nothing(nn.Module):
    """An encoder that nobody asks: the steps below are given their embeddings."""

    frozen, photos = True, False

    def features(self, images: Tensor) -> Tensor:
        raise NotImplementedError

    def embed(self, features: Tensor, category: Tensor) -> Tensor:
        raise NotImplementedError


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def recommender(dim: int, seed: int) -> Recommender:
    torch.manual_seed(seed)
    return Recommender(Nothing(), Mean(), Cosine(dim=dim, users=USERS)).double()


def outfits(count: int, seed: int) -> Outfits:
    draws = Generator().manual_seed(seed)
    items = torch.stack([torch.randperm(ITEMS, generator=draws)[:3] for _ in range(count)])
    items[::2, 2] = -1
    return CATALOG.outfits(items)


def teacher(table: Tensor | None = None) -> Teacher:
    table = normal(ITEMS, TEACHER_DIM, seed=91) if table is None else table
    train = Rows(torch.arange(USERS), outfits(USERS, 0))
    return Teacher(recommender(TEACHER_DIM, 92), table, train, USERS, chunk=8)


def step(
    positive: Tensor,
    negative: State,
    *,
    shared: bool = False,
    mask: Tensor | None = None,
    items: Tensor | None = None,
    taught: Teacher | None = None,
    model: Recommender | None = None,
    positives: Outfits | None = None,
    seed: int = 5,
) -> Step:
    """A step of outfits with these states, whoever would have made them."""
    positives = outfits(len(positive), seed) if positives is None else positives
    negatives = outfits(len(negative if isinstance(negative, Tensor) else negative[0]), seed + 1)
    ids = torch.cat([positives.items.flatten(), negatives.items.flatten()]).unique()[1:]
    users = torch.randint(0, USERS, (len(positive),), generator=Generator().manual_seed(seed))
    return Step(
        Batch(users, positives, torch.empty(0, dtype=torch.long), Drawn(negatives, shared, mask)),
        ids=ids,
        category=CATALOG.category[ids],
        features=torch.zeros(len(ids), 1),
        items=normal(len(ids), DIM, seed=seed) if items is None else items,
        states={"positive": positive, "negative": negative},
        recommender=model or recommender(positive.shape[1], 93),
        teacher=taught or teacher(),
        epoch=0,
        generator=Generator(),
    )


def cosine(one: Tensor, two: Tensor) -> float:
    dot: float = sum(a * b for a, b in zip(one.tolist(), two.tolist(), strict=True))
    return dot / math.hypot(*one.tolist()) / math.hypot(*two.tolist())


def taste(model: Recommender, user: int) -> Tensor:
    preference = model.preference
    assert isinstance(preference, Cosine)
    return preference.user.weight[user].detach()


def taught_state(table: Tensor, outfit: Tensor) -> Tensor:
    items = [int(item) for item in outfit if item >= 0]
    return torch.stack([table[item] for item in items]).mean(dim=0)


class Scores(NamedTuple):
    """Scores of one pair: of its outfit, and of the negatives that count for it."""

    positive: tuple[float, float]
    negative: list[tuple[float, float]]


def naive_scores(made: Step) -> list[Scores]:
    """The student's and the teacher's scores of each pair."""
    drawn, users = made.batch.drawn, made.users.tolist()
    assert drawn is not None
    states = {role: made.state(role) for role in ("positive", "negative")}

    def both(role: str, user: int, of: Outfits, row: int) -> tuple[float, float]:
        state = states[role]
        assert isinstance(state, Tensor)
        theirs = taught_state(made.teacher.table, of.items[row])
        return (
            cosine(taste(made.recommender, user), state[row].detach()),
            cosine(taste(made.teacher.recommender, user), theirs),
        )

    found = []
    count = len(drawn.outfits) if drawn.shared else len(drawn.outfits) // len(users)
    for pair, user in enumerate(users):
        rows = range(count) if drawn.shared else range(pair * count, (pair + 1) * count)
        kept = [row for k, row in enumerate(rows) if drawn.mask is None or drawn.mask[pair, k]]
        found.append(
            Scores(
                both("positive", user, made.batch.positives, pair),
                [both("negative", user, drawn.outfits, row) for row in kept],
            )
        )
    return found


def masks(pairs: int, count: int, seed: int) -> Tensor:
    return torch.rand(pairs, count, generator=Generator().manual_seed(seed)) < 0.6


def teacher_rows(taught: Teacher, some: Outfits) -> Tensor:
    return torch.stack([taught_state(taught.table, some.items[k]) for k in range(len(some))])
