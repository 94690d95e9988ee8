"""Every draw comes from a generator made of the run's seed and the place of the draw.

Nothing is carried from draw to draw: a step can be repeated without those before it, which is what makes a resumed run
equal to one that never stopped.
"""

import zlib

import numpy as np
import torch


def seed_of(*place: int | str) -> int:
    """A 63-bit seed for a place, such as ``(seed, "step", epoch, step)``; different places are independent."""
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in place]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> np.uint64(1))


def generator(*place: int | str) -> torch.Generator:
    """A CPU generator for a place (see `seed_of`)."""
    return torch.Generator().manual_seed(seed_of(*place))
