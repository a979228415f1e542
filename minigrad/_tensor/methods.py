"""The operations as methods and operators of the tensor.

A type checker reads ``methods.pyi`` in the place of this file. That is generated, by ``python -m tests.typing.signatures``, from
what is bound here.
"""

from __future__ import annotations

from minigrad._types.tensor_base import TensorBase
from minigrad.ops import copying, creation, sampling, statistics
from minigrad.ops.indexing import as_strided as storage
from minigrad.ops.indexing import indexing
from minigrad.ops.indexing import scatter as scatters
from minigrad.ops.indexing import take as takes
from minigrad.ops.linear_algebra import decomposition, products
from minigrad.ops.neural import activation
from minigrad.ops.pointwise import arithmetic, comparison, elementary, special, tails
from minigrad.ops.reducing import ordering, reduction
from minigrad.ops.shaping import shape as shapes
from minigrad.ops.shaping import slicing
from minigrad.ops.spectral import fourier
from minigrad.recording.operators import inplace_operator, operator_form, reflected


class TensorMethods(TensorBase):
    """What :class:`~minigrad.Tensor` inherits: operations, which are plain functions, bound under their names."""

    # -- copies and writes

    clone = copying.clone

    # -- creation

    new_tensor = creation.new_tensor
    new_empty, new_zeros, new_ones, new_full = creation.new_empty, creation.new_zeros, creation.new_ones, creation.new_full
    new_empty_strided = creation.new_empty_strided

    # -- random

    uniform_, normal_, bernoulli_ = sampling.uniform_, sampling.normal_, sampling.bernoulli_
    random_, exponential_, geometric_ = sampling.random_, sampling.exponential_, sampling.geometric_
    cauchy_, log_normal_ = sampling.cauchy_, sampling.log_normal_
    bernoulli, multinomial = sampling.bernoulli, sampling.multinomial

    # -- operators

    __add__ = __radd__ = operator_form(arithmetic.add)
    __sub__, __rsub__ = operator_form(arithmetic.sub), operator_form(arithmetic.rsub)
    __mul__ = __rmul__ = operator_form(arithmetic.mul)
    __truediv__ = operator_form(arithmetic.true_divide)
    __floordiv__, __rfloordiv__ = operator_form(arithmetic.floor_divide), reflected(arithmetic.floor_divide)
    __mod__, __rmod__ = operator_form(arithmetic.remainder), reflected(arithmetic.remainder)
    __pow__, __rpow__ = operator_form(elementary.pow), reflected(elementary.pow)
    __matmul__, __rmatmul__ = operator_form(products.matmul), reflected(products.matmul)
    __and__ = __rand__ = operator_form(comparison.bitwise_and)
    __or__ = __ror__ = operator_form(comparison.bitwise_or)
    __xor__ = __rxor__ = operator_form(comparison.bitwise_xor)
    __lshift__, __rlshift__ = operator_form(comparison.bitwise_left_shift), reflected(comparison.bitwise_left_shift)
    __rshift__, __rrshift__ = operator_form(comparison.bitwise_right_shift), reflected(comparison.bitwise_right_shift)
    __neg__, __pos__ = operator_form(arithmetic.neg), arithmetic.positive
    __abs__ = arithmetic.abs
    __lt__, __le__ = operator_form(comparison.lt), operator_form(comparison.le)
    __gt__, __ge__ = operator_form(comparison.gt), operator_form(comparison.ge)

    __iadd__, __isub__ = inplace_operator(arithmetic.add), inplace_operator(arithmetic.sub)
    __imul__, __itruediv__ = inplace_operator(arithmetic.mul), inplace_operator(arithmetic.true_divide)
    __ifloordiv__, __imod__ = inplace_operator(arithmetic.floor_divide), inplace_operator(arithmetic.remainder)
    __ipow__, __iand__ = inplace_operator(elementary.pow), inplace_operator(comparison.bitwise_and)
    __ior__, __ixor__ = inplace_operator(comparison.bitwise_or), inplace_operator(comparison.bitwise_xor)
    __ilshift__ = inplace_operator(comparison.bitwise_left_shift)
    __irshift__ = inplace_operator(comparison.bitwise_right_shift)

    # -- pointwise: functions, and their forms that write in place

    add, add_, sub, sub_ = arithmetic.add, arithmetic.add.inplace, arithmetic.sub, arithmetic.sub.inplace
    mul, mul_, div, div_ = arithmetic.mul, arithmetic.mul.inplace, arithmetic.div, arithmetic.div.inplace
    true_divide, true_divide_ = arithmetic.true_divide, arithmetic.true_divide.inplace
    floor_divide, floor_divide_ = arithmetic.floor_divide, arithmetic.floor_divide.inplace
    remainder, remainder_ = arithmetic.remainder, arithmetic.remainder.inplace
    fmod, fmod_, multiply, multiply_ = arithmetic.fmod, arithmetic.fmod.inplace, arithmetic.multiply, arithmetic.multiply.inplace
    subtract, subtract_ = arithmetic.subtract, arithmetic.subtract.inplace
    divide, divide_ = arithmetic.divide, arithmetic.divide.inplace
    neg, neg_, negative, negative_ = arithmetic.neg, arithmetic.neg.inplace, arithmetic.negative, arithmetic.negative.inplace
    reciprocal, reciprocal_ = arithmetic.reciprocal, arithmetic.reciprocal.inplace
    square, square_, sqrt, sqrt_ = arithmetic.square, arithmetic.square.inplace, arithmetic.sqrt, arithmetic.sqrt.inplace
    rsqrt, rsqrt_, pow, pow_ = arithmetic.rsqrt, arithmetic.rsqrt.inplace, elementary.pow, elementary.pow.inplace
    float_power, float_power_ = elementary.float_power, elementary.float_power.inplace
    abs, abs_, absolute, absolute_ = arithmetic.abs, arithmetic.abs.inplace, arithmetic.absolute, arithmetic.absolute.inplace
    sign, sign_, sgn, sgn_ = arithmetic.sign, arithmetic.sign.inplace, arithmetic.sgn, arithmetic.sgn.inplace
    copysign, copysign_ = arithmetic.copysign, arithmetic.copysign.inplace
    hypot, hypot_ = arithmetic.hypot, arithmetic.hypot.inplace
    heaviside, heaviside_ = arithmetic.heaviside, arithmetic.heaviside.inplace
    nextafter, nextafter_ = arithmetic.nextafter, arithmetic.nextafter.inplace
    lerp, lerp_, addcmul, addcmul_ = arithmetic.lerp, arithmetic.lerp.inplace, arithmetic.addcmul, arithmetic.addcmul.inplace
    addcdiv, addcdiv_, ldexp, ldexp_ = arithmetic.addcdiv, arithmetic.addcdiv.inplace, elementary.ldexp, elementary.ldexp.inplace
    gcd, gcd_, lcm, lcm_ = comparison.gcd, comparison.gcd.inplace, comparison.lcm, comparison.lcm.inplace
    xlogy, xlogy_ = elementary.xlogy, elementary.xlogy.inplace
    eq, eq_, ne, ne_ = comparison.eq, comparison.eq.inplace, comparison.ne, comparison.ne.inplace
    lt, lt_, le, le_ = comparison.lt, comparison.lt.inplace, comparison.le, comparison.le.inplace
    gt, gt_, ge, ge_ = comparison.gt, comparison.gt.inplace, comparison.ge, comparison.ge.inplace
    not_equal, not_equal_ = comparison.not_equal, comparison.not_equal.inplace
    less, less_ = comparison.less, comparison.less.inplace
    less_equal, less_equal_ = comparison.less_equal, comparison.less_equal.inplace
    greater, greater_ = comparison.greater, comparison.greater.inplace
    greater_equal, greater_equal_ = comparison.greater_equal, comparison.greater_equal.inplace
    logical_and, logical_and_ = comparison.logical_and, comparison.logical_and.inplace
    logical_or, logical_or_ = comparison.logical_or, comparison.logical_or.inplace
    logical_xor, logical_xor_ = comparison.logical_xor, comparison.logical_xor.inplace
    logical_not, logical_not_ = comparison.logical_not, comparison.logical_not.inplace
    bitwise_and, bitwise_and_ = comparison.bitwise_and, comparison.bitwise_and.inplace
    bitwise_or, bitwise_or_ = comparison.bitwise_or, comparison.bitwise_or.inplace
    bitwise_xor, bitwise_xor_ = comparison.bitwise_xor, comparison.bitwise_xor.inplace
    bitwise_not, bitwise_not_ = comparison.bitwise_not, comparison.bitwise_not.inplace
    bitwise_left_shift, bitwise_left_shift_ = comparison.bitwise_left_shift, comparison.bitwise_left_shift.inplace
    bitwise_right_shift, bitwise_right_shift_ = comparison.bitwise_right_shift, comparison.bitwise_right_shift.inplace
    floor, floor_, ceil, ceil_ = arithmetic.floor, arithmetic.floor.inplace, arithmetic.ceil, arithmetic.ceil.inplace
    round, round_, trunc, trunc_ = arithmetic.round, arithmetic.round.inplace, arithmetic.trunc, arithmetic.trunc.inplace
    fix, fix_, frac, frac_ = arithmetic.fix, arithmetic.fix.inplace, arithmetic.frac, arithmetic.frac.inplace
    exp, exp_, exp2, exp2_ = elementary.exp, elementary.exp.inplace, elementary.exp2, elementary.exp2.inplace
    expm1, expm1_, log, log_ = elementary.expm1, elementary.expm1.inplace, elementary.log, elementary.log.inplace
    log2, log2_, log10, log10_ = elementary.log2, elementary.log2.inplace, elementary.log10, elementary.log10.inplace
    log1p, log1p_, sigmoid, sigmoid_ = elementary.log1p, elementary.log1p.inplace, elementary.sigmoid, elementary.sigmoid.inplace
    logit, logit_ = elementary.logit, elementary.logit.inplace
    sin, sin_, cos, cos_ = elementary.sin, elementary.sin.inplace, elementary.cos, elementary.cos.inplace
    tan, tan_, asin, asin_ = elementary.tan, elementary.tan.inplace, elementary.asin, elementary.asin.inplace
    acos, acos_, atan, atan_ = elementary.acos, elementary.acos.inplace, elementary.atan, elementary.atan.inplace
    atan2, atan2_, sinh, sinh_ = elementary.atan2, elementary.atan2.inplace, elementary.sinh, elementary.sinh.inplace
    cosh, cosh_, tanh, tanh_ = elementary.cosh, elementary.cosh.inplace, elementary.tanh, elementary.tanh.inplace
    asinh, asinh_, acosh, acosh_ = elementary.asinh, elementary.asinh.inplace, elementary.acosh, elementary.acosh.inplace
    atanh, atanh_, sinc, sinc_ = elementary.atanh, elementary.atanh.inplace, elementary.sinc, elementary.sinc.inplace
    deg2rad, deg2rad_ = elementary.deg2rad, elementary.deg2rad.inplace
    rad2deg, rad2deg_ = elementary.rad2deg, elementary.rad2deg.inplace
    arcsin, arcsin_, arccos, arccos_ = elementary.arcsin, elementary.arcsin.inplace, elementary.arccos, elementary.arccos.inplace
    arctan, arctan_ = elementary.arctan, elementary.arctan.inplace
    arctan2, arctan2_ = elementary.arctan2, elementary.arctan2.inplace
    arcsinh, arcsinh_ = elementary.arcsinh, elementary.arcsinh.inplace
    arccosh, arccosh_ = elementary.arccosh, elementary.arccosh.inplace
    arctanh, arctanh_ = elementary.arctanh, elementary.arctanh.inplace
    clamp, clamp_, clip, clip_ = comparison.clamp, comparison.clamp.inplace, comparison.clip, comparison.clip.inplace
    clamp_min, clamp_min_ = comparison.clamp_min, comparison.clamp_min.inplace
    clamp_max, clamp_max_ = comparison.clamp_max, comparison.clamp_max.inplace
    nan_to_num, nan_to_num_ = comparison.nan_to_num, comparison.nan_to_num.inplace
    conj_physical, conj_physical_ = arithmetic.conj_physical, arithmetic.conj_physical.inplace
    rsub, positive, signbit, maximum = arithmetic.rsub, arithmetic.positive, arithmetic.signbit, comparison.maximum
    minimum, fmax, fmin, logaddexp = comparison.minimum, comparison.fmax, comparison.fmin, elementary.logaddexp
    logaddexp2, frexp, isclose, allclose = elementary.logaddexp2, elementary.frexp, comparison.isclose, comparison.allclose
    equal, isnan, isinf, isfinite = comparison.equal, comparison.isnan, comparison.isinf, comparison.isfinite
    isposinf, isneginf, isreal, conj = comparison.isposinf, comparison.isneginf, comparison.isreal, arithmetic.conj
    angle = arithmetic.angle
    real, imag = property(arithmetic.real, copying.set_real), property(arithmetic.imag, copying.set_imag)

    # -- activations and special functions

    relu, relu_, prelu, hardshrink = activation.relu, activation.relu.inplace, activation.prelu, activation.hardshrink
    softmax, log_softmax = activation.softmax, activation.log_softmax
    erf, erf_, erfc, erfc_ = special.erf, special.erf.inplace, special.erfc, special.erfc.inplace
    erfinv, erfinv_, i0, i0_ = special.erfinv, special.erfinv.inplace, special.i0, special.i0.inplace
    lgamma, lgamma_, digamma, digamma_ = special.lgamma, special.lgamma.inplace, special.digamma, special.digamma.inplace
    polygamma, polygamma_ = special.polygamma_of, special.polygamma_of.inplace
    mvlgamma, mvlgamma_ = special.mvlgamma, special.mvlgamma.inplace
    igamma, igamma_, igammac, igammac_ = tails.igamma, tails.igamma.inplace, tails.igammac, tails.igammac.inplace

    # -- reduction

    sum, nansum, mean, nanmean, prod = reduction.sum, reduction.nansum, reduction.mean, reduction.nanmean, reduction.prod
    var, std, all, any, count_nonzero = reduction.var, reduction.std, reduction.all, reduction.any, reduction.count_nonzero
    amax, amin, aminmax, argmax, argmin = reduction.amax, reduction.amin, reduction.aminmax, reduction.argmax, reduction.argmin
    logsumexp, logcumsumexp = reduction.logsumexp, reduction.logcumsumexp
    cumsum, cumsum_, cumprod, cumprod_ = reduction.cumsum, reduction.cumsum.inplace, reduction.cumprod, reduction.cumprod.inplace

    # -- ordering

    max, min, median, nanmedian, mode = ordering.max, ordering.min, ordering.median, ordering.nanmedian, ordering.mode
    sort, argsort, msort, topk, kthvalue = ordering.sort, ordering.argsort, ordering.msort, ordering.topk, ordering.kthvalue
    cummax, cummin = ordering.cummax, ordering.cummin
    unique, unique_consecutive = ordering.unique, ordering.unique_consecutive

    # -- statistics

    quantile, nanquantile, histc, histogram = statistics.quantile, statistics.nanquantile, statistics.histc, statistics.histogram
    bincount, cov, corrcoef, diff = statistics.bincount, statistics.cov, statistics.corrcoef, statistics.diff
    norm, dist, renorm, renorm_ = statistics.norm, statistics.dist, statistics.renorm, statistics.renorm.inplace

    # -- shape

    view, view_as, reshape, reshape_as = shapes.view, shapes.view_as, shapes.reshape_method, shapes.reshape_as
    flatten, unflatten, ravel = shapes.flatten, shapes.unflatten, shapes.ravel
    squeeze, unsqueeze, squeeze_, unsqueeze_ = shapes.squeeze, shapes.unsqueeze, shapes.squeeze_, shapes.unsqueeze_
    expand, expand_as, broadcast_to = shapes.expand_method, shapes.expand_as, shapes.expand_method
    sum_to_size, repeat, tile, roll = shapes.sum_to_size_method, shapes.repeat_method, shapes.tile_method, shapes.roll
    permute, transpose, transpose_ = shapes.permute_method, shapes.transpose, shapes.transpose_
    swapaxes, swapdims, swapaxes_, swapdims_ = shapes.swapaxes, shapes.swapdims, shapes.swapaxes_, shapes.swapdims_
    movedim, moveaxis, t, t_, adjoint = shapes.movedim, shapes.moveaxis, shapes.t, shapes.t_, shapes.adjoint
    T = property(shapes.numpy_T, doc="All dimensions in reverse order; for a matrix, its transpose.")
    mT = property(shapes.matrix_transpose, doc="The last two dimensions exchanged.")
    mH = property(shapes.adjoint, doc="The complex conjugate with the last two dimensions exchanged.")
    H = property(shapes.matrix_H, doc="The conjugate transpose of a matrix.")
    flip, fliplr, flipud, rot90 = shapes.flip_method, shapes.fliplr, shapes.flipud, shapes.rot90
    split, split_with_sizes, chunk, unbind = slicing.split, slicing.split_with_sizes, slicing.chunk, slicing.unbind
    tensor_split, hsplit, vsplit, dsplit = slicing.tensor_split, slicing.hsplit, slicing.vsplit, slicing.dsplit
    narrow, select, unfold = slicing.narrow, slicing.select, slicing.unfold
    diagonal, diag, diag_embed = slicing.diagonal, slicing.diag, slicing.diag_embed
    diagflat, trace = slicing.diagflat, slicing.trace
    narrow_copy, unsafe_split, unsafe_chunk = slicing.narrow_copy, slicing.unsafe_split, slicing.unsafe_chunk
    unsafe_split_with_sizes, fill_diagonal_ = slicing.unsafe_split_with_sizes, takes.fill_diagonal_
    tril, triu, tril_, triu_ = slicing.tril, slicing.triu, slicing.tril.inplace, slicing.triu.inplace
    diagonal_scatter, select_scatter = slicing.diagonal_scatter, slicing.select_scatter
    slice_scatter = slicing.slice_scatter

    # -- indexing

    __getitem__, __setitem__ = indexing.getitem, indexing.setitem
    gather, take, put, put_ = scatters.gather, takes.take, takes.put, takes.put_
    take_along_dim, repeat_interleave = takes.take_along_dim, takes.repeat_interleave
    scatter, scatter_, scatter_add = scatters.scatter, scatters.scatter_, scatters.scatter_add
    scatter_add_, scatter_reduce = scatters.scatter_add_, scatters.scatter_reduce
    scatter_reduce_ = scatters.scatter_reduce_
    index_select, index_add, index_add_ = indexing.index_select, indexing.index_add, indexing.index_add_
    index_copy, index_copy_, index_fill = indexing.index_copy, indexing.index_copy_, indexing.index_fill
    index_fill_, index_put, index_put_ = indexing.index_fill_, indexing.index_put, indexing.index_put_
    masked_fill, masked_fill_, masked_select = scatters.masked_fill, scatters.masked_fill_, scatters.masked_select
    masked_scatter, masked_scatter_ = scatters.masked_scatter, scatters.masked_scatter.inplace
    nonzero, argwhere, nonzero_static = takes.nonzero, takes.argwhere, takes.nonzero_static
    index_reduce, index_reduce_ = scatters.index_reduce, scatters.index_reduce_
    as_strided, as_strided_, as_strided_scatter = storage.as_strided, storage.as_strided_, storage.as_strided_scatter
    resize_, resize_as_ = storage.resize_, storage.resize_as_

    # -- linalg

    matmul = products.matmul
    mm, bmm, mv, dot, vdot = products.mm, products.bmm, products.mv, products.dot, products.vdot
    outer, ger = products.outer, products.ger
    addmm, addmv, addr, addbmm, baddbmm = products.addmm, products.addmv, products.addr, products.addbmm, products.baddbmm
    addmm_, addmv_, addr_ = products.addmm.inplace, products.addmv.inplace, products.addr.inplace
    addbmm_, baddbmm_ = products.addbmm.inplace, products.baddbmm.inplace
    inner, kron, cross = products.inner, products.kron, products.cross
    det, slogdet, logdet, inverse, pinverse = (decomposition.det, decomposition.slogdet, decomposition.logdet,
                                               decomposition.inverse, decomposition.pinverse)
    cholesky, cholesky_inverse = decomposition.cholesky, decomposition.cholesky_inverse
    cholesky_solve, triangular_solve = decomposition.cholesky_solve, decomposition.triangular_solve
    qr, geqrf, ormqr, svd, lu, lu_solve = (decomposition.qr, decomposition.geqrf, decomposition.ormqr, decomposition.svd,
                                           decomposition.lu, decomposition.lu_solve)
    matrix_exp, matrix_power, orgqr = decomposition.matrix_exp, decomposition.matrix_power, decomposition.orgqr
    stft, istft = fourier.stft, fourier.istft
