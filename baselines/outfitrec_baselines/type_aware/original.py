"""The original implementation's parameters, as a recommender of this project."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from outfitrec import DataError, Recommender, create
from outfitrec_baselines.triplets.original import assembled, matrix, parameters, wrong
from outfitrec_baselines.type_aware.aggregator import type_pairs

METHOD = "Type-Aware embeddings"
_LAYER = re.compile(r"masks\.(\d+)\.(weight|bias)")


def from_original(
    state_dict: Mapping[str, Tensor],
    *,
    types: tuple[str, ...] = ("top", "bottom", "shoe"),
    pairs: Sequence[tuple[str, str]] | None = None,
    normalize: bool = True,
    bare_masks: bool = False,
) -> Recommender:
    """A recommender with the original's parameters.

    Masks (``masks.weight``) or fully connected layers (``masks.<pair>.weight`` and ``.bias``), after any number of
    prefixes ``embeddingnet.``. The layer that gives general embeddings (``fc_embed``) is used where it is there, and
    then items are given by its input; without, by general embeddings. The convolutional network and the layers for
    texts (``text_branch``) are not used. A learned metric (``metric_branch``) is refused.

    Args:
        state_dict: Parameters by the original's names.
        types: The types of items, each once.
        pairs: The two types of each mask. By default those of all pairs of different types in the order of ``types``,
            (0, 1), (0, 2), …, (1, 2), …, and then, as many as there are masks for, types with themselves.
        normalize: The original's option ``l2_embed``, which is off by default there. Its authors recommend it, and
            their trained model has it; of a model trained without, give False.
        bare_masks: Masks without ReLU, which is what the original does in evaluation; its training has the ReLU.
            Fully connected layers have no masks.

    Returns:
        The recommender in evaluation mode, with the parameters' dtype and device. Its aggregator's subspaces are the
        masks in the default order.

    Raises:
        DataError: Parameters are missing, unknown or of another shape, a type is named twice, or the masks do not fit
            the pairs.
        RecipeError: ``bare_masks`` of fully connected layers.

    Reference:
        Vasileva et al. 2018; its implementation (mvasil/fashion-compatibility).
    """
    found = parameters(METHOD, state_dict)
    layers = {int(match[1]) for match in map(_LAYER.fullmatch, found) if match}
    linear = bool(layers)
    count, dim = matrix(METHOD, found, f"masks.{min(layers)}.weight" if linear else "masks.weight")
    given = _numbers(types, pairs, len(layers) if linear else count)
    twice = [one for one, other in given if one == other]
    order = [given.index(pair) for pair in type_pairs(len(types), sorted(twice))]
    if linear:
        place = {there: here for here, there in enumerate(order)}
        found = {_LAYER.sub(partial(_moved, place), name): tensor for name, tensor in found.items()}
    else:
        found["masks.weight"] = found["masks.weight"][order]
    with torch.random.fork_rng():
        aggregator = create(
            "aggregator",
            "type_aware",
            projection="linear" if linear else "mask",
            normalize=normalize,
            bare_masks=bare_masks,
            dim=dim,
            categories=types,
            most=tuple(2 if one in twice else 1 for one in range(len(types))),
        )
    return assembled(METHOD, found, aggregator, dim)


def _numbers(types: tuple[str, ...], pairs: Sequence[tuple[str, str]] | None, count: int) -> list[tuple[int, int]]:
    """The two types of each mask, as ascending numbers.

    Raises:
        DataError: A type is there twice, or the pairs do not fit the masks, name unknown types, or leave out a pair of
            different types.
    """
    again = [name for name, times in Counter(types).items() if times > 1]
    if again:
        raise wrong(METHOD, [f"types: {', '.join(map(repr, again))} more than once"])
    different = type_pairs(len(types), [])
    if pairs is None:
        found = type_pairs(len(types), range(len(types)))[:count]
    else:
        unknown = sorted({name for pair in pairs for name in pair} - {*types})
        if unknown:
            raise wrong(METHOD, [f"pairs: {', '.join(map(repr, unknown))} is no type (types: {', '.join(types)})"])
        numbers = [(types.index(one), types.index(other)) for one, other in pairs]
        found = [(min(pair), max(pair)) for pair in numbers]
    missing = [f"{types[one]}–{types[other]}" for one, other in different if (one, other) not in found]
    if len(found) != count or len({*found}) != len(found) or missing:
        raise DataError(
            f"{METHOD}: there are {count} masks, and {len(found)} pairs of types"
            + (f" without {', '.join(missing)}" if missing else ""),
            hint="give types, and pairs: the two types of each mask; every two different types have one",
        )
    return found


def _moved(place: Mapping[int, int], match: re.Match[str]) -> str:
    number = int(match[1])
    return f"masks.{place.get(number, number)}.{match[2]}"
