"""Element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.errors import UnsupportedOperatorError
from minigrad.onnx.building import Builder, Operand
from minigrad.onnx.translation.table import enter_nodes, translates

enter_nodes(sqrt="Sqrt", reciprocal="Reciprocal", sign="Sign", sgn="Sign", floor="Floor", ceil="Ceil", exp="Exp", log="Log",
            sigmoid="Sigmoid", sin="Sin", cos="Cos", tan="Tan", asin="Asin", acos="Acos", atan="Atan",
            sinh="Sinh", cosh="Cosh", tanh="Tanh",
            asinh="Asinh", acosh="Acosh", atanh="Atanh", erf="Erf", neg="Neg", abs="Abs", isnan="IsNaN",
            eq="Equal", lt="Less", gt="Greater", le="LessOrEqual",
            ge="GreaterOrEqual", maximum="Max", minimum="Min", _where="Where")


@translates("cast")
def cast(b: Builder, x: Operand, *, dtype: Any) -> Any:
    return b("Cast", x, to=b.element_type(dtype.numpy))


@translates("mul")
def mul(b: Builder, x: Operand, other: Operand) -> str:
    return b("And" if x.dtype == np.bool_ else "Mul", x, other)


@translates("add")
def add(b: Builder, x: Operand, other: Operand, *, alpha: Any = 1) -> str:
    return b("Or" if x.dtype == np.bool_ else "Add", x, scaled(b, other, alpha))


@translates("sub")
def sub(b: Builder, x: Operand, other: Operand, *, alpha: Any = 1) -> str:
    return b("Sub", x, scaled(b, other, alpha))


@translates("rsub")
def rsub(b: Builder, x: Operand, other: Operand, *, alpha: Any = 1) -> str:
    return b("Sub", other, scaled(b, x, alpha))


def scaled(b: Builder, x: Operand, factor: Any) -> Any:
    """`x` times a number."""
    return x if factor == 1 else b("Mul", x, b.number(factor, x.dtype))


@translates("true_divide")
def true_divide(b: Builder, x: Operand, other: Operand) -> str:
    return b("Div", x, other)


@translates("floor_divide")
def floor_divide(b: Builder, x: Operand, other: Operand) -> str:
    if x.dtype.kind == "f":
        return b("Floor", b("Div", x, other))
    return b("Div", b("Sub", x, b("Mod", x, other)), other)


@translates("trunc_divide")
def trunc_divide(b: Builder, x: Operand, other: Operand) -> str:
    quotient = b("Div", x, other)
    return truncated(b, quotient, x.dtype) if x.dtype.kind == "f" else quotient


@translates("remainder")
def remainder(b: Builder, x: Operand, other: Operand) -> str:
    if x.dtype.kind != "f":
        return b("Mod", x, other)
    return b("Sub", x, b("Mul", b("Floor", b("Div", x, other)), other))


@translates("fmod")
def fmod(b: Builder, x: Operand, other: Operand) -> str:
    return b("Mod", x, other, fmod=1)


@translates("square")
def square(b: Builder, x: Operand) -> str:
    return b("Mul", x, x)


@translates("rsqrt")
def rsqrt(b: Builder, x: Operand) -> str:
    return b("Reciprocal", b("Sqrt", x))


@translates("trunc")
def trunc(b: Builder, x: Operand) -> str:
    return truncated(b, x, x.dtype)


def truncated(b: Builder, x: Any, dtype: Any) -> str:
    """`x` without what comes after the point."""
    return b("Mul", b("Sign", x), b("Floor", b("Abs", x))) if dtype.kind == "f" else b("Identity", x)


@translates("frac")
def frac(b: Builder, x: Operand) -> str:
    return b("Sub", x, truncated(b, x, x.dtype))


@translates("round")
def round(b: Builder, x: Operand, *, decimals: int = 0) -> str:
    if not decimals:
        return b("Round", x)
    unit = b.number(10.0 ** decimals, x.dtype)
    return b("Div", b("Round", b("Mul", x, unit)), unit)


@translates("lerp")
def lerp(b: Builder, x: Operand, end: Operand, weight: Operand) -> str:
    return b("Add", x, b("Mul", weight, b("Sub", end, x)))


@translates("addcmul")
def addcmul(b: Builder, x: Operand, tensor1: Operand, tensor2: Operand, *, value: Any = 1) -> str:
    return b("Add", x, b("Mul", b("Mul", tensor1, tensor2), b.number(value, x.dtype)))


@translates("addcdiv")
def addcdiv(b: Builder, x: Operand, tensor1: Operand, tensor2: Operand, *, value: Any = 1) -> str:
    return b("Add", x, b("Mul", b("Div", tensor1, tensor2), b.number(value, x.dtype)))


@translates("hypot")
def hypot(b: Builder, x: Operand, other: Operand) -> str:
    return b("Sqrt", b("Add", b("Mul", x, x), b("Mul", other, other)))


@translates("ne")
def ne(b: Builder, x: Operand, other: Operand) -> str:
    return b("Not", b("Equal", x, other))


@translates("logical_and", "logical_or", "logical_xor")
def logical(b: Builder, x: Operand, other: Operand) -> str:
    assert b.call is not None
    word = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}[b.call.op]
    return b(word, b.cast(x, np.bool_), b.cast(other, np.bool_))


@translates("bitwise_and", "bitwise_or", "bitwise_xor")
def bitwise(b: Builder, x: Operand, other: Operand) -> str:
    assert b.call is not None
    word = {"bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor"}[b.call.op]
    if x.dtype == np.bool_:
        return b(word, x, other)
    require_opset(b, 18, "integers' bits")
    return b(f"Bitwise{word}", x, other)


def require_opset(b: Builder, least: int, what: str) -> None:
    """Raise unless the file may use what ONNX has since opset `least`."""
    if b.opset < least:
        raise UnsupportedOperatorError(f"onnx.export: {b.where()}: {what} are in ONNX since opset {least}; "
                                       f"opset_version={b.opset} was asked for")


@translates("logical_not")
def logical_not(b: Builder, x: Operand) -> str:
    return b("Not", b.cast(x, np.bool_))


@translates("bitwise_not")
def bitwise_not(b: Builder, x: Operand) -> str:
    return b("Not" if x.dtype == np.bool_ else "BitwiseNot", x)


@translates("isinf", "isposinf", "isneginf")
def isinf(b: Builder, x: Operand) -> str:
    assert b.call is not None
    return b("IsInf", x, detect_negative=int(b.call.op != "isposinf"), detect_positive=int(b.call.op != "isneginf"))


@translates("isfinite")
def isfinite(b: Builder, x: Operand) -> str:
    return b("Not", b("Or", b("IsNaN", x), b("IsInf", x)))


@translates("clamp_numbers")
def clamp_numbers(b: Builder, x: Operand, *, min: Any = None, max: Any = None) -> str:
    return b("Clip", x, *[None if v is None else b.number(v, x.dtype) for v in (min, max)])


@translates("clamp_tensors")
def clamp_tensors(b: Builder, x: Any, min: Operand | None, max: Operand | None) -> str:
    if min is not None:
        x = b("Max", x, min)
    return b("Identity", x) if max is None else b("Min", x, max)


@translates("nan_to_num")
def nan_to_num(b: Builder, x: Operand, *, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> str:
    limits = np.finfo(x.dtype)
    found: Any = x
    for sign, given, usual in ((1, posinf, limits.max), (-1, neginf, limits.min)):
        where = b("IsInf", x, detect_negative=int(sign < 0), detect_positive=int(sign > 0))
        found = b("Where", where, b.number(usual if given is None else given, x.dtype), found)
    return b("Where", b("IsNaN", x), b.number(nan, x.dtype), found)


@translates("apply_mask")
def apply_mask(b: Builder, x: Operand, mask: Operand) -> str:
    return b("Where", mask, x, b.number(0, x.dtype))


@translates("fill_number")
def fill_number(b: Builder, x: Operand, *, value: Any) -> str:
    return b("Expand", b.number(value, b.out.dtype), b.ints(b.out.shape))


@translates("zeros_of")
def zeros_of(b: Builder, x: Operand) -> str:
    return b("Expand", b.number(0, b.out.dtype), b.ints(b.out.shape))


@translates("exp2")
def exp2(b: Builder, x: Operand) -> str:
    return b("Exp", b("Mul", x, b.number(math.log(2), x.dtype)))


@translates("expm1")
def expm1(b: Builder, x: Operand) -> str:
    """``2 tanh(x / 2) / (1 - tanh(x / 2))`` near 0, where the difference of exp(x) and 1 has no digits."""
    one = b.number(1, x.dtype)
    half = b("Tanh", b("Mul", x, b.number(0.5, x.dtype)))
    near = b("Div", b("Add", half, half), b("Sub", one, half))
    return b("Where", b("Less", b("Abs", x), one), near, b("Sub", b("Exp", x), one))


@translates("log1p")
def log1p(b: Builder, x: Operand) -> str:
    """``2 atanh(x / (2 + x))`` near 0, where the sum of 1 and x has lost digits."""
    one, two = b.number(1, x.dtype), b.number(2, x.dtype)
    near = b("Mul", two, b("Atanh", b("Div", x, b("Add", x, two))))
    return b("Where", b("Less", b("Abs", x), b.number(0.5, x.dtype)), near, b("Log", b("Add", x, one)))


@translates("log2", "log10")
def log_to_base(b: Builder, x: Operand) -> str:
    assert b.call is not None
    return b("Div", b("Log", x), b.number(math.log(2 if b.call.op == "log2" else 10), x.dtype))


@translates("logaddexp")
def logaddexp(b: Builder, x: Operand, other: Operand) -> str:
    most, apart = b("Max", x, other), b("Abs", b("Sub", x, other))
    return b("Add", most, b("Softplus", b("Neg", apart)))


@translates("logit")
def logit(b: Builder, x: Any, *, eps: Any = None) -> str:
    dtype = x.dtype
    if eps is not None:
        x = b("Clip", x, b.number(eps, dtype), b.number(1 - eps, dtype))
    return b("Log", b("Div", x, b("Sub", b.number(1, dtype), x)))


@translates("erfc")
def erfc(b: Builder, x: Operand) -> str:
    return b("Sub", b.number(1, x.dtype), b("Erf", x))


@translates("pow_number")
def pow_number(b: Builder, x: Operand, *, exponent: Any) -> str:
    base = b.cast(x, b.out.dtype)
    if exponent == 2:
        return b("Mul", base, base)
    if exponent == 0.5:
        return b("Sqrt", base)
    return b("Pow", base, b.number(exponent, b.out.dtype))


@translates("pow_tensor")
def pow_tensor(b: Builder, x: Operand, exponent: Operand) -> str:
    return b("Pow", x, exponent)


@translates("deg2rad", "rad2deg")
def degrees(b: Builder, x: Operand) -> str:
    assert b.call is not None
    return b("Mul", x, b.number(math.pi / 180 if b.call.op == "deg2rad" else 180 / math.pi, x.dtype))


@translates("fmax", "fmin")
def extreme_of_numbers(b: Builder, x: Operand, other: Operand) -> str:
    """The one that is no NaN, where the other is."""
    assert b.call is not None
    found = b("Max" if b.call.op == "fmax" else "Min", x, other)
    if x.dtype.kind != "f":
        return found
    return b("Where", b("IsNaN", x), other, b("Where", b("IsNaN", other), x, found))


@translates("signbit")
def signbit(b: Builder, x: Operand) -> str:
    """Of the reciprocal where `x` is 0, so that negative zeros count."""
    zero = b.number(0, x.dtype)
    negative = b("Less", x, zero)
    if x.dtype.kind != "f":
        return negative
    return b("Or", negative, b("And", b("Equal", x, zero), b("Less", b("Reciprocal", x), zero)))


@translates("isclose")
def isclose(b: Builder, x: Operand, other: Operand, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> str:
    near, equal = b.number(atol, x.dtype), b("Equal", x, other)
    if x.dtype.kind != "f":
        return equal
    if equal_nan:
        equal = b("Or", equal, b("And", b("IsNaN", x), b("IsNaN", other)))
    allowed = b("Add", near, b("Abs", b("Mul", b.number(rtol, x.dtype), other)))
    close = b("LessOrEqual", b("Abs", b("Sub", x, other)), allowed)
    return b("Or", equal, b("And", close, b("Not", b("Or", b("IsInf", x), b("IsInf", other)))))


@translates("xlogy")
def xlogy(b: Builder, x: Operand, other: Operand) -> str:
    zero = b.number(0, x.dtype)
    found = b("Where", b("Equal", x, zero), zero, b("Mul", x, b("Log", other)))
    return b("Where", b("IsNaN", other), other, found)


@translates("atan2")
def atan2(b: Builder, y: Operand, x: Operand) -> str:
    zero = b.number(0, x.dtype)
    turn = b("Where", b("Less", y, zero), b.number(-math.pi, x.dtype), b.number(math.pi, x.dtype))
    angle = b("Atan", b("Div", y, x))
    upright = b("Mul", b("Sign", y), b.number(math.pi / 2, x.dtype))
    return b("Where", b("Equal", x, zero), upright, b("Where", b("Less", x, zero), b("Add", angle, turn), angle))


@translates("ndtr")
def ndtr(b: Builder, x: Operand) -> str:
    half = b.number(0.5, x.dtype)
    return b("Mul", half, b("Add", b.number(1, x.dtype), b("Erf", b("Mul", x, b.number(math.sqrt(0.5), x.dtype)))))
