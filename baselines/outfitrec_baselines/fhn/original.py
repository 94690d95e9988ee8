"""The original implementation's parameters, as a recommender of this project."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from outfitrec import DataError, Recommender, create
from outfitrec.protocols import Head
from outfitrec_baselines.fhn.preference import FHN
from outfitrec_baselines.shared.by_category import ByCategory
from outfitrec_baselines.shared.items import ItemSet
from outfitrec_baselines.shared.state_dict import checked, misfits

WRONG = "not the parameters of Fashion Hash Net"
USER = "user_embedding.encoder.weight"
CORE, CORES = "core.weight", ("core.0.weight", "core.1.weight")
# Numbers of users of the data whose outfits have a second slot for tops, by which the original knows it.
TWO_TOPS = (519, 32)
# β of the tanh: one number, of which each part of the original keeps a copy.
BETA = "user_embedding.scale"
COPIES = re.compile(r"encoder_v\.\d+\.scale")
ENCODER = re.compile(r"encoder_v\.(\d+)\..*")
# Of a recommender's parameters; the layers of an item encoder have the index of its category first, if any.
LAYER = re.compile(r"encoder\.layers\.(?:(\d+)\.)?(\d+\.\w+)")
NAMES = {"preference.user.weight": USER, "preference.lambda_u": CORES[0], "preference.lambda_i": CORES[1]}
# Fully connected layers that slide over the photo are convolutions in the original: their output, input and kernel.
CONVOLUTIONS = {"features.classifier.1.weight": (4096, 256, 6, 6), "features.classifier.4.weight": (4096, 4096, 1, 1)}


def from_original(
    state_dict: Mapping[str, Tensor],
    *,
    categories: tuple[str, ...] = ("top", "bottom", "shoe"),
    most: tuple[int, ...] | None = None,
    binary: bool = False,
    variant: str | None = None,
) -> Recommender:
    """A recommender with the original's parameters, as complete as these are.

    With its feature net (``features.*``) the encoder takes photos; with image encoders alone (``encoder_v.*``, one for
    each category or one for all), features; with neither, the items' codes before the tanh.

    All variants of the original's weighting are one with λ_u and λ_i, whose two weights are ``core.0`` and ``core.1``.
    Of those with one ``core.weight``, a number is the factor of s_u (T0); a vector is λ_u (T1), or what T2 in fact
    computes: s = scale/(n d) Σ_i Σ_k (1 + λ[k]) u[k] x_i[k], without the pairs of items.

    Args:
        state_dict: Parameters by the original's names. Copies of the tanh's β in the image encoders are not used.
        categories: Names of the categories, in the order of the image encoders.
        most: By category, the most items of it in an outfit. By default as the original decides: of three categories
            (2, 1, 1), its four slots, if there are 519 or 32 users; otherwise one of each.
        binary: Whether the codes are binary: signs in evaluation mode, and in training mode tanh(β x), with the β that
            is among the parameters until training says otherwise. The original's codes are binary by default; those of
            the comparison with it, and of this function, are not.
        variant: T1 or T2, where the parameters have a ``core.weight`` of several numbers; others tell it themselves.

    Returns:
        The recommender in evaluation mode, with the parameters' dtype and device.

    Raises:
        DataError: Parameters are missing, unknown, of another shape or no floating-point numbers, or do not fit the
            categories; or an argument does not fit the parameters.

    Reference:
        Lu et al. 2019; its implementation (lzcn/Fashion-Hash-Net) with visual items alone.
    """
    given = checked("FHN", state_dict)
    found = {name: tensor for name, tensor in given.items() if not COPIES.fullmatch(name)}
    beta = found.pop(BETA, None)
    wrong = [name for name, tensor in found.items() if not tensor.is_floating_point()]
    if wrong:
        raise DataError(f"{WRONG}: no floating-point numbers are {', '.join(wrong)}")
    dim, users = _matrix(found, USER)
    most = _most(most, categories, users)
    found = _weights(found, dim, variant)
    with torch.random.fork_rng():
        encoder = _encoder(found, dim, categories)
        preference = FHN(binary=binary, dim=dim, users=users, most=most)
    recommender = Recommender(encoder, ItemSet(), preference).to(found[USER])
    _fill(recommender, found)
    if binary and beta is not None:
        preference.beta.copy_(beta.squeeze())
    return recommender.eval()


def _most(most: tuple[int, ...] | None, categories: tuple[str, ...], users: int) -> tuple[int, ...]:
    """By category, the most items of it in an outfit.

    Raises:
        DataError: There is not one such number a category, of 1 or more.
    """
    if most is None:
        return (2, 1, 1) if users in TWO_TOPS and len(categories) == 3 else (1,) * len(categories)
    if len(most) != len(categories):
        raise DataError(f"most: one number a category, and there are {len(most)} for {len(categories)}")
    if min(most, default=1) < 1:
        raise DataError(f"most: of each category an outfit may have an item or more, and it is {most}")
    return most


def _weights(found: Mapping[str, Tensor], dim: int, variant: str | None) -> dict[str, Tensor]:
    """The parameters with λ_u and λ_i in place of the one weight that a variant may have.

    Raises:
        DataError: There are weights of several variants, the one is of another shape, or it cannot be told to be that
            of T1 or T2.
    """
    rest = {name: tensor for name, tensor in found.items() if name != CORE}
    core = found.get(CORE)
    both = [name for name in CORES if core is not None and name in rest]
    if both:
        raise DataError(f"{WRONG}: {CORE} is of a variant with one weight, and {' and '.join(both)} of that with two")
    if core is None or core.shape == (1,):
        if variant is not None:
            raise DataError(
                f"variant: {variant!r} says nothing here, for {CORE} is no vector", hint="leave the variant out"
            )
        return rest if core is None else {**rest, CORES[0]: core.repeat(1, dim), CORES[1]: core.new_ones(1, dim)}
    if core.shape != (1, dim):
        raise DataError(f"{WRONG}: {CORE} has the shape {list(core.shape)}, not [1] or {[1, dim]}")
    if variant not in ("T1", "T2"):
        raise DataError(
            f"{CORE} is that of the variant T1 or of T2, and not of {variant!r}", hint="give variant='T1' or 'T2'"
        )
    ones = torch.ones_like(core)
    return {**rest, **dict(zip(CORES, (core, ones) if variant == "T1" else (1 + core, 0 * ones), strict=True))}


def _encoder(found: Mapping[str, Tensor], dim: int, categories: tuple[str, ...]) -> Any:
    """The encoder that the parameters are of.

    Raises:
        DataError: There are neither as many image encoders as categories, nor one.
    """
    count = len({match[1] for match in map(ENCODER.fullmatch, found) if match})
    if count not in (0, 1, len(categories)):
        raise DataError(
            f"the parameters have {count} image encoders (encoder_v), and there are {len(categories)} categories",
            hint="give the categories, in the order of the image encoders",
        )
    photos = any(name.startswith("features.") for name in found)
    if not photos and not count:
        return create("encoder", "features", size=dim, norm=False, head=create("head", "identity", dim=dim))
    _, size = _matrix(found, "encoder_v.0.encoder.1.weight")
    head: Head = create("head", "item_encoder", dim=dim)
    if count > 1:
        head = ByCategory(head=head, categories=categories)
    if photos:
        return create("encoder", "alexnet", size="large", fc_mode="sliding", weights="none", head=head)
    return create("encoder", "features", size=size, norm=False, head=head)


def _fill(recommender: Recommender, found: Mapping[str, Tensor]) -> None:
    """Give a recommender its parameters.

    Raises:
        DataError: They do not fit it.
    """
    wanted = {_original_name(name): tensor for name, tensor in recommender.state_dict().items()}
    wrong = misfits(found, {name: _original_shape(name, tensor) for name, tensor in wanted.items()})
    if wrong:
        raise DataError(f"{WRONG}: {'; '.join(wrong)}")
    for name, tensor in wanted.items():
        tensor.copy_(found[name].T if name == USER else found[name].reshape(tensor.shape))


def _original_name(name: str) -> str:
    layer = LAYER.fullmatch(name)
    if layer:
        return f"encoder_v.{layer[1] or 0}.encoder.{layer[2]}"
    return NAMES.get(name) or name.replace("encoder.backbone.", "features.")


def _original_shape(name: str, tensor: Tensor) -> tuple[int, ...]:
    if name in CORES:
        return (1, *tensor.shape)
    return CONVOLUTIONS.get(name) or tuple(tensor.T.shape if name == USER else tensor.shape)


def _matrix(found: Mapping[str, Tensor], name: str) -> tuple[int, int]:
    """The shape of a matrix that tells sizes."""
    if name not in found:
        raise DataError(f"{WRONG}: {name} is missing")
    if found[name].ndim != 2:
        raise DataError(f"{WRONG}: {name} has the shape {list(found[name].shape)}")
    rows, columns = found[name].shape
    return rows, columns
