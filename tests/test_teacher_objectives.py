import math
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from taught import (
    DIM,
    ITEMS,
    TEACHER_DIM,
    cosine,
    masks,
    naive_scores,
    normal,
    outfits,
    step,
    taught_state,
    teacher,
    teacher_rows,
)
from tiny import master, student, tiny
from torch import Tensor, nn

from outfitrec.core.checkpoints import Checkpoints
from outfitrec.core.engine import run
from outfitrec.core.errors import RecipeError, RunError
from outfitrec.core.outfits import Outfits
from outfitrec.core.recipe import load_recipe
from outfitrec.core.runs import Run
from outfitrec.core.step import Batch, Step
from outfitrec.plugins.objectives.hint import Hint
from outfitrec.plugins.objectives.rank_distillation import RankDistillation
from outfitrec.plugins.objectives.relational import Relational
from outfitrec.plugins.objectives.score_regression import ScoreRegression
from outfitrec.protocols import Objective

NAMES = ("rank_distillation", "score_regression", "hint", "relational")
Loss = Callable[[Step], Tensor]
seeds = st.integers(0, 2**31)


@given(
    seed=seeds,
    shared=st.booleans(),
    masked=st.booleans(),
    top=st.integers(1, 8),
    discrepancy=st.sampled_from([0.0, 0.1, 2.0]),
)
def test_rank_distillation_is_that_of_a_naive_loop(
    seed: int, shared: bool, masked: bool, top: int, discrepancy: float
) -> None:
    made = step(
        normal(4, DIM, seed=seed),
        normal(6 if shared else 24, DIM, seed=seed + 1),
        shared=shared,
        mask=masks(4, 6, seed) if masked else None,
        seed=seed % 1000,
    )
    total = 0.0
    for pair in naive_scores(made):
        students = [score for score, _ in pair.negative]
        ranked = sorted(pair.negative, key=lambda both: -both[1])[:top]
        weights = []
        for rank, (score, _) in enumerate(ranked):
            weight = math.exp(-rank / 1.5)
            if discrepancy:
                behind = sum(other > score for other in students) - rank
                weight *= math.tanh(max(discrepancy * behind, 0))
            weights.append(weight)
        whole = sum(weights) or 1
        total -= sum(
            weight / whole * math.log(1 / (1 + math.exp(-score / 0.2)))
            for weight, (score, _) in zip(weights, ranked, strict=True)
        )
    objective = RankDistillation(top=top, temperature=0.2, position=1.5, discrepancy=discrepancy)
    assert objective(made).item() == pytest.approx(total / 4, rel=1e-9, abs=1e-12)


def test_the_one_best_negative_of_the_teacher_has_the_weight_one() -> None:
    made = step(normal(1, DIM, seed=1), normal(5, DIM, seed=2))
    best = max(naive_scores(made)[0].negative, key=lambda both: both[1])[0]
    expected = math.log1p(math.exp(-best / 0.1))
    for discrepancy in (0.0, 3.0):
        # Only the negative that the student itself ranks first needs no lesson.
        first = discrepancy and best == max(score for score, _ in naive_scores(made)[0].negative)
        value = RankDistillation(top=1, discrepancy=discrepancy)(made)
        assert value.item() == pytest.approx(0 if first else expected)


def test_a_student_that_ranks_as_the_teacher_has_nothing_to_learn_from_discrepancies() -> None:
    taught = teacher()
    users = taught.recommender
    positive, negative = taught.state(outfits(3, 5)), taught.state(outfits(12, 6))
    assert isinstance(positive, Tensor)
    made = step(positive, negative, taught=taught, model=users)
    assert RankDistillation(discrepancy=1.0)(made).item() == 0
    assert RankDistillation()(made).item() > 0
    assert ScoreRegression()(made).item() == 0
    assert Relational()(made).item() == pytest.approx(0, abs=1e-15)


@given(seed=seeds, shared=st.booleans(), masked=st.booleans())
def test_score_regression_is_the_mean_over_all_scores_that_count(seed: int, shared: bool, masked: bool) -> None:
    made = step(
        normal(4, DIM, seed=seed),
        normal(6 if shared else 24, DIM, seed=seed + 1),
        shared=shared,
        mask=masks(4, 6, seed) if masked else None,
        seed=seed % 1000,
    )
    squares = []
    for pair in naive_scores(made):
        squares += [(mine - theirs) ** 2 for mine, theirs in [pair.positive, *pair.negative]]
    assert ScoreRegression()(made).item() == pytest.approx(sum(squares) / len(squares), rel=1e-9)


