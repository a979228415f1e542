"""Several modules called at once, each in a thread of its own."""

from __future__ import annotations

import contextvars
import threading
import traceback
from typing import Any, Sequence

from minigrad import _arrays
from minigrad._arrays import Device
from minigrad.nn.parallel.scatter_gather import as_devices

__all__ = ["parallel_apply"]


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
