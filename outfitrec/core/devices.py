"""The device, precision and processes of a run, by Lightning Fabric."""

import os

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import distributed as dist

from outfitrec.core.errors import UserError
from outfitrec.core.settings import TrainSettings
from outfitrec.core.team import ALONE, Team


def fabric(settings: TrainSettings, team: Team = ALONE) -> Fabric:
    """Fabric as the settings want it; for several processes, to be launched when all of them are there.

    Raises:
        UserError: The machine has no such device, or the device no such precision.
    """
    hint = f"devices here: {', '.join(available())}; 'outfitrec doctor' says more"
    accelerator = settings.accelerator
    if accelerator != "auto" and accelerator not in available():
        raise UserError(f"train.accelerator: this machine has no {accelerator}", hint=hint)
    on_cpu = accelerator == "cpu" or available() == ["cpu"]
    if settings.precision == "16-mixed" and on_cpu:
        # Fabric would take bfloat16 in its place.
        raise UserError("train.precision: '16-mixed' needs a GPU", hint="on the CPU there are 32 and bf16-mixed")
    precision = "32-true" if settings.precision == 32 else str(settings.precision)
    if team.size == 1:
        made = Fabric(accelerator=accelerator, devices=1, precision=precision)  # type: ignore[arg-type]  # its words
        made.launch()
        return made
    here = int(os.environ["LOCAL_WORLD_SIZE"]) if launched() else team.size
    if settings.devices not in (1, here):
        message = f"train.devices is {settings.devices}, and torchrun started {here} processes on this machine"
        raise UserError(message, hint="leave train.devices out: torchrun decides")
    if not on_cpu:
        if not torch.cuda.is_available():
            raise UserError("train.devices: several processes need CUDA devices or the CPU", hint=hint)
        if torch.cuda.device_count() < here:
            message = f"train.devices: {here} were asked for, and this machine has {torch.cuda.device_count()}"
            raise UserError(message, hint=hint)
    # Not every recipe trains every parameter: an objective alone may leave out the users.
    strategy = DDPStrategy(cluster_environment=Environment(team), find_unused_parameters=True)
    return Fabric(
        accelerator="cpu" if on_cpu else "cuda",
        devices=here,
        num_nodes=team.size // here,
        strategy=strategy,
        precision=precision,  # type: ignore[arg-type]  # one of its words
    )


def available() -> list[str]:
    """The kinds of device that this machine has."""
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [name for name, here in found.items() if here]


def launched() -> bool:
    """Whether torchrun started this process."""
    return dist.is_available() and dist.is_torchelastic_launched()


def leads() -> bool:
    """Whether this process is the one that writes and talks: it is the only one, or torchrun's first."""
    return not launched() or os.environ["RANK"] == "0"


class Environment(ClusterEnvironment):
    """Tells Fabric of processes that are running already, and joined in torch's default group."""

    def __init__(self, team: Team) -> None:
        self._team = team

    @property
    def creates_processes_externally(self) -> bool:
        return True

    # Where the group meets plays no part any more.
    @property
    def main_address(self) -> str:
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        return 0

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self._team.size

    def set_world_size(self, size: int) -> None:
        pass

    def global_rank(self) -> int:
        return self._team.rank

    def set_global_rank(self, rank: int) -> None:
        pass

    def local_rank(self) -> int:
        return int(os.environ["LOCAL_RANK"]) if launched() else self._team.rank

    def node_rank(self) -> int:
        return int(os.environ["GROUP_RANK"]) if launched() else 0
