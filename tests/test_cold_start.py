"""Cold starters: strategies against naive loops, their evaluation, and serving from photos."""

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import pytest
import torch
from commands import invoke
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file, save_file
from sklearn.metrics import roc_auc_score
from tiny import tiny
from torch import Generator, Tensor

import outfitrec
from outfitrec import evaluate, run
from outfitrec.core.build import build_recommender, given_without_data
from outfitrec.core.cold import ColdEvaluator, load_cold
from outfitrec.core.config import Ready
from outfitrec.core.data import Dataset, Rows, Split
from outfitrec.core.engine import load_dataset
from outfitrec.core.errors import DataError, OutfitrecError, RecipeError, UserError
from outfitrec.core.items import ItemSource
from outfitrec.core.outfits import Outfits
from outfitrec.core.progress import QUIET
from outfitrec.core.protocols import ColdStart
from outfitrec.core.recipe import load_recipe, resolved
from outfitrec.core.recommender import Recommender
from outfitrec.core.runs import Run
from outfitrec.core.seeds import generator
from outfitrec.core.serving import Model
from outfitrec.core.session import Options, Session
from outfitrec.core.settings import ColdStartSettings, Recipe
from outfitrec.core.yamlfile import parse
from outfitrec.plugins.aggregators.mean import Mean
from outfitrec.plugins.cold_starts.average import Average
from outfitrec.plugins.cold_starts.weighted_average import WeightedAverage
from outfitrec.plugins.encoders.features import Features
from outfitrec.plugins.negatives.stored import Stored
from outfitrec.plugins.preferences.cosine import Cosine

DOCUMENT = Path(__file__).parents[1] / "docs" / "compositions.md"
STRATEGIES = [Average, WeightedAverage]
USERS = 9
seeds = st.integers(0, 2**32 - 1)
unknown: dict[str, Any] = {"dataset": {"name": "tiny", "seed": 1, "users": 4}, "draws": 3}
# Known users and items enough for new users to be like some of them.
MANY = {"dataset.users": 60, "dataset.items": 300, "train.epochs": 6, "evaluate.cold_start.dataset.items": 300}


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    return knowing(vectors(USERS, seed=100))


def knowing(tastes: Tensor) -> Recommender:
    """A recommender of these users; states are vectors of the same length."""
    preference = Cosine(users=USERS, dim=4)
    with torch.no_grad():
        preference.user.weight.copy_(tastes)
    return Recommender(Features(size=4, dim=4), Mean(), preference).double()


def vectors(count: int, seed: int) -> Tensor:
    return torch.randn(count, 4, generator=Generator().manual_seed(seed), dtype=torch.float64)


def score(recommender: Recommender, user: int, outfit: Tensor) -> float:
    """One score, r_ij."""
    with torch.no_grad():
        return float(recommender.preference(torch.tensor([[user]]), outfit[None]))


def naive_weights(means: list[float], threshold: float, temperature: float | None) -> list[float]:
    """Eq. 21–23, user by user; equal weights without a temperature."""
    best = max(range(len(means)), key=lambda user: means[user])
    near = [user for user, mean in enumerate(means) if mean > threshold or user == best]
    power = [math.exp(means[user] / temperature) if temperature else 1.0 for user in near]
    weights = [0.0] * len(means)
    for user, one in zip(near, power, strict=True):
        weights[user] = one / sum(power)
    return weights


def made(strategy: type[Any], threshold: float = 0.0) -> ColdStart:
    cold: ColdStart = strategy(threshold=threshold, users=USERS)
    return cold


