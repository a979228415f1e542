"""A module that computes a batch by parts, each on a device."""

from __future__ import annotations

from typing import Any, Sequence

from minigrad import _arrays, autograd
from minigrad._arrays import Device
from minigrad.errors import DeviceError, RuntimeValueError
from minigrad.nn.modules.module import Module
from minigrad.nn.parallel.parallel_apply import parallel_apply
from minigrad.nn.parallel.replicate import replicate
from minigrad.nn.parallel.scatter_gather import as_devices, gather, scatter_kwargs

__all__ = ["DataParallel", "data_parallel"]


def data_parallel(module: Module, inputs: Any, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0,
                  module_kwargs: dict[str, Any] | None = None) -> Any:
    """``module(*inputs, **module_kwargs)``, each device computing its part of the batch; the result is on `output_device`.

    Args:
        device_ids: devices, their names or numbers of GPUs; the module is on the first. None: all GPUs.
        output_device: None: the first of them.
        dim: along which tensors are cut.
    """
    args = inputs if isinstance(inputs, tuple) else () if inputs is None else (inputs,)
    kwargs = {} if module_kwargs is None else module_kwargs
    devices = all_gpus() if device_ids is None else as_devices(device_ids)
    if not devices:
        return module(*args, **kwargs)
    for t in (*module.parameters(), *module.buffers()):
        if t.device != devices[0]:
            raise DeviceError(f"module must have its parameters and buffers on device {devices[0]} (device_ids[0]) but found one "
                              f"of them on device: {t.device}; move it with module.to('{devices[0]}')")
    each, named = scatter_kwargs(args, kwargs, devices, dim)
    if not each:
        each, named = ((),), ({},)
    used = devices[:len(each)]
    if len(used) == 1:
        return module(*each[0], **named[0])
    outputs = parallel_apply(replicate(module, used, not autograd.is_grad_enabled()), each, named, used)
    return gather(outputs, devices[0] if output_device is None else output_device, dim)


def all_gpus() -> list[Device]:
    """All GPUs there are; none where CUDA cannot be used."""
    try:
        gpus = _arrays.library_on(Device("cuda")).gpus
    except DeviceError:
        return []
    return [Device("cuda", k) for k in range(0 if gpus is None else gpus.count())]


class DataParallel(Module):
    """A module computed on several GPUs at once, each of which takes a part of the batch.

    The batch is cut along `dim`, the module copied to each GPU, and the results joined on `output_device`. The gradients of
    the copies are summed in ``module``'s parameters, which are on the first GPU, as is what the first copy writes to buffers
    in place. Without GPUs, or with one, it is the module itself. `device_ids` and `output_device` are numbers of GPUs, names
    or devices.
    """

    def __init__(self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module
        self.dim = dim
        self.device_ids = all_gpus() if device_ids is None else as_devices(device_ids)
        if not self.device_ids and device_ids is not None:
            raise RuntimeValueError("DataParallel: device_ids is empty; None means all GPUs")
        self.output_device = None
        if self.device_ids:
            self.output_device = self.device_ids[0] if output_device is None else as_devices([output_device])[0]
        if len(self.device_ids) == 1:
            self.module.to(self.device_ids[0])

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """``module(*inputs, **kwargs)``, computed by parts."""
        if not self.device_ids:
            return self.module(*inputs, **kwargs)
        return data_parallel(self.module, inputs, self.device_ids, self.output_device, self.dim, kwargs)