@pytest.mark.parametrize(
    "objective", [RankDistillation(top=4), RankDistillation(top=4, discrepancy=0.5), ScoreRegression()]
)
@given(seed=seeds)
def test_masked_negatives_have_no_influence(objective: Loss, seed: int) -> None:
    mask = masks(4, 6, seed)
    mask[1] = False
    positive, negative = normal(4, DIM, seed=seed), normal(24, DIM, seed=seed + 1)
    other = torch.where(mask.view(24, 1), negative, normal(24, DIM, seed=seed + 2)).requires_grad_()
    value = objective(step(positive, other, mask=mask))
    assert torch.equal(value, objective(step(positive, negative, mask=mask)))
    (gradient,) = torch.autograd.grad(value, other)
    assert torch.equal(gradient[~mask.view(24)], torch.zeros_like(gradient[~mask.view(24)]))
    assert gradient.isfinite().all()


@pytest.mark.parametrize("of", ["outfit", "item"])
def test_hint_is_one_minus_the_cosine_of_a_linear_regression(of: str) -> None:
    hint = Hint(of=of, dim=DIM, teacher_dim=TEACHER_DIM).double()
    positive, negative = normal(3, DIM, seed=1), normal(12, DIM, seed=2)
    made = step(positive, negative, mask=masks(3, 4, 3))
    rows: list[tuple[Tensor, Tensor]] = []
    if of == "item":
        rows = [(made.items[k], made.teacher.table[item]) for k, item in enumerate(made.ids.tolist())]
    else:
        table = made.teacher.table
        for state, some in ((positive, outfits(3, 5)), (negative, outfits(12, 6))):
            rows += [(state[k], taught_state(table, some.items[k])) for k in range(len(some))]
    weight, bias = hint.regressor.weight.detach(), hint.regressor.bias.detach()
    values = []
    for mine, theirs in rows:
        guess = [sum(float(weight[j, i] * mine[i]) for i in range(DIM)) + float(bias[j]) for j in range(TEACHER_DIM)]
        values.append(1 - cosine(torch.tensor(guess, dtype=torch.float64), theirs))
    value = hint(made)
    assert value.item() == pytest.approx(sum(values) / len(values), rel=1e-9)
    longer = step(positive, negative, taught=teacher(7 * normal(ITEMS, TEACHER_DIM, seed=91)))
    torch.testing.assert_close(hint(longer), value)
    value.backward()
    assert hint.regressor.weight.grad is not None
    assert hint.regressor.weight.grad.abs().sum() > 0


def test_extra_outfits_are_hinted_too() -> None:
    hint = Hint(dim=DIM, teacher_dim=TEACHER_DIM).double()
    made, views, more = step(normal(3, DIM, seed=1), normal(3, DIM, seed=2)), outfits(2, 7), normal(2, DIM, seed=3)
    before = hint(made)
    made.batch = Batch(made.users, made.batch.positives, made.batch.items, made.batch.drawn, {"views": views})
    made._states = {**made._states, "views": more}
    errors = 1 - torch.cosine_similarity(hint.regressor(more), teacher_rows(made.teacher, views))
    torch.testing.assert_close(hint(made), (before * 6 + errors.sum()) / 8)


def smooth(one: float, two: float) -> float:
    difference = abs(one - two)
    return difference**2 / 2 if difference <= 1 else difference - 0.5


def naive_distance_loss(rows: list[tuple[Tensor, Tensor]]) -> float:
    pairs = list(permutations(rows, 2))
    both = []
    for k in (0, 1):
        distances = [math.dist(one[k].tolist(), two[k].tolist()) for one, two in pairs]
        mean = sum(distances) / len(distances)
        both.append([distance / mean for distance in distances])
    return sum(map(smooth, *both)) / len(pairs)


def naive_angle_loss(rows: list[tuple[Tensor, Tensor]]) -> float:
    values = []
    for triplet in permutations(rows, 3):
        edges = [(one - middle, two - middle) for one, middle, two in zip(*triplet, strict=True)]
        # Where two outfits have one state there is no angle.
        if all(edge.any() for pair in edges for edge in pair):
            values.append(smooth(*(cosine(*pair) for pair in edges)))
    return sum(values) / len(values)