@pytest.mark.parametrize("threshold", [0.0, 0.3, -0.2])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_profile_and_scores_are_those_of_naive_loops(
    recommender: Recommender, strategy: type[Any], threshold: float
) -> None:
    cold, temperature = made(strategy, threshold), 0.2 if strategy is WeightedAverage else None
    liked, outfits = vectors(5, seed=1), vectors(7, seed=2)
    with torch.no_grad():
        profile = cold.profile(recommender, liked)
        scores = cold.score(recommender, profile, outfits)
    means = [sum(score(recommender, user, outfit) for outfit in liked) / len(liked) for user in range(USERS)]
    weights = naive_weights(means, threshold, temperature)
    assert 1 < sum(weight > 0 for weight in weights) < USERS
    assert profile["weight"].tolist() == pytest.approx(weights, abs=1e-12)
    for place, outfit in enumerate(outfits):
        expected = sum(weight * score(recommender, user, outfit) for user, weight in enumerate(weights))
        assert float(scores[place]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_where_nobody_is_above_the_threshold_the_most_similar_user_decides(
    recommender: Recommender, strategy: type[Any]
) -> None:
    liked, outfits = vectors(3, seed=3), vectors(6, seed=4)
    cold = made(strategy, threshold=1.0)
    with torch.no_grad():
        everybody = recommender.score_all(torch.arange(USERS), torch.cat([liked, outfits]))
        scores = cold.score(recommender, cold.profile(recommender, liked), outfits)
    best = everybody[:, :3].mean(dim=1).argmax()
    torch.testing.assert_close(scores, everybody[best, 3:])


def test_where_everybody_is_above_the_threshold_the_average_is_that_of_all(recommender: Recommender) -> None:
    liked, outfits = vectors(3, seed=3), vectors(6, seed=4)
    cold = made(Average, threshold=-1.0)
    with torch.no_grad():
        scores = cold.score(recommender, cold.profile(recommender, liked), outfits)
        torch.testing.assert_close(scores, recommender.score_all(torch.arange(USERS), outfits).mean(dim=0))


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 1.0])
def test_a_high_temperature_makes_the_weighted_average_the_average(recommender: Recommender, threshold: float) -> None:
    liked = vectors(3, seed=5)
    flat = WeightedAverage(threshold=threshold, temperature=1e9, users=USERS).profile(recommender, liked)
    torch.testing.assert_close(flat, made(Average, threshold).profile(recommender, liked))


@given(seeds, st.integers(1, 6), st.floats(-1, 1))
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_weights_sum_to_one_and_the_order_of_the_profile_is_irrelevant(
    recommender: Recommender, strategy: type[Any], seed: int, count: int, threshold: float
) -> None:
    cold, liked = made(strategy, threshold), vectors(count, seed)
    weight = cold.profile(recommender, liked)["weight"]
    assert (weight >= 0).all()
    assert float(weight.sum()) == pytest.approx(1, abs=1e-12)
    order = torch.randperm(count, generator=Generator().manual_seed(seed))
    torch.testing.assert_close(cold.profile(recommender, liked[order])["weight"], weight, rtol=0, atol=1e-12)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_several_users_are_scored_by_a_leading_dimension(recommender: Recommender, strategy: type[Any]) -> None:
    cold, outfits = made(strategy), vectors(6, seed=4)
    profiles = [cold.profile(recommender, vectors(3, seed)) for seed in range(3)]
    together = {"weight": torch.stack([one["weight"] for one in profiles])}
    scores = cold.score(recommender, together, outfits)
    assert scores.shape == (3, 6)
    for row, profile in zip(scores, profiles, strict=True):
        torch.testing.assert_close(row, cold.score(recommender, profile, outfits))


def test_users_who_are_equally_similar_have_the_same_share() -> None:
    twins = knowing(torch.eye(4)[:3].repeat(3, 1))
    for strategy in STRATEGIES:
        weight = made(strategy, threshold=1.0).profile(twins, torch.eye(4).double()[1:2])["weight"]
        assert weight.tolist() == pytest.approx([0, 1 / 3, 0] * 3)


