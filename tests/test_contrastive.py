import math
import re
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import pytest
import torch
from test_step import CATALOG, DIM, ITEMS, USERS, Linear, PerPair, Table, naive_state, outfits, recommender, split
from tiny import tiny
from torch import Generator, Tensor, nn

import outfitrec
from outfitrec.core.batches import Batches
from outfitrec.core.checkpoints import Checkpoints
from outfitrec.core.errors import RecipeError, RunError
from outfitrec.core.neighbours import Neighbours
from outfitrec.core.outfits import Outfits
from outfitrec.core.program import Program
from outfitrec.core.recipe import load_recipe
from outfitrec.core.recommender import Recommender
from outfitrec.core.runs import Run
from outfitrec.core.settings import Recipe
from outfitrec.core.step import Batch
from outfitrec.plugins.augmenters.erase import Erase
from outfitrec.plugins.augmenters.identity import Identity
from outfitrec.plugins.augmenters.replace import Replace
from outfitrec.plugins.contrasts.nt_xent import NTXent
from outfitrec.plugins.contrasts.supervised import Supervised
from outfitrec.plugins.losses.npair import NPair
from outfitrec.plugins.objectives.contrastive import Contrastive
from outfitrec.plugins.objectives.ranking import Ranking
from outfitrec.plugins.preferences.cosine import Cosine
from outfitrec.protocols import Augmenter, Contrast, Objective

DOCUMENT = Path(__file__).parents[1] / "docs" / "compositions.md"
HEAD = [f"terms.contrastive.projection.{layer}.{part}" for layer in (0, 2) for part in ("weight", "bias")]


def recipe(*views: str, **changes: Any) -> dict[str, Any]:
    """The tiny recipe with a contrastive objective beside the ranking."""
    term = {"name": "contrastive", "views": list(views), "weight": 0.2}
    return tiny(**{"objectives": ["ranking", term], **changes})


