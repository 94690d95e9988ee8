"""The device, precision and processes of a run, by Lightning Fabric."""

import torch
from lightning_fabric import Fabric

from outfitrec.core.errors import UserError
from outfitrec.core.settings import TrainSettings


def fabric(settings: TrainSettings) -> Fabric:
    """Fabric as the settings want it.

    Raises:
        UserError: The machine has no such device, or the device no such precision.
    """
    hint = f"devices here: {', '.join(available())}; 'outfitrec doctor' says more"
    if settings.devices > 1:
        raise UserError(
            f"train.devices: {settings.devices} devices were asked for, and training runs on one",
            hint="set train.devices to 1",
        )
    accelerator = settings.accelerator
    if accelerator != "auto" and accelerator not in available():
        raise UserError(f"train.accelerator: this machine has no {accelerator}", hint=hint)
    on_cpu = accelerator == "cpu" or available() == ["cpu"]
    if settings.precision == "16-mixed" and on_cpu:
        # Fabric would take bfloat16 in its place.
        raise UserError("train.precision: '16-mixed' needs a GPU", hint="on the CPU there are 32 and bf16-mixed")
    precision = "32-true" if settings.precision == 32 else str(settings.precision)
    made = Fabric(accelerator=accelerator, devices=1, precision=precision)  # type: ignore[arg-type]  # one of its words
    made.launch()
    return made


def available() -> list[str]:
    """The kinds of device that this machine has."""
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [name for name, here in found.items() if here]