def test_defaults_are_the_papers() -> None:
    strategies = Average(users=1), WeightedAverage(users=1)
    assert [one.threshold for one in strategies] == [0, 0]
    assert strategies[1].temperature == 0.2
    assert all(isinstance(one, ColdStart) for one in strategies)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_no_profile_is_refused(recommender: Recommender, strategy: type[Any]) -> None:
    cold, outfits = made(strategy), vectors(2, seed=1)
    with pytest.raises(DataError, match="no liked outfits"):
        cold.profile(recommender, vectors(0, seed=1))
    with pytest.raises(DataError, match="the profile is of a model of 8 users, and this one knows 9"):
        cold.score(recommender, {"weight": torch.ones(2, 8).double()}, outfits)
    for profile in ({"anchors": torch.ones(9)}, {"weight": torch.tensor(1.0)}):
        with pytest.raises(DataError, match="no profile of this strategy"):
            cold.score(recommender, profile, outfits)


def cold_recipe(**changes: Any) -> dict[str, Any]:
    """A recipe with an evaluation on unknown users."""
    return tiny(evaluate={"cold_start": {**unknown, **changes}})


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(cold_recipe(profiles=[2, 20]), MANY, out=tmp_path_factory.mktemp("runs"))


def test_the_evaluation_is_that_of_a_naive_loop_over_users_and_draws(many: Run) -> None:
    found = many
    recipe = load_recipe(found.directory / "recipe.yaml")
    assert recipe.evaluate.cold_start is not None
    dataset = Session(recipe, load_dataset(recipe), "student", Options()).cold
    assert dataset is not None
    train, test = dataset.dataset.splits["train"].positives, dataset.dataset.splits["test"]
    model, catalog = found.recommender, dataset.dataset.catalog
    assert catalog.features is not None
    wrong = Stored(split=test, catalog=catalog).draw(test.positives, generator(0, "evaluation")).outfits
    with torch.no_grad():
        table = model.embed(catalog.features, catalog.category)

        def scores(outfits: Outfits) -> np.ndarray[Any, Any]:
            """Score of each known user for each outfit, one by one."""
            rows = []
            for k in range(len(outfits)):
                state = model.state(table, outfits.items[k : k + 1], outfits.category[k : k + 1])
                rows.append([float(model.preference(torch.tensor([user]), state)) for user in range(60)])
            return np.array(rows).T

        values: dict[tuple[str, int, int], list[float]] = {}
        for user in range(4):
            mine = (train.users == user).nonzero().flatten()
            posted = (test.positives.users == user).nonzero().flatten()
            others = (posted[:, None] * 10 + torch.arange(10)).flatten()
            ranked = scores(Outfits.cat([test.positives.outfits[posted], wrong[others]]))
            relevant = [1] * len(posted) + [0] * len(others)
            for draw in range(3):
                order = torch.randperm(len(mine), generator=generator(0, "profile", user, draw))
                for size in (2, 20):
                    means = scores(train.outfits[mine[order[:size]]]).mean(axis=1).tolist()
                    for label, temperature in (("average", None), ("weighted_average", 0.2)):
                        weights = np.array(naive_weights(means, 0.0, temperature))
                        auc = roc_auc_score(relevant, weights @ ranked)
                        values.setdefault((label, size, draw), []).append(auc)
    cold = found.result.cold_start
    assert cold is not None
    assert set(cold["strategies"]) == {"average", "weighted_average"}
    for label, sizes in cold["strategies"].items():
        assert set(sizes) == {"2", "20"}
        for size, metrics in sizes.items():
            assert set(metrics) == {"auc", "ndcg"}
            draws = [np.mean(values[label, int(size), draw]) for draw in range(3)]
            assert metrics["auc"]["mean"] == pytest.approx(np.mean(draws), abs=1e-6)
            assert metrics["auc"]["deviation"] == pytest.approx(np.std(draws, ddof=1), abs=1e-6)
            assert metrics["auc"]["deviation"] > 0
    facts = cold["protocol"]
    assert (facts["data"], facts["users"], facts["draws"], facts["seed"]) == (dataset.dataset.digest, 4, 3, 0)


