import re
from typing import Any

import attrs
import pytest
from recipe_fakes import Alexnet, Contrastive, Cosine, Fnd, Npair, Ranking, Sgd, fake_plugins, fake_registry
from torch import nn

from outfitrec.core.component import component
from outfitrec.core.config import Config, components, config_class, create, label, plain
from outfitrec.core.create import make
from outfitrec.core.errors import PluginError, UserError
from outfitrec.core.fields import field, part
from outfitrec.core.recipe import load_recipe
from outfitrec.core.registry import Registration

REGISTRY = fake_registry()
UNKNOWN = "x: unknown key of loss 'npair'"


def registered(cls: type) -> Registration:
    globals()[cls.__name__] = cls
    return Registration("loss", "mine", f"{__name__}:{cls.__name__}", "mine", "their-plugin", "2.0")


def test_a_configuration_has_the_keys_of_its_component() -> None:
    cls: Any = config_class(REGISTRY.get("encoder", "alexnet"))
    assert [one.name for one in attrs.fields(cls)] == ["size", "weights", "dropout"]
    assert (cls.kind, cls.name, cls.component) == ("encoder", "alexnet", Alexnet)
    config = cls(size="m")
    assert (config.size, config.dropout) == ("m", 0.5)
    assert config == cls(size="m") != cls()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        config.size = "s"
    with pytest.raises(ValueError, match="size must be one of large, m, s, xs, not 'xxl'"):
        cls(size="xxl")
    assert cls is config_class(REGISTRY.get("encoder", "alexnet"))


def test_a_component_without_the_methods_of_its_kind_cannot_be_built() -> None:
    @component
    class Silent:
        """A loss that cannot be called."""

    @component
    class Bare(nn.Module):
        """A module without forward."""

    for cls, lacks in ((Silent, "__call__"), (Bare, "forward")):
        with pytest.raises(PluginError, match=rf"loss 'their-plugin/mine': it lacks {lacks}: it is no loss"):
            create(config_class(registered(cls))())


def test_fields_that_no_recipe_can_write() -> None:
    @component
    class Named:
        name: str = field(default="", help="a name")

    @component
    class Odd:
        value: bytes = field(default=b"", help="bytes")

    @component
    class Keyed:
        value: dict[int, str] = field(factory=dict, help="by number")

    @component
    class Unknown:
        value: "Missing" = field(default=1, help="of a type that is not there")  # type: ignore[name-defined] # noqa: F821  # meant

    for cls, message in (
        (Named, "a field cannot be called 'name'"),
        (Odd, "the field 'value' has the type <class 'bytes'>"),
        (Keyed, "the field 'value' has the type dict[int, str]"),
        (Unknown, "the types of its fields cannot be told: NameError"),
    ):
        with pytest.raises(PluginError, match=re.escape(message)) as caught:
            config_class(registered(cls))
        assert "loss 'their-plugin/mine'" in str(caught.value)


def recipe(*objectives: Any, **keys: Any) -> Any:
    return load_recipe({"name": "r", "objectives": list(objectives or ["ranking"]), **keys}, plugins=fake_plugins())


def test_create_builds_the_parts_first() -> None:
    entry = {"name": "ranking", "distiller": {"name": "fnd", "alpha": 3}}
    config = recipe(entry, teacher={"name": "t"}).objectives[0]
    made = create(config, users=3)
    assert isinstance(made, Ranking)
    assert isinstance(made.loss, Npair)
    assert isinstance(made.distiller, Fnd)
    assert made.distiller.alpha == 3
    views = create(recipe("contrastive").objectives[0]).views
    assert [type(view).__name__ for view in views] == ["Erase", "Erase"]
    assert views[0] is not views[1]


def test_create_gives_each_component_what_it_declares() -> None:
    encoder, preference = (recipe().model.encoder, recipe().model.preference)
    assert create(encoder, dim=8, users=3).dim == 8
    assert create(preference, dim=8, users=3).users == 3
    with pytest.raises(TypeError, match=r"preference 'cosine' needs 'users' \(number of users\)"):
        create(preference, dim=8)


