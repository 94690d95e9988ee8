"""What a training step costs beside the bare encoder, and what the teacher adds."""

import torch
from torch import Tensor

from benchmarks.timing import in_turn, ratio, table
from outfitrec.core.augment import draw_crops, prepare
from outfitrec.core.batches import Batches
from outfitrec.core.data import Catalog, Rows, Split
from outfitrec.core.items import PhotoItems
from outfitrec.core.program import Program
from outfitrec.core.protocols import Loss
from outfitrec.core.recommender import Recommender
from outfitrec.core.settings import ImageSettings
from outfitrec.core.teacher import Teacher
from outfitrec.plugins.aggregators.set_transformer import SetTransformer
from outfitrec.plugins.distillers.fnd import FND
from outfitrec.plugins.encoders.alexnet import AlexNet
from outfitrec.plugins.losses.npair import NPair
from outfitrec.plugins.negatives.random_mix import RandomMix
from outfitrec.plugins.objectives.ranking import Ranking
from outfitrec.plugins.preferences.cosine import Cosine

ITEMS, USERS, PAIRS, BATCH, PIXELS, DIM = 4500, 40, 6000, 32, 64, 128


class Pixels:
    """A store of random photos."""

    key = "random"
    size = PIXELS

    def __init__(self) -> None:
        draws = torch.Generator().manual_seed(0)
        self._pixels = torch.randint(0, 256, (ITEMS, PIXELS, PIXELS, 3), dtype=torch.uint8, generator=draws)

    def images(self, ids: Tensor) -> Tensor:
        return self._pixels[ids].permute(0, 3, 1, 2)


def recommender(size: str) -> Recommender:
    model = Recommender(
        AlexNet(size=size, weights="none", dim=DIM), SetTransformer(dim=DIM), Cosine(dim=DIM, users=USERS)
    )
    return model.to(memory_format=torch.channels_last)


class Loop:
    """Steps of one recipe, drawn, computed and applied."""

    def __init__(self, store: Pixels, catalog: Catalog, split: Split, teacher: Teacher | None) -> None:
        torch.manual_seed(0)
        model = recommender("xs")
        source = PhotoItems(model.encoder, store, ImageSettings(size=PIXELS), torch.device("cpu"))
        loss: Loss = NPair()
        objectives = [Ranking(loss=loss, distiller=FND() if teacher else None)]
        self.program = Program(model, objectives, source, catalog.category, teacher)
        self.batches = Batches(split, RandomMix(split=split, catalog=catalog), objectives, BATCH, seed=0)
        self.order = self.batches.order(0)
        self.optimizer = torch.optim.SGD(self.program.parameters(), lr=0.01, momentum=0.9)
        self.done = 0

    def __call__(self) -> None:
        batch, draws = self.batches.draw(self.order, 0, self.done % (self.batches.steps - 1))
        loss, _ = self.program(batch, 0, draws)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.done += 1


class Bare:
    """The bare encoder's forward and backward on as many images as the same step has distinct items."""

    def __init__(self, store: Pixels, batches: Batches) -> None:
        torch.manual_seed(0)
        self.encoder = recommender("xs").encoder
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
    npair, fnd = Loop(store, catalog, split, None), Loop(store, catalog, split, teacher)
    seconds = in_turn({"bare": Bare(store, npair.batches), "npair": npair, "fnd": fnd}, repeats=24, warmup=4)
    table(
        f"training step, batch {BATCH}, alexnet xs, {PIXELS} px, {torch.get_num_threads()} threads",
        ("ratio", "measured", "limit"),
        [
            ("N-pair step ÷ bare encoder", f"{ratio(seconds['npair'], seconds['bare']):.3f}", "1.15"),
            ("FND step ÷ N-pair step", f"{ratio(seconds['fnd'], seconds['npair']):.3f}", "1.10"),
        ],
    )


if __name__ == "__main__":
    main()
