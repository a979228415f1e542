"""One module on several GPUs: each takes a part of the batch (``DataParallel``).

The parts are those of PyTorch: :func:`scatter` the batch, :func:`replicate` the module, run the replicas in threads with
:func:`parallel_apply`, and :func:`gather` the results. Gradients flow back through all four, and are summed where the module is.
"""

from minigrad.nn.parallel.data_parallel import DataParallel, data_parallel
from minigrad.nn.parallel.distributed import DistributedDataParallel
from minigrad.nn.parallel.parallel_apply import parallel_apply
from minigrad.nn.parallel.replicate import replicate
from minigrad.nn.parallel.scatter_gather import gather, scatter, scatter_kwargs

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel", "gather", "parallel_apply", "replicate", "scatter",
           "scatter_kwargs"]
