from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import alexnet, resnet18

from outfitrec.core.data import Catalog
from outfitrec.core.errors import DataError, RecipeError
from outfitrec.core.recipe import load_recipe
from outfitrec.plugins.aggregators.set_transformer import SetTransformer
from outfitrec.plugins.encoders.alexnet import AlexNet
from outfitrec.plugins.encoders.features import Features
from outfitrec.plugins.encoders.torchvision import TorchvisionEncoder
from outfitrec.plugins.heads.item_encoder import ItemEncoder
from outfitrec.plugins.preferences.cosine import Cosine


def count(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


@pytest.mark.parametrize(
    ("size", "users", "total"),
    [
        ("large", 630, 65_986_624),
        ("xs", 630, 2_848_960),
        ("s", 630, 13_877_824),
        ("m", 630, 28_101_696),
        ("large", 519, 65_972_416),
        ("xs", 519, 2_834_752),
        ("s", 519, 13_863_616),
        ("m", 519, 28_087_488),
    ],
)
def test_totals_are_those_of_the_papers_table_5(size: str, users: int, total: int) -> None:
    with torch.device("meta"):
        model = AlexNet(size=size, head=ItemEncoder(dim=128)), SetTransformer(dim=128), Cosine(dim=128, users=users)
    assert count(*model) == total


def test_large_computes_what_torchvisions_alexnet_computes(tmp_path: Path) -> None:
    original = alexnet(weights=None).eval()
    save_file(original.state_dict(), tmp_path / "alexnet.safetensors")
    encoder = AlexNet(size="large", head=ItemEncoder(dim=8), weights=str(tmp_path / "alexnet.safetensors")).eval()
    encoder.initialize()
    images = torch.randn(2, 3, 64, 64)
    expected = original.classifier[:6](torch.flatten(original.avgpool(original.features(images)), 1))
    torch.testing.assert_close(encoder.features(images), expected)


def test_xs_pools_globally(tmp_path: Path) -> None:
    original = alexnet(weights=None).eval()
    torch.save(original.state_dict(), tmp_path / "alexnet.pth")
    encoder = AlexNet(size="xs", head=ItemEncoder(dim=8), weights=str(tmp_path / "alexnet.pth")).eval()
    encoder.initialize()
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(encoder.features(images), original.features(images).mean(dim=(2, 3)))


def test_sliding_is_the_mean_over_all_places_of_the_kernel() -> None:
    encoder = AlexNet(size="s", head=ItemEncoder(dim=8), fc_mode="sliding", weights="none").eval()
    images = torch.randn(1, 3, 291, 291)
    maps = encoder.backbone.features(images)
    assert encoder.backbone.classifier is not None
    assert maps.shape[2:] == (8, 8)
    places = [
        encoder.backbone.classifier(maps[:, :, i : i + 6, j : j + 6].flatten(1)) for i in range(3) for j in range(3)
    ]
    torch.testing.assert_close(encoder.features(images), torch.stack(places).mean(dim=0))


@pytest.mark.parametrize("init", ["random", "slice"])
def test_narrow_layers_start_random_or_from_pretrained_rows(tmp_path: Path, init: str) -> None:
    original = alexnet(weights=None)
    save_file(original.state_dict(), tmp_path / "w.safetensors")
    encoder = AlexNet(size="s", head=ItemEncoder(dim=8), fc_init=init, weights=str(tmp_path / "w.safetensors"))
    encoder.initialize()
    state = encoder.backbone.state_dict()
    torch.testing.assert_close(state["features.0.weight"], original.features[0].weight)
    same = torch.equal(state["classifier.4.weight"], original.classifier[4].weight[:1024, :1024])
    assert same == (init == "slice")


def test_weights_that_do_not_fit_name_every_key(tmp_path: Path) -> None:
    state = alexnet(weights=None).features.state_dict(prefix="features.")
    del state["features.0.bias"]
    state["surprise"] = torch.zeros(1)
    state["features.3.weight"] = torch.zeros(2, 2)
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(DataError) as error:
        AlexNet(size="xs", head=ItemEncoder(dim=8), weights=str(tmp_path / "w.safetensors")).initialize()
    text = str(error.value)
    assert "lack features.0.bias" in text
    assert "unknown surprise" in text
    assert "features.3.weight has shape [2, 2], not [192, 64, 5, 5]" in text


def test_a_weights_file_that_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no weights file .*nowhere\.pth"):
        AlexNet(head=ItemEncoder(dim=8), weights=str(tmp_path / "nowhere.pth")).initialize()
    for name in ("bad.safetensors", "bad.pth"):
        (tmp_path / name).write_bytes(b"not weights")
        with pytest.raises(DataError, match=f"{name} cannot be read"):
            AlexNet(head=ItemEncoder(dim=8), weights=str(tmp_path / name)).initialize()


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    import os
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DataError, match="cannot be read"):
        AlexNet(head=ItemEncoder(dim=8), weights=str(tmp_path / "evil.pth")).initialize()
    assert not (tmp_path / "ran").exists()


