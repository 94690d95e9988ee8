"""The guide's component of each kind does what it says, and all of them train together."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import guide
import pytest
import torch

import outfitrec
from outfitrec import protocols
from outfitrec.core.create import make
from outfitrec.core.kinds import KINDS
from outfitrec.core.loading import Plugins, Policy
from outfitrec.testing import Report, check_component

TEXT = (guide.ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
Create = Callable[..., Any]


@pytest.fixture(scope="module", name="file")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return guide.write(tmp_path_factory.mktemp("guide"))


@pytest.fixture(scope="module", name="contracts")
def checked(file: Path) -> Report:
    """What the contract kit says of all of them."""
    return check_component(str(file))


@pytest.fixture(name="create")
def creator(file: Path) -> Create:
    """Makes the guide's component of a kind."""
    plugins = Plugins(Policy(), [])
    plugins.add_file(file)

    def create(kind: str, **fields: Any) -> Any:
        return make(plugins.registry, kind, f"guide.py/{guide.COMPONENTS[kind][0]}", **fields)

    return create


def test_each_kind_has_its_section_with_a_component() -> None:
    section = TEXT[TEXT.index("## A component of each kind") : TEXT.index("## The contract")]
    assert re.findall(r"^### (\w+)$", section, re.MULTILINE) == list(KINDS)
    assert set(guide.COMPONENTS) == set(KINDS)
    for _, cls in guide.COMPONENTS.values():
        assert f"@component\nclass {cls}" in TEXT


@pytest.mark.parametrize("kind", KINDS)
def test_the_component_satisfies_the_protocol_of_its_kind(kind: str, create: Create) -> None:
    given = {"encoder": {"dim": 4}, "head": {"dim": 4}, "aggregator": {"dim": 4}, "preference": {"dim": 4, "users": 3}}
    fields: dict[str, Any] = dict(given.get(kind, {}))
    if kind == "cold_start":
        fields["users"] = 3
    if kind == "negatives":
        fields["split"] = create("dataset").load().splits["train"]
    made = create(kind, **fields)
    assert isinstance(made, getattr(protocols, KINDS[kind].protocol.partition(":")[2]))


def test_the_encoder_sees_nothing_but_the_mean_colour(create: Create) -> None:
    encoder = create("encoder", dim=4)
    photos = torch.rand(2, 3, 5, 7)
    torch.testing.assert_close(encoder.features(photos), torch.stack([one.flatten(1).mean(1) for one in photos]))


def test_the_heads_embeddings_have_length_1(create: Create) -> None:
    made = create("head", dim=4).build(6)(torch.randn(5, 6), torch.zeros(5, dtype=torch.long))
    torch.testing.assert_close(made.norm(dim=1), torch.ones(5))


def test_the_preference_broadcasts_as_it_must(create: Create) -> None:
    preference = create("preference", dim=4, users=3)
    state = torch.randn(5, 4)
    table = preference(torch.arange(3)[:, None], state)
    assert table.shape == (3, 5)
    for user in range(3):
        rows = preference(torch.full((5,), user), state)
        torch.testing.assert_close(table[user], rows)
        torch.testing.assert_close(rows, state @ preference.user.weight[user] + preference.bias.weight[user])


def test_the_distiller_knows_but_the_sign_of_the_papers_weight(create: Create) -> None:
    mean, negative = torch.tensor([0.5, -0.5]), torch.tensor([[0.4, 0.6], [0.0, -0.9]])
    assert create("distiller")(mean, negative).tolist() == [[1.0, -1.0], [-1.0, 1.0]]


def test_a_pairs_own_outfits_are_masked_whoever_else_posted_them(create: Create) -> None:
    split = create("dataset", users=3).load().splits["train"]
    posted = split.positives
    # The second user posted what the first one did, in another order.
    items = torch.cat([posted.outfits.items, posted.outfits.items[:2].flip(1)])
    rows = outfitrec.Rows(
        torch.cat([posted.users, torch.tensor([1, 1])]),
        outfitrec.Outfits(items, torch.cat([posted.outfits.category, posted.outfits.category[:2].flip(1)])),
    )
    negatives = create("negatives", split=outfitrec.Split(rows))
    drawn = negatives.draw(rows, torch.Generator().manual_seed(1))
    own = {(int(user), frozenset(outfit)) for user, outfit in zip(rows.users, rows.outfits.items.tolist(), strict=True)}
    for pair, user in enumerate(rows.users.tolist()):
        for column, outfit in enumerate(drawn.outfits.items.tolist()):
            assert bool(drawn.mask[pair, column]) == ((user, frozenset(outfit)) not in own)


