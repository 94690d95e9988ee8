"""Fixtures of all tests, outfitrec's and the baselines'."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings

SHARED = Path(__file__).parents[1].parent / "shared"
CLOSET = SHARED / "data" / "closet"
SQUEEZENET = SHARED / "data" / "weights" / "squeezenet1_1-imagenet.safetensors"
GOLDENS = SHARED / "reference" / "goldens.json"

settings.register_profile("outfitrec", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("outfitrec")


@pytest.fixture(autouse=True, scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of its own for the test session."""
    os.environ["OUTFITREC_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    del os.environ["OUTFITREC_CACHE"]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def closet() -> Path:
    """The folder of real photos in the Polyvore-U layout."""
    if not CLOSET.is_dir():
        pytest.skip("the real photos are not here (../shared/data/closet)")
    return CLOSET


@pytest.fixture
def squeezenet() -> Path:
    """ImageNet weights of SqueezeNet."""
    if not SQUEEZENET.is_file():
        pytest.skip("the SqueezeNet weights are not here (../shared/data/weights)")
    return SQUEEZENET


@pytest.fixture
def goldens() -> dict[str, Any]:
    """Figures that the original implementations gave."""
    if not GOLDENS.is_file():
        pytest.skip("the originals' figures are not here (../shared/reference/goldens.json)")
    found: dict[str, Any] = json.loads(GOLDENS.read_text())
    return found
