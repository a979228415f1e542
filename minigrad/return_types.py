"""The types of several results, by the names of the functions that return them.

>>> import minigrad
>>> minigrad.max(minigrad.tensor([[1., 3.]]), 1)
minigrad.return_types.max(
values=tensor([3.]),
indices=tensor([1]))
>>> minigrad.return_types.max
<class 'minigrad.return_types.max'>
"""

from __future__ import annotations

from typing import Any

import minigrad.linalg  # noqa: F401  whose functions' types are among them
from minigrad._types.named_results import TYPES
from minigrad.recording.call import REGISTRY


def __getattr__(name: str) -> Any:
    for function in list(REGISTRY.values()):
        if isinstance(function.info.outputs, tuple) and function.info.called.replace(".", "_") == name:
            return function.info.result_type
    if name in TYPES:
        return TYPES[name]
    raise AttributeError(f"module 'minigrad.return_types' has no attribute {name!r}: no function of that name has named results")


def __dir__() -> list[str]:
    declared = [f.info.called.replace(".", "_") for f in list(REGISTRY.values()) if isinstance(f.info.outputs, tuple)]
    return sorted({*declared, *TYPES})
