"""Checking derivatives: the gradient that backward gives against one computed from values of the function alone.

The reference is the complex step (Squire and Trapp, 1998; no cancellation, so exact to rounding) where the function is analytic
and takes complex numbers, and central differences elsewhere. Where the two one-sided slopes keep apart as the step shrinks, the
function has a kink, and any value between them is a subgradient.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from minigrad import _arrays
from minigrad._types.tensor_base import TensorBase
from minigrad.autograd.differentiate import grad
from minigrad.autograd.functional import with_leaf
from minigrad.errors import ArgumentError, InvalidValueError, MinigradError, ShapeError
from minigrad.ops.pointwise.arithmetic import zeros_of
from minigrad.recording.call import constant
from minigrad.recording.graph import edge_of, grad_enabled, recording_mode

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(MinigradError, RuntimeError):
    """A derivative does not agree with the function's values."""


def gradcheck(func: Callable[..., Any], inputs: Any, *, eps: float | None = None, atol: float | None = None,
              rtol: float | None = None, raise_exception: bool = True, nondet_tol: float = 0.0,
              check_undefined_grad: bool = True, check_grad_dtypes: bool = False, check_batched_grad: bool = False,
              check_forward_ad: bool = False, check_backward_ad: bool = True, fast_mode: bool = False,
              masked: bool | None = None) -> bool:
    """Whether the gradients of `func` at `inputs` agree with its values.

    Args:
        func: takes the inputs, returns a tensor or a tuple of tensors. Of an ``nn.Module`` the parameters are checked too.
        inputs: a tensor or a tuple; those that require grad are checked. float64 gives the sharpest check.
        eps: the step of the differences; by default fitted to each value's size and dtype.
        atol, rtol: how far apart the two may be; by default 1e-5 and 1e-3 in float64, 1e-2 and 1e-2 below.
        raise_exception: raise where they disagree; otherwise return False.
        nondet_tol: how far apart two backward passes may be.
        check_undefined_grad, check_grad_dtypes, check_batched_grad, check_forward_ad, check_backward_ad, fast_mode, masked:
            accepted for compatibility with PyTorch.

    Raises: ``GradcheckError``, a ``RuntimeError``, that names the input, the output, the index, both values and the likely cause;
    ``ValueError`` if no input requires grad.

    >>> import minigrad as mg
    >>> x = mg.rand(3, dtype=mg.float64, requires_grad=True)
    >>> mg.autograd.gradcheck(lambda x: x.sin() * 2, x)
    True
    """
    try:
        Check(func, inputs, eps, atol, rtol, nondet_tol).run()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float | None = None,
                  atol: float | None = None, rtol: float | None = None, gen_non_contig_grad_outputs: bool = False,
                  raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
                  check_grad_dtypes: bool = False, check_batched_grad: bool = False, check_fwd_over_rev: bool = False,
                  check_rev_over_rev: bool = True, fast_mode: bool = False, masked: bool = False) -> bool:
    """Whether the second derivatives of `func` agree with its first: :func:`gradcheck` of the function that gives the gradients.

    `grad_outputs` are the gradients to start from; by default random ones, which are differentiated with respect to as well.
    """
    xs = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
    module = [p for p in func.parameters() if p.requires_grad] if hasattr(func, "parameters") else []
    live = [k for k, x in enumerate(xs) if isinstance(x, TensorBase) and edge_of(x) is not None]
    outs = differentiable_outputs(func(*xs))
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        gs = [with_leaf(move_beside(rng.standard_normal(y.array.shape).astype(y.array.dtype), y.array), y) for y in outs]
    else:
        gs = list(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else [grad_outputs]

    def gradients(*args: Any) -> Any:
        points, starts = list(args[:len(xs)]), args[len(xs):]
        ys = differentiable_outputs(func(*points))
        found = grad(ys, [points[k] for k in live] + module, list(starts), create_graph=True, allow_unused=True)
        return tuple([g for g in found if g is not None])

    holder: Any = gradients
    if module:
        holder = WithParameters(gradients, module)
    return gradcheck(holder, (*xs, *gs), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception, nondet_tol=nondet_tol)


class WithParameters:
    """A function that carries parameters to be checked, as a module does."""

    def __init__(self, function: Callable[..., Any], parameters: list[Any]) -> None:
        self.function, self.parameters_ = function, parameters

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)

    def named_parameters(self) -> list[tuple[str, Any]]:
        return [(f"parameter {k}", p) for k, p in enumerate(self.parameters_)]