def test_plain_is_what_a_recipe_writes() -> None:
    config = recipe("contrastive").objectives[0]
    views = [{"name": "erase", "count": 1}] * 2
    assert plain(config) == {"name": "contrastive", "views": views, "weight": 0.2}
    assert plain(recipe().train.optimizer)["betas"] == [0.9, 0.99]


def test_components_of_a_recipe_and_labels() -> None:
    found = recipe({"name": "ranking", "label": "main"}, "contrastive")
    paths = {path: config.name for path, config in components(found)}
    assert paths["objectives", 0, "loss"] == "npair"
    assert paths["objectives", 1, "views", 1] == "erase"
    assert paths["model", "encoder"] == "alexnet"
    # Dataset, three of the model, two negatives, two objectives, a loss, two views, optimizer, schedule, two metrics.
    assert len(paths) == 15
    assert [label(one) for one in found.objectives] == ["main", "contrastive"]


def test_make_takes_names_mappings_and_instances() -> None:
    ranking = make(REGISTRY, "objective", "ranking", loss=Npair(temperature=3), distiller="fnd", weight=2)
    assert (ranking.loss.temperature, ranking.distiller.alpha, ranking.weight) == (3, 1.25, 2.0)
    assert type(ranking.weight) is float
    nested = make(REGISTRY, "objective", "ranking", loss={"name": "npair", "temperature": 2})
    assert nested.loss.temperature == 2
    own = object()
    views = make(
        REGISTRY, "objective", "contrastive", views=(own, "erase", recipe("contrastive").objectives[0].views[0])
    )
    assert views.views[0] is own
    assert [type(view).__name__ for view in views.views[1:]] == ["Erase", "Erase"]
    assert isinstance(make(REGISTRY, "objective", "contrastive"), Contrastive)


def test_make_takes_what_the_engine_fills_in() -> None:
    made = make(REGISTRY, "preference", "cosine", users=4, std=2)
    assert isinstance(made, Cosine)
    assert (made.users, made.std) == (4, 2.0)
    with pytest.raises(TypeError, match="needs 'users'"):
        make(REGISTRY, "preference", "cosine")


@pytest.mark.parametrize(
    ("fields", "messages"),
    [
        ({"x": 1}, [UNKNOWN]),
        ({"temprature": 1}, ["temprature: unknown key of loss 'npair'"]),
        ({"temperature": 0}, ["temperature: must be > 0, not 0.0"]),
        ({"temperature": "1"}, ["temperature: must be a number > 0, not '1'"]),
        ({"temperature": Npair()}, ["temperature: must be a number > 0, not Npair(temperature=0.1)"]),
        (
            {"temperature": True, "x": 1},
            ["temperature: must be a number > 0, not true", "x: unknown key of loss 'npair'"],
        ),
    ],
)
def test_make_refuses_what_a_recipe_would(fields: dict[str, Any], messages: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        make(REGISTRY, "loss", "npair", **fields)
    assert [problem.message for problem in caught.value.problems] == messages
    assert {problem.where for problem in caught.value.problems} == {"loss/npair"}


def test_make_and_unknown_names() -> None:
    with pytest.raises(UserError, match="unknown loss 'npar'"):
        make(REGISTRY, "loss", "npar")
    with pytest.raises(UserError, match="loss: unknown loss 'npar'"):
        make(REGISTRY, "objective", "ranking", loss="npar")
    with pytest.raises(UserError, match=r"loss: must be the name of a component \(loss\)"):
        make(REGISTRY, "objective", "ranking", loss=recipe().train.optimizer)
    assert make(REGISTRY, "optimizer", "sgd", betas=(0.1, 0.2)).betas == (0.1, 0.2)
    assert isinstance(make(REGISTRY, "optimizer", "sgd"), Sgd)


def test_config_of_another_kind_does_not_fit() -> None:
    @component
    class Deep:
        inner: Any = part("loss", default="bpr", help="a loss")

    cls = config_class(registered(Deep))
    assert issubclass(cls, Config)
    assert plain(cls()) == {"name": "their-plugin/mine", "inner": "bpr"}
