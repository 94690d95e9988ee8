"""How busy the rest of the machine is while something is measured."""

import os
from pathlib import Path

STAT = Path("/proc/stat")
# Of the processors' time, what others may take before figures are doubted.
DOUBTFUL = 0.1


class Others:
    """Share of the processors' time that other programs take, from now on.

    Linux tells it; elsewhere it is not known.
    """

    def __init__(self) -> None:
        self._before = _times()

    def share(self) -> float | None:
        """The share so far, 0 to 1; children of this process that have ended count as this process."""
        after = _times()
        if self._before is None or after is None:
            return None
        busy, whole, own = (new - old for new, old in zip(after, self._before, strict=True))
        return min(max((busy - own) / max(whole, 1e-9), 0.0), 1.0)


def _times() -> tuple[float, float, float] | None:
    """Seconds of all processors together: busy, whole, and those of this process and its ended children."""
    if not STAT.is_file():
        return None
    # user nice system idle iowait irq softirq steal; what guests take is in user already.
    parts = [float(word) for word in STAT.read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
    ticks = float(os.sysconf("SC_CLK_TCK"))
    own = os.times()
    busy = sum(parts) - parts[3] - parts[4]
    return (
        busy / ticks,
        sum(parts) / ticks,
        own.user + own.system + own.children_user + own.children_system,
    )