def copy_to_host(array: Any) -> np.ndarray[Any, Any]:
    """A copy of `array` on the CPU, where everything is compared."""
    return np.array(_arrays.to_numpy(array))


def move_beside(array: np.ndarray[Any, Any], other: Any) -> Any:
    """`array` on the device of `other`."""
    return _arrays.to_device(array, _arrays.device_of(other))


def differentiable_outputs(output: Any) -> list[Any]:
    """The outputs that have a gradient."""
    found = list(output) if isinstance(output, (tuple, list)) else [output]
    return [y for y in found if isinstance(y, TensorBase) and edge_of(y) is not None]


class Check:
    """One comparison of all Jacobians."""

    def __init__(self, func: Callable[..., Any], inputs: Any, eps: float | None, atol: float | None, rtol: float | None,
                 nondet_tol: float) -> None:
        self.func = func
        self.inputs = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
        self.eps, self.nondet_tol = eps, nondet_tol
        named: list[tuple[str, Any]] = [(f"input {k}", x) for k, x in enumerate(self.inputs)
                                        if isinstance(x, TensorBase) and edge_of(x) is not None]
        if hasattr(func, "named_parameters"):
            named += [(name, p) for name, p in func.named_parameters() if p.requires_grad]
        if not named:
            raise InvalidValueError("gradcheck expects at least one input tensor to require gradient, but none of the them have "
                                    "requires_grad=True.")
        for name, x in named:
            if x.dtype.kind not in "fc":
                raise ArgumentError(f"gradcheck: {name} has dtype {x.dtype!r}; only floating-point and complex inputs can be "
                                    "checked")
        self.named = named
        fine = all(x.array.dtype.itemsize >= (16 if x.array.dtype.kind == "c" else 8) for _, x in named)
        self.atol = (1e-5 if fine else 1e-2) if atol is None else atol
        self.rtol = (1e-3 if fine else 1e-2) if rtol is None else rtol

    def run(self) -> None:
        outputs = differentiable_outputs(self.func(*self.inputs))
        if not outputs:
            self.refuse_lost_dependence()
            return
        analytical = self.analytical(outputs)
        again = self.analytical(differentiable_outputs(self.func(*self.inputs)))
        for row, other in zip(analytical, again):
            for (name, _), a, b in zip(self.named, row, other):
                if np.abs(a - b).max(initial=0) > self.nondet_tol:
                    raise GradcheckError(f"gradcheck: Backward is not reentrant: two passes give gradients of {name} that differ "
                                         f"by up to {np.abs(a - b).max():.3g}. Random numbers inside the function must be fixed.")
        for k, (name, x) in enumerate(self.named):
            for o, numerical in enumerate(self.numerical(x, outputs)):
                self.compare(name, x, o, outputs[o], analytical[o][k], *numerical)
        found = grad(outputs, [x for _, x in self.named], [zeros_of(y) for y in outputs], allow_unused=True)
        for (name, _), g in zip(self.named, found):
            if g is not None and np.abs(copy_to_host(g.array)).max(initial=0) > 0:
                raise GradcheckError(f"gradcheck: backward not multiplied by grad_output: the gradient of {name} is "
                                     f"{np.abs(g.array).max():.3g} where those of the outputs are 0")

    def refuse_lost_dependence(self) -> None:
        """Raise if outputs, none of which requires grad, depend on an input."""
        def values() -> list[Any]:
            found = self.func(*self.inputs)
            return [copy_to_host(y.array if isinstance(y, TensorBase) else np.asarray(y))
                    for y in (found if isinstance(found, (tuple, list)) else [found])]

        here = values()
        for name, x in self.named:
            keep, points = x.array, copy_to_host(x.array)
            try:
                x.array = move_beside(points + points.dtype.type(1e-3), keep)
                there = values()
            finally:
                x.array = keep
            if any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(here, there)):
                raise GradcheckError("gradcheck: Numerical gradient for function expected to be zero, because no output of the "
                                     f"function requires grad; but they depend on {name}. They left the graph on "
                                     "the way (detach, no_grad, .numpy(), .item())")

    # ------------------------------------------------------------------------------------------------ both Jacobians

    def analytical(self, outputs: list[Any]) -> list[list[Any]]:
        """By output, by input: the Jacobian that backward gives, of shape (output size, input size)."""
        result = []
        tensors = [x for _, x in self.named]
        for y in outputs:
            rows: list[list[Any]] = [[] for _ in tensors]
            for i in range(y.array.size):
                for part in (1,) if y.array.dtype.kind != "c" else (1, 1j):
                    unit = np.zeros(y.array.size, y.array.dtype)
                    unit[i] = part
                    try:
                        start = constant(move_beside(unit.reshape(y.array.shape), y.array), y)
                        found = grad(y, tensors, start, retain_graph=True, allow_unused=True)
                    except ShapeError as error:
                        raise GradcheckError(f"gradcheck: {error}. Likely cause: a missing un-broadcast (a sum over the "
                                             "dimensions in which that input was broadcast), or a transposed factor") from error
                    for row, g, x in zip(rows, found, tensors):
                        row.append(np.zeros(x.array.size, x.array.dtype) if g is None else copy_to_host(g.array).reshape(-1))
            result.append([np.array(row).reshape(len(row), x.array.size) for row, x in zip(rows, tensors)])
        return result

    def values(self) -> list[Any]:
        """The function's outputs as flat arrays; complex ones as their real and imaginary parts in turn."""
        mode = grad_enabled.set(recording_mode(True))  # what requires grad decides which outputs count
        try:
            return [parts_of(copy_to_host(y.array).reshape(-1)) for y in differentiable_outputs(self.func(*self.inputs))]
        finally:
            grad_enabled.reset(mode)

    def numerical(self, x: Any, outputs: list[Any]) -> list[tuple[Any, Any, Any]]:
        """By output: the Jacobian from values, and the slopes to the left and to the right of each point."""
        keep, points = x.array, copy_to_host(x.array)
        sizes = [y.array.size * (2 if y.array.dtype.kind == "c" else 1) for y in outputs]
        is_complex = keep.dtype.kind == "c"
        left, middle, right, noise = ([np.zeros((n, keep.size), keep.dtype) for n in sizes] for _ in range(4))
        here = self.values()
        try:
            for i in range(keep.size):
                for part in (1.0, 1j) if is_complex else (1.0,):
                    value = abs(complex(points.reshape(-1)[i]))
                    h = self.eps or float(np.finfo(keep.dtype).eps) ** (1 / 3) * max(1.0, value)
                    above, below = (self.shift(x, points, i, s * h * part) for s in (1, -1))
                    for o in range(len(sizes)):
                        # PyTorch's gradient of a real function of z = a + ib is df/da + i df/db.
                        right[o][:, i] += part * (above[o] - here[o]) / h
                        left[o][:, i] += part * (here[o] - below[o]) / h
                        middle[o][:, i] += part * (above[o] - below[o]) / (2 * h)
                        noise[o][:, i] = 100 * np.finfo(keep.dtype).eps * (1 + np.abs(here[o])) / h
        finally:
            x.array = keep
        exact = None if is_complex else self.complex_step(x, points, sizes)
        if exact is not None:
            for o, e in enumerate(exact):
                if np.allclose(e, middle[o], rtol=1e-3, atol=noise[o]):  # analytic there: the sharper value is right
                    middle[o] = e
        return list(zip(middle, left, right))

    def shift(self, x: Any, points: Any, i: int, by: complex) -> list[Any]:
        moved = points.copy()
        moved.reshape(-1)[i] += by
        x.array = move_beside(moved, x.array)
        return self.values()

    def complex_step(self, x: Any, points: Any, sizes: list[int]) -> list[Any] | None:
        """The Jacobian as Im f(x + ih) / h, or None where the function does not take complex numbers."""
        keep = x.array
        if keep.dtype != np.float64 or any(t is not x and t.array.dtype.kind == "c" for _, t in self.named):
            return None
        h = 1e-30
        columns = []
        try:
            for i in range(keep.size):
                moved = points.astype(np.complex128)
                moved.reshape(-1)[i] += 1j * h
                x.array = move_beside(moved, keep)
                found = [copy_to_host(y.array).reshape(-1) for y in differentiable_outputs(self.func(*self.inputs))]
                if [f.size for f in found] != sizes or any(f.dtype.kind != "c" for f in found):
                    return None
                columns.append([f.imag / h for f in found])
        except Exception:  # whatever stops it from taking complex numbers, differences serve
            return None
        finally:
            x.array = keep
        return [np.array([c[o] for c in columns]).T.reshape(sizes[o], -1) for o in range(len(sizes))]

    # ------------------------------------------------------------------------------------------------ the verdict

    def compare(self, name: str, x: Any, o: int, y: Any, analytical: Any, numerical: Any, left: Any, right: Any) -> None:
        if analytical.shape != numerical.shape:
            raise GradcheckError(f"gradcheck: the gradient of {name} has {analytical.shape[1]} elements, {name} has "
                                 f"{numerical.shape[1]}: a sum over broadcast dimensions is missing in the rule")
        allowed = self.atol + self.rtol * np.abs(numerical)
        bad = ~(np.abs(analytical - numerical) <= allowed)
        kink = np.abs(left - right) > 0.05 * (np.abs(left) + np.abs(right)) + 10 * self.atol
        low, high = np.minimum(left.real, right.real) - allowed, np.maximum(left.real, right.real) + allowed
        bad &= ~(kink & (low <= analytical.real) & (analytical.real <= high))  # a subgradient
        if not bad.any():
            return
        row, column = (int(k) for k in np.argwhere(bad)[0])
        place = tuple(int(k) for k in np.unravel_index(column, x.array.shape)) if x.array.ndim else ()
        of_y = row if y.array.dtype.kind != "c" else row // 2
        at = tuple(int(k) for k in np.unravel_index(of_y, y.array.shape)) if y.array.ndim else ()
        raise GradcheckError(
            f"Jacobian mismatch for output {o} with respect to {name}: the derivative of output{list(at)} with respect to "
            f"{name}{list(place)} is {analytical[row, column]:.6g} by backward and {numerical[row, column]:.6g} by the "
            f"function's values ({int(bad.sum())} of {bad.size} entries differ). "
            f"Likely cause: {cause_of(analytical, numerical, bad, kink)}.\n"
            f"numerical:\n{numerical}\nanalytical:\n{analytical}")


