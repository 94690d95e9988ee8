"""What a training step of each baseline costs beside its bare encoder on the same distinct items."""

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.bench_step import BATCH, ITEMS, PAIRS, PIXELS, USERS, Bare, Pixels
from benchmarks.timing import in_turn, ratio, table
from outfitrec.core.batches import Batches
from outfitrec.core.build import build_recommender, given_by
from outfitrec.core.config import create
from outfitrec.core.data import Catalog, Dataset, Rows, Split
from outfitrec.core.items import PhotoItems
from outfitrec.core.program import Program
from outfitrec.core.recipe import load_recipe

NAMES = ("fhn", "lpae-u", "lpae-g", "outfitnet-relevancy", "outfitnet", "bi-lstm", "type-aware", "sce-net")
LIMIT = "1.30"


class Loop:
    """Steps of a shipped recipe on random photos, drawn, computed and applied."""

    def __init__(self, name: str, dataset: Dataset, store: Pixels) -> None:
        torch.manual_seed(0)
        recipe = load_recipe(name, [f"image.size={PIXELS}", "model.encoder.weights=none"])
        train, catalog = dataset.splits["train"], dataset.catalog
        given = given_by(dataset, recipe.model, recipe.image)
        model = build_recommender(recipe.model, given).to(memory_format=torch.channels_last)
        more: dict[str, Any] = {"split": train, "catalog": catalog, "teacher_dim": None, "neighbours": None}
        objectives = [create(config, **given, **more) for config in recipe.objectives]
        source = PhotoItems(model.encoder, store, recipe.image, torch.device("cpu"))
        self.encoder = model.encoder
        self.program = Program(model, objectives, source, catalog.category).train()
        negatives = create(recipe.negatives, split=train, catalog=catalog)
        self.batches = Batches(train, negatives, objectives, BATCH, seed=0)
        self.order = self.batches.order(0)
        self.optimizer = torch.optim.SGD(self.program.parameters(), lr=0.01, momentum=0.9)
        self.done = 0

    def __call__(self) -> None:
        # The same eight steps as the bare encoder's.
        batch, draws = self.batches.draw(self.order, 0, self.done % 8)
        loss, _ = self.program(batch, 0, draws)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.done += 1


def main() -> None:
    """Print the ratios."""
    draws = torch.Generator().manual_seed(1)
    catalog = Catalog([str(k) for k in range(ITEMS)], torch.arange(ITEMS) % 3, ("top", "bottom", "shoe"))
    items = torch.randint(0, ITEMS // 3, (PAIRS, 3), generator=draws) * 3 + torch.arange(3)
    split = Split(Rows(torch.arange(PAIRS) % USERS, catalog.outfits(items)))
    dataset = Dataset(catalog, USERS, {"train": split}, digest="")
    store = Pixels()
    rows: list[tuple[str, ...]] = []
    for name in NAMES:
        loop = Loop(name, dataset, store)
        things: dict[str, Callable[[], object]] = {"bare": Bare(store, loop.batches, loop.encoder), "step": loop}
        seconds = in_turn(things, repeats=16, warmup=8)
        rows.append((f"{name} step ÷ bare encoder", f"{ratio(seconds['step'], seconds['bare']):.3f}", LIMIT))
    title = f"training step, batch {BATCH}, alexnet xs, {PIXELS} px, {torch.get_num_threads()} threads"
    table(title, ("ratio", "measured", "limit"), rows)


if __name__ == "__main__":
    main()
