"""PyTorch's switches of how programs are run: threads and determinism."""

from __future__ import annotations

import functools
import os
from typing import Any

from minigrad.errors import ArgumentError, InvalidValueError, RuntimeValueError

__all__ = ["are_deterministic_algorithms_enabled", "get_deterministic_debug_mode", "get_num_interop_threads",
           "get_num_threads", "get_overwrite_module_params_on_conversion", "get_swap_module_params_on_conversion",
           "is_deterministic_algorithms_warn_only_enabled", "is_warn_always_enabled", "set_deterministic_debug_mode",
           "set_flush_denormal", "set_num_interop_threads", "set_num_threads", "set_overwrite_module_params_on_conversion",
           "set_swap_module_params_on_conversion", "set_warn_always", "use_deterministic_algorithms"]

_deterministic = _warn_only = _warn_always = _overwrite_params = _swap_params = False
_threads: int | None = None
_limits: Any = None  # threadpoolctl's, which end with the object


def set_num_threads(num: int) -> None:
    """How many threads matrix products and compiled kernels may use.

    Those of matrix products belong to the BLAS that NumPy was built with: for them this takes effect where ``threadpoolctl`` is
    installed. Otherwise set the environment variable OMP_NUM_THREADS (OPENBLAS_NUM_THREADS, MKL_NUM_THREADS) before Python
    starts.
    """
    global _threads, _limits
    if isinstance(num, bool) or not isinstance(num, int):
        raise ArgumentError(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num < 1:
        raise InvalidValueError(f"set_num_threads expects a positive integer, got {num}")
    _threads = num
    try:
        import threadpoolctl
    except ImportError:
        return
    _limits = threadpoolctl.threadpool_limits(num, user_api="blas")


def get_num_threads() -> int:
    """What :func:`set_num_threads` was last given; before that, the environment's OMP_NUM_THREADS or the number of processors."""
    return _threads or number_at_the_start()


@functools.cache
def number_at_the_start() -> int:
    """With how many threads a program begins."""
    named = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(named) if named.isdecimal() and int(named) else os.cpu_count() or 1


def set_num_interop_threads(num: int) -> None:
    """Accepted for PyTorch's programs: operations here never run beside each other."""


def get_num_interop_threads() -> int:
    """Always 1; see :func:`set_num_interop_threads`."""
    return 1


def set_flush_denormal(mode: bool) -> bool:
    """Whether the processor was told to take denormal numbers as zero: always False, NumPy cannot."""
    return False


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask that equal programs give equal results: on the CPU they always do, for equal seeds and numbers of threads."""
    global _deterministic, _warn_only
    _deterministic, _warn_only = bool(mode), bool(mode and warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """What :func:`use_deterministic_algorithms` was last given."""
    return _deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """The `warn_only` that :func:`use_deterministic_algorithms` was last given."""
    return _warn_only


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """The same by a number or a word: 0 or ``"default"`` is off, 1 or ``"warn"`` only warns, 2 or ``"error"`` is on. All results
    are deterministic in any mode.

    Raises ``RuntimeError`` for another.

    >>> import minigrad as mg
    >>> mg.set_deterministic_debug_mode("warn")
    >>> mg.get_deterministic_debug_mode(), mg.are_deterministic_algorithms_enabled()
    (1, True)
    >>> mg.set_deterministic_debug_mode(0)
    """
    modes = {0: 0, 1: 1, 2: 2, "default": 0, "warn": 1, "error": 2}
    if not isinstance(debug_mode, (int, str)):
        raise ArgumentError("set_deterministic_debug_mode(): debug_mode must be an int or a str, not "
                            f"{type(debug_mode).__name__}")
    if debug_mode not in modes:
        raise RuntimeValueError(f"set_deterministic_debug_mode(): debug_mode can be 0, 1, 2, 'default', 'warn' or 'error', not "
                                f"{debug_mode!r}")
    use_deterministic_algorithms(modes[debug_mode] > 0, warn_only=modes[debug_mode] == 1)


def get_deterministic_debug_mode() -> int:
    """What :func:`set_deterministic_debug_mode` was last given, as a number.

    >>> import minigrad as mg
    >>> mg.get_deterministic_debug_mode()
    0
    """
    return (1 if _warn_only else 2) if _deterministic else 0


def set_warn_always(b: bool, /) -> None:
    """Whether warnings are given every time: kept for programs that ask. Python's filters decide, by
    ``warnings.simplefilter("always")``."""
    global _warn_always
    _warn_always = bool(b)


def is_warn_always_enabled() -> bool:
    """What :func:`set_warn_always` was last given."""
    return _warn_always


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    """Whether ``Module.to`` and its like make new parameters, instead of giving the old ones other values. By default they do
    not, and optimizers keep what they hold."""
    global _overwrite_params
    _overwrite_params = value


def get_overwrite_module_params_on_conversion() -> bool:
    """What :func:`set_overwrite_module_params_on_conversion` was last given."""
    return _overwrite_params


def set_swap_module_params_on_conversion(value: bool) -> None:
    """PyTorch's switch to keep parameters the same objects when a module is converted or loaded, as they always are here: it is
    remembered, and changes nothing."""
    global _swap_params
    _swap_params = value


def get_swap_module_params_on_conversion() -> bool:
    """What :func:`set_swap_module_params_on_conversion` was last given."""
    return _swap_params
