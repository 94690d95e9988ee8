"""Where a step gets its items' features: from photos through the encoder, or from a table."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int, UInt8
from torch import Generator, Tensor

from outfitrec.core.augment import Crops, draw_crops, prepare
from outfitrec.core.cache import cached
from outfitrec.core.config import Config, plain
from outfitrec.core.data import Catalog
from outfitrec.core.errors import RecipeError
from outfitrec.core.files import digest
from outfitrec.core.progress import Progress
from outfitrec.core.recommender import Recommender
from outfitrec.core.settings import ImageSettings
from outfitrec.core.team import ALONE, Team
from outfitrec.protocols import Encoder


@runtime_checkable
class ItemSource(Protocol):
    """Features of catalogue items."""

    def crops(self, count: int, generator: Generator) -> Crops | None:
        """Random crops and flips for so many photos; None where nothing is drawn."""
        ...

    def features(self, ids: Int[Tensor, " item"], crops: Crops | None) -> Float[Tensor, "item f"]:
        """Features of these items, of photos cropped and mirrored as given."""
        ...

    def photos(self, ids: Int[Tensor, " item"], crops: Crops | None) -> Float[Tensor, "item 3 height width"]:
        """The normalised photos of these items, cropped and mirrored as given.

        Raises:
            RecipeError: Features are at hand, and no photos.
        """
        ...


@runtime_checkable
class PhotoStore(Protocol):
    """Decoded photos of a catalogue (see `outfitrec.core.images.ImageStore`).

    Attributes:
        key: Digest of their content and size.
        size: Side of the photos, px.
    """

    key: str
    size: int

    def images(self, ids: Int[Tensor, " item"]) -> UInt8[Tensor, "item 3 side side"]:
        """The photos of these items."""
        ...


class PhotoItems:
    """Items known by their photos, through the encoder at each call.

    Args:
        encoder: The encoder.
        store: The photos.
        image: Size, crops and flips.
        device: Where the encoder is.
    """

    def __init__(self, encoder: Encoder, store: PhotoStore, image: ImageSettings, device: torch.device) -> None:
        self._encoder = encoder
        self._store = store
        self._image = image
        self._device = device

    def crops(self, count: int, generator: Generator) -> Crops | None:
        return draw_crops(count, self._store.size, self._image.size, generator, flip=self._image.flip)

    def features(self, ids: Int[Tensor, " item"], crops: Crops | None) -> Float[Tensor, "item f"]:
        return self._encoder.features(self.photos(ids, crops))

    def photos(self, ids: Int[Tensor, " item"], crops: Crops | None) -> Float[Tensor, "item 3 height width"]:
        return prepare(self._store.images(ids).to(self._device), self._image.size, crops)


class TableItems:
    """Items known by a table of features that never changes.

    Args:
        table: ``[item, f]``, on the device.
    """

    def __init__(self, table: Float[Tensor, "item f"]) -> None:
        self._table = table

    def crops(self, count: int, generator: Generator) -> Crops | None:
        return None

    def features(self, ids: Int[Tensor, " item"], crops: Crops | None) -> Float[Tensor, "item f"]:
        return self._table.index_select(0, ids.to(self._table.device))

    def photos(self, ids: Int[Tensor, " item"], crops: Crops | None) -> Float[Tensor, "item 3 height width"]:
        raise RecipeError(
            "an objective needs the photos, and the encoder's features are computed once or given",
            hint="train an encoder of photos: frozen: false",
        )


def item_source(
    encoder: Encoder,
    catalog: Catalog,
    store: PhotoStore | None,
    image: ImageSettings,
    device: torch.device,
    *,
    known: object,
    used: Int[Tensor, " used"],
    chunk: int,
    progress: Progress,
) -> ItemSource:
    """The cheapest source for an encoder: a table where its features never change, photos elsewhere.

    Args:
        encoder: The encoder, on ``device``.
        catalog: The items.
        store: The photos, where the encoder needs them.
        image: Size, crops and flips.
        device: Where features are wanted.
        known: What the encoder is (see `about`).
        used: The items that will be asked for.
        chunk: Photos encoded at once.
        progress: Told of the encoding.
    """
    if not encoder.photos:
        # Only an encoder of given features has a table to give.
        table: Tensor = encoder.table(catalog)  # type: ignore[attr-defined]
        return TableItems(table.to(device))
    if store is None:
        raise TypeError("the encoder needs photos, and no image store was opened")
    source = PhotoItems(encoder, store, image, device)
    if not encoder.frozen:
        return source

    def encode() -> dict[str, Tensor]:
        def features(ids: Tensor) -> Tensor:
            return source.features(ids, None)

        return {"features": encode_all(features, len(catalog), used, chunk, progress, "encoding photos")}

    key = digest(
        {
            "encoder": known,
            "weights": frozen_digest(encoder),
            "photos": store.key,
            "size": image.size,
            "used": tensor_digest(used),
        }
    )
    return TableItems(cached("features", key, encode)["features"].to(device))


@torch.inference_mode()
def encode_all(
    encode: Callable[[Tensor], Tensor],
    size: int,
    used: Int[Tensor, " used"],
    chunk: int,
    progress: Progress,
    text: str,
    team: Team = ALONE,
) -> Float[Tensor, "item f"]:
    """What ``encode`` gives for ``used`` items, ``chunk`` at a time, in a table of ``size`` rows (zeros elsewhere)."""
    if not len(used):
        raise ValueError("no items to encode")
    parts, mine = [], team.part(used)
    with progress.task(text, len(mine)) as advance:
        for ids in mine.split(chunk):
            parts.append(encode(ids))
            advance(len(ids))
    rows = team.whole(torch.cat(parts), len(used))
    table = torch.zeros(size, rows.shape[1], dtype=rows.dtype, device=rows.device)
    table[used.to(table.device)] = rows
    return table


@torch.inference_mode()
def embed_all(
    recommender: Recommender,
    source: ItemSource,
    catalog: Catalog,
    used: Int[Tensor, " used"],
    device: torch.device,
    *,
    chunk: int,
    progress: Progress,
    team: Team = ALONE,
) -> Float[Tensor, "item dim"]:
    """Embeddings of ``used`` items in a table with a row for every item of the catalogue (zeros elsewhere)."""
    recommender.eval()
    category = catalog.category.to(device)

    def embed(ids: Tensor) -> Tensor:
        return recommender.embed(source.features(ids, None), category[ids.to(device)])

    return encode_all(embed, len(catalog), used, chunk, progress, "encoding items", team)


def about(config: Config) -> list[object]:
    """What an encoder computes apart from its weights: configuration, provider and versions, for keys of caches."""
    return [plain(config), config.registration.provider, config.registration.version, torch.__version__]


def frozen_digest(encoder: Encoder) -> str:
    """SHA-256 of all that an encoder does not train: its features depend on nothing else."""
    if not isinstance(encoder, torch.nn.Module):
        raise TypeError(f"{type(encoder).__name__} is no module")
    still = {name: parameter for name, parameter in encoder.named_parameters() if not parameter.requires_grad}
    state = {**still, **dict(encoder.named_buffers())}
    return digest({"class": type(encoder).__qualname__, **{name: tensor_digest(one) for name, one in state.items()}})


def state_digest(module: torch.nn.Module) -> str:
    """SHA-256 of all parameters and buffers of a module."""
    return digest({name: tensor_digest(one) for name, one in module.state_dict().items()})


def tensor_digest(tensor: Tensor) -> str:
    """SHA-256 of a tensor's type, shape and values."""
    import hashlib

    plain = tensor.detach().cpu().contiguous()
    head = f"{plain.dtype}{list(plain.shape)}".encode()
    return hashlib.sha256(head + plain.flatten().view(torch.uint8).numpy().tobytes()).hexdigest()