def test_a_download_that_fails_says_what_was_tried_and_where_to_put_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(DataError) as error:
        AlexNet(head=ItemEncoder(dim=8)).initialize()
    text = str(error.value)
    assert "https://" in text
    assert "no network" in text
    assert str(tmp_path / "checkpoints" / "alexnet-owt-7be5be79.pth") in text


def recipe(size: int) -> SimpleNamespace:
    return SimpleNamespace(image=SimpleNamespace(size=size), start=None)


@pytest.mark.parametrize(
    ("size", "mode", "photo", "refused"),
    [
        ("xs", "adaptive", 62, True),
        ("xs", "adaptive", 63, False),
        ("s", "sliding", 222, True),
        ("s", "sliding", 223, False),
    ],
)
def test_the_smallest_photo_is_the_smallest_that_runs(size: str, mode: str, photo: int, refused: bool) -> None:
    found = list(AlexNet.check_recipe(SimpleNamespace(size=size, fc_mode=mode, dropout=0.5), recipe(photo)))
    assert bool(found) == refused
    encoder = AlexNet(size=size, fc_mode=mode, head=ItemEncoder(dim=8), weights="none").eval()
    if refused:
        with pytest.raises(RuntimeError):
            encoder.features(torch.zeros(1, 3, photo, photo))
    else:
        assert torch.isfinite(encoder.features(torch.zeros(1, 3, photo, photo))).all()


def test_torchvision_gives_what_reaches_the_head(tmp_path: Path) -> None:
    original = resnet18(weights=None).eval()
    save_file(original.state_dict(), tmp_path / "w.safetensors")
    encoder = TorchvisionEncoder(
        architecture="resnet18", weights=str(tmp_path / "w.safetensors"), head=ItemEncoder(dim=8), image_size=64
    ).eval()
    encoder.initialize()
    images = torch.randn(2, 3, 64, 64)
    original.fc = nn.Identity()
    torch.testing.assert_close(encoder.features(images), original(images))


def test_a_frozen_backbone_never_changes(squeezenet: Path) -> None:
    encoder = TorchvisionEncoder(
        architecture="squeezenet1_1", weights=str(squeezenet), frozen=True, head=ItemEncoder(dim=8), image_size=64
    )
    encoder.initialize()
    encoder.train()
    images = torch.randn(2, 3, 64, 64)
    features = encoder.features(images)
    assert not features.requires_grad
    torch.testing.assert_close(features, encoder.features(images), rtol=0, atol=0)
    assert features.std() > 0.1
    assert encoder.embed(features, torch.zeros(2, dtype=torch.long)).requires_grad


