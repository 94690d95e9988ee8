"""The components of the guide, registered as a plugin file."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
# By kind: name and class of the guide's component.
COMPONENTS = {
    "encoder": ("mean_colour", "MeanColour"),
    "head": ("sphere", "Sphere"),
    "aggregator": ("spread", "Spread"),
    "preference": ("inner", "Inner"),
    "loss": ("softplus", "Softplus"),
    "distiller": ("sign", "Sign"),
    "contrast": ("alignment", "Alignment"),
    "objective": ("small_scores", "SmallScores"),
    "augmenter": ("erase_first", "EraseFirst"),
    "cold_start": ("twin", "Twin"),
    "negatives": ("others", "Others"),
    "dataset": ("styles", "Styles"),
    "metric": ("on_top", "OnTop"),
    "optimizer": ("rmsprop", "RMSprop"),
    "schedule": ("linear", "Linear"),
    "logger": ("best", "Best"),
}


def source() -> str:
    """All that the guide shows of components, as one file with a hook."""
    text = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    section = text[text.index("## A component of each kind") : text.index("## The contract")]
    [softplus] = [one for one in blocks(text) if "class Softplus" in one]
    lines = [
        f"    register.component({kind!r}, {name!r}, ':{cls}', 'of the guide')"
        for kind, (name, cls) in COMPONENTS.items()
    ]
    # The hook of the file is this one.
    mine = softplus.split("@hookimpl")[0]
    hook = "@hookimpl\ndef outfitrec_register(register: Register) -> None:\n" + "\n".join(lines)
    return "\n\n".join([*blocks(section), mine, hook]) + "\n"


def blocks(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def write(folder: Path) -> Path:
    """The plugin file, written into a folder."""
    path = folder / "guide.py"
    path.write_text(source(), encoding="utf-8")
    return path
