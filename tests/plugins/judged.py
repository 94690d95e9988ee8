"""A plugin file for tests: the dataset of `tiny` with labelled outfits in its valid and test splits."""

import attrs
import torch
from torch import Generator

from outfitrec import Dataset, Labelled, component, field
from outfitrec.hooks import Register, hookimpl
from plugins.tiny import Tiny


@component
class Judged:
    """Outfits that the users posted are compatible, and random ones are not."""

    users: int = field(default=1, minimum=1, help="number of users")
    labelled: bool = field(default=True, help="whether there are labelled outfits")
    questions: bool = field(default=True, help="whether there are questions")

    def load(self) -> Dataset:
        whole: Dataset = Tiny(users=self.users).load()
        draws = Generator().manual_seed(5)
        splits = dict(whole.splits)
        for name in ("valid", "test"):
            posted = splits[name].positives.outfits
            mixed = torch.randint(0, 30, (20, 3), generator=draws) * 3 + torch.arange(3)
            labelled = Labelled(
                posted.cat([posted, whole.catalog.outfits(mixed)]), torch.arange(len(posted) + 20) < len(posted)
            )
            splits[name] = attrs.evolve(
                splits[name],
                questions=splits[name].questions if self.questions else None,
                compatibility=labelled if self.labelled else None,
            )
        return attrs.evolve(whole, splits=splits)


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the test's dataset."""
    register.component("dataset", "judged", ":Judged", "outfits that are labelled")
