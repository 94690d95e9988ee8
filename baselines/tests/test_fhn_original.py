"""The original's parameters give the original's scores."""

from typing import Any

import pytest
import torch
from ruled import ruled
from torch import Generator, Tensor
from torch.nn import functional as F

from outfitrec import DataError, Recommender
from outfitrec_baselines.fhn import from_original
from outfitrec_baselines.fhn.preference import FHN

DIM, USERS, SIZE = 4, 3, 6
OUTFIT = torch.tensor([0, 1, 2])


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def parameters(encoders: int = 0) -> dict[str, Tensor]:
    """Parameters by the original's names, with so many image encoders."""
    found = {
        "user_embedding.encoder.weight": drawn(DIM, USERS, seed=1),
        "core.0.weight": drawn(1, DIM, seed=2),
        "core.1.weight": drawn(1, DIM, seed=3),
    }
    for index in range(encoders):
        prefix = f"encoder_v.{index}.encoder"
        found[f"{prefix}.1.weight"] = drawn(SIZE // 2, SIZE, seed=10 + index)
        found[f"{prefix}.1.bias"] = drawn(SIZE // 2, seed=20 + index)
        found[f"{prefix}.4.weight"] = drawn(DIM, SIZE // 2, seed=30 + index)
    return found


def scored(recommender: Recommender, features: Tensor, category: Tensor = OUTFIT, users: int = USERS) -> Tensor:
    """Scores of all users for one outfit of these items."""
    with torch.no_grad():
        table = recommender.embed(features, category)
        state = recommender.state(table, torch.arange(len(category))[None], category[None])
        return recommender.score_all(torch.arange(users), state)[:, 0]


def expected(found: dict[str, Tensor], codes: list[Tensor]) -> Tensor:
    """Scores of all users for a top, a bottom and a shoe, of these codes."""
    top, bottom, shoe = codes
    user, (liking, matching) = found["user_embedding.encoder.weight"].T, (found[f"core.{k}.weight"][0] for k in (0, 1))
    pairs = (matching * (top * bottom + top * shoe + bottom * shoe)).sum() / (3 * DIM)
    return 10 * ((user * liking * (top + bottom + shoe)).sum(dim=1) / (3 * DIM) + pairs)


def encoded(found: dict[str, Tensor], features: Tensor, encoder: int) -> Tensor:
    first, bias, last = (found[f"encoder_v.{encoder}.encoder.{name}"] for name in ("1.weight", "1.bias", "4.weight"))
    return last @ torch.relu(first @ features + bias)


def test_scores_are_the_originals(goldens: dict[str, Any]) -> None:
    items = torch.stack([ruled(number, 2, 8) for number in (101, 102, 103)], dim=1)
    found = {
        "core.0.weight": ruled(0, 1, 8),
        "core.1.weight": ruled(1, 1, 8),
        "user_embedding.encoder.weight": ruled(100, 2, 8).T,
    }
    model = from_original(found)
    category = OUTFIT.expand(2, -1)
    with torch.no_grad():
        table = model.embed(items.flatten(0, 1), category.flatten())
        scores = model.preference(torch.arange(2), model.state(table, torch.arange(6).view(2, 3), category))
    assert scores.tolist() == pytest.approx(goldens["fhn_630_raw"]["score"], abs=1e-9)


def test_an_image_encoder_a_category_is_used_for_its_items() -> None:
    found, features = parameters(encoders=3), drawn(3, SIZE, seed=9)
    codes = [encoded(found, row, encoder) for encoder, row in enumerate(features)]
    torch.testing.assert_close(scored(from_original(found), features), expected(found, codes))


def test_a_single_image_encoder_is_used_for_all_items() -> None:
    found, features = parameters(encoders=1), drawn(3, SIZE, seed=9)
    codes = [encoded(found, row, 0) for row in features]
    torch.testing.assert_close(scored(from_original(found), features), expected(found, codes))


def test_in_four_slots_a_missing_second_top_is_a_copy_of_the_first() -> None:
    found, codes = parameters(), drawn(3, DIM, seed=9)
    top, bottom, shoe = codes
    user, (liking, matching) = found["user_embedding.encoder.weight"].T, (found[f"core.{k}.weight"][0] for k in (0, 1))
    pairs = (matching * (top * bottom * 2 + top * shoe * 2 + bottom * shoe)).sum() / (5 * DIM)
    four = 10 * ((user * liking * (top + top + bottom + shoe)).sum(dim=1) / (4 * DIM) + pairs)
    torch.testing.assert_close(scored(from_original(found, most=(2, 1, 1)), codes), four)


def test_binary_codes_are_signs_and_in_training_mode_tanhs_of_the_given_sharpness() -> None:
    found, codes = parameters(), drawn(3, DIM, seed=9)
    scales = {f"{part}.scale": torch.tensor([1.7]).double() for part in ("user_embedding", "encoder_v.0")}
    user = found["user_embedding.encoder.weight"]
    signs = {**found, "user_embedding.encoder.weight": user.sign()}
    tanhs = {**found, "user_embedding.encoder.weight": torch.tanh(1.7 * user)}
    model = from_original({**found, **scales}, binary=True)
    torch.testing.assert_close(scored(model, codes), expected(signs, list(codes.sign())))
    torch.testing.assert_close(scored(model.train(), codes), expected(tanhs, list(torch.tanh(1.7 * codes))))
    torch.testing.assert_close(scored(from_original({**found, **scales}), codes), expected(found, list(codes)))


def test_variants_of_one_weight_are_told_apart() -> None:
    found, codes = parameters(), drawn(3, DIM, seed=9)
    cores = {name: found.pop(name) for name in ("core.0.weight", "core.1.weight")}
    weight, one = cores["core.0.weight"], torch.ones(1, DIM).double()
    number = torch.tensor([1.5]).double()
    for core, variant, weights in (
        (number, None, (1.5 * one, one)),
        (weight, "T1", (weight, one)),
        (weight, "T2", (1 + weight, 0 * one)),
    ):
        model = from_original({**found, "core.weight": core}, variant=variant)
        same = {**found, "core.0.weight": weights[0], "core.1.weight": weights[1]}
        torch.testing.assert_close(scored(model, codes), expected(same, list(codes)))
    for wrong, message in (
        (weight, "the variant T1 or of T2, and not of None"),
        (weight[0], r"shape \[4\], not \[1\]"),
    ):
        with pytest.raises(DataError, match=message):
            from_original({**found, "core.weight": wrong})


def test_the_feature_net_is_that_of_convolutions_over_the_photo() -> None:
    shapes = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
    found = {name: tensor.float() for name, tensor in parameters().items()}
    for index, (out, into, kernel) in shapes.items():
        found[f"features.features.{index}.weight"] = drawn(out, into, kernel, kernel, seed=index).float() / 40
        found[f"features.features.{index}.bias"] = drawn(out, seed=index).float() / 40
    for index, shape in ((1, (4096, 256, 6, 6)), (4, (4096, 4096, 1, 1))):
        found[f"features.classifier.{index}.weight"] = (
            torch.linspace(-1, 1, 1009).repeat(37_429)[: torch.Size(shape).numel()].view(shape)
        )
        found[f"features.classifier.{index}.bias"] = drawn(4096, seed=index).float()
    for index in range(3):
        found[f"encoder_v.{index}.encoder.1.weight"] = torch.zeros(2048, 4096)
        found[f"encoder_v.{index}.encoder.1.bias"] = torch.zeros(2048)
        found[f"encoder_v.{index}.encoder.4.weight"] = torch.zeros(DIM, 2048)
    photo = drawn(1, 3, 260, 260, seed=5).float()
    maps = photo
    for index, (stride, padding) in {0: (4, 2), 3: (1, 2), 6: (1, 1), 8: (1, 1), 10: (1, 1)}.items():
        weight, bias = (found[f"features.features.{index}.{name}"] for name in ("weight", "bias"))
        maps = torch.relu(F.conv2d(maps, weight, bias, stride, padding))
        maps = F.max_pool2d(maps, 3, 2) if index in (0, 3, 10) else maps
    for index in (1, 4):
        weight, bias = (found[f"features.classifier.{index}.{name}"] for name in ("weight", "bias"))
        maps = torch.relu(F.conv2d(maps, weight, bias))
    assert maps.shape[2:] == (2, 2)
    with torch.no_grad():
        features = from_original(found).encoder.features(photo)
    torch.testing.assert_close(features, maps.mean(dim=(2, 3)), rtol=1e-4, atol=1e-4 * float(maps.abs().max()))


def test_the_recommender_is_in_evaluation_mode_of_the_given_dtype_and_has_parameters_of_its_own() -> None:
    found, state = parameters(encoders=3), torch.get_rng_state()
    model = from_original(found)
    assert torch.equal(torch.get_rng_state(), state)
    assert not model.training
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float64}
    features = drawn(3, SIZE, seed=9)
    before = scored(model, features)
    for tensor in found.values():
        tensor.zero_()
    torch.testing.assert_close(scored(model, features), before)
    single = from_original({name: tensor.float() for name, tensor in parameters().items()})
    assert {parameter.dtype for parameter in single.parameters()} == {torch.float32}
    assert isinstance(single.preference, FHN)


def test_the_slots_are_by_default_those_of_the_originals_data() -> None:
    for users, most in ((519, (2, 1, 1)), (32, (2, 1, 1)), (630, (1, 1, 1)), (3, (1, 1, 1))):
        found = {**parameters(), "user_embedding.encoder.weight": drawn(DIM, users)}
        preference = from_original(found).preference
        assert isinstance(preference, FHN)
        assert preference.most == most
        codes, given = drawn(3, DIM, seed=9), from_original(found, most=most)
        assert torch.equal(scored(from_original(found), codes, users=users), scored(given, codes, users=users))
    found = {**parameters(), "user_embedding.encoder.weight": drawn(DIM, 519)}
    two: Any = from_original(found, categories=("top", "shoe")).preference
    assert two.most == (1, 1)


@pytest.mark.parametrize("variant", ["X", "T0", "T1", "T3"])
def test_a_variant_that_would_be_ignored_is_refused(variant: str) -> None:
    one = {"user_embedding.encoder.weight": drawn(DIM, USERS), "core.weight": drawn(1)}
    for found in (parameters(), one):
        with pytest.raises(DataError, match=f"variant: '{variant}' says nothing here"):
            from_original(found, variant=variant)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"user_embedding.encoder.weight": None}, "user_embedding.encoder.weight is missing"),
        ({"user_embedding.encoder.weight": drawn(4)}, r"user_embedding.encoder.weight has the shape \[4\]"),
        ({"core.1.weight": None}, "core.1.weight is missing"),
        ({"core.1.weight": drawn(DIM)}, r"core.1.weight has the shape \[4\], not \[1, 4\]"),
        (
            {"encoder_t.0.encoder.0.weight": drawn(2, 2), "core.0.weight": None},
            "encoder_t.0.encoder.0.weight is unknown; core.0.weight is missing",
        ),
        ({"encoder_v.1.encoder.1.bias": drawn(2)}, r"encoder_v.1.encoder.1.bias has the shape \[2\], not \[3\]"),
        ({"encoder_v.0.encoder.1.weight": None}, "encoder_v.0.encoder.1.weight is missing"),
        ({"encoder_v.3.encoder.1.bias": drawn(3)}, "4 image encoders .*, and there are 3 categories"),
        ({"core.weight": drawn(1)}, "core.weight is of a variant with one weight, and core.0.weight and core.1.weight"),
        ({"core.weight": drawn(1, DIM), "core.0.weight": None}, "with one weight, and core.1.weight of that with two"),
        (
            {"core.0.weight": drawn(1, DIM).long(), "user_embedding.encoder.weight": drawn(DIM, USERS).long()},
            "no floating-point numbers are user_embedding.encoder.weight, core.0.weight",
        ),
        ({"features.features.0.bias": drawn(64)}, "features.classifier.4.bias is missing"),
    ],
)
def test_parameters_that_do_not_fit_are_named(changes: dict[str, Tensor | None], message: str) -> None:
    found = {**parameters(encoders=3), **changes}
    with pytest.raises(DataError, match=message):
        from_original({name: tensor for name, tensor in found.items() if tensor is not None})


def test_categories_that_do_not_fit_are_said() -> None:
    with pytest.raises(DataError, match="one number a category, and there are 3 for 2"):
        from_original(parameters(), categories=("top", "shoe"), most=(1, 1, 1))
    for most in ((0, 0, 0), (2, 1, -1)):
        with pytest.raises(DataError, match=r"most: of each category .*, and it is \("):
            from_original(parameters(), most=most)
    with pytest.raises(DataError, match=r"3 image encoders .*, and there are 2 categories"):
        from_original(parameters(encoders=3), categories=("top", "shoe"), most=(1, 1))
