"""The order of methods on real photos: slow, since it trains five models."""

from pathlib import Path

import pytest

from benchmarks.closet import METHODS, Bench


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fnd_beats_npair_beats_bpr(tmp_path: Path, closet: Path, squeezenet: Path) -> None:
    bench = Bench(closet, squeezenet, tmp_path)
    auc = {name: bench.run(METHODS[name].recipe, {}, 0).result.test["auc"] for name in ("BPR", "N-pair", "FND")}
    assert auc["FND"] > auc["N-pair"] > auc["BPR"]
    assert auc["N-pair"] >= 0.75
    assert auc["FND"] >= 0.76
