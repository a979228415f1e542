"""Programs that use autograd as its documentation describes it, run with minigrad and with PyTorch: same values, same errors.

Each takes the library and returns plain Python values; each file holds those of one subject. Where the two libraries differ on
purpose, the program says how, and the difference is a line of the table in docs/differences.md.
"""

import pkgutil
from importlib import import_module

import numpy as np

PROGRAMS = {}
DIFFERENT = {}


def program(function=None, *, different=None):
    """Register `function` as a program. `different` says how minigrad differs from PyTorch in it on purpose."""
    if function is None:
        return lambda function: program(function, different=different)
    name = function.__name__
    assert name not in PROGRAMS, f"there are two programs named {name}"
    PROGRAMS[name] = function
    if different is not None:
        DIFFERENT[name] = different
    return function


def all_programs():
    """Every program by name, and what is said of those that differ."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return PROGRAMS, DIFFERENT


def listed(x):
    if isinstance(x, (tuple, list)):
        return [listed(i) for i in x]
    return x.detach().tolist() if hasattr(x, "detach") else x


def rounded(x):
    return np.round(np.array(listed(x)), 9).tolist()


def leaf(t, v=(1.0, 2.0, 3.0)):
    return t.tensor(list(v), dtype=t.float64, requires_grad=True)


def checkpoints(t):
    return import_module(t.__name__ + ".utils.checkpoint")