@given(seed=seeds, shared=st.booleans())
def test_relational_is_that_of_naive_loops_over_pairs_and_triplets(seed: int, shared: bool) -> None:
    positive, negative = normal(4, DIM, seed=seed), normal(6 if shared else 8, DIM, seed=seed + 1)
    made = step(positive, negative, shared=shared, seed=seed % 1000)
    drawn = made.batch.drawn
    assert drawn is not None
    rows: dict[frozenset[int], tuple[Tensor, Tensor]] = {}
    for state, some in ((negative, drawn.outfits), (positive, made.batch.positives)):
        for k in reversed(range(len(some))):
            rows[frozenset(some.items[k].tolist())] = state[k], taught_state(made.teacher.table, some.items[k])
    posted = {frozenset(outfit) for outfit in made.batch.positives.items.tolist()}
    distance = naive_distance_loss([*rows.values()])
    angle = naive_angle_loss([rows[outfit] for outfit in posted])
    assert Relational(angle=0.0)(made).item() == pytest.approx(distance, rel=1e-9)
    assert Relational(distance=0.0, angle=1.0)(made).item() == pytest.approx(angle, rel=1e-9)
    assert Relational()(made).item() == pytest.approx(distance + 2 * angle, rel=1e-9)


@given(seed=seeds, scale=st.floats(0.01, 100))
def test_relations_stay_when_embeddings_are_scaled_turned_and_shifted(seed: int, scale: float) -> None:
    taught = teacher()
    turn = torch.linalg.qr(normal(DIM, DIM, seed=seed)).Q[:TEACHER_DIM]
    shift = normal(1, DIM, seed=seed + 1)
    positive, negative = (scale * (teacher_rows(taught, outfits(4, k)) @ turn + shift) for k in (5, 6))
    assert Relational()(step(positive, negative, taught=taught)).item() == pytest.approx(0, abs=1e-18)


def test_an_outfit_that_is_there_twice_counts_once() -> None:
    positive, negative = normal(4, DIM, seed=1), normal(4, DIM, seed=2)
    once = Relational()(step(positive, negative))
    again = outfits(4, 5)
    again = Outfits.cat([again, Outfits(again.items[1:2].flip(1), again.category[1:2].flip(1))])
    twice = step(torch.cat([positive, positive[1:2]]), negative, positives=again)
    torch.testing.assert_close(Relational()(twice), once)


def test_equal_states_leave_gradients_finite() -> None:
    for equal in (2, 4):
        positive, negative = normal(4, DIM, seed=1), normal(4, DIM, seed=2)
        positive[:equal] = positive[0]
        if equal == 4:
            negative[:] = positive[0]
        positive.requires_grad_()
        negative.requires_grad_()
        value = Relational()(step(positive, negative))
        gradients = torch.autograd.grad(value, (positive, negative))
        assert value.isfinite()
        assert all(gradient.isfinite().all() and gradient.abs().max() < 10 for gradient in gradients)


def test_an_angle_without_direction_is_left_out() -> None:
    positive = normal(4, DIM, seed=1)
    positive[1] = positive[0]
    made = step(positive, normal(4, DIM, seed=2))
    rows = list(zip(positive, teacher_rows(made.teacher, made.batch.positives), strict=True))
    expected = naive_angle_loss(rows)
    assert Relational(distance=0.0, angle=1.0)(made).item() == pytest.approx(expected, rel=1e-9)


def test_too_few_outfits_have_no_relations() -> None:
    single = outfits(1, 6)
    positive = normal(1, DIM, seed=1).requires_grad_()
    value = Relational()(step(positive, positive, positives=single))
    assert value.item() == 0
    assert torch.equal(torch.autograd.grad(value, positive)[0], torch.zeros(1, DIM, dtype=torch.float64))


@pytest.mark.parametrize(
    "objective",
    [
        RankDistillation(top=3),
        RankDistillation(top=3, discrepancy=0.5),
        ScoreRegression(),
        Hint(dim=DIM, teacher_dim=TEACHER_DIM).double(),
        Relational(),
    ],
)
def test_gradients_of_the_states_are_those_of_finite_differences(objective: Loss) -> None:
    mask = masks(3, 4, 1)

    def function(positive: Tensor, negative: Tensor) -> Tensor:
        return objective(step(positive, negative, mask=mask))

    inputs = normal(3, DIM, seed=1).requires_grad_(), normal(12, DIM, seed=2).requires_grad_()
    check: Callable[..., bool] = torch.autograd.gradcheck
    assert check(function, inputs)


@pytest.mark.parametrize(
    "objective", [RankDistillation(), ScoreRegression(), Hint(dim=DIM, teacher_dim=TEACHER_DIM), Relational()]
)
def test_no_gradient_reaches_the_teacher(objective: Objective) -> None:
    if isinstance(objective, nn.Module):
        objective.double()
    table = normal(ITEMS, TEACHER_DIM, seed=91).requires_grad_()
    taught = teacher(table)
    negative = normal(12, DIM, seed=2).requires_grad_()
    objective(step(normal(3, DIM, seed=1), negative, taught=taught)).backward()
    assert negative.grad is not None
    assert negative.grad.abs().sum() > 0
    assert table.grad is None
    assert all(parameter.grad is None for parameter in taught.recommender.parameters())


