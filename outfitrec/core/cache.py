"""A cache of tensors by content."""

from collections.abc import Callable

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from outfitrec.core.files import cache_root, whole


def cached(group: str, key: str, compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """What ``compute`` gives, from disk where it was computed before.

    Args:
        group: Folder of the cache, such as ``features``.
        key: Digest of everything that the tensors depend on.
        compute: Makes the tensors.
    """
    path = cache_root() / group / f"{key}.safetensors"
    if path.is_file():
        try:
            return load_file(path)
        except SafetensorError:
            # Damaged from outside (files are written whole): as good as absent.
            path.unlink(missing_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in compute().items()}
    with whole(path) as temporary:
        save_file(tensors, temporary)
    return tensors
