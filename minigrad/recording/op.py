"""Declaring an operation: its forward on arrays, a derivative rule for each argument, and the call path made from them.

    @op(broadcasts=True)
    def mul(input, other):
        "Elementwise product."
        return input * other
    @mul.derivative("input")
    def mul_wrt_input(g, other): return g * other
    @mul.derivative("other")
    def mul_wrt_other(g, input): return g * input

Positional parameters are arrays, parameters after ``*`` are settings. One starred parameter (``*tensors``) takes a sequence
of arrays. A rule names what it needs: ``g`` (the gradient coming in), an array argument, ``out`` (the result) or the name of
one of several results, a setting, or ``<argument>_shape`` / ``<argument>_dtype`` where the values themselves need not be kept.
It uses operators and other operations only, because it runs on arrays in a plain backward pass and on tensors under
``create_graph=True``. Where gradients share work, ``@f.derivative("input", "weight")`` declares a rule that gives them together.

What the declaration gives is a plain function whose source is generated for exactly this signature, as ``dataclasses``
generates ``__init__``, at the first call, when all rules are known: straight-line code, which ``print(mul.source)`` shows.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any, Callable, Literal, Protocol, TypeVar, overload

from minigrad.errors import DeclarationError
from minigrad.recording import call, inplace
from minigrad.recording.codegen import compile_op
from minigrad.recording.declaration import Declaration, refuse_undeclarable
from minigrad.recording.lazy import Signature, Source, operation_signature

if TYPE_CHECKING:
    from minigrad._types.annotations import Tensor

Result = TypeVar("Result", covariant=True)


class Op(Protocol[Result]):
    """A declared operation. Call it with tensors, or with arrays to get an array.

    What a user's type checker knows of each one is generated from the declarations, in ``ops/signatures.pyi``.
    """

    __name__: str
    source: str  # of the generated call path
    info: Declaration
    inplace: Callable[..., Tensor]

    def __call__(self, *args: Any, **settings: Any) -> Result: ...
    def derivative(self, *arguments: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...


@overload
def op(forward: Callable[..., Any]) -> Op[Tensor]: ...
@overload
def op(*, outputs: tuple[str, ...], **properties: Any) -> Callable[[Callable[..., Any]], Op[Any]]: ...
@overload
def op(*, outputs: Literal[True], **properties: Any) -> Callable[[Callable[..., Any]], Op[tuple[Tensor, ...]]]: ...
@overload
def op(**properties: Any) -> Callable[[Callable[..., Any]], Op[Tensor]]: ...
def op(forward: Callable[..., Any] | None = None, **properties: Any) -> Any:
    """Decorator: declare an operation by its forward, a function of arrays. Its rules are declared by ``.derivative``.

    The parameters of the forward before the ``*`` are arrays, those after it are settings; one starred parameter takes a
    sequence of arrays. What comes of it takes tensors, and gives a tensor with its place in the graph, or arrays, and gives an
    array; it has ``out=``, and ``.inplace``, which writes the result into the first argument.

    ``@f.derivative("x")`` declares the rule that gives the gradient of argument ``x``. It names what it needs: ``g``, the
    gradient coming in, an argument, ``out``, the name of one of several results, a setting, or ``x_shape`` / ``x_dtype`` where
    the values need not be kept. It must use operators and other operations only: a plain backward pass gives it arrays, one with
    ``create_graph=True`` tensors.

    ``@f.derivative("x", "y")`` declares a joint rule, for gradients that share work: it gives a tuple of them, and can name
    ``wanted``, a tuple of booleans, to compute only those that are asked for.

    Every argument has a rule or a mark, ``discrete``, ``constant`` or ``differentiable=False``.

    Args:
        broadcasts: the array arguments are broadcast together; the engine then sums gradients back to their shapes.
        dtypes: ``"promote"`` brings the arguments to one dtype by PyTorch's rules before the forward sees them, ``"float"``
            does too and makes integers the default floating type (``exp``, ``div``), ``"same"`` refuses different ones
            (``matmul``), ``"any"`` leaves them. The default is ``"promote"`` for what broadcasts, else ``"any"``.
        discrete: arguments that are integers or booleans, such as an index or a condition: their dtypes are left alone, and
            they have no derivative.
        constant: floating arguments without a derivative rule. A tensor given for one of them, or for a discrete one, must not
            require grad: the call is refused, because its gradient would be wrong without a word.
        differentiable: False for results that no small change of an argument changes, such as those of ``argmax`` and of
            comparisons: no argument has a rule, and a call is not recorded.
        numbers: the arguments that may be Python numbers; None: all that are brought to one dtype.
        numbers_alone: a call with numbers only is taken too, and gives a tensor without dimensions.
        former: the order of the arguments in calls of PyTorch's first versions, ``x.add_(alpha, other)``, which are still served.
        holomorphic: the rules, as written for real numbers, are the complex derivative too; the engine conjugates. False
            for what is not complex differentiable (``abs``, ``real``): its rules give PyTorch's conjugate gradient.
        opmath: the forward and the rules compute in float32 where operands are of low precision (float16), and the results are
            rounded once, as ``dtypes="float"`` has it unless this is False. ``"numbers"`` where one operator of NumPy's, which
            does so by itself, is all there is: only a call with a Python number takes that way.
        wide: of several results those that are there for the rules alone: they stay in float32 then, and drawings leave them
            out.
        bfloat16: the forward takes arrays of bfloat16 as they are, because it only moves elements, as every view does. For others
            that dtype is as if they had `opmath`.
        outputs: the names of the results where there are several, which come as a named tuple; True for a plain tuple.
        view: the result shares the memory of the first argument, which no other may. Where there are several, the declaration's
            ``pieces(array, **settings)`` gives, for each, the operation and settings that make it by itself.
        layout: how the result lies in memory, where that is not left to the forward: ``"elementwise"``, in the order of the
            first argument that has one; ``"ufunc"``, the default for what broadcasts, the same for a forward that is one of
            NumPy's functions or like one; or another of :data:`minigrad._types.layouts.RESULT_ORDERS`.
        connected: its gradients have zero derivatives by the arguments that their rules do not name, instead of none: as in
            PyTorch, where one operation computes them all from all arguments.
        called: what users call it by, where that is a function of several operations: ``"gather"``; errors say this.
        grad_name: PyTorch's name of the node, where it is not made from the operation's.

    Raises:
        DeclarationError: (a ``TypeError``) for a name that another operation has, a forward of which no call path can be
            generated, or a rule that names what the operation does not have; at the first call, for an argument without a rule
            or mark, and for a parameter that has a name which the call path needs itself. A notebook's cell that is run again
            replaces its operation.

    >>> import minigrad as mg
    >>> @mg.library.op(broadcasts=True)
    ... def product_plus_one(input, other):
    ...     return input * other + 1
    >>> @product_plus_one.derivative("input")
    ... def product_plus_one_wrt_input(g, other): return g * other
    >>> @product_plus_one.derivative("other")
    ... def product_plus_one_wrt_other(g, input): return g * input
    >>> x = mg.tensor([2.0, 3.0], requires_grad=True)
    >>> y = product_plus_one(x, 10.0)
    >>> y
    tensor([21., 31.], grad_fn=<ProductPlusOneBackward0>)
    >>> y.sum().backward()
    >>> x.grad
    tensor([10., 10.])
    """
    if forward is None:
        return lambda f: op(f, **properties)
    refuse_undeclarable(forward)
    info = Declaration(forward, **properties)
    if info.name in call.REGISTRY:
        module = call.REGISTRY[info.name].info.forward.__module__
        if not module == forward.__module__ == "__main__":
            raise DeclarationError(f"op: {info.name!r} is the name of an operation that {module} declares; give this one "
                                   "another, which may begin with the name of your package")

    info.complete = lambda: compile_op(function, info)
    function = lazy_function(info)
    function.info, function.derivative = info, info.add_rule
    function.inplace = inplace.inplace_form(function)
    call.REGISTRY[info.name] = function
    return function


def lazy_function(info: Declaration) -> Any:
    """A function that stands in the place of the forward of `info`, and gets its code from ``info.complete`` at its first call.

    The object stays the same, so whoever has imported it, or made it a method, calls the generated code from then on.
    """
    forward, complete = info.forward, info.complete

    def not_yet_generated(*args: Any, **settings: Any) -> Any:
        return _first_call(*args, **settings)  # type: ignore[name-defined]  # noqa: F821

    def first_call(*args: Any, **settings: Any) -> Any:
        complete()
        return function(*args, **settings)

    function: Any = FunctionType(not_yet_generated.__code__, {"_first_call": first_call, "__name__": forward.__module__,
                                                              "__builtins__": __builtins__}, forward.__name__)
    function.__doc__, function.__module__ = forward.__doc__, forward.__module__
    function.__qualname__, function.__wrapped__ = forward.__name__, forward
    function.source, function.__signature__ = Source(function, complete), Signature(lambda: operation_signature(function, info))
    return function
