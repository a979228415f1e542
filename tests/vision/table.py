"""Writes ``models.json``, where torchvision is installed: ``python -m tests.vision.table``.

For each model: how many entries its state has, and a digest of their names, dtypes and shapes.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from pathlib import Path
from typing import Any

from minigrad.vision import models

FILE = Path(__file__).with_name("models.json")


def fingerprint(state: Any) -> list[Any]:
    """The number of entries of a state, and the beginning of the SHA-256 of their names, dtypes and shapes."""
    lines = [f"{name} {str(value.dtype).rpartition('.')[2]} {tuple(value.shape)}\n" for name, value in state.items()]
    return [len(lines), hashlib.sha256("".join(lines).encode()).hexdigest()[:16]]


def main() -> None:
    """Ask torchvision, whose models are made without memory."""
    torch, torchvision = importlib.import_module("torch"), importlib.import_module("torchvision")
    table = {}
    for name in models.list_models():
        with torch.device("meta"):
            unwarned = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
            table[name] = fingerprint(torchvision.models.get_model(name, **unwarned).state_dict())
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in table.items())
    FILE.write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
