"""What is compared: each column of the tables is one library, or one way to use it, and has a process of its own."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
REFERENCE = "torch"  # ratios are to it, and so are losses


class Column(NamedTuple):
    """A library, and how it is used."""

    name: str
    title: str
    library: str  # what is imported
    needs: tuple[str, ...] = ()  # packages without which there is no such column
    hidden: tuple[str, ...] = ()  # packages that its process does not see, as if they were not installed
    compiled: bool = False  # whether steps go through the library's `compile`
    arrays: bool = False  # whether it takes the programs of arrays and functions instead of those written for PyTorch
    ordinary: bool = True  # whether it is measured without --all
    devices: tuple[str, ...] = ("cpu",)

    def missing(self) -> str | None:
        """Why it cannot be measured here, if it cannot."""
        absent = [package for package in (self.library, *self.needs) if importlib.util.find_spec(package) is None]
        return f"{' and '.join(absent)} not installed" if absent else None

    def environment(self, threads: int) -> dict[str, str]:
        """The environment of its process, in which no library has more threads than these."""
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), str(threads))
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {**os.environ, **limits, "PYTHONPATH": path, "JAX_PLATFORMS": "cpu"}


BARE, FAST = ("numba", "scipy"), ("scipy",)
COLUMNS = {column.name: column for column in (
    Column("numpy", "NumPy alone", "minigrad", hidden=BARE),
    Column("fast", "`fast`", "minigrad", needs=("numba",), hidden=FAST),
    Column("compiled", "compiled", "minigrad", hidden=BARE, compiled=True),
    Column("fast_compiled", "compiled `fast`", "minigrad", needs=("numba",), hidden=FAST, compiled=True),
    Column("cupy", "minigrad", "minigrad", needs=("cupy",), devices=("cuda",)),
    Column("torch", "PyTorch", "torch", devices=("cpu", "cuda")),
    Column("torch_compiled", "`torch.compile`", "torch", compiled=True, ordinary=False),
    Column("jax", "JAX, jit", "jax", arrays=True, ordinary=False),
    Column("mygrad", "MyGrad", "mygrad", arrays=True, ordinary=False),
    Column("autograd", "autograd", "autograd", arrays=True, ordinary=False),
)}
