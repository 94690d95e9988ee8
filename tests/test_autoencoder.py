from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

import outfitrec
from outfitrec.core.augment import prepare
from outfitrec.core.errors import RecipeError
from outfitrec.core.images import ImageStore
from outfitrec.core.nearest import nearest
from outfitrec.core.outfits import Outfits
from outfitrec.core.recipe import load_recipe
from outfitrec.core.recommender import Recommender
from outfitrec.core.step import Batch, Step
from outfitrec.plugins.aggregators.mean import Mean
from outfitrec.plugins.datasets.polyvore_u import PolyvoreU
from outfitrec.plugins.encoders.autoencoder import Autoencoder, feature_maps
from outfitrec.plugins.objectives.reconstruction import Reconstruction
from outfitrec.plugins.preferences.cosine import Cosine
from outfitrec.protocols import Encoder, Objective

DIM = 6
SMALL = ["dataset={name: synthetic, users: 4, items: 150, train: 8, valid: 2, test: 3, liked: 0.2, pixels: 32}"]
SMALL += ["image.size=32", "train.batch=16", "train.accelerator=cpu"]


def photos(count: int, size: int, seed: int = 0) -> Tensor:
    """Normalised photos in which a photo's halves have a colour each."""
    draws = Generator().manual_seed(seed)
    halves = torch.randn(count, 3, 2, generator=draws).repeat_interleave((size + 1) // 2, dim=2)[:, :, :size]
    return halves[:, :, None].expand(-1, -1, size, -1).contiguous(memory_format=torch.channels_last)


def step(encoder: Autoencoder, images: Tensor) -> Step:
    """A step of these photos."""
    ids = torch.arange(len(images))
    features = encoder.features(images)
    none = torch.empty(0, dtype=torch.long)
    return Step(
        Batch(none, Outfits(none.view(0, 3), none.view(0, 3)), ids),
        ids=ids,
        category=torch.zeros_like(ids),
        features=features,
        items=encoder.embed(features, torch.zeros_like(ids)),
        states={},
        recommender=Recommender(encoder, Mean(), Cosine(dim=DIM, users=2)),
        teacher=None,
        epoch=0,
        generator=Generator(),
        photos=lambda: images,
    )


def fit(
    encoder: Autoencoder, objective: Reconstruction, images: Tensor, steps: int, batch: int | None = None
) -> list[float]:
    """Train both; the losses."""
    optimizer = torch.optim.Adam([*encoder.parameters(), *objective.parameters()], lr=0.003)
    losses = []
    draws = Generator().manual_seed(0)
    for _ in range(steps):
        chosen = torch.randperm(len(images), generator=draws)[:batch]
        loss: Tensor = objective(step(encoder, images[chosen]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@given(st.integers(1, 700), st.integers(1, 40))
def test_each_layer_halves_the_photo_and_doubles_the_channels(size: int, width: int) -> None:
    maps = feature_maps(size, width)
    assert maps[0] == (3, size)
    for (_, larger), (_, smaller) in pairwise(maps):
        assert smaller * 2 in (larger, larger + 1)
    assert maps[-1][1] <= 4 or size <= 4
    assert [channels for channels, _ in maps[1:]] == [width * min(2**k, 8) for k in range(len(maps) - 1)]


@settings(max_examples=15)
@given(st.integers(32, 140), st.integers(1, 5), st.integers(2, 40))
def test_photos_of_any_size_are_encoded_and_made_again(size: int, count: int, latent: int) -> None:
    encoder = Autoencoder(latent=latent, width=2, dim=DIM, image_size=size)
    objective = Reconstruction(latent=latent, width=2, image_size=size)
    images = photos(count, size)
    one = step(encoder, images)
    assert one.features.shape == (count, latent)
    assert one.items.shape == (count, DIM)
    made = objective.decoder(one.features)
    assert made.shape == images.shape
    assert torch.isfinite(objective(one))


def test_the_loss_is_the_mean_squared_error_of_a_naive_loop() -> None:
    encoder, objective = Autoencoder(dim=DIM, image_size=9), Reconstruction(image_size=9)
    images = photos(3, 9)
    one = step(encoder, images)
    made = objective.decoder(one.features).tolist()
    errors = [
        (made[item][channel][row][column] - images[item, channel, row, column].item()) ** 2
        for item in range(3)
        for channel in range(3)
        for row in range(9)
        for column in range(9)
    ]
    assert objective(one).item() == pytest.approx(sum(errors) / len(errors), rel=1e-5)


def test_a_few_photos_are_learned_by_heart() -> None:
    encoder, objective = Autoencoder(dim=DIM, image_size=32), Reconstruction(image_size=32)
    losses = fit(encoder, objective, photos(24, 32), 80)
    assert losses[-1] < 0.05 * losses[0]


def test_every_parameter_but_the_embedding_is_trained() -> None:
    encoder, objective = Autoencoder(dim=DIM, image_size=40), Reconstruction(image_size=40)
    objective(step(encoder, photos(4, 40))).backward()
    still = [name for module in (encoder, objective) for name, one in module.named_parameters() if one.grad is None]
    assert still == ["head.weight"]
    assert all(one.grad.any() for one in encoder.backbone.parameters() if one.grad is not None)


def test_features_have_mean_0_and_deviation_1() -> None:
    encoder = Autoencoder(dim=DIM, image_size=32)
    images = photos(64, 32)
    for _ in range(250):
        trained = encoder.features(images)
    torch.testing.assert_close(trained.mean(dim=0), torch.zeros(128), atol=1e-4, rtol=0)
    torch.testing.assert_close(trained.std(dim=0, correction=0), torch.ones(128), atol=0.05, rtol=0)
    # What is remembered of the batches is as good.
    torch.testing.assert_close(encoder.eval().features(images), trained, atol=0.05, rtol=0)


def test_features_of_a_trained_encoder_do_not_depend_on_the_other_photos() -> None:
    encoder = Autoencoder(dim=DIM, image_size=32)
    images = photos(12, 32)
    encoder.features(images)
    encoder.eval()
    together = encoder.features(images)
    alone = torch.cat([encoder.features(one[None]) for one in images])
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=1e-5)
    state = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    encoder.features(images)
    assert all(torch.equal(tensor, state[name]) for name, tensor in encoder.state_dict().items())


def test_a_step_of_one_item_is_trained_too() -> None:
    encoder, objective = Autoencoder(dim=DIM, image_size=32), Reconstruction(image_size=32)
    fit(encoder, objective, photos(12, 32), 3)
    mean = encoder.norm.running_mean
    assert mean is not None
    before = mean.clone()
    one = step(encoder, photos(1, 32))
    objective(one).backward()
    assert torch.equal(mean, before)
    assert all(torch.isfinite(one.grad).all() for one in encoder.backbone.parameters() if one.grad is not None)
    torch.testing.assert_close(one.features, encoder.eval().features(photos(1, 32)))


def test_training_repeats_bit_for_bit_on_two_threads() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        runs = []
        for _ in range(2):
            torch.manual_seed(0)
            encoder, objective = Autoencoder(dim=DIM, image_size=48), Reconstruction(image_size=48)
            encoder.to(memory_format=torch.channels_last)
            fit(encoder, objective, photos(64, 48), 3)
            runs.append([*encoder.state_dict().values(), *objective.state_dict().values()])
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(one, other) for one, other in zip(*runs, strict=True))


def test_16_bit_features_are_decoded_in_32() -> None:
    encoder, objective = Autoencoder(dim=DIM, image_size=32), Reconstruction(image_size=32)
    images = photos(8, 32)
    with torch.autocast("cpu", torch.bfloat16):
        one = step(encoder, images)
    assert one.features.dtype == torch.bfloat16
    loss = objective(one)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, objective(step(encoder, images)), atol=0.02, rtol=0.02)


