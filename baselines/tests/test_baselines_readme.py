"""What the README of the baselines shows is run, on data that is small."""

import re
import shlex
from pathlib import Path

import pytest
import torch
from commands import invoke
from safetensors.torch import load_file, save_file
from torch import Generator
from torchvision.models import squeezenet1_1

import outfitrec
from outfitrec.core.recipe import load_recipe

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
USERS = 4
DATA = f"{{name: synthetic, users: {USERS}, items: 400, pixels: 64, train: 8, valid: 4, test: 4}}"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands(*names: str) -> list[list[str]]:
    """The README's outfitrec commands of these names, as words."""
    text = "\n".join(blocks("sh")).replace("\\\n", " ")
    words = [shlex.split(line, comments=True)[1:] for line in text.splitlines() if line.startswith("outfitrec ")]
    return [one for one in words if one[0] in names]


def done(*words: str | Path) -> str:
    result = invoke(*words)
    assert result.exit_code == 0, result.output
    return result.output


def lpae(path: Path) -> None:
    """Parameters by LPAE's names, for features of 512 numbers, which those of its ResNet-34 are."""
    dim = 128
    square, vector = (dim, dim), (dim,)
    shapes: dict[str, tuple[int, ...]] = {
        "memory.out_proto": (USERS, 64, dim),
        "memory.users": (USERS, 1, dim),
        "memory.trans.0.weight": square,
        "memory.trans.0.bias": vector,
        "visual_encoder.pma.S": (1, 1, dim),
        "visual_encoder.embed.0.weight": (dim, 512),
        **{f"visual_encoder.embed.{end}": vector for end in ("0.bias", "1.weight", "1.bias")},
    }
    for mab in ("encoder.0.mab", "encoder.1.mab", "pma.mab"):
        for part in ("fc_q", "fc_k", "fc_v", "fc_o", "ln0", "ln1"):
            shapes[f"visual_encoder.{mab}.{part}.weight"] = square if part.startswith("fc") else vector
            shapes[f"visual_encoder.{mab}.{part}.bias"] = vector
    draws = Generator().manual_seed(0)
    torch.save({name: torch.randn(shape, generator=draws) for name, shape in shapes.items()}, path)


def test_what_it_lists_and_explains_is_there() -> None:
    for words in commands("ls", "explain"):
        found = done(*words)
        told = ["fhn", "lpae-u", "sce-net"] if words[0] == "ls" else ["anchors", "default", "r_ij = ", "Reference:"]
        assert all(one in found for one in told)


def test_the_commands_that_train_are_valid() -> None:
    shown = [words for words in commands("run") if not any(one.startswith("start=") for one in words)]
    assert len(shown) == 2
    for _, name, *overrides in shown:
        assert load_recipe(name, overrides).name == name


def test_unknown_users_are_served_as_shown(tmp_path: Path) -> None:
    model = ["image.size=64", "model.encoder.weights=none", "train.epochs=0", "train.accelerator=cpu"]
    run = outfitrec.run("type-aware", [f"dataset={DATA}", *model], out=tmp_path).directory
    [(_, _, override)] = commands("evaluate")
    # Of the users whom the README has, in place of photos that are not here.
    other = override.replace("{name: polyvore_u, root: data/polyvore, users: 53}", DATA.replace("}", ", seed: 1}"))
    assert other != override
    assert "impersonal" in done("evaluate", run, other)


def test_a_trained_original_is_evaluated_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lpae(tmp_path / "lpae.pth")
    exec("\n".join(blocks("python")), {})  # noqa: S102  # the README's own code
    [words] = [words for words in commands("run") if any(one.startswith("start=") for one in words)]
    save_file(squeezenet1_1().state_dict(), "network.safetensors")
    # A network of features of the same length that is small.
    network = ["model.encoder.architecture=squeezenet1_1", "model.encoder.weights=network.safetensors"]
    less = ["image.size=64", f"dataset={DATA}", "train.accelerator=cpu"]
    done(*(one for one in words if not one.startswith("dataset.root=")), *network, *less, "--out", "runs")
    [weights] = Path("runs").glob("*/model/*.safetensors")
    found, given = load_file(weights), load_file("lpae.safetensors")
    assert given
    for name, tensor in given.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=0)
    assert {name for name in found if name not in given} == {n for n in found if n.startswith("encoder.backbone.")}


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (Path(__file__).parents[1] / target).exists()
