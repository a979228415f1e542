"""The memory below a tensor, as programs ask for it: where it is and how large."""

from __future__ import annotations

import os
from typing import Any

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad.ops import creation
from minigrad.ops.indexing.as_strided import as_vector
from minigrad.recording.clock import memory_owner
from minigrad.recording.inplace import refuse_read_only

__all__ = ["TypedStorage", "UntypedStorage", "is_storage"]


class UntypedStorage:
    """The bytes in which a tensor's elements lie, and perhaps those of others: equal for tensors that share memory.

    >>> import minigrad as mg
    >>> x = mg.ones(2, 3)
    >>> x[1].untyped_storage() == x.untyped_storage(), x.untyped_storage().nbytes()
    (True, 24)
    """

    def __init__(self, array: Any) -> None:
        self._owner = memory_owner(array)

    @classmethod
    def from_file(cls, filename: str | os.PathLike[str], shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """The first `nbytes` bytes of a file, read where they are needed; written to the file too if `shared`.

        Raises ``RuntimeError`` for a file that is too short, unless `shared`, which makes it longer.
        """
        return cls(creation.from_file(filename, shared, nbytes, dtype=dtypes.uint8).array)

    def untyped(self) -> UntypedStorage:
        """The storage itself."""
        return self

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

    def as_vector(self, dtype: dtypes.dtype) -> Any:
        """The array of all the bytes, as elements of `dtype`."""
        return as_vector(self._owner).view(dtype.numpy)

    def to(self, device: Any) -> UntypedStorage:
        """The bytes on `device`: a copy, or these where they are there already."""
        return UntypedStorage(_arrays.to_device(self._owner, _arrays.as_device(device)))

    def cpu(self) -> UntypedStorage:
        """The bytes in host memory."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> UntypedStorage:
        """The bytes on a GPU: the current one, or that of a number or name."""
        return self.to("cuda" if device is None else device)

    def element_size(self) -> int:
        """1: the elements of a storage are its bytes."""
        return 1

    def tolist(self) -> list[int]:
        """The bytes as numbers."""
        return list(_arrays.to_numpy(self._owner).tobytes(order="A"))

    def __getitem__(self, index: Any) -> Any:
        found = self.as_vector(dtypes.uint8)[index]
        return UntypedStorage(_arrays.library_of(found).apart(found)) if isinstance(index, slice) else int(found)

    def __dlpack__(self, **options: Any) -> Any:
        return _arrays.to_dlpack(self.as_vector(dtypes.uint8), **options)

    def __dlpack_device__(self) -> Any:
        return self._owner.__dlpack_device__()

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.nbytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self.data_ptr() == other.data_ptr()

    def __hash__(self) -> int:
        return hash(self.data_ptr())

    def __repr__(self) -> str:
        return f"[minigrad.storage.UntypedStorage(device={self.device}) of size {self.nbytes()}]"


class TypedStorage:
    """The memory of a tensor as a row of elements of its dtype: what is written to one shows in the other.

    Made by :meth:`Tensor.storage`, which older programs call. Raises ``RuntimeError`` where elements are asked for and the memory
    has gaps, which only memory that another library laid out can have.

    >>> import minigrad as mg
    >>> x = mg.tensor([[1., 2.], [3., 4.]])
    >>> x.storage()[2] = 7.
    >>> x[1, 0], x[1].storage().tolist()
    (tensor(7.), [1.0, 2.0, 7.0, 4.0])
    """

    def __init__(self, array: Any) -> None:
        self._array, self._untyped_storage = array, UntypedStorage(array)

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return dtypes.FROM_NUMPY[self._array.dtype]

    @property
    def device(self) -> _arrays.Device:
        """Where the elements are."""
        return self._untyped_storage.device

    def as_vector(self, dtype: dtypes.dtype) -> Any:
        """The array of all the elements, as those of `dtype`."""
        return self._untyped_storage.as_vector(dtype)

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return self._untyped_storage

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._untyped_storage.data_ptr()

    def nbytes(self) -> int:
        """How many bytes there are."""
        return self._untyped_storage.nbytes()

    def element_size(self) -> int:
        """Bytes in one element."""
        return int(self._array.itemsize)

    def size(self) -> int:
        """How many elements there are."""
        return self.nbytes() // self.element_size()

    __len__ = size

    def tolist(self) -> list[Any]:
        """The elements as Python numbers, in the order of memory."""
        elements: list[Any] = self.as_vector(self.dtype).tolist()
        return elements

    def fill_(self, value: Any) -> TypedStorage:
        """Write `value` to every element."""
        self[:] = value
        return self

    def __getitem__(self, index: int | slice) -> Any:
        return self.as_vector(self.dtype)[index].tolist()

    def __setitem__(self, index: int | slice, value: Any) -> None:
        refuse_read_only(self._array, "storage")
        self.as_vector(self.dtype)[index] = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypedStorage) and (self.data_ptr(), self.dtype) == (other.data_ptr(), other.dtype)

    def __hash__(self) -> int:
        return hash((self.data_ptr(), self.dtype))

    def __repr__(self) -> str:
        return f"[minigrad.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size {self.size()}]"


def is_storage(obj: Any) -> bool:
    """Whether `obj` is the memory of a tensor, an :class:`UntypedStorage` or a :class:`TypedStorage`.

    >>> import minigrad as mg
    >>> mg.is_storage(mg.ones(2).untyped_storage()), mg.is_storage(mg.ones(2))
    (True, False)
    """
    return isinstance(obj, (TypedStorage, UntypedStorage))
