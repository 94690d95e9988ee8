import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import DRY

# In a process of its own: the checks of shapes in a test session are not for a compiler's eyes.
PROGRAM = """
import json, sys
from outfitrec import run
recipe, out = json.loads(sys.argv[1]), sys.argv[2]
plain, compiled = run(recipe, out=out), run(recipe, ["train.compile=true"], out=out)
apart = plain.directory != compiled.directory
print(json.dumps([plain.result.test["auc"], compiled.result.test["auc"], apart]))
"""


@pytest.mark.slow
def test_a_compiled_model_trains_to_the_same_result(tmp_path: Path, closet: Path) -> None:
    recipe = {
        "name": "compiled",
        "dataset": {"name": "polyvore_u", "root": str(closet), "users": 10},
        "image": {"size": 64},
        "model": {
            "encoder": {
                "name": "alexnet",
                "size": "xs",
                "weights": "none",
                "head": DRY,
            }
        },
        "train": {"epochs": 1, "optimizer": {"name": "sgd", "lr": 0.001}, "accelerator": "cpu"},
    }
    command = [sys.executable, "-c", PROGRAM, json.dumps(recipe), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    plain, compiled, apart = json.loads(done.stdout)
    assert apart
    assert compiled == pytest.approx(plain, abs=0.01)
