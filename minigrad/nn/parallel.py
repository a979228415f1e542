"""One module on several GPUs: each takes a part of the batch (``DataParallel``).

The parts are those of PyTorch: :func:`scatter` the batch, :func:`replicate` the module, run the replicas in threads with
:func:`parallel_apply`, and :func:`gather` the results. Gradients flow back through all four, and are summed where the module is.
"""

from __future__ import annotations

import contextvars
import threading
import traceback
import warnings
from typing import Any, Sequence

from minigrad import _arrays, autograd
from minigrad._arrays import Device
from minigrad._tensor import Tensor
from minigrad.errors import ArgumentError, DeviceError, InvalidValueError, RuntimeValueError
from minigrad.nn.modules.module import Module
from minigrad.ops.shaping.slicing import cat

__all__ = ["DataParallel", "data_parallel", "gather", "parallel_apply", "replicate", "scatter", "scatter_kwargs"]


def as_devices(devices: Any) -> list[Device]:
    """Devices, their names or numbers of GPUs as devices."""
    return [_arrays.resolve(_arrays.as_device(d)) for d in devices]


def rebuild_sequence(like: Any, items: Any) -> Any:
    """`items` in a sequence of the type of `like`, which may be a named tuple."""
    return type(like)(*items) if hasattr(like, "_fields") else type(like)(items)


# ---------------------------------------------------------------------------------------------------- there and back

def scatter(inputs: Any, target_gpus: Sequence[Any], dim: int = 0) -> list[Any]:
    """`inputs` for each device: tensors, in whatever tuples, lists and dictionaries, are cut along `dim`; the rest is repeated.

    A tensor shorter than the number of devices makes fewer parts.
    """
    devices = as_devices(target_gpus)

    def parts(x: Any) -> list[Any]:
        if isinstance(x, Tensor):
            return [piece.to(device) for piece, device in zip(x.chunk(len(devices), dim), devices)]
        if isinstance(x, (tuple, list)) and x:
            return [rebuild_sequence(x, items) for items in zip(*map(parts, x))]
        if isinstance(x, dict) and x:
            return [type(x)(zip(x, values)) for values in zip(*map(parts, x.values()))]
        return [x for _ in devices]
    return parts(inputs)


def scatter_kwargs(inputs: Any, kwargs: Any, target_gpus: Sequence[Any], dim: int = 0) -> tuple[Any, Any]:
    """:func:`scatter` for the positional and the named arguments of a call: as many of the one as of the other."""
    each = scatter(inputs, target_gpus, dim) if inputs else []
    named = scatter(kwargs, target_gpus, dim) if kwargs else []
    each += [()] * (len(named) - len(each))
    named += [{}] * (len(each) - len(named))
    return tuple(each), tuple(named)


def gather(outputs: Sequence[Any], target_device: Any, dim: int = 0) -> Any:
    """The results of the replicas as one, on `target_device`: tensors are joined along `dim`, scalars make a vector."""
    device = _arrays.as_device(target_device)

    def join(parts: Any) -> Any:
        first = parts[0]
        if isinstance(first, Tensor):
            if all(t.dim() == 0 for t in parts) and dim == 0:
                warnings.warn("Was asked to gather along dimension 0, but all input tensors were scalars; will instead unsqueeze "
                              "and return a vector.", UserWarning, stacklevel=4)
                parts = [t.unsqueeze(0) for t in parts]
            return cat([t.to(device) for t in parts], dim)
        if first is None:
            return None
        if isinstance(first, dict):
            if any(len(part) != len(first) for part in parts):
                raise InvalidValueError("All dicts must have the same number of keys")
            return type(first)((k, join([part[k] for part in parts])) for k in first)
        if isinstance(first, (tuple, list)):
            return rebuild_sequence(first, [join(column) for column in zip(*parts)])
        raise ArgumentError(f"gather: replicas must return tensors, or tuples, lists and dictionaries of them, but one returned "
                            f"{type(first).__name__}")
    return join(list(outputs))


# ---------------------------------------------------------------------------------------------------- replicas

def replicate(network: Module, devices: Sequence[Any], detach: bool = False) -> list[Any]:
    """A copy of `network` on each device, whose parameters are copies too: gradients flow from them to the original's.

    What a replica writes to a buffer in place on the device of the original shows there; on others it is lost.

    Args:
        detach: let no gradient flow.
    """
    modules = list(network.modules())
    replicas = []
    for device in as_devices(devices):
        moved: dict[int, Any] = {}

        def copy_to(t: Any, device: Device = device, known: dict[int, Any] = moved) -> Any:
            if t is None:
                return None
            if id(t) not in known:
                known[id(t)] = t.detach().to(device) if detach else t.to(device)
            return known[id(t)]
        copies: dict[Module, Any] = {}
        for module in modules:
            twin = copies[module] = object.__new__(type(module))
            twin.__dict__.update(module.__dict__)
            twin.__dict__["_parameters"] = {name: copy_to(p) for name, p in module._parameters.items()}
            twin.__dict__["_buffers"] = {name: copy_to(b) for name, b in module._buffers.items()}
        for module in modules:
            copies[module].__dict__["_modules"] = {n: None if m is None else copies[m] for n, m in module._modules.items()}
        replicas.append(copies[network])
    return replicas


def parallel_apply(modules: Sequence[Any], inputs: Sequence[Any], kwargs_tup: Sequence[Any] | None = None,
                   devices: Sequence[Any] | None = None) -> list[Any]:
    """Call each of `modules` with its part of `inputs` and `kwargs_tup`, each in a thread of its own, on its device.

    An exception in one is raised here, with the device in its message. Without `devices`, the module's first parameter says
    where it runs.
    """
    if len(modules) != len(inputs):
        raise AssertionError(f"The number of modules {len(modules)} is not equal to the number of inputs {len(inputs)}")
    named = [{}] * len(modules) if kwargs_tup is None else kwargs_tup
    where: list[Any] = [module_device(m) for m in modules] if devices is None else as_devices(devices)
    results: list[Any] = [None] * len(modules)

    def work(k: int) -> None:
        args = inputs[k] if isinstance(inputs[k], (tuple, list)) else (inputs[k],)
        try:
            with _arrays.on_device(where[k]):
                results[k] = modules[k](*args, **named[k])
        except Exception as error:
            results[k] = Failure(error, k, where[k])
    if len(modules) == 1:
        work(0)
    else:
        threads = [threading.Thread(target=contextvars.copy_context().run, args=(work, k)) for k in range(len(modules))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for result in results:
        if isinstance(result, Failure):
            raise result.with_replica() from result.error
    return results


def module_device(module: Any) -> Device:
    """Where a module's parameters, else its buffers, are."""
    for t in (*module.parameters(), *module.buffers()):
        return t.device  # type: ignore[no-any-return]
    return _arrays.as_device(None)


class Failure:
    """An exception in a replica."""

    def __init__(self, error: Exception, replica: int, device: Device) -> None:
        self.error, self.replica, self.device = error, replica, device

    def with_replica(self) -> Exception:
        """The exception with its replica and device in the message, of the same type where that takes a message."""
        told = "".join(traceback.format_exception(self.error))
        message = (f"Caught {type(self.error).__name__} in replica {self.replica} on device {self.device}: {self.error}\n"
                   f"Original {told}")
        try:
            return type(self.error)(message)
        except Exception:
            return RuntimeError(message)


# ---------------------------------------------------------------------------------------------------- all of it

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