def test_features_of_another_length_are_an_error() -> None:
    encoder, objective = Autoencoder(latent=64, dim=DIM, image_size=32), Reconstruction(image_size=32)
    with pytest.raises(RecipeError) as error:
        objective(step(encoder, photos(2, 32)))
    assert "the encoder's features have length 64, and latent is 128" in str(error.value)
    assert "set objectives.reconstruction.latent to 64" in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["objectives.reconstruction.latent=64"], "latent: must be that of the encoder (128), and is 64"),
        (["model.encoder={name: autoencoder, latent: 32}"], "latent: must be that of the encoder (32), and is 128"),
        (["model.encoder={name: features, size: 128}"], "needs an encoder of photos, and 'features' sees none"),
        (["model.encoder={name: torchvision, frozen: true}"], "a frozen one learns nothing"),
    ],
)
def test_encoders_that_do_not_fit_are_refused(changes: list[str], message: str) -> None:
    with pytest.raises(RecipeError) as error:
        load_recipe("autoencoder", changes)
    assert message in str(error.value)


def test_other_encoders_can_be_trained_by_reconstruction(tmp_path: Path) -> None:
    encoder = [
        "model.encoder={name: alexnet, weights: none, head: {name: item_encoder, dropout: 0}}",
        "objectives.reconstruction.latent=256",
    ]
    training = outfitrec.run("autoencoder", [*SMALL, "image.size=64", *encoder, "train.epochs=2"], out=tmp_path).result
    assert training.training["figures"]["reconstruction"] < training.training["first"]["reconstruction"]


