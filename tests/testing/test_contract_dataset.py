"""The built-in datasets keep to the contract."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mutants.dataset import Leaking, Sound
from PIL import Image

from outfitrec import Dataset, component
from outfitrec.testing import check_component, parametrize_with_checks
from outfitrec.testing.targets import subjects

SMALL = {"users": 4, "items": 240, "pixels": 32, "train": 6, "valid": 2, "test": 2, "negatives": 2}


@parametrize_with_checks(
    ["dataset/synthetic", *subjects("dataset/synthetic", fields={**SMALL, "two_tops": 0.4, "seed": 3})]
)
def test_contract(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize("split", ["released", "resplit"])
def test_contract_of_polyvore_u(tmp_path: Path, split: str) -> None:
    report = check_component("dataset/polyvore_u", fields={"root": str(tree(tmp_path)), "users": 2, "split": split})
    assert report.ok, str(report)


@pytest.mark.parametrize("users", [12, 36])
def test_contract_of_polyvore_u_with_the_real_folder(closet: Path, users: int) -> None:
    report = check_component("dataset/polyvore_u", fields={"root": str(closet), "users": users})
    assert report.ok, str(report)


def test_a_sound_dataset_passes() -> None:
    report = check_component(Sound, kind="dataset")
    assert report.ok, str(report)


@component
class Overlapping:
    """Says that outfits may be in two splits, and has some there."""

    overlapping = True

    def load(self) -> Dataset:
        return Leaking().load()


def test_splits_may_overlap_where_the_dataset_says_so() -> None:
    (result,) = check_component(Overlapping, kind="dataset", only=["keeps_splits_apart"]).results
    assert result.state == "not applicable"


def tree(root: Path) -> Path:
    """A folder in the Polyvore-U layout: two users, of each three outfits for training and two for the rest."""
    folder, photos = root / "tuples_2", root / "images" / "291x291"
    folder.mkdir(parents=True)
    photos.mkdir(parents=True)
    header, number = "user,top,bottom,shoe", 0
    for name in ("top", "bottom", "shoe"):
        names = [f"{name}{item}.png" for item in range(20)]
        (folder / f"image_list_{name}").write_text("\n".join(names))
        for item, file in enumerate(names):
            Image.new("RGB", (8, 8), (12 * item, len(name), 0)).save(photos / file)
    for split, count in (("train", 3), ("val", 2), ("test", 2)):
        posted = [(user, *[number + row + 8 * user] * 3) for user in range(2) for row in range(count)]
        rows = {"posi": posted, "nega": [(*one[:3], 19 - place) for one in posted for place in range(2)]}
        for end, some in rows.items():
            lines = [header, *(",".join(map(str, one)) for one in some)]
            (folder / f"tuples_{split}_{end}").write_text("\n".join(lines))
        number += count
    asked = [f"{header},{header}", *(",".join(map(str, (*one, *one[:3], 19))) for one in posted)]
    (folder / "fill_in_blank_test").write_text("\n".join(asked))
    return root
