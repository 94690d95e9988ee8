"""A small training step is what the engine makes of a recipe."""

import pytest
import torch
from torch import Generator

from outfitrec import Batch, Outfits, RecipeError, UserError
from outfitrec.core.step import NEGATIVE
from outfitrec.plugins.losses.npair import NPair
from outfitrec.plugins.objectives.ranking import Ranking
from outfitrec.testing.steps import batch, recommender, step, teacher
from outfitrec.testing.world import DIM, PIXELS, WORLD


class Again(Ranking):
    """Asks for the pairs' outfits a second time."""

    def extra(self, batch: Batch, generator: Generator) -> Outfits | None:
        return batch.positives


def test_pairs_are_training_positives_of_their_users() -> None:
    train = WORLD.dataset.splits["train"].positives
    known = {
        (user, *items)
        for user, items in zip(train.users.tolist(), map(tuple, train.outfits.items.tolist()), strict=True)
    }
    made = batch(size=8)
    drawn = zip(made.users.tolist(), map(tuple, made.positives.items.tolist()), strict=True)
    assert {(user, *items) for user, items in drawn} <= known


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_scores_are_the_recommenders(shared: bool, masked: bool) -> None:
    made = step(size=5, negatives=3, shared=shared, masked=masked)
    assert made.positive.shape == made.teacher_positive.shape == (5,)
    assert made.negative.shape == made.teacher_negative.shape == (5, 3)
    assert (made.mask is not None) == masked
    drawn = made.batch.drawn
    assert drawn is not None
    row = 2 if shared else 4 * 3 + 2
    state = made.state(NEGATIVE)
    assert isinstance(state, torch.Tensor)
    score = made.recommender.preference(made.users[4:], state[row : row + 1])
    torch.testing.assert_close(made.negative[4, 2], score[0])


def test_a_step_of_outfits_or_items_has_no_users() -> None:
    outfits, items = step(unit="outfit", size=4), step(unit="item", size=4)
    assert (len(outfits.users), len(outfits.batch.positives)) == (0, 4)
    assert (len(items.users), len(items.batch.positives), items.items.shape) == (0, 0, (4, DIM))


def test_objectives_are_asked_for_further_outfits() -> None:
    made = step(Again(loss=NPair(), label="again"), size=4)
    assert torch.equal(made.batch.extra["again"].items, made.batch.positives.items)
    again, first = made.state("again"), made.state("positive")
    assert isinstance(again, torch.Tensor)
    assert isinstance(first, torch.Tensor)
    torch.testing.assert_close(again, first)


def test_a_step_without_a_teacher_says_so() -> None:
    with pytest.raises(RecipeError, match="no teacher"):
        step(taught=False).teacher  # noqa: B018  # the property raises


def test_the_same_seed_makes_the_same_step_and_another_one_another() -> None:
    one, same, other = step(seed=3), step(seed=3), step(seed=4)
    assert torch.equal(one.negative, same.negative)
    assert not torch.equal(one.users, other.users)
    assert not torch.equal(one.positive, other.positive)


def test_the_teacher_is_another_model_than_the_student() -> None:
    made = step()
    assert not torch.allclose(made.positive, made.teacher_positive)


def test_an_encoder_of_photos_sees_photos() -> None:
    made = step(beside={"encoder": {"name": "autoencoder", "latent": 4, "width": 2}}, unit="item", size=3)
    assert made.photos.shape == (3, 3, PIXELS, PIXELS)
    assert made.features.shape == (3, 4)


def test_parts_of_the_model_can_be_replaced() -> None:
    made = recommender({"aggregator": {"name": "set_transformer", "heads": 2}})
    assert type(made.aggregator).__name__ == "SetTransformer"
    with pytest.raises(UserError, match="no_such_part"):
        recommender({"aggregator": "no_such_part"})


def test_making_a_step_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    step()
    assert torch.equal(before, torch.get_rng_state())


def test_the_teachers_table_has_a_row_for_each_item() -> None:
    made = teacher()
    assert made.table.shape == (len(WORLD.catalog), DIM)
    assert not any(one.requires_grad for one in made.recommender.parameters())


@pytest.mark.parametrize(("unit", "size"), [("user", 1), ("pair", 0), ("pair", 10_000)])
def test_what_the_world_has_not_is_refused(unit: str, size: int) -> None:
    with pytest.raises(ValueError, match=f"a step of {size} of the unit {unit!r}"):
        batch(unit, size=size)
