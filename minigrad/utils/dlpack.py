"""Tensors to and from other libraries without a copy, by DLPack.

>>> import minigrad as mg
>>> import numpy as np
>>> array = np.arange(3.0)
>>> t = from_dlpack(array)
>>> t[0] = 7.0
>>> array
array([7., 1., 2.])
"""

from __future__ import annotations

import enum

from minigrad.ops.creation import from_dlpack, to_dlpack

__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]


class DLDeviceType(enum.IntEnum):
    """The kinds of devices that ``__dlpack_device__`` names."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