def similar() -> Replace:
    """Every other item of the category, the next ones first."""
    table = (torch.arange(ITEMS)[:, None] + 3 * torch.arange(1, ITEMS // 3)) % ITEMS
    return Replace(neighbours=Neighbours(CATALOG.names, lambda count: table[:, :count]))


def contrastive(*views: Augmenter, loss: Contrast | None = None) -> Contrastive:
    return Contrastive(loss=loss or NTXent(), views=views or (Erase(), similar()), dim=DIM).double()


def pairs(count: int, seed: int = 3) -> Batch:
    users = torch.randint(0, USERS, (count,), generator=Generator().manual_seed(seed))
    return Batch(users, outfits(count, seed), torch.empty(0, dtype=torch.long))


def saved(found: Run, name: str = "last") -> dict[str, Tensor]:
    """The parameters of a checkpoint."""
    state = Checkpoints(found.directory / "checkpoints", found.manifest["identity"]).load(name)
    assert state is not None
    program: dict[str, Tensor] = state["program"]
    return program


@pytest.mark.parametrize("views", [("erase", "erase"), ("identity", "erase")])
@pytest.mark.parametrize("loss", ["nt_xent", "supervised"])
def test_a_run_trains_the_projection_which_is_not_part_of_the_model(
    tmp_path: Path, views: tuple[str, str], loss: str
) -> None:
    found = outfitrec.run(recipe(*views), [f"objectives.contrastive.loss={loss}"], out=tmp_path)
    training = found.result.training
    figures = training["figures"]
    assert figures["loss"] == pytest.approx(figures["ranking"] + 0.2 * figures["contrastive"])
    assert figures["contrastive"] != training["first"]["contrastive"]
    assert found.result.warnings == ()
    assert set(HEAD) <= saved(found).keys()
    assert found.result.parameters == outfitrec.run(tiny(), out=tmp_path).result.parameters
    assert not [name for name in found.recommender.state_dict() if "projection" in name]


def test_the_projection_is_trained_with_the_rest_or_at_a_rate_of_its_own(tmp_path: Path) -> None:
    def parameters(epochs: int, **groups: dict[str, float]) -> dict[str, Tensor]:
        train = {**tiny()["train"], "epochs": epochs, "groups": groups}
        return saved(outfitrec.run(recipe("erase", "erase", train=train), out=tmp_path))

    one, two = parameters(1), parameters(2)
    assert not any(torch.equal(one[name], two[name]) for name in HEAD)
    still = {"objectives.contrastive": {"lr": 0.0}}
    one, two = parameters(1, **still), parameters(2, **still)
    assert all(torch.equal(one[name], two[name]) for name in HEAD)


def test_runs_repeat_bit_for_bit_and_go_on_as_if_never_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = recipe("erase", "erase", train={**tiny()["train"], "checkpoint_steps": 2})
    whole, again = (saved(outfitrec.run(made, out=tmp_path / name)) for name in ("one", "two"))
    save, saves = Checkpoints.save, []

    def stop(self: Checkpoints, name: str, state: dict[str, Any]) -> None:
        save(self, name, state)
        saves.append(name)
        if saves.count("last") == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Checkpoints, "save", stop)
        outfitrec.run(made, out=tmp_path / "stopped")
    resumed = saved(outfitrec.run(made, out=tmp_path / "stopped", resume=True))
    for other in (again, resumed):
        assert whole.keys() == other.keys()
        assert all(torch.equal(whole[name], other[name]) for name in whole)


def test_the_projection_has_the_papers_number_of_parameters() -> None:
    made = outfitrec.create("objective", "contrastive", views=["erase", "erase"], dim=128)
    assert sum(parameter.numel() for parameter in made.parameters()) == 33_024
    assert (made.weight, made.label, made.unit, made.needs_teacher) == (1.0, "contrastive", "pair", False)
    assert isinstance(made.loss, NTXent)
    given = outfitrec.create("objective", "contrastive", views=["erase", similar()], loss="supervised", dim=128)
    assert [type(view) for view in given.views] == [Erase, Replace]
    assert isinstance(given.loss, Supervised)


def naive_projection(term: Contrastive, state: Tensor) -> Tensor:
    first, second = (layer for layer in term.projection if isinstance(layer, nn.Linear))
    hidden = first.weight @ state + first.bias
    return second.weight @ torch.where(hidden > 0, hidden, 0) + second.bias


def naive_loss(views: list[Tensor], temperature: float) -> float:
    """Equations 17 and 18; the views of outfit n are n and n + N."""
    total, half = 0.0, len(views) // 2
    for n, one in enumerate(views):
        scores = [math.exp(float(torch.cosine_similarity(one, other, dim=0)) / temperature) for other in views]
        total -= math.log(scores[(n + half) % len(views)] / (sum(scores) - scores[n]))
    return total / len(views)


def test_the_terms_value_is_that_of_a_naive_computation_and_all_views_join_the_one_encoder_call() -> None:
    model, table, term = recommender(), Table(), contrastive(loss=NTXent(temperature=0.3))
    objectives: list[Objective] = [Ranking(loss=NPair()), term]
    program = Program(model, objectives, table, CATALOG.category, None)
    batches = Batches(split(), PerPair(), objectives, 6, seed=0)
    batch, draws = batches.draw(batches.order(0), 0, 0)
    views = batch.extra["contrastive"]
    assert len(views) == 12
    loss, figures = program(batch, 0, draws)
    assert batch.drawn is not None
    everything = (batch.positives, batch.drawn.outfits, views)
    distinct = set(torch.cat([one.items.flatten() for one in everything]).tolist()) - {-1}
    assert [ids.tolist() for ids in table.ids] == [sorted(distinct)]
    # Replacing brought items of its own.
    assert set(views.items.flatten().tolist()) - set(batch.positives.items.flatten().tolist())
    with torch.no_grad():
        projected = [naive_projection(term, naive_state(model, table, views[k : k + 1])) for k in range(12)]
    assert float(figures["contrastive"]) == pytest.approx(naive_loss(projected, 0.3), rel=1e-9)
    assert loss.item() == pytest.approx(float(figures["ranking"] + figures["contrastive"]), rel=1e-9)
    loss.backward()
    assert all(parameter.grad is not None for parameter in program.parameters())


def test_descending_it_pulls_the_views_of_an_outfit_together() -> None:
    term, batch = contrastive(), pairs(8)
    program = Program(recommender(), [term], Table(), CATALOG.category, None)
    with_views = Batch(batch.users, batch.positives, batch.items, extra={"contrastive": term.extra(batch, Generator())})
    optimizer = torch.optim.Adam((one for one in program.parameters() if one.requires_grad), lr=0.01)
    losses = []
    for _ in range(60):
        loss, _ = program(with_views, 0, Generator())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 0.5 * math.log(15)
    assert losses[-1] < 0.1 * losses[0]


def test_the_users_are_the_labels() -> None:
    seen: list[tuple[Tensor, Tensor, Tensor]] = []

    class Listening:
        def __call__(self, a: Tensor, b: Tensor, label: Tensor | None = None) -> Tensor:
            assert label is not None
            seen.append((a, b, label))
            return Supervised()(a, b, label)

    term = contrastive(Identity(), Erase(), loss=Listening())
    program = Program(recommender(), [term], Table(), CATALOG.category, None)
    batch = pairs(9)
    views = term.extra(batch, Generator())
    with_views = Batch(batch.users, batch.positives, batch.items, extra={"contrastive": views})
    value = program(with_views, 0, Generator())[1]["contrastive"]
    [(a, b, label)] = seen
    assert torch.equal(label, batch.users)
    assert len(label.unique()) < len(label)
    state = program.step(with_views, 0, Generator()).state("contrastive")
    assert isinstance(state, Tensor)
    torch.testing.assert_close(a, term.projection(state[:9]))
    torch.testing.assert_close(b, term.projection(state[9:]))
    torch.testing.assert_close(value, Supervised()(a, b, batch.users).detach())


def altered(term: Contrastive, batch: Batch, seed: int) -> tuple[Tensor, Tensor]:
    """The slots that either view has altered."""
    items = term.extra(batch, Generator().manual_seed(seed)).items
    first, second = items.chunk(2)
    return first != batch.positives.items, second != batch.positives.items


def test_identical_augmenters_alter_different_items_and_others_may_alter_the_same() -> None:
    batch = pairs(200)
    several = batch.positives.mask.sum(dim=1) > 1
    first, second = altered(contrastive(Erase(), Erase()), batch, 0)
    assert torch.equal((first | second).sum(dim=1) == 2, several)
    first, second = altered(contrastive(similar(), similar()), batch, 0)
    assert first.any(dim=1).all()
    assert torch.equal(second.any(dim=1), several)
    assert not (first & second).any()
    first, second = altered(contrastive(Erase(), similar()), batch, 0)
    assert torch.equal(first.any(dim=1), several)
    assert second.any(dim=1).all()
    assert (first & second).any()


def test_the_first_view_is_of_the_first_augmenter() -> None:
    batch = pairs(30)
    before = batch.positives.items.clone()
    first, second = altered(contrastive(Identity(), Erase()), batch, 0)
    assert not first.any()
    assert second.any()
    first, second = altered(contrastive(Erase(), Identity()), batch, 0)
    assert first.any()
    assert not second.any()
    assert torch.equal(batch.positives.items, before)


class Pair(NamedTuple):
    items: Tensor
    mask: Tensor


class Unpooled(nn.Module):
    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Pair:
        return Pair(items, mask)


class Score(nn.Module):
    def forward(self, items: Tensor, mask: Tensor, category: Tensor) -> Tensor:
        return items.sum(dim=(1, 2))


@pytest.mark.parametrize(
    ("aggregator", "given"), [(Unpooled(), "several tensors"), (Score(), r"tensors of shape \[8\]")]
)
def test_an_aggregator_without_outfit_embeddings_is_an_error(aggregator: Any, given: str) -> None:
    term = contrastive(Identity(), Erase())
    model = Recommender(Linear(), aggregator, Cosine(dim=DIM, users=USERS)).double()
    batch = pairs(4)
    extra = {"contrastive": term.extra(batch, Generator())}
    program = Program(model, [term], Table(), CATALOG.category, None)
    with pytest.raises(RecipeError, match=f"'contrastive' needs a vector of 8 numbers .* gives {given}"):
        program(Batch(batch.users, batch.positives, batch.items, extra=extra), 0, Generator())


class Emptying:
    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> tuple[Outfits, Tensor]:
        gone = free & (torch.arange(len(outfits)) < 2)[:, None]
        return Outfits(outfits.items.masked_fill(gone, -1), outfits.category.masked_fill(gone, -1)), gone


class Losing:
    def __call__(self, outfits: Outfits, free: Tensor, generator: Generator) -> tuple[Outfits, Tensor]:
        return outfits[1:], free[1:]


def test_an_augmenter_that_breaks_its_protocol_is_an_error_that_names_it() -> None:
    with pytest.raises(RunError, match=r"Emptying \(views.1\) left 2 of 5 outfits without an item"):
        contrastive(Erase(), Emptying()).extra(pairs(5), Generator())
    with pytest.raises(RunError, match=r"'contrastive': the augmenter Losing \(views.0\) made 4 outfits of 5"):
        contrastive(Losing(), Erase()).extra(pairs(5), Generator())


@pytest.mark.parametrize(
    ("views", "message"),
    [
        ([], "objectives.contrastive.views: must be two augmenters, one for each view, not 0"),
        (["erase"], "objectives.contrastive.views: must be two augmenters, one for each view, not 1"),
        (["erase"] * 3, "objectives.contrastive.views: must be two augmenters, one for each view, not 3"),
        (["identity", "identity"], "objectives.contrastive.views: identity twice makes two equal views"),
        (["erase", "replace"], "neighbours: replace takes similar items: set the key 'neighbours'"),
    ],
)
def test_views_that_make_no_sense_are_refused_with_the_recipe(views: list[str], message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe(*views))
    [problem] = caught.value.problems
    assert problem.message.startswith(message)


def test_views_that_make_no_sense_are_refused_without_a_recipe() -> None:
    with pytest.raises(ValueError, match="views: must be two augmenters"):
        Contrastive(loss=NTXent(), views=(Erase(),), dim=DIM)
    with pytest.raises(ValueError, match="views: identity twice"):
        contrastive(Identity(), Identity())


def test_the_recipes_of_the_documentation_are_valid(tmp_path: Path) -> None:
    section = DOCUMENT.read_text(encoding="utf-8").partition("## Contrastive learning\n")[2].partition("\n## ")[0]
    first, second = re.findall(r"```yaml\n(.*?)```", section, flags=re.DOTALL)
    file = tmp_path / "mine.yaml"
    file.write_text(first + dedent(second))
    recipe = load_recipe(file)
    term = recipe.objectives[1]
    assert (term.name, term.weight, [view.name for view in term.views]) == ("contrastive", 0.2, ["erase", "erase"])
    assert isinstance(recipe.neighbours, Recipe)
    assert recipe.neighbours.model.encoder.frozen


def test_the_protocol_is_satisfied() -> None:
    made: Objective = contrastive()
    assert isinstance(made, Objective)
