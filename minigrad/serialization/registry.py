"""What users add: classes and functions that files may refer to, and devices that storages go to and come from."""

from __future__ import annotations

from typing import Any, Callable

from minigrad import _arrays
from minigrad._tensor.storage import TypedStorage, UntypedStorage

__all__ = ["add_safe_globals", "clear_safe_globals", "default_restore_location", "get_safe_globals", "location_tag",
           "normalize_storage_type", "register_package", "safe_globals", "validate_cuda_device"]

# ---------------------------------------------------------------------------------------------------- names

_added: dict[tuple[str, str], Any] = {}


def entry_of(allowed: Any) -> tuple[tuple[str, str], Any]:
    """The name and the object of what :func:`add_safe_globals` was given."""
    if isinstance(allowed, tuple):
        allowed, path = allowed
        module, _, name = path.rpartition(".")
        return (module, name), allowed
    return (allowed.__module__, allowed.__qualname__), allowed


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Allow files to hold instances of these classes, or results of these functions, whose code is trusted from now on.

    An entry may be a pair of the class or function and the full name that files call it by.

    >>> import fractions, io, minigrad as mg
    >>> file = io.BytesIO()
    >>> mg.save(fractions.Fraction(1, 3), file)
    >>> _ = file.seek(0)
    >>> mg.serialization.add_safe_globals([fractions.Fraction])
    >>> mg.load(file)
    Fraction(1, 3)
    >>> mg.serialization.clear_safe_globals()
    """
    _added.update([entry_of(allowed) for allowed in safe_globals])


def get_safe_globals() -> list[Any]:
    """What :func:`add_safe_globals` has allowed.

    >>> import minigrad as mg
    >>> mg.serialization.get_safe_globals()
    []
    """
    return list(_added.values())


def clear_safe_globals() -> None:
    """Forget what :func:`add_safe_globals` has allowed.

    >>> import minigrad as mg
    >>> mg.serialization.clear_safe_globals()
    """
    _added.clear()


class safe_globals:
    """A block in which files may refer to these classes and functions, as :func:`add_safe_globals` allows it for good.

    >>> import fractions, io, minigrad as mg
    >>> file = io.BytesIO()
    >>> mg.save(fractions.Fraction(1, 3), file)
    >>> _ = file.seek(0)
    >>> with mg.serialization.safe_globals([fractions.Fraction]):
    ...     mg.load(file)
    Fraction(1, 3)
    """

    def __init__(self, safe_globals: list[Any]) -> None:
        self.safe_globals = safe_globals

    def __enter__(self) -> None:
        self.before = dict(_added)
        add_safe_globals(self.safe_globals)

    def __exit__(self, *exc: object) -> None:
        _added.clear()
        _added.update(self.before)


# ---------------------------------------------------------------------------------------------------- devices

Tagger = Callable[[Any], Any]
Deserializer = Callable[[Any, str], Any]


def device_tag(storage: Any) -> str:
    """The name of the device that a storage is on."""
    return str(storage.device)


def deserialize(storage: UntypedStorage, location: str) -> UntypedStorage:
    """A storage on the device of that name."""
    return storage.to(location)


_packages: list[tuple[int, Tagger, Deserializer]] = [(100, device_tag, deserialize)]


def register_package(priority: int, tagger: Tagger, deserializer: Deserializer) -> None:
    """Say how storages of a device of your own are called in files, and brought back to it.

    Args:
        priority: those of a smaller number are asked first; minigrad's own devices have 100.
        tagger: gives the name of the device that a storage is on, or None if it knows nothing of it.
        deserializer: takes a storage in host memory and such a name, and gives the storage on the device, or None likewise.

    >>> import io, minigrad as mg
    >>> def tag(storage):
    ...     return "disk" if storage.nbytes() > 1000 else None
    >>> def bring_back(storage, location):
    ...     return storage if location == "disk" else None
    >>> mg.serialization.register_package(10, tag, bring_back)
    >>> mg.serialization.location_tag(mg.zeros(1000).untyped_storage())
    'disk'
    >>> _ = mg.serialization.registry._packages.pop(0)
    """
    _packages.append((priority, tagger, deserializer))
    _packages.sort(key=lambda entry: entry[0])


def location_tag(storage: TypedStorage | UntypedStorage) -> str:
    """What files call the device that a storage is on.

    >>> import minigrad as mg
    >>> mg.serialization.location_tag(mg.ones(2).untyped_storage())
    'cpu'
    """
    return str(next(tag for _, tagger, _ in _packages if (tag := tagger(storage)) is not None))


def normalize_storage_type(storage_type: type) -> type:
    """The class of storages that has the name of `storage_type`, which may be a subclass of a program's.

    >>> import minigrad as mg
    >>> mg.serialization.normalize_storage_type(mg.UntypedStorage).__name__
    'UntypedStorage'
    """
    return next(known for known in (TypedStorage, UntypedStorage) if issubclass(storage_type, known))


def validate_cuda_device(location: str) -> int:
    """The number of the GPU that files call `location`. Raises ``RuntimeError`` where it is not here.

    >>> import minigrad as mg
    >>> mg.serialization.validate_cuda_device("cuda:77")
    Traceback (most recent call last):
      ...
    minigrad.errors.DeviceError: ...
    """
    return _arrays.resolve(_arrays.as_device(location)).index or 0


def default_restore_location(storage: UntypedStorage, location: str) -> Any:
    """The storage, which is in host memory, where files say `location`. Raises ``RuntimeError`` where that is not here.

    >>> import minigrad as mg
    >>> storage = mg.ones(2).untyped_storage()
    >>> mg.serialization.default_restore_location(storage, "cpu") == storage
    True
    """
    return next(there for _, _, deserializer in _packages if (there := deserializer(storage, location)) is not None)