def test_each_style_has_posts_of_its_own_in_every_split(create: Create) -> None:
    data = create("dataset", users=3).load()
    seen: set[int] = set()
    for name, count in (("train", 18), ("valid", 6), ("test", 6)):
        rows = data.splits[name].positives
        assert len(rows) == count
        assert torch.equal(rows.outfits.items // 30, rows.users[:, None].expand(-1, 3))
        assert torch.equal(rows.outfits.category, torch.arange(3).expand(count, 3))
        assert not seen & set(rows.outfits.items.flatten().tolist())
        seen |= set(rows.outfits.items.flatten().tolist())


def test_the_metric_is_the_expected_value_over_orders_of_ties(create: Create) -> None:
    scores = torch.tensor([0.9, 0.9, 0.1, 0.5, 0.3, 0.7])
    relevant = torch.tensor([True, False, True, False, True, True])
    user = torch.tensor([4, 4, 4, 7, 7, 9])
    # User 4: one of the two on top; user 7: a negative on top; user 9: no negative.
    assert create("metric")(scores, relevant, user).tolist() == pytest.approx([0.5, 0.0, float("nan")], nan_ok=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_component_keeps_to_the_contract_of_its_kind(kind: str, contracts: Report) -> None:
    found = [one for one in contracts.results if one.subject.startswith(f"{kind}/")]
    assert [one for one in found if one.state == "passed"]
    assert [str(one) for one in found if not one.ok] == []


def test_all_of_them_train_together_and_learn(file: Path, tmp_path: Path) -> None:
    own = {kind: f"guide.py/{name}" for kind, (name, _) in guide.COMPONENTS.items()}
    features = {"name": "features", "size": 8, "head": own["head"]}
    short = {"batch": 12, "accelerator": "cpu", "optimizer": {"name": own["optimizer"], "lr": 0.01}}
    recipe = {
        "name": "guide",
        "plugins": [str(file)],
        "teacher": {
            "name": "guide-teacher",
            "plugins": [str(file)],
            "model": {"dim": 8, "encoder": {"name": "features", "size": 8}, "aggregator": "mean"},
            "train": {**short, "epochs": 2},
        },
        "dataset": own["dataset"],
        "model": {
            "dim": 8,
            "encoder": features,
            "aggregator": {"name": own["aggregator"], "size": 8},
            "preference": own["preference"],
        },
        "negatives": own["negatives"],
        "objectives": [
            {"name": "ranking", "loss": own["loss"], "distiller": own["distiller"]},
            {"name": "contrastive", "weight": 0.1, "loss": own["contrast"], "views": [own["augmenter"], "erase"]},
            own["objective"],
        ],
        "train": {**short, "epochs": 12, "schedule": own["schedule"]},
        "evaluate": {
            "metrics": ["auc", own["metric"]],
            "negatives": {"name": "random_mix", "share": "pair", "count": 10},
            "cold_start": {
                "dataset": {"name": own["dataset"], "seed": 1},
                "strategies": [own["cold_start"]],
                "profiles": [1],
                "draws": 2,
            },
        },
        "loggers": [own["logger"]],
    }
    run = outfitrec.run(recipe, out=tmp_path)
    assert run.result.warnings == ()
    assert run.result.test["auc"] > 0.6
    assert 0 <= run.result.test["on_top"] <= 1
    assert run.result.cold_start is not None
    assert "twin" in str(run.result.cold_start)
    assert (run.directory / "metrics.jsonl").read_text().count("small_scores.largest") == 12
    assert "valid/auc" in (run.directory / "best.txt").read_text()