@pytest.mark.parametrize(
    ("architecture", "options", "message"),
    [
        ("resnet19", {}, "did you mean 'resnet1"),
        ("squeezenet1_1", {"frozen": True, "weights": "none"}, "learns nothing"),
        ("vit_b_16", {}, "cannot take photos of 63 px"),
    ],
)
def test_torchvision_refuses(architecture: str, options: dict[str, object], message: str) -> None:
    config = SimpleNamespace(
        **{"architecture": architecture, "frozen": False, "weights": "imagenet", "last": None, **options}
    )
    assert message in " ".join(text for _, text in TorchvisionEncoder.check_recipe(config, recipe(63)))


def catalog(features: torch.Tensor | None) -> Catalog:
    return Catalog(["a", "b", "c"], torch.tensor([0, 1, 1]), ("top", "bottom"), features=features)


def test_given_features_are_the_datasets_or_a_files(tmp_path: Path) -> None:
    table = torch.randn(3, 4)
    torch.testing.assert_close(Features(size=4, head=ItemEncoder(dim=2)).table(catalog(table)), table)
    np.savez(tmp_path / "f.npz", names=np.array(["c", "x", "a", "b"]), features=np.arange(16.0).reshape(4, 4))
    found = Features(size=4, head=ItemEncoder(dim=2), file=str(tmp_path / "f.npz")).table(catalog(None))
    assert found.tolist() == [[8, 9, 10, 11], [12, 13, 14, 15], [0, 1, 2, 3]]


def test_given_features_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no features of its own"):
        Features(size=4, head=ItemEncoder(dim=2)).table(catalog(None))
    with pytest.raises(DataError, match=r"have length 5, and model\.encoder\.size is 4"):
        Features(size=4, head=ItemEncoder(dim=2)).table(catalog(torch.zeros(3, 5)))
    with pytest.raises(DataError, match="not all finite"):
        Features(size=4, head=ItemEncoder(dim=2)).table(catalog(torch.full((3, 4), torch.nan)))
    np.savez(tmp_path / "f.npz", names=np.array(["a"]), features=np.zeros((1, 4)))
    with pytest.raises(DataError, match="lacks 2 items: b, c"):
        Features(size=4, head=ItemEncoder(dim=2), file=str(tmp_path / "f.npz")).table(catalog(None))
    np.savez(tmp_path / "p.npz", names=np.array([{"a": 1}], dtype=object), features=np.zeros((1, 4)))
    with pytest.raises(DataError, match="cannot be read"):
        Features(size=4, head=ItemEncoder(dim=2), file=str(tmp_path / "p.npz")).table(catalog(None))


def test_cosine_is_the_cosine() -> None:
    preference = Cosine(dim=8, users=5).double()
    users, outfits = torch.tensor([0, 3, 4]), torch.randn(6, 8, dtype=torch.float64)
    taste = preference.user.weight[users]
    expected = torch.stack([torch.cosine_similarity(one, outfits, dim=-1) for one in taste])
    torch.testing.assert_close(preference(users[:, None], outfits), expected)
    torch.testing.assert_close(preference(users, outfits[:3]), expected[:, :3].diagonal())


def test_a_backbone_can_end_at_a_layer(tmp_path: Path) -> None:
    original = resnet18(weights=None).eval()
    save_file(original.state_dict(), tmp_path / "w.safetensors")
    encoder = TorchvisionEncoder(
        architecture="resnet18",
        last="layer3",
        weights=str(tmp_path / "w.safetensors"),
        head=ItemEncoder(dim=8),
        image_size=64,
    ).eval()
    encoder.initialize()
    images = torch.randn(2, 3, 64, 64)
    maps = original.maxpool(original.relu(original.bn1(original.conv1(images))))
    maps = original.layer3(original.layer2(original.layer1(maps)))
    torch.testing.assert_close(encoder.features(images), maps.mean(dim=(2, 3)))


def test_a_layer_that_a_backbone_lacks_is_an_error() -> None:
    with pytest.raises(RecipeError, match=r"resnet18 has no layer 'layer9': it has .*layer4"):
        load_recipe(
            {"name": "cut", "model": {"encoder": {"name": "torchvision", "architecture": "resnet18", "last": "layer9"}}}
        )
