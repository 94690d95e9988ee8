"""The memory that work takes: of the GPU where it is done there, of the process elsewhere."""

import ctypes
import gc
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch

PROC = Path("/proc/self")


@runtime_checkable
class Gauge(Protocol):
    """Reads how much memory is taken, in bytes."""

    def now(self) -> int:
        """What is taken at this moment."""
        ...

    def reset(self) -> None:
        """Let the peak be that of what is done from now on."""
        ...

    def peak(self) -> int:
        """The most that was taken at once."""
        ...


def gauge(device: torch.device) -> Gauge:
    """The gauge for work on a device: tensors on a CUDA device, elsewhere what the process has in memory.

    Linux tells both exactly. Elsewhere (macOS) what is taken now is not told: in its place stands the most so far.
    """
    if device.type == "cuda":
        return CudaGauge(device)
    return LinuxGauge() if (PROC / "status").is_file() else PeakGauge()


class CudaGauge:
    """Tensors on a CUDA device.

    Args:
        device: The device.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def now(self) -> int:
        gc.collect()
        return torch.cuda.memory_allocated(self._device)

    def reset(self) -> None:
        gc.collect()
        torch.cuda.reset_peak_memory_stats(self._device)

    def peak(self) -> int:
        return torch.cuda.max_memory_allocated(self._device)


class LinuxGauge:
    """Pages that the process has in memory."""

    def now(self) -> int:
        _settle()
        return _status("VmRSS")

    def reset(self) -> None:
        _settle()
        # A system that does not allow it tells the peak of the whole process, which is no less.
        with suppress(OSError):
            (PROC / "clear_refs").write_text("5")

    def peak(self) -> int:
        return _status("VmHWM")


class PeakGauge:
    """The most that the process has had in memory: it never falls."""

    def now(self) -> int:
        return self.peak()

    def reset(self) -> None:
        pass

    def peak(self) -> int:
        import resource

        # Kibibytes but on macOS.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _settle() -> None:
    """Give back to the system what nothing needs any more: work that comes would take it up unseen."""
    gc.collect()
    # Of the GNU library alone; others have none of it.
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _status(key: str) -> int:
    lines = (line.split() for line in (PROC / "status").read_text(encoding="ascii", errors="replace").splitlines())
    return next(int(words[1]) * 1024 for words in lines if words and words[0] == f"{key}:")
