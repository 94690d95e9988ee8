import re
from pathlib import Path
from typing import Any, ClassVar, get_args

import pytest
import torch
from torch import nn

from outfitrec import component, field, given
from outfitrec.core import loading
from outfitrec.core.create import make
from outfitrec.core.loading import Plugins, Policy
from outfitrec.core.outfits import Outfits
from outfitrec.core.step import Batch
from outfitrec.plugins.augmenters.identity import Identity
from outfitrec.plugins.objectives.contrastive import Contrastive

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "plugins.md").read_text()


def test_the_guide_shows_the_example_as_it_is() -> None:
    shown = re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    assert len(shown) == 4
    for file, block in shown:
        assert block in (ROOT / "examples" / "outfitrec-hinge" / file).read_text(), file


def test_the_plugin_file_of_the_guide_works(tmp_path: Path) -> None:
    (source,) = [block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "Softplus" in block]
    (tmp_path / "losses.py").write_text(source)
    plugins = Plugins(Policy(), [])
    plugins.add_file(tmp_path / "losses.py")
    loss = make(plugins.registry, "loss", "losses.py/softplus", scale=2.0)
    # ln(1 + e^0), where the negative scores as the positive.
    torch.testing.assert_close(loss(torch.ones(2), torch.ones(2, 3)), torch.tensor(2.0).log())


def test_the_guide_has_every_state_and_every_variable() -> None:
    variables = re.findall(r'"(OUTFITREC_\w+)"', Path(loading.__file__).read_text())
    assert set(variables) == set(re.findall(r"`(OUTFITREC_\w+)=", TEXT))
    assert set(get_args(loading.State)) == set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))


def test_the_aggregator_works() -> None:
    names: dict[str, Any] = {"component": component, "field": field, "given": given, "nn": nn, "ClassVar": ClassVar}
    (source,) = [block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "class Spread" in block]
    exec(source, names)  # noqa: S102  # the documentation's own code
    aggregator = names["Spread"](size=2, dim=2)
    with torch.no_grad():
        aggregator.space.weight.copy_(torch.eye(2))
        aggregator.space.bias.fill_(5.0)
    items = torch.tensor([[[1.0, 0.0], [3.0, 0.0], [9.0, 9.0]]])
    mask = torch.tensor([[True, True, False]])
    # Two items, each 1 from their mean in the first dimension, whatever the bias and the empty slot.
    assert aggregator(items, mask, torch.zeros(1, 3, dtype=torch.long)).tolist() == [[1.0, 0.0]]
    assert aggregator.fewest == 2


def test_the_augmenter_and_the_contrast_work() -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {"component": component, "torch": torch, "F": torch.nn.functional, "Outfits": Outfits}
    for name in ("EraseFirst", "Alignment"):
        (source,) = [block for block in blocks if f"class {name}" in block]
        exec(source, names)  # noqa: S102  # the documentation's own code
    views = (names["EraseFirst"](), Identity())
    objective = Contrastive(views=views, loss=names["Alignment"](), dim=4)
    outfits = Outfits(torch.tensor([[3, 5], [-1, 6]]), torch.tensor([[0, 1], [-1, 1]]))
    none = torch.empty(0, dtype=torch.long)
    found = objective.extra(Batch(torch.tensor([0, 1]), outfits, none), torch.Generator())
    assert found.items.tolist() == [[-1, 5], [-1, 6], [3, 5], [-1, 6]]
    vectors = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    assert float(objective.loss(vectors, vectors.flip(0))) == pytest.approx(2)
