"""The memory below a tensor, as programs ask for it: where it is and how large."""

from __future__ import annotations

from typing import Any

from minigrad import _arrays
from minigrad.recording.clock import memory_owner

__all__ = ["UntypedStorage"]


class UntypedStorage:
    """The bytes in which a tensor's elements lie, and perhaps those of others: equal for tensors that share memory.

    >>> import minigrad as mg
    >>> x = mg.ones(2, 3)
    >>> x[1].untyped_storage() == x.untyped_storage(), x.untyped_storage().nbytes()
    (True, 24)
    """

    def __init__(self, array: Any) -> None:
        self._owner = memory_owner(array)

    @property
    def device(self) -> _arrays.Device:
        """Where the bytes are."""
        return _arrays.device_of(self._owner)

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return _arrays.address_of(self._owner)

    def nbytes(self) -> int:
        """How many bytes there are."""
        return int(self._owner.nbytes)

    size = __len__ = nbytes

    def element_size(self) -> int:
        """1: the elements of a storage are its bytes."""
        return 1

    def tolist(self) -> list[int]:
        """The bytes as numbers."""
        return list(_arrays.to_numpy(self._owner).tobytes(order="A"))

    def __getitem__(self, index: int) -> int:
        return self.tolist()[index]

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.nbytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self.data_ptr() == other.data_ptr()

    def __hash__(self) -> int:
        return hash(self.data_ptr())

    def __repr__(self) -> str:
        return f"[minigrad.storage.UntypedStorage(device={self.device}) of size {self.nbytes()}]"
