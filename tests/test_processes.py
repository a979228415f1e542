"""Several processes work together: what each of them gets, and how all of them end."""

from __future__ import annotations

import pytest

from tests.processes.launching import check, needs_mpi

pytestmark = needs_mpi


@pytest.mark.parametrize("processes", [2, 4])
def test_exchanges(processes: int) -> None:
    told = check(processes, "exchanges.py").splitlines()
    assert sorted(told) == [f"process {rank} has checked everything" for rank in range(processes)]
