from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor, nn

from outfitrec.core.augment import Crops
from outfitrec.core.batches import Batches
from outfitrec.core.data import Catalog, Rows, Split
from outfitrec.core.drawn import Drawn
from outfitrec.core.errors import RecipeError
from outfitrec.core.outfits import Outfits
from outfitrec.core.program import Program
from outfitrec.core.recommender import Recommender
from outfitrec.core.step import Batch, Step
from outfitrec.core.teacher import Teacher
from outfitrec.plugins.aggregators.mean import Mean
from outfitrec.plugins.aggregators.set_transformer import SetTransformer
from outfitrec.plugins.distillers.fnd import FND
from outfitrec.plugins.losses.npair import NPair
from outfitrec.plugins.objectives.ranking import Ranking
from outfitrec.plugins.preferences.cosine import Cosine
from outfitrec.protocols import Objective

ITEMS, USERS, DIM = 30, 7, 8
CATALOG = Catalog([f"item {k}" for k in range(ITEMS)], torch.arange(ITEMS) % 3, ("top", "bottom", "shoe"))


class Linear(nn.Module):
    """An encoder of given features that counts the items it is asked for."""

    frozen = True
    photos = False

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, DIM)
        self.asked: list[int] = []

    def features(self, images: Tensor) -> Tensor:
        raise AssertionError("given features need no photos")

    def embed(self, features: Tensor, category: Tensor) -> Tensor:
        self.asked.append(len(features))
        embedded: Tensor = self.layer(features)
        return embedded


class Table:
    def __init__(self) -> None:
        self.rows = torch.randn(ITEMS, 5, generator=Generator().manual_seed(4), dtype=torch.float64)
        self.ids: list[Tensor] = []

    def crops(self, count: int, generator: Generator) -> Crops | None:
        return None

    def features(self, ids: Tensor, crops: Crops | None) -> Tensor:
        self.ids.append(ids)
        return self.rows[ids]

    def photos(self, ids: Tensor, crops: Crops | None) -> Tensor:
        raise AssertionError("nothing here needs photos")


def recommender(seed: int = 0) -> Recommender:
    torch.manual_seed(seed)
    return Recommender(Linear(), SetTransformer(dim=DIM, heads=2), Cosine(dim=DIM, users=USERS)).double()


def outfits(count: int, seed: int, slots: int = 4) -> Outfits:
    draws = Generator().manual_seed(seed)
    items = torch.randint(0, ITEMS, (count, slots), generator=draws)
    empty = torch.rand(count, slots, generator=draws) < 0.3
    empty[:, 0] = False
    return CATALOG.outfits(torch.where(empty, -1, items))


def naive_state(model: Recommender, table: Table, one: Outfits) -> Tensor:
    ids = one.items[0][one.items[0] >= 0]
    items = model.embed(table.rows[ids], CATALOG.category[ids])
    state = model.aggregator(items[None], torch.ones(1, len(ids), dtype=torch.bool), CATALOG.category[ids][None])
    assert isinstance(state, Tensor)
    return state[0]


def naive_score(model: Recommender, table: Table, user: int, one: Outfits) -> Tensor:
    preference = model.preference
    assert isinstance(preference, Cosine)
    return torch.cosine_similarity(preference.user.weight[user], naive_state(model, table, one), dim=0)


@given(seed=st.integers(0, 2**31), pairs=st.integers(1, 4), count=st.integers(1, 4), shared=st.booleans())
def test_a_step_scores_as_a_naive_loop_does(seed: int, pairs: int, count: int, shared: bool) -> None:
    model, table = recommender(), Table()
    program = Program(model, [Ranking(loss=NPair())], table, CATALOG.category, None)
    positives, negatives = outfits(pairs, seed), outfits(count if shared else pairs * count, seed + 1, slots=3)
    users = torch.randint(0, USERS, (pairs,), generator=Generator().manual_seed(seed))
    batch = Batch(users, positives, torch.empty(0, dtype=torch.long), Drawn(negatives, shared))
    step = program.step(batch, 0, Generator())
    for k in range(pairs):
        expected = naive_score(model, table, int(users[k]), positives[k : k + 1])
        torch.testing.assert_close(step.positive[k], expected)
        for j in range(count):
            row = j if shared else k * count + j
            expected = naive_score(model, table, int(users[k]), negatives[row : row + 1])
            torch.testing.assert_close(step.negative[k, j], expected)
    distinct = set(torch.cat([positives.items.flatten(), negatives.items.flatten()]).tolist()) - {-1}
    assert model.encoder.asked[:1] == [len(distinct)]  # type: ignore[attr-defined]  # the encoder of this file
    assert table.ids[0].tolist() == sorted(distinct)


