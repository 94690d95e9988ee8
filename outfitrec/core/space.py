"""The space that users and outfits share: some users in it, their outfits, and the false negatives found there."""

from collections.abc import Sequence
from typing import Any

import attrs
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from outfitrec.core.create import create
from outfitrec.core.data import Dataset, Rows
from outfitrec.core.devices import fabric
from outfitrec.core.encoded import frozen_teacher
from outfitrec.core.errors import UserError
from outfitrec.core.outfits import Outfits
from outfitrec.core.progress import QUIET, Progress
from outfitrec.core.reevaluate import reopen
from outfitrec.core.runs import Run
from outfitrec.core.seeds import generator, seed_of
from outfitrec.core.teacher import Teacher
from outfitrec.protocols import Negatives

ROLES = USER, POSITIVE, NEGATIVE, TEST = ("user", "training positive", "random negative", "test positive")
UNOBSERVED = (NEGATIVE, TEST)
# The one preference whose scores are the cosines of two vectors.
PREFERENCE = "cosine"
SHOWN = 3
PERPLEXITY = 30.0


@attrs.frozen(eq=False)
class Space:
    """Points of the space of users and outfits.

    Attributes:
        users: The users, in the order that was asked for.
        vectors: Their embeddings and their outfits', of length 1, ``[point, dim]``.
        user: The user to whom each point belongs, ``[point]``.
        role: What each point is, as index of `ROLES`, ``[point]``.
        found: Unobserved outfits (negatives and test positives) that are scored above the mean of the user's training
            positives, ``[point]``: their weight d is below 0 (Eq. 12).
    """

    users: tuple[int, ...]
    vectors: Float[Tensor, "point dim"]
    user: Int[Tensor, " point"]
    role: Int[Tensor, " point"]
    found: Bool[Tensor, " point"]

    def which(self, *roles: str, user: int | None = None) -> Bool[Tensor, " point"]:
        """The points of these roles, of one user or of all."""
        wanted = torch.isin(self.role, torch.tensor([ROLES.index(role) for role in roles]))
        return wanted if user is None else wanted & (self.user == user)


def open_space(run: Run, users: Sequence[int] | None = None, *, seed: int = 0, progress: Progress = QUIET) -> Space:
    """Users and outfits as the model of a finished run sees them.

    Args:
        run: The run.
        users: The users; by default the three of most training positives.
        seed: Of the negatives.
        progress: Told how it goes.

    Raises:
        UserError: The model has no such space, a user is unknown or has no training positives, or the data are not of
            the model's users and categories.
        RunError: The run is damaged.
    """
    name = run.model.settings.preference.name
    if name != PREFERENCE:
        raise UserError(
            f"users and outfits share no space where the preference is {name}",
            hint=f"they do where it is {PREFERENCE}",
            where=str(run.directory),
        )
    if not run.result.test:
        raise UserError(f"the run in {run.directory} ranks nothing: its users were not trained")
    session = reopen(run, progress=progress)
    chosen = _chosen(session.dataset, users)
    model = frozen_teacher(run.model, session, fabric(session.recipe.train).device)
    return gather(model, session.dataset, chosen, seed=seed, chunk=session.recipe.evaluate.chunk)


def gather(model: Teacher, dataset: Dataset, users: Sequence[int], *, seed: int, chunk: int) -> Space:
    """What is to be shown of these users: of each as many random negatives as training positives.

    Args:
        model: The model, with its mean scores of training positives; its preference is ``cosine``.
        dataset: The data.
        users: The users. What is drawn for one does not depend on the others.
        seed: Of the negatives.
        chunk: Outfits encoded at once.
    """
    train, test = dataset.splits["train"], dataset.splits["test"].positives
    fields: dict[str, Any] = {"split": train, "catalog": dataset.catalog}
    negatives: Negatives = create("negatives", "random_mix", share="pair", count=1, **fields)
    parts: list[tuple[str, Rows]] = []
    for user in users:
        own = train.positives[train.positives.users == user]
        drawn = negatives.draw(own, generator(seed, "space", user))
        parts += [(POSITIVE, own), (NEGATIVE, Rows(own.users, drawn.outfits)), (TEST, test[test.users == user])]
    owner = torch.cat([rows.users for _, rows in parts])
    role = torch.cat([torch.full((len(rows),), ROLES.index(name)) for name, rows in parts])
    outfits = Outfits.cat([rows.outfits for _, rows in parts])
    device = model.table.device
    with torch.inference_mode():
        state: Any = model.recommender.states(model.table, outfits.to(device), chunk)
        preference: Any = model.recommender.preference
        above = preference(owner.to(device), state) > model.positive_mean[owner.to(device)]
        chosen = torch.tensor(users)
        vectors = F.normalize(torch.cat([preference.user(chosen.to(device)), state])).cpu()
    unobserved = torch.isin(role, torch.tensor([ROLES.index(name) for name in UNOBSERVED]))
    return Space(
        users=tuple(users),
        vectors=vectors,
        user=torch.cat([chosen, owner]),
        role=torch.cat([torch.full((len(users),), ROLES.index(USER)), role]),
        found=torch.cat([torch.zeros(len(users), dtype=torch.bool), above.cpu() & unobserved]),
    )


def project(vectors: Float[Tensor, "point dim"], seed: int = 0) -> Float[Tensor, "point 2"]:
    """Places in the plane that keep neighbours together, by t-SNE of Euclidean distances.

    Of vectors of length 1 the distance and the cosine tell the same neighbours. Needs scikit-learn.

    Reference:
        van der Maaten and Hinton, Visualizing data using t-SNE, 2008.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    # A perplexity is a number of neighbours: of few points, each has fewer.
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    draws = seed_of(seed, "t-SNE") % 2**32
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=draws)
    # Threads add up in no fixed order, and t-SNE turns a last bit into another picture.
    with threadpool_limits(1):
        return torch.from_numpy(tsne.fit_transform(vectors.double().numpy()))


def _chosen(dataset: Dataset, users: Sequence[int] | None) -> list[int]:
    counts = dataset.splits["train"].positives.users.bincount(minlength=dataset.users)
    if users is None:
        most = counts.argsort(descending=True, stable=True)[:SHOWN].tolist()
        return [user for user in most if counts[user]]
    strangers = [user for user in users if not 0 <= user < dataset.users]
    if strangers:
        raise UserError(f"unknown users {strangers}: the model knows users 0 to {dataset.users - 1}")
    idle = [user for user in users if not counts[user]]
    if idle:
        raise UserError(f"users {idle} have no training positives")
    if len(set(users)) < len(users):
        raise UserError(f"a user is named twice: {', '.join(map(str, users))}")
    return list(users)