class Pair(NamedTuple):
    one: Tensor
    two: Tensor


class Twice(nn.Module):
    """An aggregator whose state is no vector."""

    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Pair:
        return Pair(items.sum(dim=1), items.sum(dim=1))


@pytest.mark.parametrize("objective", [Hint(dim=DIM, teacher_dim=TEACHER_DIM).double(), Relational()])
def test_states_that_are_no_vectors_are_refused(objective: Loss) -> None:
    positive, negative = normal(3, DIM, seed=1), normal(3, DIM, seed=2)
    made = step(positive, negative)
    made.teacher.recommender.aggregator = Twice()
    with pytest.raises(RecipeError, match="needs a vector for each outfit, and the teacher's aggregator gives several"):
        objective(made)
    made = step(positive, negative)
    made._states = {"positive": Pair(positive, positive), "negative": Pair(negative, negative)}
    with pytest.raises(RecipeError, match="the student's aggregator gives several tensors"):
        objective(made)
    made._states = {"positive": positive[:, None], "negative": negative[:, None]}
    with pytest.raises(RecipeError, match=r"the student's aggregator gives tensors of shape \[6, 1, 8\]"):
        objective(made)


def test_hint_refuses_embeddings_of_another_size() -> None:
    made = step(normal(3, DIM, seed=1), normal(3, DIM, seed=2))
    with pytest.raises(RecipeError, match=r"student's model\.dim, 9, and they have 8 numbers"):
        Hint(dim=DIM + 1, teacher_dim=TEACHER_DIM).double()(made)
    with pytest.raises(RecipeError, match=r"teacher's model\.dim, 9, and they have 6 numbers"):
        Hint(dim=DIM, teacher_dim=9).double()(made)


def test_protocols_are_satisfied() -> None:
    some: list[Objective] = [
        RankDistillation(),
        ScoreRegression(),
        Hint(dim=DIM, teacher_dim=TEACHER_DIM),
        Relational(),
    ]
    assert all(isinstance(one, Objective) for one in some)
    assert all(one.unit == "pair" and one.needs_teacher for one in some)
    assert tuple(one.label for one in some) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_without_a_teacher_is_refused(name: str) -> None:
    with pytest.raises(RecipeError, match=r"objectives\.1: needs a teacher, and there is none"):
        load_recipe(tiny(objectives=["ranking", name]))


def test_hint_is_not_made_without_a_teacher() -> None:
    with pytest.raises(RecipeError, match="'hint' needs a teacher"):
        Hint(dim=DIM, teacher_dim=None)


def small(**changes: Any) -> dict[str, Any]:
    """A teacher with embeddings of another size than the student's."""
    return master(model={**tiny()["model"], "dim": 8}, train={**tiny()["train"], "epochs": 1}, **changes)


@pytest.mark.parametrize("entry", [*NAMES, {"name": "hint", "of": "item"}])
def test_a_run_learns_from_the_teacher_beside_the_ranking(entry: Any, tmp_path: Path) -> None:
    found = run(student(teacher=small(), objectives=["ranking", entry]), out=tmp_path)
    assert not found.result.warnings
    label = entry if isinstance(entry, str) else entry["name"]
    first, last = (found.result.training[key][label] for key in ("first", "figures"))
    assert 0 < last < first
    assert found.result.test["auc"] > 0.6


def regressor(found: Run) -> Tensor:
    state = Checkpoints(found.directory / "checkpoints", found.manifest["identity"]).load("last")
    assert state is not None
    weight: Tensor = state["program"]["terms.hint.regressor.weight"]
    return weight


def test_hints_regressor_is_trained_and_not_served(tmp_path: Path) -> None:
    recipe = student(teacher=small(), objectives=["ranking", "hint"])
    found = run(recipe, out=tmp_path)
    still = run(recipe, ["train.optimizer.lr=1e-30"], out=tmp_path)
    assert regressor(found).shape == (8, 16)
    assert not torch.equal(regressor(found), regressor(still))
    plain = run(student(teacher=small(), objectives=["ranking"]), out=tmp_path)
    assert found.result.parameters == plain.result.parameters
    assert found.recommender.state_dict().keys() == plain.recommender.state_dict().keys()


def test_a_finished_run_tells_hint_its_size(tmp_path: Path) -> None:
    before = run(tiny(**small()), out=tmp_path)
    recipe = student(teacher=str(before.directory), objectives=["ranking", "hint"])
    assert regressor(run(recipe, out=tmp_path)).shape == (8, 16)
    (before.directory / "model" / "model.json").write_text("{}")
    with pytest.raises(RunError, match=r"model\.json is damaged: it says no model\.dim"):
        run(recipe, seed=3, out=tmp_path)
