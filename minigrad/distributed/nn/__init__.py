"""Exchanges that gradients flow through, by the names of ``torch.distributed.nn``."""

from minigrad.distributed.nn.functional import all_gather, all_reduce, all_to_all_single, broadcast, reduce, reduce_scatter

__all__ = ["all_gather", "all_reduce", "all_to_all_single", "broadcast", "reduce", "reduce_scatter"]
