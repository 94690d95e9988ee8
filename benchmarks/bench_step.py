"""What a training step costs beside the bare encoder, what teacher and contrastive learning add, what a table saves."""

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.timing import in_turn, ratio, table
from outfitrec.core.augment import draw_crops, prepare
from outfitrec.core.batches import Batches
from outfitrec.core.data import Catalog, Rows, Split
from outfitrec.core.items import ItemSource, PhotoItems, TableItems
from outfitrec.core.neighbours import Neighbours
from outfitrec.core.program import Program
from outfitrec.core.recommender import Recommender
from outfitrec.core.settings import ImageSettings
from outfitrec.core.teacher import Teacher
from outfitrec.plugins.aggregators.set_transformer import SetTransformer
from outfitrec.plugins.augmenters.erase import Erase
from outfitrec.plugins.augmenters.replace import Replace
from outfitrec.plugins.contrasts.nt_xent import NTXent
from outfitrec.plugins.distillers.fnd import FND
from outfitrec.plugins.encoders.alexnet import AlexNet
from outfitrec.plugins.encoders.torchvision import TorchvisionEncoder
from outfitrec.plugins.heads.item_encoder import ItemEncoder
from outfitrec.plugins.losses.npair import NPair
from outfitrec.plugins.negatives.random_mix import RandomMix
from outfitrec.plugins.objectives.contrastive import Contrastive
from outfitrec.plugins.objectives.ranking import Ranking
from outfitrec.plugins.preferences.cosine import Cosine
from outfitrec.protocols import Augmenter, Encoder, Loss, Objective

ITEMS, USERS, PAIRS, BATCH, PIXELS, DIM = 4500, 40, 6000, 32, 64, 128


class Pixels:
    """A store of random photos."""

    key = "random"

    def __init__(self, items: int = ITEMS, size: int = PIXELS) -> None:
        draws = torch.Generator().manual_seed(0)
        self.size = size
        self._pixels = torch.randint(0, 256, (items, size, size, 3), dtype=torch.uint8, generator=draws)

    def images(self, ids: Tensor) -> Tensor:
        return self._pixels[ids].permute(0, 3, 1, 2)


def recommender(size: str) -> Recommender:
    model = Recommender(
        AlexNet(size=size, weights="none", head=ItemEncoder(dim=DIM)),
        SetTransformer(dim=DIM),
        Cosine(dim=DIM, users=USERS),
    )
    return model.to(memory_format=torch.channels_last)


class Loop:
    """Steps of one recipe, drawn, computed and applied."""

    def __init__(
        self,
        catalog: Catalog,
        split: Split,
        source: Callable[[Recommender], ItemSource],
        teacher: Teacher | None = None,
        views: tuple[Augmenter, Augmenter] | None = None,
        model: Recommender | None = None,
    ) -> None:
        torch.manual_seed(0)
        model = model or recommender("xs")
        loss: Loss = NPair()
        objectives: list[Objective] = [Ranking(loss=loss, distiller=FND() if teacher else None)]
        if views:
            objectives.append(Contrastive(views=views, loss=NTXent(), weight=0.2, dim=DIM))
        self.distinct = 0
        self.program = Program(model, objectives, source(model), catalog.category, teacher)
        self.batches = Batches(split, RandomMix(split=split, catalog=catalog), objectives, BATCH, seed=0)
        self.order = self.batches.order(0)
        self.optimizer = torch.optim.SGD(self.program.parameters(), lr=0.01, momentum=0.9)
        self.done = 0

    def __call__(self) -> None:
        batch, draws = self.batches.draw(self.order, 0, self.done % (self.batches.steps - 1))
        self.distinct += len(torch.cat([outfits.items.flatten() for outfits in batch.roles().values()]).unique())
        loss, _ = self.program(batch, 0, draws)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.done += 1