def test_the_shipped_recipe_trains_and_nothing_is_ranked(tmp_path: Path) -> None:
    run = outfitrec.run("autoencoder", [*SMALL, "train.epochs=3"], out=tmp_path)
    training = run.result.training
    assert training["figures"]["reconstruction"] < training["first"]["reconstruction"]
    assert run.result.test == {}
    # The decoder serves training alone.
    assert not [name for name in run.recommender.state_dict() if "decoder" in name]
    encoder = Autoencoder(dim=128, image_size=32)
    assert run.result.parameters["encoder"] == sum(one.numel() for one in encoder.parameters())


def test_neighbours_of_real_photos_have_their_colours(closet: Path) -> None:
    """A short training: the nearest items are nearer in mean colour than items at random, and than before."""
    catalog = PolyvoreU(root=str(closet), users=40).load().catalog
    store = ImageStore.open(catalog, 32)
    chosen = (catalog.category == 0).nonzero().flatten()[:600]
    images = prepare(store.images(chosen), 32)
    colour = images.flatten(2).mean(dim=2)

    def apart(encoder: Autoencoder) -> float:
        with torch.inference_mode():
            features = torch.cat([encoder.eval().features(part) for part in images.split(100)])
        category = torch.zeros(len(chosen), dtype=torch.long)
        table = nearest(features, category, torch.arange(len(chosen)), 5)
        return float((colour[table] - colour[:, None]).square().sum(dim=2).mean())

    by_chance = float((colour[:, None] - colour).square().sum(dim=2).mean())
    encoder, objective = Autoencoder(dim=DIM, image_size=32), Reconstruction(image_size=32)
    fit(encoder, objective, images, 60, 128)
    assert apart(encoder) < 0.4 * by_chance


def test_protocols_are_satisfied() -> None:
    encoder: Encoder = Autoencoder(dim=DIM, image_size=32)
    objective: Objective = Reconstruction(image_size=32)
    assert isinstance(encoder, Encoder)
    assert isinstance(objective, Objective)
    assert (encoder.photos, encoder.frozen) == (True, False)
    assert (objective.unit, objective.needs_teacher, objective.label, objective.weight) == (
        "item",
        False,
        "reconstruction",
        1.0,
    )
