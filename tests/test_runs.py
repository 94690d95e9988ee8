import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from tiny import master, student, tiny

from outfitrec.core.checkpoints import Checkpoints
from outfitrec.core.engine import run
from outfitrec.core.errors import RecipeError, RunError, UserError
from outfitrec.core.reevaluate import evaluate
from outfitrec.core.runs import Run


def weights(found: Run) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in found.recommender.state_dict().items()}


def same(one: Run, two: Run) -> bool:
    first, second = weights(one), weights(two)
    assert first.keys() == second.keys()
    return all(torch.equal(first[name], second[name]) for name in first)


def lines(found: Run) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl without the times."""
    text = (found.directory / "metrics.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    return [{key: row[key] for key in ("epoch", "train", "valid", "lr")} for row in rows]


def test_a_run_leaves_what_it_promises(tmp_path: Path) -> None:
    found = run(student(), out=tmp_path)
    files = {str(path.relative_to(found.directory)) for path in found.directory.rglob("*") if path.is_file()}
    assert {
        "recipe.yaml",
        "manifest.json",
        "metrics.jsonl",
        "result.json",
        "model/model.json",
        "model/weights.safetensors",
        "checkpoints/last.json",
        "checkpoints/best.json",
    } <= files
    assert not [name for name in files if Path(name).name.startswith(".")]
    result = found.result
    assert found.trained
    assert set(result.test) == {"auc", "ndcg", "fitb"}
    assert result.test["auc"] > 0.6
    assert result.parameters["total"] == sum(tensor.numel() for tensor in weights(found).values())
    assert [row["epoch"] for row in lines(found)] == [1, 2, 3]
    assert result.training["epochs"] == 3
    assert result.data == {"kind": "tiny"}
    manifest = found.manifest
    assert {"outfitrec", "torch", "torchvision", "python"} <= set(manifest["versions"])
    assert {"dataset/tiny", "distiller/fnd"} <= {
        f"{one['kind']}/{one['name'].rpartition('/')[2]}" for one in manifest["components"]
    }


def test_means_are_means_over_users_and_auc_is_scikit_learns(tmp_path: Path) -> None:
    found = run(tiny(), out=tmp_path)
    values = found.result.per_user
    assert values["user"] == list(range(6))
    for label in ("auc", "ndcg", "fitb"):
        assert found.result.test[label] == pytest.approx(float(np.mean(values[label])))

    from outfitrec.core.engine import load_dataset
    from outfitrec.core.recipe import load_recipe
    from outfitrec.core.seeds import generator
    from outfitrec.plugins.negatives.stored import Stored

    dataset = load_dataset(load_recipe(found.directory / "recipe.yaml"))
    test = dataset.splits["test"]
    model, catalog = found.recommender, dataset.catalog
    assert catalog.features is not None
    wrong = Stored(split=test, catalog=catalog).draw(test.positives, generator(0, "evaluation")).outfits
    with torch.no_grad():
        table = model.embed(catalog.features, catalog.category)
        for user in range(6):
            mine = test.positives.users == user
            good = test.positives.outfits[mine.nonzero().flatten()]
            bad = wrong[mine.repeat_interleave(10).nonzero().flatten()]
            scores, relevant = [], []
            for outfits, liked in ((good, 1), (bad, 0)):
                for k in range(len(outfits)):
                    state = model.state(table, outfits.items[k : k + 1], outfits.category[k : k + 1])
                    scores.append(float(model.preference(torch.tensor([user]), state)))
                    relevant.append(liked)
            assert values["auc"][user] == pytest.approx(roc_auc_score(relevant, scores), abs=1e-6)


def test_the_same_recipe_is_not_trained_again(tmp_path: Path) -> None:
    first = run(tiny(), out=tmp_path)
    stamp = (first.directory / "result.json").stat().st_mtime_ns
    again = run(tiny(), out=tmp_path)
    assert again.directory == first.directory
    assert not again.trained
    assert (first.directory / "result.json").stat().st_mtime_ns == stamp
    forced = run(tiny(), out=tmp_path, force=True)
    assert forced.trained
    assert forced.directory == first.directory
    assert (first.directory / "result.json").stat().st_mtime_ns != stamp


def test_the_directory_depends_on_what_is_computed_alone(tmp_path: Path) -> None:
    base = run(tiny(), out=tmp_path).directory
    assert run(tiny(), ["evaluate.chunk=7", "train.workers=1"], out=tmp_path).directory == base
    assert run(tiny(), ["train.epochs=2"], out=tmp_path).directory != base
    assert run(tiny(), seed=1, out=tmp_path).directory != base
    assert run(tiny(), ["dataset.seed=1"], out=tmp_path).directory != base


def test_a_resolved_recipe_runs_again_as_it_is(tmp_path: Path) -> None:
    first = run(student(), out=tmp_path)
    again = run(first.directory / "recipe.yaml", out=tmp_path)
    assert again.directory == first.directory
    assert not again.trained


def test_seeded_runs_repeat_bit_for_bit(tmp_path: Path) -> None:
    one, two = run(student(), out=tmp_path / "a"), run(student(), out=tmp_path / "b")
    assert same(one, two)
    assert lines(one) == lines(two)
    assert one.result.per_user == two.result.per_user
    other = run(student(), seed=5, out=tmp_path / "a")
    assert not same(one, other)


def test_training_leaves_torchs_generator_alone(tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    run(tiny(), out=tmp_path)
    assert torch.equal(torch.rand(1), expected)


def test_chunks_do_not_change_the_result(tmp_path: Path) -> None:
    one = run(tiny(), out=tmp_path / "a")
    two = run(tiny(), ["evaluate.chunk=5", "evaluate.images=3"], out=tmp_path / "b")
    for label in ("auc", "ndcg", "fitb"):
        assert one.result.per_user[label] == pytest.approx(two.result.per_user[label], abs=1e-6)


def interrupt(recipe: dict[str, Any], out: Path, monkeypatch: pytest.MonkeyPatch, saves: int) -> Path:
    """Run a recipe that is interrupted (as by Ctrl-C) after so many saves of the last checkpoint."""
    save, done = Checkpoints.save, []

    def stop(self: Checkpoints, name: str, state: dict[str, Any]) -> None:
        save(self, name, state)
        done.append(name)
        if done.count("last") == saves:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Checkpoints, "save", stop)
        run(recipe, out=out)
    return next(path for path in out.iterdir() if path.is_dir())


def test_an_interrupted_run_goes_on_only_if_it_is_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(tiny(), tmp_path, monkeypatch, saves=1)
    with pytest.raises(RunError, match="--resume goes on with it, --force starts again"):
        run(tiny(), out=tmp_path)
    assert run(tiny(), out=tmp_path, resume=True).trained


def test_resume_starts_where_there_is_nothing_and_returns_what_is_finished(tmp_path: Path) -> None:
    first = run(tiny(), out=tmp_path, resume=True)
    assert first.trained
    assert not run(tiny(), out=tmp_path, resume=True).trained


def test_a_damaged_checkpoint_is_refused_and_nothing_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = interrupt(tiny(), tmp_path, monkeypatch, saves=1)
    [file] = (directory / "checkpoints").glob("last-*.pt")
    content = file.read_bytes()
    for damaged in (content[:-100], content[:200] + b"x" + content[201:]):
        file.write_bytes(damaged)
        with pytest.raises(RunError, match=r"last-1-0\.pt is damaged"):
            run(tiny(), out=tmp_path, resume=True)
        assert file.read_bytes() == damaged
    file.unlink()
    with pytest.raises(RunError, match=r"last-1-0\.pt is missing"):
        run(tiny(), out=tmp_path, resume=True)
    assert run(tiny(), out=tmp_path, force=True).trained


def test_a_directory_of_another_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = interrupt(tiny(), tmp_path, monkeypatch, saves=1)
    manifest = json.loads((directory / "manifest.json").read_text())
    (directory / "manifest.json").write_text(json.dumps({**manifest, "identity": "other"}))
    with pytest.raises(RunError, match="holds a run of another recipe"):
        run(tiny(), out=tmp_path, resume=True)
    (directory / "manifest.json").write_text("{")
    with pytest.raises(RunError, match=r"manifest\.json cannot be read"):
        run(tiny(), out=tmp_path, resume=True)
    (directory / "manifest.json").unlink()
    with pytest.raises(RunError, match=r"is no run directory: it has no manifest\.json, but"):
        run(tiny(), out=tmp_path, resume=True)


def test_a_resume_on_other_devices_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = interrupt(tiny(), tmp_path, monkeypatch, saves=1)
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["hardware"]["device"] = "cuda"
    (directory / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match="ran on other devices: device cuda → cpu"):
        run(tiny(), out=tmp_path, resume=True)


def test_a_full_disk_leaves_the_last_checkpoint_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(tiny(), out=tmp_path / "whole")
    save, count = torch.save, 0

    def full(state: object, file: Path) -> None:
        nonlocal count
        count += 1
        if count > 3:
            file.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        save(state, file)

    with monkeypatch.context() as patch, pytest.raises(RunError, match="No space left on device"):
        patch.setattr(torch, "save", full)
        run(tiny(), out=tmp_path / "full")
    [directory] = [path for path in (tmp_path / "full").iterdir() if path.is_dir()]
    assert not list(directory.rglob(".*"))
    resumed = run(tiny(), out=tmp_path / "full", resume=True)
    assert same(whole, resumed)


def test_a_run_directory_that_is_damaged_is_refused(tmp_path: Path) -> None:
    found = run(tiny(), out=tmp_path)
    with pytest.raises(UserError, match="no run in"):
        Run(tmp_path / "nowhere")
    content = bytearray((found.directory / "model" / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (found.directory / "model" / "weights.safetensors").write_bytes(content)
    with pytest.raises(RunError, match=r"weights\.safetensors is damaged"):
        _ = Run(found.directory).recommender
    (found.directory / "result.json").write_text("[]")
    with pytest.raises(RunError, match=r"result\.json is damaged"):
        _ = Run(found.directory).result


def test_a_loss_that_is_not_finite_stops_the_run_and_says_what_led_to_it(tmp_path: Path) -> None:
    with pytest.raises(RunError) as error:
        run(tiny(), ["train.optimizer.lr=1e30", "train.optimizer.momentum=0.0"], out=tmp_path)
    text = str(error.value)
    assert "the loss is not finite in epoch 1, step 2 of 9" in text
    assert "learning rate 1e+30" in text
    assert "mean loss of the epoch before that step was" in text
    assert "lower the learning rate" in text


def test_a_term_that_stays_constant_is_a_warning_and_an_error_where_strict(tmp_path: Path) -> None:
    recipe = tiny(objectives=[{"name": "ranking"}, {"name": "dying", "mode": "constant", "label": "still"}])
    [warning] = run(recipe, out=tmp_path).result.warnings
    assert warning == "objective 'still' stayed constant at 1 over 3 epochs"
    with pytest.raises(RunError, match="'still' stayed constant"):
        run(recipe, out=tmp_path, strict=True)


def test_a_distiller_without_false_negatives_is_a_warning(tmp_path: Path) -> None:
    found = run(student(objectives=[{"name": "ranking", "distiller": "never"}]), out=tmp_path)
    [warning] = found.result.warnings
    assert "the distiller found no false negative in the last epoch (share 0.0)" in warning
    assert run(student(), out=tmp_path).result.warnings == ()


def test_a_teacher_that_nobody_listens_to_is_a_warning(tmp_path: Path) -> None:
    [warning] = run(student(objectives=["ranking"]), out=tmp_path).result.warnings
    assert warning == "the recipe has a teacher, and no objective learns from it"


@pytest.mark.parametrize("left", [[], [".manifest.json.abc"], ["manifest.json"], ["manifest.json", "recipe.yaml"]])
def test_a_run_killed_as_it_began_goes_on(tmp_path: Path, left: list[str]) -> None:
    whole = run(tiny(), out=tmp_path / "whole")
    begun = tmp_path / "begun" / whole.directory.name
    begun.mkdir(parents=True)
    for name in left:
        source = whole.directory / name
        (begun / name).write_bytes(source.read_bytes() if source.exists() else b"{")
    assert same(run(tiny(), out=tmp_path / "begun", resume=True), whole)


def test_a_late_mistake_shows_before_the_teacher_is_trained_and_before_anything_is_lost(tmp_path: Path) -> None:
    recipe = student(train={**tiny()["train"], "groups": {"encoder.hat": {"lr": 0.1}}})
    with pytest.raises(RecipeError, match=r"'encoder\.hat' fits no trainable parameter"):
        run(recipe, out=tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_force_spares_a_run_until_the_new_one_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run(student(), out=tmp_path)

    def refuse(*_: object) -> None:
        raise RunError("the teacher failed")

    monkeypatch.setattr("outfitrec.core.engine.run_before", refuse)
    with pytest.raises(RunError, match="the teacher failed"):
        run(student(), out=tmp_path, force=True)
    assert Run(found.directory).result.test == found.result.test


def test_force_removes_nothing_that_is_no_runs(tmp_path: Path) -> None:
    found = run(tiny(), out=tmp_path / "a")
    (tmp_path / "b" / found.directory.name).mkdir(parents=True)
    (tmp_path / "b" / found.directory.name / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match=r"is no run directory: it has no manifest\.json, but thesis\.tex"):
        run(tiny(), out=tmp_path / "b", force=True)


def test_a_folder_for_runs_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "runs"):
        with pytest.raises(UserError, match="is no folder"):
            run(tiny(), out=out)


def test_the_students_name_depends_on_its_teachers_plugins(tmp_path: Path) -> None:
    copy = tmp_path / "tiny.py"
    original = Path(tiny()["plugins"][0]).read_text()
    directories = set()
    for text in (original, original + "\n# another version\n"):
        copy.write_text(text)
        teacher = {**master(), "plugins": [str(copy)]}
        directories.add(run(student(plugins=[str(copy)], teacher=teacher), out=tmp_path / "runs").directory)
    assert len(directories) == 2


def test_the_best_epoch_is_kept_and_patience_ends_training(tmp_path: Path) -> None:
    train = {**tiny()["train"], "epochs": 40, "patience": 2, "optimizer": {"name": "sgd", "lr": 2.0}}
    found = run(tiny(train=train), out=tmp_path)
    values = [row["valid"]["auc"] for row in lines(found)]
    best = int(np.argmax(values))
    assert found.result.training["best_epoch"] == best + 1
    assert len(values) == best + 3
    assert found.result.valid["auc"] == pytest.approx(values[best], abs=1e-6)


def test_parts_of_the_model_have_their_own_learning_rate(tmp_path: Path) -> None:
    train = {**tiny()["train"], "epochs": 1, "groups": {"encoder.layers": {"lr": 0.01}, "preference": {"lr": 0.0}}}
    found = run(tiny(train=train), ["train.lr_batch=8"], out=tmp_path)
    assert sorted(lines(found)[0]["lr"]) == pytest.approx([0.0, 0.02, 0.1])
    with pytest.raises(RecipeError, match=r"'encoder\.hat' fits no trainable parameter"):
        run(tiny(train={**train, "groups": {"encoder.hat": {"lr": 0.1}}}), out=tmp_path)


def test_the_teacher_is_trained_once_keeps_its_seed_and_gets_the_students_data(tmp_path: Path) -> None:
    first = run(student(), ["dataset.seed=3"], out=tmp_path)
    second = run(student(), ["dataset.seed=3"], seed=1, out=tmp_path)
    assert second.directory != first.directory
    [teacher] = tmp_path.glob("master-*")
    facts = json.loads((teacher / "manifest.json").read_text())
    assert facts["role"] == "teacher"
    assert facts["data"] == first.manifest["data"]
    assert first.manifest["role"] == "student"
    other = run(student(), ["dataset.seed=3", "teacher.train.epochs=1"], out=tmp_path)
    assert other.directory != first.directory
    assert len(list(tmp_path.glob("master-*"))) == 2


def test_a_finished_run_can_teach_if_it_knows_the_data(tmp_path: Path) -> None:
    teacher = run(tiny(name="master"), out=tmp_path)
    found = run(student(teacher=str(teacher.directory)), out=tmp_path)
    assert found.result.test["auc"] > 0.6
    with pytest.raises(RecipeError, match="was trained on other data"):
        run(student(teacher=str(teacher.directory)), ["dataset.seed=4"], out=tmp_path)


def test_protocols_differ_where_the_ranked_outfits_do(tmp_path: Path) -> None:
    one = run(tiny(), out=tmp_path).result.protocol
    two = run(tiny(), seed=1, out=tmp_path).result.protocol
    three = run(tiny(), ["evaluate.seed=1"], out=tmp_path).result.protocol
    assert one["hash"] == two["hash"] != three["hash"]
    assert one["ties"] == "neutral"


def test_two_processes_do_not_train_one_run(tmp_path: Path) -> None:
    from filelock import FileLock

    found = run(tiny(), out=tmp_path)
    with FileLock(tmp_path / f".{found.directory.name}.lock"), pytest.raises(RunError, match="another process"):
        run(tiny(), out=tmp_path, force=True)


def test_metrics_are_finite(tmp_path: Path) -> None:
    assert all(math.isfinite(value) for value in run(tiny(), out=tmp_path).result.test.values())


def test_the_teacher_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = run(student(), out="runs")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    teacher = Run(tmp_path / found.directory).teacher
    assert teacher is not None
    assert teacher.result.recipe == "master"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.precision=16-mixed", "'16-mixed' needs a GPU"),
        ("train.accelerator=mps", "this machine has no mps"),
    ],
)
def test_devices_that_are_not_there_are_an_error(tmp_path: Path, override: str, message: str) -> None:
    if "mps" in override and torch.backends.mps.is_available():
        pytest.skip("this machine has mps")
    with pytest.raises(UserError, match=message):
        run(tiny(), [override], out=tmp_path)
    assert not list(tmp_path.glob("tiny-*/*"))


def test_bfloat16_trains(tmp_path: Path) -> None:
    found = run(tiny(), ["train.precision=bf16-mixed"], out=tmp_path)
    assert found.result.test["auc"] > 0.6


def test_a_resume_under_another_recipe_is_refused_and_names_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = interrupt(tiny(), tmp_path, monkeypatch, saves=1)
    before = sorted((path, path.stat().st_mtime_ns) for path in directory.rglob("*"))
    with pytest.raises(RunError, match=rf"{directory.name} is of another recipe.*: train\.optimizer\.lr 0\.05 → 0\.07"):
        run(tiny(), ["train.optimizer.lr=0.07"], out=tmp_path, resume=True)
    assert before == sorted((path, path.stat().st_mtime_ns) for path in directory.rglob("*"))
    assert run(tiny(), ["train.optimizer.lr=0.07"], out=tmp_path).trained
    # There is a run of this recipe now, and the other one is none of its business.
    assert not run(tiny(), ["train.optimizer.lr=0.07"], out=tmp_path, resume=True).trained


def test_what_no_objective_reaches_is_named(tmp_path: Path) -> None:
    found = run(tiny(objectives=[{"name": "contrastive", "views": ["erase", "identity"]}]), out=tmp_path)
    [text] = found.result.warnings
    assert text == "nothing trained preference.user, which the ranking depends on: no objective reaches it"
    assert not run(tiny(), out=tmp_path).result.warnings


def test_other_metrics_need_no_other_selection(tmp_path: Path) -> None:
    found = run(tiny(), out=tmp_path)
    again = evaluate(found, {"evaluate.metrics": ["hit_rate"]})
    assert [label.partition("@")[0] for label in again["test"]] == ["hit_rate", "fitb"]
    with pytest.raises(UserError, match=r"train\.devices: the model is trained already"):
        evaluate(found, ["train.devices=2"])
