from collections.abc import Iterator

import pytest
import torch
from torch import Generator, Tensor

from outfitrec.core.augment import draw_crops, prepare


def normal(pixels: Tensor) -> Tensor:
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (pixels / 255 - mean[:, None, None]) / std[:, None, None]


def images_of(count: int, side: int) -> Tensor:
    return torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8).permute(0, 3, 1, 2)


def drawn(images: Tensor, size: int, seed: int, *, flip: bool) -> Tensor:
    crops = draw_crops(len(images), images.shape[-1], size, Generator().manual_seed(seed), flip=flip)
    return prepare(images, size, crops)


def views(image: Tensor, size: int, flip: bool) -> Iterator[tuple[tuple[int, int, bool], Tensor]]:
    """All crops of an image, mirrored and not, by plain slices."""
    side = image.shape[-1]
    for mirrored in (False, True) if flip else (False,):
        seen = image.flip(-1) if mirrored else image
        for y in range(side - size + 1):
            for x in range(side - size + 1):
                yield (y, x, mirrored), seen[:, y : y + size, x : x + size]


def test_without_a_generator_the_centre_is_normalised() -> None:
    images = images_of(5, 11)
    made = prepare(images, 8)
    assert made.dtype == torch.float32
    assert made.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(made, normal(images[:, :, 1:9, 1:9]), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("side", "flip"), [(6, True), (9, True), (9, False), (6, False)])
def test_each_image_gets_a_crop_and_a_flip_of_its_own(side: int, flip: bool) -> None:
    images = images_of(300, side)
    before = images.clone()
    made = drawn(images, 6, 1, flip=flip)
    found = []
    for image, one in zip(images, made, strict=True):
        same = [which for which, view in views(image, 6, flip) if torch.allclose(normal(view), one, atol=1e-5)]
        assert len(same) == 1
        found += same
    places = (side - 6 + 1) ** 2
    assert len(set(found)) == places * (2 if flip else 1)
    if flip:
        assert 110 < sum(mirrored for _, _, mirrored in found) < 190  # 150 expected, deviation 8.7
    assert images.equal(before)


def test_the_generator_alone_decides() -> None:
    images = images_of(50, 8)
    first, second, other = (drawn(images, 7, seed, flip=True) for seed in (3, 3, 4))
    assert first.equal(second)
    assert not first.equal(other)
    in_other_memory = drawn(images.contiguous(), 7, 3, flip=True)
    assert first.equal(in_other_memory)


def test_too_small_photos_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be cropped"):
        prepare(images_of(1, 5), 6)


def test_a_part_of_the_crops_gives_those_photos_of_all() -> None:
    images, part = images_of(9, 8), torch.tensor([7, 2, 2])
    crops = draw_crops(9, 8, 7, Generator().manual_seed(3), flip=True)
    assert crops is not None
    assert prepare(images, 7, crops)[part].equal(prepare(images[part], 7, crops[part]))


def test_photos_of_the_right_size_that_are_not_flipped_draw_nothing() -> None:
    before = Generator().manual_seed(3)
    assert draw_crops(9, 8, 8, before, flip=False) is None
    assert before.get_state().equal(Generator().manual_seed(3).get_state())
