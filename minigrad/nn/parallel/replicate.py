"""A copy of a module on each of several devices."""

from __future__ import annotations

from typing import Any, Sequence

from minigrad._arrays import Device
from minigrad.nn.modules.module import Module
from minigrad.nn.parallel.scatter_gather import as_devices

__all__ = ["replicate"]


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
