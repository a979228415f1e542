"""Exceptions minigrad raises on purpose, each also an instance of the built-in class PyTorch raises in its place.

Catch ``RuntimeError``, ``TypeError`` or ``IndexError`` as with PyTorch, or the finer class where it matters.
"""

from __future__ import annotations


class MinigradError(Exception):
    """Base of every exception that minigrad defines."""


class ShapeError(MinigradError, RuntimeError):
    """Shapes do not fit together."""


class DtypeError(MinigradError, RuntimeError):
    """A dtype an operation cannot take, or two that do not fit together."""


class UnsupportedDtypeError(DtypeError, NotImplementedError):
    """A dtype for which the operation is not defined, such as complex numbers where their order would be asked for."""


class DeviceError(MinigradError, RuntimeError):
    """Operands on different devices, or a device that is not there."""


class DivisionByZeroError(MinigradError, RuntimeError, ZeroDivisionError):
    """Integers divided by zero."""


class ArgumentError(MinigradError, TypeError):
    """An argument of a type the operation cannot take."""


class InvalidValueError(MinigradError, ValueError):
    """An argument of the right type with a value, or sizes, that make no sense; PyTorch raises ``ValueError`` there."""


class RuntimeValueError(RuntimeError, InvalidValueError):
    """The same where PyTorch raises ``RuntimeError``."""


class DimensionError(MinigradError, IndexError):
    """A dimension number outside the tensor's dimensions."""


class InvalidIndexError(DimensionError, ArgumentError):
    """Something that cannot be an index. PyTorch raises IndexError for some, TypeError for strings."""


class LinAlgError(MinigradError, RuntimeError):
    """A matrix that cannot be inverted or factorized: singular, not positive definite, not converging."""


class OutOfBoundsError(DimensionError, RuntimeError):
    """An index outside of its dimension. PyTorch raises IndexError in indexing, RuntimeError in gather and scatter."""


class EmptyListError(MinigradError, ValueError, RuntimeError):
    """A sequence of tensors without any. PyTorch raises ValueError in cat, RuntimeError in stack."""


class EndOfFileError(MinigradError, EOFError, RuntimeError):
    """A file in which nothing comes any more."""


class StateError(MinigradError, RuntimeError):
    """What was asked cannot be done now: too early, twice, or with an object that is not made for it."""


class DeclarationError(MinigradError, TypeError):
    """An operation that is not declared as it must be: a rule without its argument, or an argument without its rule."""


class OnnxExporterError(MinigradError, RuntimeError):
    """A model that cannot be exported to ONNX: what it computes depends on values, or on sizes in a way no file can hold."""


class UnsupportedOperatorError(OnnxExporterError):
    """A model that calls an operation which has no form in ONNX."""


class CompileError(MinigradError, RuntimeError):
    """A call that cannot be recorded for replays, where ``compile`` was told that it must be."""


class GraphError(MinigradError, RuntimeError):
    """The graph cannot do what was asked: nothing recorded, already freed, not reached."""


class FreedGraphError(GraphError):
    """A backward pass needs saved values that an earlier backward pass has released."""


class InplaceError(GraphError):
    """An in-place write that would make, or has made, a gradient wrong. ``write`` is what is known of one that was made."""

    write: object = None


class DistError(MinigradError, RuntimeError):
    """Processes that work together cannot do so. Has the name that PyTorch gives it.

    >>> from minigrad.distributed import DistError
    >>> issubclass(DistError, RuntimeError)
    True
    """


class DistBackendError(DistError):
    """An exchange between processes has failed: they did not call the same, one did not come, or MPI or NCCL reports it.

    >>> from minigrad.distributed import DistBackendError
    >>> issubclass(DistBackendError, DistError)
    True
    """


class MissingFileError(MinigradError, FileNotFoundError):
    """A file of data that is needed is not there; the message says where it is published."""


class MissingPackageError(MinigradError, ImportError):
    """A package that only a part of minigrad needs is not installed; the message says which of minigrad's extras installs it.

    >>> issubclass(MissingPackageError, ImportError)
    True
    """


def missing_extra(what: str, package: str, extra: str) -> MissingPackageError:
    """The error to raise where `package`, which `what` needs and minigrad's extra of the name `extra` installs, cannot be found.

    The command it names adds the extra to the minigrad that is installed, wherever that came from.

    >>> raise missing_extra("ImageFolder", "Pillow", "vision")
    Traceback (most recent call last):
      ...
    minigrad.errors.MissingPackageError: ImageFolder needs Pillow, which is not installed: pip install "minigrad-numpy[vision]"
    """
    return MissingPackageError(f'{what} needs {package}, which is not installed: pip install "minigrad-numpy[{extra}]"')