def test_fnd_is_equation_13_with_the_teachers_scores() -> None:
    student, teacher_model, table = recommender(1), recommender(2), Table()
    train = Rows(torch.arange(20) % USERS, outfits(20, 9))
    embedded = teacher_model.embed(table.rows, CATALOG.category).detach()
    teacher = Teacher(teacher_model, embedded, train, USERS, chunk=6)
    program = Program(
        student, [Ranking(loss=NPair(temperature=0.1), distiller=FND(alpha=1.25))], table, CATALOG.category, teacher
    )
    positives, negatives = outfits(3, 5), outfits(4, 6)
    users = torch.tensor([0, 3, 6])
    loss, figures = program(
        Batch(users, positives, torch.empty(0, dtype=torch.long), Drawn(negatives, True)), 0, Generator()
    )
    expected, false = torch.zeros((), dtype=torch.float64), 0
    for k in range(3):
        own = [j for j in range(20) if train.users[j] == users[k]]
        mean = sum(naive_score(teacher_model, table, int(users[k]), train.outfits[j : j + 1]) for j in own) / len(own)
        numerator = (naive_score(student, table, int(users[k]), positives[k : k + 1]) / 0.1).exp()
        denominator = numerator
        for j in range(4):
            weight = 1.25 * (mean - naive_score(teacher_model, table, int(users[k]), negatives[j : j + 1])).detach()
            false += int(weight < 0)
            score = naive_score(student, table, int(users[k]), negatives[j : j + 1])
            denominator = denominator + (weight * score / 0.1).exp()
        expected = expected - (numerator / denominator).log() / 3
    torch.testing.assert_close(loss, expected)
    assert float(figures["ranking.false_negatives"]) == pytest.approx(false / 12)
    loss.backward()
    assert all(parameter.grad is None for parameter in teacher_model.parameters())
    assert all(parameter.grad is not None for parameter in student.parameters())


def test_the_share_of_false_negatives_is_that_of_the_negatives_that_count() -> None:
    table, pairs = Table(), outfits(4, 5)
    embedded = recommender(2).embed(table.rows, CATALOG.category).detach()
    teacher = Teacher(recommender(2), embedded, Rows(torch.arange(20) % USERS, outfits(20, 9)), USERS, chunk=6)
    program = Program(recommender(1), [Ranking(loss=NPair(), distiller=FND())], table, CATALOG.category, teacher)
    users, negatives = torch.tensor([0, 3, 6, 1]), outfits(8, 6)
    score = teacher.score(users, negatives, True)
    false = score > teacher.positive_mean[users][:, None]
    kept = torch.rand(4, 8, generator=Generator().manual_seed(0)) < 0.5
    kept[2] = False
    assert 0 < false[kept].sum() < kept.sum() < kept.numel()
    for mask, share in ((kept, false[kept].double().mean()), (torch.zeros_like(kept), 0.0)):
        batch = Batch(users, pairs, torch.empty(0, dtype=torch.long), Drawn(negatives, True, mask))
        loss, figures = program(batch, 0, Generator())
        assert float(figures["ranking.false_negatives"]) == pytest.approx(float(share))
        loss.backward()
        assert all(bool(torch.isfinite(one.grad).all()) for one in program.parameters() if one.grad is not None)
    assert loss.item() == 0


class Extra(nn.Module):
    """An objective that asks for further outfits and owns a parameter."""

    label, weight, unit, needs_teacher = "extra", 0.5, "pair", False

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones((), dtype=torch.float64))

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return outfits(2, 77, slots=6)

    def forward(self, step: Step) -> Tensor:
        state = step.state("extra")
        assert isinstance(state, Tensor)
        return self.scale * state.sum()


