"""What is trained: the recommender and its objectives as one module, so that one wrapper covers both."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from outfitrec.core.errors import RecipeError, RunError, listed
from outfitrec.core.groups import within
from outfitrec.core.items import ItemSource
from outfitrec.core.outfits import Outfits
from outfitrec.core.recommender import Recommender
from outfitrec.core.state import map_state
from outfitrec.core.step import Batch, Step, split_state
from outfitrec.core.teacher import Teacher
from outfitrec.core.team import ALONE, Team
from outfitrec.protocols import Objective


class Program(nn.Module):
    """Recommender and objectives.

    Args:
        recommender: The recommender.
        objectives: The terms of the training objective.
        source: Where item features come from.
        category: Category of every item of the catalogue, on the device.
        teacher: The frozen teacher, or None.

    Attributes:
        frozen: Prefixes of the parameters that stay as they are.
    """

    def __init__(
        self,
        recommender: Recommender,
        objectives: Sequence[Objective],
        source: ItemSource,
        category: Tensor,
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__()
        self.recommender = recommender
        # Objectives with parameters of their own are trained and checkpointed with the rest.
        self.terms = nn.ModuleDict({one.label: one for one in objectives if isinstance(one, nn.Module)})
        self.objectives = list(objectives)
        self._source = source
        self._category = category
        # In a list, so that the teacher is no submodule: it is neither trained nor checkpointed here.
        self._teacher = [teacher]
        self._team = ALONE
        self.frozen: tuple[str, ...] = ()
        # In a list, which registers no submodule.
        self._frozen: list[nn.Module] = []

    def join(self, team: Team) -> None:
        """Divide the encoding among the processes of a team."""
        self._team = team

    def trainable(self) -> list[tuple[str, nn.Parameter]]:
        """Trainable parameters by the names that users know: ``encoder.…``, ``objectives.LABEL.…``."""
        return [(known_as(name), one) for name, one in self.named_parameters() if one.requires_grad]

    def freeze(self, prefixes: Sequence[str]) -> None:
        """Leave parts as they are: without gradient, dropout or running means.

        Args:
            prefixes: Beginnings of parameters' names (whole words between dots).

        Raises:
            RecipeError: A prefix fits no parameter, or nothing is left to train.
        """
        named = [(known_as(name), one) for name, one in self.named_parameters()]
        for prefix in prefixes:
            found = [one for name, one in named if within(name, prefix)]
            if not found:
                names = sorted({".".join(name.split(".")[:2]) for name, _ in named})
                raise RecipeError(f"train.freeze: {prefix!r} fits no parameter", hint=f"the model has {listed(names)}")
            if not any(one.requires_grad for one in found):
                raise RecipeError(f"train.freeze: {prefix!r} is frozen already", hint="leave it out")
            for one in found:
                one.requires_grad_(False)
            self._frozen += [module for name, module in self.named_modules() if known_as(name) == prefix]
        self.frozen = tuple(prefixes)
        if prefixes and not self.trainable():
            raise RecipeError("train.freeze: nothing is left to train", hint="set train.epochs: 0 to evaluate alone")

    def train(self, mode: bool = True) -> "Program":
        """Switch training mode; what is frozen stays in evaluation mode."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def feed(self, source: ItemSource) -> None:
        """Take item features from another source."""
        self._source = source

    def learn_from(self, teacher: Teacher) -> None:
        """Give the objectives a teacher."""
        self._teacher = [teacher]

    def forward(self, batch: Batch, epoch: int, generator: Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a step, and its terms and logged figures by name. Each distinct item is encoded once."""
        self.recommender.on_epoch(epoch)
        step = self.step(batch, epoch, generator)
        total = torch.zeros((), device=step.items.device)
        figures: dict[str, Tensor] = {}
        # Scores are divided by a small temperature: in 16 bits that leaves two digits of them.
        with torch.autocast(step.items.device.type, enabled=False):
            for objective in self.objectives:
                value: Any = objective(step)
                if not isinstance(value, Tensor) or value.ndim:
                    found = f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else repr(value)
                    raise RunError(f"objective {objective.label!r} gave {found}, and not a tensor of one number")
                total = total + objective.weight * value
                figures[objective.label] = value.detach()
        figures["loss"] = total.detach()
        return total, {**figures, **step.logged}

    def step(self, batch: Batch, epoch: int, generator: Generator) -> Step:
        """The step with its items and outfits encoded."""
        roles = batch.roles()
        outfits = Outfits.cat(list(roles.values())) if roles else batch.positives[:0]
        ids, index = outfits.distinct(batch.items)
        team, category = self._team, self._category[ids]
        crops = self._source.crops(len(ids), generator)
        features = self._source.features(team.part(ids), None if crops is None else team.part(crops))
        items = team.whole(self.recommender.embed(features, team.part(category)), len(ids))
        states = {}
        if roles:
            self.recommender.candidates(items, category)
            state = self.recommender.state(items, team.part(index), team.part(outfits.category))
            states = split_state(map_state(lambda part: team.whole(_full(part), len(outfits)), state), roles)
        return Step(
            batch,
            ids=ids,
            category=category,
            features=team.whole(features, len(ids)),
            items=_full(items),
            states=states,
            recommender=self.recommender,
            teacher=self._teacher[0],
            epoch=epoch,
            generator=generator,
            photos=lambda: self._source.photos(ids, crops),
        )


def known_as(name: str) -> str:
    """What users call a parameter or a part of the program."""
    first, _, rest = name.partition(".")
    if first == "terms":
        return f"objectives.{rest}" if rest else "objectives"
    return rest if first == "recommender" else name


def _full(tensor: Tensor) -> Tensor:
    """Floating-point numbers of 16 bits as 32; all others as they are."""
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor
