"""Hypothesis profiles, and one state of the random generators for every test.

``fast``, the default, draws few examples and the same ones each time. ``deep`` draws many, new ones each time:
``pytest --hypothesis-profile=deep``, or ``HYPOTHESIS_PROFILE=deep pytest``.
"""

from __future__ import annotations

import importlib
import os
import random
import signal
from typing import Iterator

# One thread of BLAS per worker: workers that each start one thread per core would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings

import minigrad
from minigrad._arrays import host
from minigrad._tensor import printing

settings.register_profile("fast", max_examples=20, derandomize=True, deadline=None, database=None,
                          phases=(Phase.explicit, Phase.generate, Phase.shrink),
                          suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors])
settings.register_profile("deep", max_examples=200, deadline=None, print_blob=True,
                          suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kernels", choices=("large", "all", "none"), default="large",
                     help="compute by numba's kernels with large arrays, as usual, with arrays of every size, or with none")


def pytest_configure(config: pytest.Config) -> None:
    # A job in the background of a shell ignores Ctrl-C, and so would the programs that tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    host.switch.enabled = config.getoption("--kernels") != "none"
    if config.getoption("--kernels") == "all":
        host.LEAST = host.switch.least = 0


# What functions change for the whole process; options of printing are a dictionary, which has what it had put back.
SETTINGS = {"minigrad._settings": ["_deterministic", "_warn_only", "_warn_always", "_overwrite_params", "_swap_params"],
            "minigrad._types.dtypes": ["_default"], "minigrad.hub": ["_dir"], "minigrad.multiprocessing": ["_strategy"],
            "minigrad.distributed.process_group": ["_world"],
            "minigrad.serialization.options": ["_endianness", "_checksums", "_mmap_flags"]}
AT_FIRST = [(module, name, getattr(module, name)) for path, names in SETTINGS.items()
            for module in [importlib.import_module(path)] for name in names]
PRINTING = dict(printing._options)


@pytest.fixture(autouse=True)
def same_start() -> Iterator[None]:
    """Every test starts from the same seeds and settings, and leaves recording switched on.

    Examples and tests that call every public function change settings, among them those that a test later in the same process
    is about.
    """
    random.seed(0)
    np.random.seed(0)
    minigrad.manual_seed(0)
    for module, name, value in AT_FIRST:
        setattr(module, name, value)
    printing._options.update(PRINTING)
    yield
    assert minigrad.autograd.is_grad_enabled(), "the test left gradient recording switched off"