class PerPair:
    def draw(self, pairs: Rows, generator: Generator) -> Drawn:
        return Drawn(CATALOG.outfits(torch.randint(0, ITEMS, (len(pairs), 3), generator=generator)), True)


def split(count: int = 10) -> Split:
    return Split(Rows(torch.arange(count) % USERS, outfits(count, 3)))


def test_an_objective_gets_the_outfits_it_asked_for_in_the_one_encoder_call() -> None:
    model, table, extra = recommender(), Table(), Extra()
    objectives: list[Objective] = [Ranking(loss=NPair()), extra]
    program = Program(model, objectives, table, CATALOG.category, None)
    batches = Batches(split(), PerPair(), objectives, 4, seed=0)
    batch, draws = batches.draw(batches.order(0), 0, 0)
    loss, figures = program(batch, 0, draws)
    assert len(table.ids) == 1
    asked = outfits(2, 77, slots=6)
    expected = torch.stack([naive_state(model, table, asked[k : k + 1]) for k in range(2)]).sum()
    torch.testing.assert_close(figures["extra"], expected.detach())
    torch.testing.assert_close(loss.detach(), figures["ranking"] + 0.5 * figures["extra"])
    assert any(parameter is extra.scale for parameter in program.parameters())


def test_an_epoch_draws_each_pair_once_and_depends_on_seed_epoch_and_step_alone() -> None:
    def draws(seed: int) -> Iterator[Batch]:
        batches = Batches(split(), PerPair(), [Ranking(loss=NPair())], 4, seed)
        for epoch in range(2):
            order = batches.order(epoch)
            for step in range(batches.steps):
                yield batches.draw(order, epoch, step)[0]

    first, again, other = list(draws(1)), list(draws(1)), list(draws(2))
    assert [len(batch.users) for batch in first] == [4, 4, 2] * 2
    for epoch in (first[:3], first[3:]):
        seen = torch.cat([torch.cat([batch.users[:, None], batch.positives.items], 1) for batch in epoch])
        rows = split().positives
        expected = torch.cat([rows.users[:, None], rows.outfits.items], 1)
        assert sorted(seen.tolist()) == sorted(expected.tolist())
    for one, two in zip(first, again, strict=True):
        assert torch.equal(one.users, two.users)
        assert one.drawn is not None
        assert two.drawn is not None
        assert torch.equal(one.drawn.outfits.items, two.drawn.outfits.items)
    assert any(not torch.equal(one.positives.items, two.positives.items) for one, two in zip(first, other, strict=True))


@pytest.mark.parametrize("unit", ["outfit", "item"])
def test_objectives_without_users_draw_outfits_or_items(unit: str) -> None:
    objective = Extra()
    objective.unit = unit
    doubled = Split(Rows(torch.arange(10) % USERS, outfits(5, 3)[torch.arange(10) % 5]))
    batches = Batches(doubled, PerPair(), [objective], 3, seed=0)
    drawn = [batches.draw(batches.order(0), 0, step)[0] for step in range(batches.steps)]
    assert all(batch.drawn is None for batch in drawn)
    if unit == "item":
        everything = set(outfits(5, 3).items.flatten().tolist()) - {-1}
        assert sorted(torch.cat([batch.items for batch in drawn]).tolist()) == sorted(everything)
    else:
        assert sum(len(batch.positives) for batch in drawn) == 5


def test_objectives_of_different_units_are_refused() -> None:
    objective = Extra()
    objective.unit = "item"
    with pytest.raises(RecipeError, match="must draw the same unit"):
        Batches(split(), PerPair(), [objective, Ranking(loss=NPair())], 3, seed=0)


def test_the_mean_aggregator_scores_the_mean_item() -> None:
    model, table = Recommender(Linear(), Mean(), Cosine(dim=DIM, users=USERS)).double(), Table()
    one = outfits(1, 8)
    ids = one.items[0][one.items[0] >= 0]
    expected = model.embed(table.rows[ids], CATALOG.category[ids]).mean(dim=0)
    torch.testing.assert_close(naive_state(model, table, one), expected)
    embedded = model.embed(table.rows, CATALOG.category)
    scores = model.score_rows(embedded, torch.tensor([2]), one)
    torch.testing.assert_close(scores[0], naive_score(model, table, 2, one))
