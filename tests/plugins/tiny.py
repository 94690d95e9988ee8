"""A plugin file for tests: a small dataset of items with given features, in which taste is easy to learn."""

import os
import signal
from collections.abc import Iterable, Mapping

import torch
from torch import Generator, Tensor

from outfitrec import component, field, part
from outfitrec.core.data import Catalog, Dataset, Questions, Rows, Split
from outfitrec.core.files import digest
from outfitrec.core.outfits import Outfits
from outfitrec.core.step import Batch, Step
from outfitrec.hooks import Register, hookimpl
from outfitrec.protocols import Loss


class Liking:
    """The truth of `Tiny`: a user likes what is worth more than the best outfit that she did not post."""

    def __init__(self, features: Tensor, tastes: Tensor, threshold: Tensor) -> None:
        self._features = features
        self.tastes = tastes
        self._threshold = threshold

    def liked(self, users: Tensor, outfits: Outfits) -> Tensor:
        worth = (self._features[outfits.items].mean(dim=1) * self.tastes[users]).sum(dim=1)
        liked: Tensor = worth > self._threshold[users]
        return liked


@component
class Tiny:
    """Users who like outfits whose mean feature lies in their direction."""

    users: int = field(default=6, minimum=1, help="number of users")
    items: int = field(default=90, minimum=30, help="number of items")
    size: int = field(default=12, minimum=2, help="length of a feature vector")
    seed: int = field(default=0, minimum=0, help="of the data")

    def load(self) -> Dataset:
        draws = Generator().manual_seed(self.seed)
        features = torch.randn(self.items, self.size, generator=draws)
        tastes = torch.randn(self.users, self.size, generator=draws)
        categories = ("top", "bottom", "shoe")
        names = [f"item-{k}" for k in range(self.items)]
        catalog = Catalog(names, torch.arange(self.items) % 3, categories, features=features)
        mixes = torch.randint(0, self.items // 3, (1500, 3), generator=draws) * 3 + torch.arange(3)
        liking = features[mixes].mean(dim=1) @ tastes.T
        splits = {}
        chosen = liking.topk(40, dim=0).indices.T
        chosen = chosen[:, torch.randperm(40, generator=draws)]
        for name, part_of in (("train", chosen[:, :24]), ("valid", chosen[:, 24:32]), ("test", chosen[:, 32:])):
            users = torch.arange(self.users).repeat_interleave(part_of.shape[1])
            splits[name] = Split(Rows(users, catalog.outfits(mixes[part_of.flatten()])))
        test = splits["test"].positives
        wrong = test.outfits.items.repeat_interleave(4, dim=0)
        wrong[:, 2] = torch.where(torch.arange(len(wrong)) % 4 > 0, wrong[:, 2].roll(7), wrong[:, 2])
        splits["test"] = Split(test, questions=Questions(test.users, catalog.outfits(wrong), 4))
        facts = [self.users, self.items, self.size, self.seed]
        truth = Liking(features, tastes, liking.topk(41, dim=0).values[-1])
        return Dataset(catalog, self.users, splits, digest(facts), truth, notes={"kind": "tiny"})


@component
class Dying:
    """A ranking objective whose process is killed at a given step, if a file says so."""

    loss: Loss = part("loss", default="npair", help="ranking loss")
    weight: float = field(default=1.0, minimum=0, help="factor in the sum of objectives")
    label: str = field(default="ranking", help="name in logs and overrides")
    mode: str = field(default="off", choices=("off", "constant"), help="what it does")

    def __attrs_post_init__(self) -> None:
        self._calls = 0

    @property
    def unit(self) -> str:
        return "pair"

    @property
    def needs_teacher(self) -> bool:
        return False

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return None

    def __call__(self, step: Step) -> Tensor:
        self._calls += 1
        if self._calls == int(os.environ.get("OUTFITREC_TEST_KILL_AT", "0")):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.mode == "constant":
            return step.positive.sum() * 0 + 1
        return self.loss(step.positive, step.negative, None, step.mask)

    def report(self, means: Mapping[str, float]) -> Iterable[str]:
        return ()


@component
class Never:
    """A distiller that finds no false negative."""

    def __call__(self, teacher_positive_mean: Tensor, teacher_negative: Tensor) -> Tensor:
        return (teacher_positive_mean[:, None] - teacher_negative).abs()


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the test's components."""
    register.component("dataset", "tiny", ":Tiny", "small data of given features")
    register.component("objective", "dying", ":Dying", "a ranking objective that can be killed")
    register.component("distiller", "never", ":Never", "finds no false negative")
