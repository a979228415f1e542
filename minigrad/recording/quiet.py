"""NumPy without a word: overflow, 1/0 and 0/0 give inf and nan, as in PyTorch, whatever the user has set NumPy to do about them.

NumPy keeps its settings in context variables. What computes with arrays runs in a context of its own in which they are set, so
that nothing has to be set back: a Ctrl-C leaves the user's settings as they are wherever it comes. It costs 0.1 to 0.2 µs;
``with np.errstate(...)`` costs ten times that.
"""

from __future__ import annotations

from contextvars import Context, copy_context
from typing import Any, Callable, TypeVar

import numpy as np

R = TypeVar("R")

QUIET = Context()
QUIET.run(np.seterr, all="ignore")
SILENCE = tuple(QUIET.items())  # NumPy's variables, and their values

# A context for a forward: ``quiet().run(forward, ...)``. A forward needs nothing else of the context it is called in.
quiet = QUIET.copy


def run_quietly(function: Callable[..., R], *args: Any, **settings: Any) -> R:
    """Call `function` in a copy of the current context in which NumPy does not warn."""
    context = copy_context()
    for variable, value in SILENCE:
        context.run(variable.set, value)
    return context.run(function, *args, **settings)