def parts_of(flat: Any) -> Any:
    return np.stack([flat.real, flat.imag], 1).reshape(-1) if flat.dtype.kind == "c" else flat


def cause_of(analytical: Any, numerical: Any, bad: Any, kink: Any) -> str:
    """What usually makes two Jacobians differ in this way."""
    if not np.isfinite(analytical[bad]).all():
        return "the derivative is infinite or NaN there; look for a division by zero or a root at 0"
    if not np.isfinite(numerical[bad]).all():
        return "the function itself is infinite or NaN there; choose a point inside its domain"
    if (kink & bad).any():
        return "a kink of the function (its slopes from left and right differ) and a value that is not between them"
    large = bad & (np.abs(numerical) > 1e-8)
    if large.any():
        ratios = analytical[large] / numerical[large]
        ratio = complex(ratios.mean())
        if np.allclose(ratios, ratio, rtol=1e-3, atol=1e-6):
            if abs(ratio + 1) < 1e-3:
                return "a wrong sign"
            if abs(ratio) < 1e-6:
                return "a missing term: backward gives zero, as if the input were cut off (detach, no_grad) or its rule left out"
            shown = ratio.real if abs(ratio.imag) < 1e-9 else ratio
            return f"a wrong factor: backward is {shown:.4g} times the true value"
    size = analytical.shape
    if size[0] == size[1] and np.allclose(analytical.T, numerical, rtol=1e-3, atol=1e-6):
        return "a transposed factor in the rule"
    if np.allclose(analytical.sum(1), numerical.sum(1), rtol=1e-3, atol=1e-6) or \
            np.allclose(np.sort(analytical, axis=None), np.sort(numerical, axis=None), rtol=1e-3, atol=1e-6):
        return "the right values in the wrong places: a transposition or a wrong dimension in the rule"
    if np.allclose(analytical, analytical[:, :1], rtol=1e-6) and size[1] > 1:
        return "a gradient that was broadcast over the input, or a sum over broadcast dimensions that is missing"
    return "a term of the rule that is wrong or missing"
