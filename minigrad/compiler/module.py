"""The module that a compiled module is."""

from __future__ import annotations

from typing import Any, Callable, Iterator

from minigrad.nn.modules.module import Module

OWN = frozenset(("_orig_mod", "dynamo_ctx"))  # the attributes that are not those of the module inside


class OptimizedModule(Module):
    """A module that computes what another one does, with recorded calls. Attributes are those of that one, which is
    ``_orig_mod``: its name stands in those of the state dictionary, as in PyTorch."""

    _orig_mod: Module

    def __init__(self, mod: Module, call: Callable[..., Any]) -> None:
        super().__init__()
        self._modules["_orig_mod"] = mod
        self.__dict__["dynamo_ctx"] = call
        del self.__dict__["training"]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.dynamo_ctx(*args, **kwargs)

    @property
    def source(self) -> str:
        """What a replay of the last recording runs; empty where there is none."""
        return getattr(self.dynamo_ctx, "source", "")

    @property
    def training(self) -> bool:
        return self._orig_mod.training

    @training.setter
    def training(self, mode: bool) -> None:
        self._orig_mod.training = mode

    def __getattr__(self, name: str) -> Any:
        if name == "_orig_mod":
            return self.__dict__["_modules"]["_orig_mod"]
        return getattr(self._orig_mod, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "training" or name in OWN:
            object.__setattr__(self, name, value)
        else:
            setattr(self._orig_mod, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._orig_mod, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._orig_mod)})

    def __len__(self) -> int:
        return len(self._orig_mod)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._orig_mod)

    def __getitem__(self, key: Any) -> Any:
        return self._orig_mod[key]  # type: ignore[index]