def test_a_user_of_more_liked_outfits_is_served_better(many: Run) -> None:
    asked = {"dataset.users": 12, "profiles": [1, 20], "draws": 10}
    found = evaluate(many, {f"evaluate.cold_start.{key}": value for key, value in asked.items()})["cold_start"]
    for sizes in found["strategies"].values():
        assert 0.5 < sizes["1"]["auc"]["mean"] < sizes["20"]["auc"]["mean"]
        assert sizes["20"]["auc"]["deviation"] < sizes["1"]["auc"]["deviation"]


class Counting(ItemSource):
    """Remembers which items were asked for."""

    def __init__(self, inner: ItemSource) -> None:
        self.inner = inner
        self.asked: list[int] = []

    def crops(self, count: int, generator: Generator) -> Any:
        return None

    def features(self, ids: Tensor, crops: Any) -> Tensor:
        self.asked += ids.tolist()
        return self.inner.features(ids, crops)

    def photos(self, ids: Tensor, crops: Any) -> Tensor:
        raise AssertionError("no photos here")


@pytest.fixture
def trained(tmp_path: Path) -> Run:
    return run(tiny(), out=tmp_path / "runs")


def evaluator(trained: Run, recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> tuple[ColdEvaluator, list[Counting]]:
    """The evaluator of a recipe, and the sources that it reads."""
    sources: list[Counting] = []
    source = Session.source

    def counted(session: Session, *arguments: Any, **more: Any) -> Counting:
        sources.append(Counting(source(session, *arguments, **more)))
        return sources[-1]

    monkeypatch.setattr(Session, "source", counted)
    session = Session(recipe, load_dataset(recipe), "student", Options(out=trained.directory.parent))
    found = session.cold_start(trained.recommender, torch.device("cpu"))
    assert found is not None
    return found, sources


def test_each_item_is_encoded_once_and_nothing_is_changed(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:

    recipe = load_recipe(cold_recipe(profiles=[1, 5], draws=10))
    cold, [source] = evaluator(trained, recipe, monkeypatch)
    model = trained.recommender.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    first = cold.evaluate(model, torch.device("cpu"), QUIET)
    assert len(source.asked) == len(set(source.asked)) > 30
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert cold.evaluate(model, torch.device("cpu"), QUIET) == first


def test_a_profile_does_not_depend_on_which_others_are_evaluated(trained: Run) -> None:
    def found(**changes: Any) -> Any:
        return evaluate(trained, {"evaluate.cold_start": {**unknown, **changes}})["cold_start"]

    both, alone = found(profiles=[3, 5]), found(profiles=[3], strategies=["average"])
    assert both["protocol"] == alone["protocol"]
    assert alone["strategies"] == {"average": {"3": both["strategies"]["average"]["3"]}}
    single = found(draws=1)
    assert single["protocol"]["hash"] != both["protocol"]["hash"]
    assert single["strategies"]["average"]["1"]["auc"]["deviation"] is None


def test_chunks_do_not_change_the_result(trained: Run) -> None:
    def figures(*overrides: str) -> Iterator[float]:
        found = evaluate(trained, [f"evaluate.cold_start={json.dumps(unknown)}", *overrides])["cold_start"]
        for sizes in found["strategies"].values():
            yield from (one["mean"] for metrics in sizes.values() for one in metrics.values())

    assert list(figures()) == pytest.approx(list(figures("evaluate.chunk=7", "evaluate.images=3")), abs=1e-6)


def test_a_finished_run_can_be_evaluated_on_unknown_users(trained: Run, tmp_path: Path) -> None:
    assert trained.result.cold_start is None
    found = run(cold_recipe(), out=tmp_path / "cold")
    again = evaluate(trained, {"evaluate.cold_start": unknown})
    assert again["cold_start"] == found.summary()["cold_start"]
    assert again["test"] == found.result.test
    changed = evaluate(found, ["evaluate.cold_start.draws=2", "evaluate.cold_start.dataset.users=3"])["cold_start"]
    assert (changed["protocol"]["draws"], changed["protocol"]["users"]) == (2, 3)
    assert evaluate(found, ["evaluate.cold_start=null"])["cold_start"] is None
    printed = invoke("evaluate", found.directory)
    assert printed.exit_code == 0
    one = again["cold_start"]["strategies"]["weighted_average"]["5"]["auc"]
    assert f"{one['mean']:.4f} ± {one['deviation']:.4f}" in printed.stdout
    assert again["cold_start"]["protocol"]["hash"] in printed.stdout
    assert "cold start" not in invoke("evaluate", trained.directory).stdout


def test_a_result_without_the_key_can_be_read(trained: Run) -> None:
    path = trained.directory / "result.json"
    facts = json.loads(path.read_text())
    del facts["cold_start"]
    path.write_text(json.dumps(facts))
    assert Run(trained.directory).summary()["cold_start"] is None


def test_other_unknown_users_make_another_run(tmp_path: Path) -> None:
    def directory(**changes: Any) -> Path:
        recipe = load_recipe(cold_recipe(**changes))
        return Session(recipe, load_dataset(recipe), "student", Options(out=tmp_path)).directory.path

    assert directory() == directory()
    names = [directory(), directory(draws=2), directory(dataset={"name": "tiny", "seed": 2, "users": 4})]
    assert len(set(names)) == 3


def test_a_recipe_with_unknown_users_is_the_same_when_it_is_resolved() -> None:
    recipe = load_recipe(cold_recipe())
    assert load_recipe(resolved(recipe)) == recipe
    assert load_recipe(tiny()).evaluate.cold_start is None
    assert resolved(recipe)["evaluate"]["cold_start"]["strategies"][1] == {
        "name": "weighted_average",
        "threshold": 0.0,
        "temperature": 0.2,
    }
    nothing = resolved(load_recipe(tiny()))
    assert nothing["evaluate"]["cold_start"] is None
    path = {"evaluate.cold_start.dataset": {"name": "polyvore_u", "root": "data", "users": 3}}
    given_now = load_recipe(nothing, {**path, "evaluate.cold_start.draws": 2}).evaluate.cold_start
    assert given_now is not None
    assert (given_now.dataset.root, given_now.draws) == (str(Path.cwd() / "data"), 2)
    tuned = load_recipe(cold_recipe(), ["evaluate.cold_start.strategies.weighted_average.temperature=0.5"])
    assert tuned.evaluate.cold_start is not None
    assert [one.name for one in tuned.evaluate.cold_start.strategies] == ["average", "weighted_average"]
    assert tuned.evaluate.cold_start.strategies[1].temperature == 0.5


@pytest.mark.parametrize(
    ("cold", "message"),
    [
        (3, "evaluate.cold_start: must be a mapping or null, not 3"),
        ({"draws": 2}, "evaluate.cold_start.dataset: is missing"),
        ({**unknown, "drwas": 2}, "evaluate.cold_start.drwas: unknown key\n    did you mean 'draws'?"),
        ({**unknown, "profiles": [0]}, "evaluate.cold_start.profiles: must be ≥ 1"),
        ({**unknown, "profiles": []}, "evaluate.cold_start.profiles: at least one is needed"),
        ({**unknown, "profiles": [2, 2]}, "evaluate.cold_start.profiles.1: 2 is there already"),
        ({**unknown, "strategies": []}, "evaluate.cold_start.strategies: at least one is needed"),
        ({**unknown, "strategies": ["average", "average"]}, "strategies.1: 'average' is there already"),
        ({**unknown, "strategies": ["averag"]}, "did you mean 'average'?"),
    ],
)
def test_mistakes_in_the_settings_are_said(cold: Any, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(tiny(evaluate={"cold_start": cold}))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"profiles": [1, 25]}, "user 3 has 24 outfits in train, and a profile of 25 is asked for"),
        ({"dataset": {"name": "tiny"}}, "these are the users that the model is trained on"),
        ({"dataset": {"name": "polyvore_u", "root": "nowhere", "users": 3}}, "no such folder"),
        ({"dataset": {"name": "tiny", "seed": 1, "size": 5}}, "the features have length 5"),
    ],
)
def test_data_that_cannot_be_evaluated_stop_a_run_before_it_starts(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(OutfitrecError) as caught:
        run(cold_recipe(**changes), out=tmp_path / "runs")
    assert message in str(caught.value)
    assert not list(tmp_path.glob("runs/*/*"))


@attrs.frozen
class Given:
    """A dataset that is at hand."""

    dataset: Dataset

    def load(self) -> Dataset:
        return self.dataset


def test_data_that_the_model_cannot_take_are_refused() -> None:
    known, other = (load_dataset(load_recipe(tiny(), {"dataset.seed": seed})) for seed in (0, 1))
    catalog = attrs.evolve(other.catalog, categories=("top", "bottom", "hat"))
    train = other.splits["train"].positives
    wide = Split(Rows(train.users, train.outfits.padded(4)))
    for changes, message in (
        ({"catalog": catalog}, "for the categories top, bottom, shoe, and the dataset has top, bottom, hat"),
        ({"splits": {**other.splits, "train": wide}}, "for outfits of 3 slots, and the dataset has outfits of 4"),
        ({"splits": {"train": other.splits["train"]}}, "the dataset has no outfits in test"),
        ({"digest": known.digest}, "these are the users that the model is trained on"),
    ):
        asked = ColdStartSettings(dataset=Ready(instance=Given(attrs.evolve(other, **changes))), strategies=())
        with pytest.raises(DataError, match=message):
            load_cold(asked, known)


def test_all_users_with_too_few_outfits_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        run(cold_recipe(profiles=[24, 25, 30]), out=tmp_path)
    assert len(caught.value.problems) == 4 * 2


def photo(seed: int) -> bytes:
    """A PNG of random colours."""
    pixels = torch.randint(0, 256, (70, 70, 3), dtype=torch.uint8, generator=Generator().manual_seed(seed))
    file = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def model() -> Model:
    """An untrained model of photos that knows five users."""
    recipe = load_recipe(
        {"name": "r", "image": {"size": 64}, "model": {"encoder": {"name": "alexnet", "weights": "none"}}}
    )
    given = given_without_data(recipe, 5, ("top", "bottom", "shoe"), 3)
    return Model(build_recommender(recipe.model, given).eval(), recipe.model, recipe.image, given)


LIKED = [[photo(1), photo(2)], [photo(3), photo(4), photo(5)]], [["top", "shoe"], ["top", "bottom", "shoe"]]
OFFERED = [[photo(6), photo(7)], [photo(8)], [photo(9), photo(2)]], [["top", "bottom"], ["shoe"], ["bottom", "shoe"]]


@pytest.mark.parametrize(("strategy", "temperature"), [("average", None), ("weighted_average", 0.3)])
def test_a_stored_profile_scores_new_photos(
    model: Model, tmp_path: Path, strategy: str, temperature: float | None
) -> None:
    fields: dict[str, Any] = {"threshold": 0.01} | ({"temperature": temperature} if temperature else {})
    save_file(model.profile_photos(*LIKED, strategy, **fields), tmp_path / "user.safetensors")
    profile = load_file(tmp_path / "user.safetensors")
    scores = model.score_profile(profile, *OFFERED, strategy, **fields)
    means = model.score_photos(range(5), *LIKED).mean(dim=1).tolist()
    weights = naive_weights(means, 0.01, temperature)
    expected = torch.tensor(weights) @ model.score_photos(range(5), *OFFERED)
    torch.testing.assert_close(scores, expected)
    several = {name: torch.stack([tensor, tensor.flip(0)]) for name, tensor in profile.items()}
    both = model.score_profile(several, *OFFERED, strategy)
    assert both.shape == (2, 3)
    torch.testing.assert_close(both[0], scores)


def test_the_weighted_average_is_what_serves_by_default(model: Model) -> None:
    profile = model.profile_photos(*LIKED)
    assert torch.equal(profile["weight"], model.profile_photos(*LIKED, "weighted_average", temperature=0.2)["weight"])
    assert torch.equal(model.score_profile(profile, *OFFERED), model.score_profile(profile, *OFFERED, "average"))


def test_what_cannot_be_served_is_said(model: Model) -> None:
    outfits, words = LIKED
    profile = model.profile_photos(*LIKED)
    for liked, categories, message in (
        ([], [], "no liked outfits"),
        (outfits, words[:1], "2 outfits, and categories of 1"),
        (outfits, [["top", "hat"], words[1]], "photo 1: unknown category 'hat'"),
        ([[b"no photo"]], [["top"]], "photo 0 "),
        ([[]], [[]], "outfit 0: give the bytes of one photo or more"),
    ):
        with pytest.raises(DataError, match=message):
            model.profile_photos(liked, categories)
    for wrong, message in (
        ({"weight": torch.ones(4)}, "the profile is of a model of 4 users, and this one knows 5"),
        ({"anchors": torch.ones(2, 4)}, "no profile of this strategy"),
    ):
        with pytest.raises(DataError, match=message):
            model.score_profile(wrong, *OFFERED)
    with pytest.raises(DataError, match="no outfits to score"):
        model.score_profile(profile, [], [])
    with pytest.raises(UserError, match="did you mean 'weighted_average'"):
        model.profile_photos(*LIKED, "weighted")
    with pytest.raises(UserError, match="temprature: unknown key of cold_start 'weighted_average'"):
        model.score_profile(profile, *OFFERED, temprature=1)


def test_real_users_who_are_unknown_are_served(tmp_path: Path, closet: Path, squeezenet: Path) -> None:
    encoder = {"name": "torchvision", "architecture": "squeezenet1_1", "frozen": True, "weights": str(squeezenet)}
    data = {"name": "polyvore_u", "root": str(closet)}
    recipe = {
        "name": "closet",
        "dataset": {**data, "users": 40},
        "image": {"size": 64},
        "model": {"encoder": encoder},
        "train": {"epochs": 3, "optimizer": {"name": "sgd", "lr": 0.03}, "accelerator": "cpu"},
        "evaluate": {"cold_start": {"dataset": {**data, "users": 12}}},
    }
    found = run(recipe, out=tmp_path)
    cold = found.summary()["cold_start"]
    assert (cold["protocol"]["users"], cold["protocol"]["negatives"]) == (12, "stored random")
    for sizes in cold["strategies"].values():
        assert 0.5 < sizes["5"]["auc"]["mean"] < found.result.test["auc"]
    weighted = cold["strategies"]["weighted_average"]
    assert weighted["1"]["auc"]["mean"] < weighted["5"]["auc"]["mean"]
    hard = evaluate(found, ["evaluate.negatives.set=hard"])["cold_start"]
    assert hard["protocol"]["negatives"] == "stored hard"
    assert hard["strategies"] != cold["strategies"]


def test_the_documented_recipe_and_code_work(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = DOCUMENT.read_text(encoding="utf-8").partition("## Cold starters\n")[2].partition("\n## ")[0]
    text, code = (section.partition(f"```{language}\n")[2].partition("```")[0] for language in ("yaml", "python"))
    (tmp_path / "cold.yaml").write_text(text)
    asked = load_recipe(tmp_path / "cold.yaml").evaluate.cold_start
    assert asked is not None
    written = parse(text, "cold.yaml").value["evaluate"]["cold_start"]
    # What is shown are the defaults.
    assert asked == load_recipe(tiny(), {"evaluate.cold_start.dataset": written["dataset"]}).evaluate.cold_start
    monkeypatch.setattr(outfitrec, "Run", lambda directory: SimpleNamespace(model=model))
    names: dict[str, Any] = {"outfitrec": outfitrec, "liked": LIKED[0], "liked_categories": LIKED[1]}
    exec(code, names | {"outfits": OFFERED[0], "categories": OFFERED[1]}, names)  # noqa: S102  # the document's own
    assert names["scores"].shape == (3,)
