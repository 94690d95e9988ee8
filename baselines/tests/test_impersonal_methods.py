"""Methods that know no users learn what goes together, where there is something to learn."""

from pathlib import Path
from typing import Any

import pytest
from tiny import tiny

from outfitrec import run

STYLES = Path(__file__).parent / "styles.py"
METHODS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "type_aware": ({"name": "type_aware"}, {"name": "triplet", "margin": 0.3}),
    "sce_net": ({"name": "sce_net", "conditions": 5}, {"name": "triplet", "margin": 0.2}),
    "bi_lstm": ({"name": "bi_lstm", "temperature": 1.0}, {"name": "sequence"}),
}


@pytest.mark.parametrize("name", METHODS)
def test_items_of_one_style_are_found_to_go_together(tmp_path: Path, name: str) -> None:
    aggregator, objective = METHODS[name]
    encoder = {"name": "features", "size": 12, "head": "linear"}
    model = {"dim": 16, "encoder": encoder, "aggregator": aggregator, "preference": "compatibility"}
    train = {"epochs": 20, "batch": 16, "optimizer": {"name": "adam", "lr": 0.003}, "accelerator": "cpu"}
    recipe = tiny(plugins=[str(STYLES)], dataset="styles", model=model, objectives=[objective], train=train)
    # A ninth of the random negatives are of one style as well: 0.94 is the most that can be expected.
    assert run(recipe, out=tmp_path).result.test["auc"] > 0.9
