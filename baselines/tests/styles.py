"""A plugin file for tests: outfits whose items go together, whoever posts them."""

import torch
from torch import Generator

from outfitrec import Catalog, Dataset, Rows, Split, component, field
from outfitrec.core.files import digest
from outfitrec.hooks import Register, hookimpl


@component
class Styles:
    """Items of a few styles; all items of a posted outfit are of one."""

    users: int = field(default=6, minimum=1, help="number of users")
    items: int = field(default=90, minimum=30, help="number of items")
    styles: int = field(default=3, minimum=2, help="number of styles")
    size: int = field(default=12, minimum=2, help="length of a feature vector")

    def load(self) -> Dataset:
        draws = Generator().manual_seed(0)
        style = torch.arange(self.items) // 3 % self.styles
        directions = torch.randn(self.styles, self.size, generator=draws)
        features = directions[style] + 0.3 * torch.randn(self.items, self.size, generator=draws)
        names = [f"item-{k}" for k in range(self.items)]
        catalog = Catalog(names, torch.arange(self.items) % 3, ("top", "bottom", "shoe"), features=features)
        each = self.items // 3 // self.styles
        splits = {}
        for name, count in (("train", 40), ("valid", 12), ("test", 12)):
            rows = count * self.users
            chosen = torch.randint(0, self.styles, (rows, 1), generator=draws)
            within = torch.randint(0, each, (rows, 3), generator=draws)
            outfits = catalog.outfits((within * self.styles + chosen) * 3 + torch.arange(3))
            splits[name] = Split(Rows(torch.arange(self.users).repeat_interleave(count), outfits))
        facts = [self.users, self.items, self.styles, self.size]
        return Dataset(catalog, self.users, splits, digest(facts), notes={"kind": "styles"})


@hookimpl
def outfitrec_register(register: Register) -> None:
    """Register the dataset."""
    register.component("dataset", "styles", ":Styles", "outfits whose items are of one style")
