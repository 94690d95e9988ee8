"""A recommender from the parameters of LPAE's published code."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from outfitrec import DataError, Recommender, create
from outfitrec_baselines.shared.state_dict import checked, misfits

WRONG = "these are not LPAE's parameters"
# The convolutional network, whose features are given here; a vector a user, which the original never reads; and the
# mask of the one seed, all ones.
UNUSED = re.compile(r"visual_feature\..+|memory\.users|visual_encoder\.pma\.mask")

USER, GENERAL, EMBED = "memory.out_proto", "memory.com_proto", "visual_encoder.embed."
# Beginnings of names here, and there.
NAMES = (
    (r"encoder\.layers\.", EMBED),
    (r"aggregator\.transformer\.attention\.(\d+)\.", r"visual_encoder.encoder.\1.mab."),
    (r"aggregator\.transformer\.pooling\.", "visual_encoder.pma.mab."),
    (r"aggregator\.transformer\.seed", "visual_encoder.pma.S"),
    (r"aggregator\.trans\.", "memory.trans.0."),
    (r"preference\.user_anchors", USER),
    (r"preference\.general_anchors", GENERAL),
)
LAYERS = {
    "project": ("fc_q", "fc_k", "fc_v"),
    "feed_forward": ("fc_o",),
    "norm_attention": ("ln0",),
    "norm_output": ("ln1",),
}


def from_original(state_dict: Mapping[str, Tensor], heads: int = 4) -> Recommender:
    """The recommender that scores as LPAE's published code does with these parameters: by the sum of cosines.

    Args:
        state_dict: Parameters by the original's names: ``visual_encoder.…`` (one seed, no inducing points) and
            ``memory.…``. Without ``memory.com_proto`` it is LPAE-u; without ``visual_encoder.embed.…`` the features are
            the items' embeddings. Not used, and there or not: the convolutional network (``visual_feature.…``),
            ``memory.users``, which the original never reads, and ``visual_encoder.pma.mask``, which is all ones.
        heads: Attention heads, which no parameter tells; the original has 4, whatever its configuration says.

    Returns:
        A recommender of given features, in evaluation mode, of the parameters' type and on their device.

    Raises:
        DataError: Parameters are missing, unknown or of a wrong shape, all of them; or the heads do not divide the
            dimension.

    Reference:
        Lu et al., Personalized Outfit Recommendation with Learnable Anchors, 2021.
    """
    state_dict = {name: one for name, one in checked("LPAE", state_dict).items() if not UNUSED.fullmatch(name)}
    # Drawn nowhere and not kept in memory, until the parameters take their places.
    with torch.device("meta"):
        recommender = _empty(state_dict, heads)
    shapes = {name: tuple(one.shape) for name, one in recommender.state_dict().items()}
    sources = {name: _sources(name) for name in shapes}
    if GENERAL not in state_dict:
        sources["preference.general_anchors"] = ()
    wanted = {source: _shape(shapes[name], source, len(found)) for name, found in sources.items() for source in found}
    wrong = misfits(state_dict, wanted)
    if wrong:
        raise DataError(f"{WRONG}: {'; '.join(sorted(wrong))}")
    user = state_dict[USER].detach()
    loaded = {
        # A copy: what is trained on here changes nothing there.
        name: torch.cat([user.new_empty(0), *(state_dict[one].detach().flatten() for one in found)]).view(shapes[name])
        for name, found in sources.items()
    }
    recommender.load_state_dict(loaded, assign=True)
    return recommender.eval()


def _empty(state_dict: Mapping[str, Tensor], heads: int) -> Recommender:
    """A recommender of the sizes that the parameters tell."""
    user, general, first = (state_dict.get(name) for name in (USER, GENERAL, f"{EMBED}0.weight"))
    if user is None or user.ndim != 3:
        found = "is missing" if user is None else f"has the shape {list(user.shape)}"
        raise DataError(f"{WRONG}: {USER} {found}, and is [user, anchor, dim]")
    if general is not None and general.ndim != 3:
        raise DataError(f"{WRONG}: {GENERAL} has the shape {list(general.shape)}, and is [1, anchor, dim]")
    users, anchors, dim = user.shape
    if heads < 1 or dim % heads:
        raise DataError(f"heads: {heads} of them do not divide the dimension of the parameters, which is {dim}")
    shared = 0 if general is None else general.shape[1]
    head = "lpae" if any(name.startswith(EMBED) for name in state_dict) else "identity"
    size = first.shape[1] if first is not None and first.ndim == 2 else dim
    blocks = {name.split(".")[2] for name in state_dict if name.startswith("visual_encoder.encoder.")}
    return Recommender(
        create("encoder", "features", size=size, norm=False, head=create("head", head, dim=dim)),
        create("aggregator", "lpae", heads=heads, blocks=len(blocks), dim=dim),
        create("preference", "anchors", anchors=anchors, general=shared, score="sum", dim=dim, users=users),
    )


def _sources(name: str) -> tuple[str, ...]:
    """The original's names of what a parameter holds, in order."""
    for here, there in NAMES:
        name = re.sub(f"^{here}", there, name)
    start, dot, layer = name.partition(".mab.")
    if not dot:
        return (name,)
    layer, kind = layer.split(".")
    return tuple(f"{start}.mab.{one}.{kind}" for one in LAYERS[layer])


def _shape(shape: tuple[int, ...], source: str, parts: int) -> tuple[int, ...]:
    """The original's shape of one of the equal parts of a parameter."""
    first, *rest = shape
    part = (first // parts, *rest)
    return (1, *part) if source in (GENERAL, "visual_encoder.pma.S") else part
