"""Hypothesis profiles, and one state of the random generators for every test.

``fast``, the default, draws few examples and the same ones each time. ``deep`` draws many, new ones each time:
``pytest --hypothesis-profile=deep``, or ``HYPOTHESIS_PROFILE=deep pytest``.
"""

from __future__ import annotations

import os
import random
from typing import Iterator

# One thread of BLAS per worker: workers that each start one thread per core would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings

import minigrad

settings.register_profile("fast", max_examples=20, derandomize=True, deadline=None, database=None,
                          phases=(Phase.explicit, Phase.generate, Phase.shrink),
                          suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors])
settings.register_profile("deep", max_examples=200, deadline=None, print_blob=True,
                          suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


@pytest.fixture(autouse=True)
def same_start() -> Iterator[None]:
    """Every test starts from the same seeds and switches, and leaves recording switched on."""
    random.seed(0)
    np.random.seed(0)
    if hasattr(minigrad, "manual_seed"):
        minigrad.manual_seed(0)
        minigrad.use_deterministic_algorithms(False)  # which tests that call every public function may have switched on
    yield
    assert minigrad.autograd.is_grad_enabled(), "the test left gradient recording switched off"
