"""One module on several GPUs: each takes a part of the batch (``DataParallel``).

The parts are those of PyTorch: :func:`scatter` the batch, :func:`replicate` the module, run the replicas in threads with
:func:`parallel_apply`, and :func:`gather` the results. Gradients flow back through all four, and are summed where the module is.
"""

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from minigrad import _paths
from minigrad.nn.parallel.data_parallel import DataParallel, data_parallel
from minigrad.nn.parallel.parallel_apply import parallel_apply
from minigrad.nn.parallel.replicate import replicate
from minigrad.nn.parallel.scatter_gather import gather, scatter, scatter_kwargs

if _TYPE_CHECKING:
    from minigrad.nn.parallel.distributed import DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel", "gather", "parallel_apply", "replicate", "scatter",
           "scatter_kwargs"]


def __getattr__(name: str) -> _Any:
    """What needs `distributed`, which most programs have no use for."""
    if name == "DistributedDataParallel":
        return _importlib.import_module("minigrad.nn.parallel.distributed").DistributedDataParallel
    return _paths.submodule(__name__, name)
