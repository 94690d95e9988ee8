"""Checkpoints: tensors and plain values, written whole, checked by content when read."""

import json
from pathlib import Path
from typing import Any

import torch

from outfitrec.core.errors import RunError
from outfitrec.core.files import file_digest, whole, write_json


class Checkpoints:
    """The checkpoints of a run, by name (``last``, ``best``).

    ``NAME.json`` points to the file that holds the tensors, and is replaced only after that file is complete: a process
    killed at any moment leaves the previous checkpoint valid. No file is replaced while it is pointed to, as long as a
    name is saved at another epoch or step each time.

    Args:
        folder: Where they are.
        identity: Identity of the run; one of another run is refused.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._folder = folder
        self._identity = identity

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Save ``state`` (tensors, numbers, words, lists and dicts of such) under a name.

        Raises:
            RunError: The disk is full. The checkpoint that was there before stays.
        """
        pointer = self._folder / f"{name}.json"
        place = "-".join(str(state[key]) for key in ("epoch", "step") if key in state)
        file = self._folder / f"{name}-{place}.pt"
        with whole(file) as temporary:
            try:
                torch.save(state, temporary)
            except RuntimeError as error:
                # torch reports a full disk as a RuntimeError of its archive writer.
                raise RunError(f"cannot write {file}: {error}", hint="what was there before is untouched") from error
        write_json(pointer, {"file": file.name, "sha256": file_digest(file), "identity": self._identity})
        # Files left by a process that was killed between the two writes go with the one that was replaced.
        for old in self._folder.glob(f"{name}-*.pt"):
            if old.name != file.name:
                old.unlink(missing_ok=True)

    def load(self, name: str) -> dict[str, Any] | None:
        """The state saved under a name, or None where there is none.

        Raises:
            RunError: It is damaged, or of another run.
        """
        pointer = self._folder / f"{name}.json"
        if not pointer.is_file():
            return None
        hint = "start again with --force, which writes the run directory anew"
        try:
            facts = json.loads(pointer.read_text(encoding="utf-8"))
            file, sha256, identity = self._folder / facts["file"], facts["sha256"], facts["identity"]
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"the checkpoint {pointer} is damaged: {error}", hint=hint) from error
        if identity != self._identity:
            raise RunError(f"the checkpoint {pointer} is of another recipe, other data or other versions", hint=hint)
        if not file.is_file():
            raise RunError(f"the checkpoint {file} is missing", hint=hint)
        if file_digest(file) != sha256:
            raise RunError(f"the checkpoint {file} is damaged: its content is not what was written", hint=hint)
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        return state
