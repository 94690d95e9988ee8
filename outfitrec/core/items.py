"""Where a step gets its items' features: from photos through the encoder, or from a table."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int, UInt8
from torch import Generator, Tensor

from outfitrec.core.augment import prepare
from outfitrec.core.cache import cached
from outfitrec.core.config import Config, plain
from outfitrec.core.data import Catalog
from outfitrec.core.files import digest
from outfitrec.core.progress import Progress
from outfitrec.core.protocols import Encoder
from outfitrec.core.recommender import Recommender
from outfitrec.core.settings import ImageSettings


@runtime_checkable
class ItemSource(Protocol):
    """Features of catalogue items."""

    def features(self, ids: Int[Tensor, " item"], generator: Generator | None) -> Float[Tensor, "item f"]:
        """Features of these items; with a generator, of randomly flipped and cropped photos."""
        ...


@runtime_checkable
class PhotoStore(Protocol):
    """Decoded photos of a catalogue (see `outfitrec.core.images.ImageStore`).

    Attributes:
        key: Digest of their content and size.
    """

    key: str

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

    def features(self, ids: Int[Tensor, " item"], generator: Generator | None) -> Float[Tensor, "item f"]:
        return self._encoder.features(self.images(ids, generator))

    def images(self, ids: Int[Tensor, " item"], generator: Generator | None) -> Float[Tensor, "item 3 height width"]:
        """The normalised photos of these items."""
        photos = self._store.images(ids).to(self._device)
        return prepare(photos, self._image.size, generator, flip=self._image.flip)


class TableItems:
    """Items known by a table of features that never changes.

    Args:
        table: ``[item, f]``, on the device.
    """

    def __init__(self, table: Float[Tensor, "item f"]) -> None:
        self._table = table

    def features(self, ids: Int[Tensor, " item"], generator: Generator | None) -> Float[Tensor, "item f"]:
        return self._table.index_select(0, ids.to(self._table.device))


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
        return {"features": encode_all(source, len(catalog), used, chunk, progress, "encoding photos")}

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
    source: ItemSource, size: int, used: Int[Tensor, " used"], chunk: int, progress: Progress, text: str
) -> Float[Tensor, "item f"]:
    """Features of ``used`` items in a table of ``size`` rows (zeros elsewhere), from unflipped photos."""
    table: Tensor | None = None
    with progress.task(text, len(used)) as advance:
        for ids in used.split(chunk):
            features = source.features(ids, None)
            if table is None:
                table = torch.zeros(size, features.shape[1], dtype=features.dtype, device=features.device)
            table[ids.to(table.device)] = features
            advance(len(ids))
    if table is None:
        raise ValueError("no items to encode")
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
) -> Float[Tensor, "item dim"]:
    """Embeddings of ``used`` items in a table with a row for every item of the catalogue (zeros elsewhere)."""
    recommender.eval()
    category = catalog.category.to(device)

    class Embedded:
        def features(self, ids: Tensor, generator: Generator | None) -> Tensor:
            return recommender.embed(source.features(ids, None), category[ids.to(device)])

    return encode_all(Embedded(), len(catalog), used, chunk, progress, "encoding items")


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
