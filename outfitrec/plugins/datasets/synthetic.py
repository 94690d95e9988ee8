"""The embedded dataset: drawn garments, and simulated users who post some of the outfits that they like."""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from itertools import cycle, islice

import attrs
import numpy as np
import torch

from outfitrec.core.component import component
from outfitrec.core.data import SPLITS, Catalog, Dataset
from outfitrec.core.example import Example
from outfitrec.core.fields import field
from outfitrec.plugins.datasets.garments.garment import Garment
from outfitrec.plugins.datasets.garments.wardrobe import CATEGORIES, KINDS, garment, kinds, photo
from outfitrec.plugins.datasets.posts import Posts
from outfitrec.plugins.datasets.tastes import Looks, Tastes, match

VERSION = 1  # of the generator: another one draws other garments or users from the same fields
SHARES = (0.4, 0.3, 0.3)  # of the catalogue, by category
SAMPLE = 1 << 14  # random outfits by which a user's threshold is set


@attrs.frozen
class Drawings:
    """Photos that are drawn when they are read.

    Attributes:
        garments: What is to be drawn, item by item.
        names: What messages call them.
        pixels: Side of a photo.
    """

    garments: Sequence[Garment]
    names: Sequence[str]
    pixels: int

    def read(self, item: int) -> bytes:
        """The photo as PNG."""
        file = io.BytesIO()
        photo(self.garments[item], self.pixels).save(file, "PNG", compress_level=1)
        return file.getvalue()

    def where(self, item: int) -> str:
        """The name of the item, in the dataset."""
        return f"synthetic:{self.names[item]}"

    def stamp(self, item: int) -> str:
        """A hash of everything that is drawn."""
        return _digest([VERSION, self.pixels, repr(self.garments[item])])


@component
class Synthetic:
    """Drawn garments and simulated users, made in seconds from a seed; no download.

    Each user has one to three styles: colours, patterns, formality and silhouettes that can be seen in the photos. Of
    all outfits the best few per cent by style, compatibility of the items and some noise are liked, and a random part
    of those is posted, so that a random negative is a false one as often as ``liked`` says. Ground truth comes along.
    Figures on it compare methods; they say nothing of real users.
    """

    seed: int = field(default=0, minimum=0, maximum=2**32 - 1, help="seed of garments, users and splits")
    users: int = field(default=32, minimum=2, maximum=2000, help="number of users")
    items: int = field(
        default=1200, minimum=60, maximum=5000, help="number of garments: 40 % tops, 30 % bottoms, 30 % shoes"
    )
    pixels: int = field(default=96, minimum=16, maximum=2048, help="side of a photo in pixels")
    train: int = field(default=60, minimum=1, maximum=1000, help="outfits that a user posts for training")
    valid: int = field(default=10, minimum=2, maximum=1000, help="outfits that a user posts for validation")
    test: int = field(default=12, minimum=1, maximum=1000, help="outfits that a user posts for testing")
    negatives: int = field(default=10, minimum=1, maximum=100, help="stored negatives of each kind per positive")
    liked: float = field(default=0.08, minimum=0.01, maximum=0.5, help="share of all outfits that a user likes")
    compatibility: float = field(default=0.3, minimum=0, maximum=10, help="weight of what goes together; taste has 1")
    noise: float = field(default=0.2, minimum=0, maximum=10, help="weight of chance in what is liked; taste has 1")
    two_tops: float = field(default=0.0, minimum=0, maximum=1, help="share of outfits with a second, outer top")

    @staticmethod
    def examples() -> Iterator[Example]:
        """A small one."""
        yield Example(
            fields={"users": 4, "items": 240, "pixels": 32, "train": 6, "valid": 2, "test": 2, "negatives": 2}
        )

    def load(self) -> Dataset:
        """Make everything but the photos.

        Raises:
            DataError: So many outfits cannot be made of so few items.
        """
        counts = [round(share * self.items) for share in SHARES]
        garments = [
            garment(np.random.default_rng([self.seed, 0, category, number]), name)
            for category, count in enumerate(counts)
            for number, name in enumerate(islice(cycle(kinds(category)), count))
        ]
        names = [f"{one.kind}-{index:04d}" for index, one in enumerate(garments)]
        looks = Looks.of(garments)
        outer = np.array([KINDS[one.kind].outer for one in garments])
        posts = Posts(looks.category, outer, self.two_tops, np.random.default_rng([self.seed, 1]))
        tastes = Tastes.fit(
            looks,
            match(looks, self.users, np.random.default_rng([self.seed, 2])),
            posts.sample(SAMPLE),
            liked=self.liked,
            compatibility=self.compatibility,
            noise=self.noise,
            seed=self.seed,
        )
        catalog = Catalog(names, torch.from_numpy(looks.category), CATEGORIES, Drawings(garments, names, self.pixels))
        numbers = dict(zip(SPLITS, (self.train, self.valid, self.test), strict=True))
        splits = posts.splits(catalog, tastes, numbers, self.negatives)
        fields = {name: value for name, value in vars(self).items() if name != "pixels"}
        return Dataset(
            catalog=catalog,
            users=self.users,
            splits=splits,
            digest=_digest([VERSION, fields]),
            truth=tastes,
            notes={"generator": VERSION, "liked": self.liked},
        )


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