class Bare:
    """The bare encoder's forward and backward on as many images as the same step has distinct items."""

    def __init__(self, store: Pixels, batches: Batches, encoder: Encoder) -> None:
        self.encoder = encoder
        self.images, order = [], batches.order(0)
        for step in range(8):
            batch, draws = batches.draw(order, 0, step)
            items = torch.cat([outfits.items.flatten() for outfits in batch.roles().values()])
            photos = store.images(items.unique())
            self.images.append(prepare(photos, PIXELS, draw_crops(len(photos), PIXELS, PIXELS, draws, flip=True)))
        self.done = 0

    def __call__(self) -> None:
        self.encoder.zero_grad(set_to_none=True)  # type: ignore[attr-defined]  # an encoder is a Module
        images = self.images[self.done % len(self.images)]
        features = self.encoder.features(images)
        self.encoder.embed(features, torch.zeros(len(images), dtype=torch.long)).sum().backward()
        self.done += 1


def main() -> None:
    """Print the ratios."""
    draws = torch.Generator().manual_seed(1)
    catalog = Catalog([str(k) for k in range(ITEMS)], torch.arange(ITEMS) % 3, ("top", "bottom", "shoe"))
    items = torch.randint(0, ITEMS // 3, (PAIRS, 3), generator=draws) * 3 + torch.arange(3)
    split = Split(Rows(torch.arange(PAIRS) % USERS, catalog.outfits(items)))
    store = Pixels()
    big = recommender("s").eval()
    teacher = Teacher(big, torch.randn(ITEMS, DIM, generator=draws), split.positives, USERS, 4096)
    similar = Neighbours(catalog.names, lambda count: near(count, draws))

    def photos(model: Recommender) -> ItemSource:
        return PhotoItems(model.encoder, store, ImageSettings(size=PIXELS), torch.device("cpu"))

    npair, fnd = Loop(catalog, split, photos), Loop(catalog, split, photos, teacher)
    both = Loop(catalog, split, photos, teacher, (Erase(), Replace(neighbours=similar)))
    things: dict[str, Callable[[], object]] = {
        "bare": Bare(store, npair.batches, recommender("xs").encoder),
        "npair": npair,
        "fnd": fnd,
        "fnd-cl": both,
    }
    seconds = in_turn(things, repeats=24, warmup=4)
    growth = both.distinct / fnd.distinct
    table(
        f"training step, batch {BATCH}, alexnet xs, {PIXELS} px, {torch.get_num_threads()} threads",
        ("ratio", "measured", "limit"),
        [
            ("N-pair step ÷ bare encoder", f"{ratio(seconds['npair'], seconds['bare']):.3f}", "1.15"),
            ("FND step ÷ N-pair step", f"{ratio(seconds['fnd'], seconds['npair']):.3f}", "1.10"),
            (
                f"FND-CL step ÷ FND step ({growth:.2f} times the items)",
                f"{ratio(seconds['fnd-cl'], seconds['fnd']):.3f}",
                f"{1.25 * growth:.3f}",
            ),
        ],
    )
    frozen(catalog, split)


def near(count: int, draws: torch.Generator) -> Tensor:
    """A table of neighbours of the same category, at random."""
    return torch.randint(0, ITEMS // 3, (ITEMS, count), generator=draws) * 3 + torch.arange(ITEMS)[:, None] % 3


def frozen(catalog: Catalog, split: Split) -> None:
    """Print what a table of a frozen encoder's features saves."""
    model = Recommender(
        TorchvisionEncoder(
            architecture="squeezenet1_1", frozen=True, weights="none", head=ItemEncoder(dim=DIM), image_size=224
        ),
        SetTransformer(dim=DIM),
        Cosine(dim=DIM, users=USERS),
    ).to(memory_format=torch.channels_last)
    store = Pixels(600, 224)
    some = Split(Rows(split.positives.users, catalog.outfits(split.positives.outfits.items % 600)))

    def photos(model: Recommender) -> ItemSource:
        return PhotoItems(model.encoder, store, ImageSettings(size=224), torch.device("cpu"))

    features = model.encoder.features(torch.rand(1, 3, 224, 224)).shape[1]
    encoded = Loop(catalog, some, photos, model=model)
    cached = Loop(catalog, some, lambda _: TableItems(torch.rand(ITEMS, features)), model=model)
    seconds = in_turn({"photos": encoded, "table": cached}, repeats=4, warmup=1)
    table(
        f"training step on a frozen squeezenet1_1, 224 px, batch {BATCH}",
        ("ratio", "measured", "limit"),
        [("encoding photos ÷ features cached", f"{ratio(seconds['photos'], seconds['table']):.0f}", "≥ 20")],
    )


if __name__ == "__main__":
    main()
