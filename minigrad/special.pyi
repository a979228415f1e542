"""The names of ``minigrad.special``, for type checkers; made by ``python -m tests.typing.signatures``."""

from minigrad.ops.pointwise.special import mvlgamma as multigammaln
from minigrad.ops.pointwise.special import polygamma as polygamma
from minigrad.ops.pointwise.special import shifted_chebyshev_polynomial_t as shifted_chebyshev_polynomial_t
from minigrad.ops.pointwise.special import shifted_chebyshev_polynomial_u as shifted_chebyshev_polynomial_u
from minigrad.ops.pointwise.special import shifted_chebyshev_polynomial_v as shifted_chebyshev_polynomial_v
from minigrad.ops.pointwise.special import shifted_chebyshev_polynomial_w as shifted_chebyshev_polynomial_w
from minigrad.ops.signatures import airy_ai as airy_ai
from minigrad.ops.signatures import bessel_j0 as bessel_j0
from minigrad.ops.signatures import bessel_j1 as bessel_j1
from minigrad.ops.signatures import bessel_y0 as bessel_y0
from minigrad.ops.signatures import bessel_y1 as bessel_y1
from minigrad.ops.signatures import chebyshev_polynomial_t as chebyshev_polynomial_t
from minigrad.ops.signatures import chebyshev_polynomial_u as chebyshev_polynomial_u
from minigrad.ops.signatures import chebyshev_polynomial_v as chebyshev_polynomial_v
from minigrad.ops.signatures import chebyshev_polynomial_w as chebyshev_polynomial_w
from minigrad.ops.signatures import digamma as digamma
from minigrad.ops.signatures import digamma as psi
from minigrad.ops.signatures import entr as entr
from minigrad.ops.signatures import erf as erf
from minigrad.ops.signatures import erfc as erfc
from minigrad.ops.signatures import erfcx as erfcx
from minigrad.ops.signatures import erfinv as erfinv
from minigrad.ops.signatures import exp2 as exp2
from minigrad.ops.signatures import expm1 as expm1
from minigrad.ops.signatures import hermite_polynomial_h as hermite_polynomial_h
from minigrad.ops.signatures import hermite_polynomial_he as hermite_polynomial_he
from minigrad.ops.signatures import i0 as i0
from minigrad.ops.signatures import i0 as modified_bessel_i0
from minigrad.ops.signatures import i0e as i0e
from minigrad.ops.signatures import i1 as i1
from minigrad.ops.signatures import i1 as modified_bessel_i1
from minigrad.ops.signatures import i1e as i1e
from minigrad.ops.signatures import igamma as gammainc
from minigrad.ops.signatures import igammac as gammaincc
from minigrad.ops.signatures import laguerre_polynomial_l as laguerre_polynomial_l
from minigrad.ops.signatures import legendre_polynomial_p as legendre_polynomial_p
from minigrad.ops.signatures import lgamma as gammaln
from minigrad.ops.signatures import log1p as log1p
from minigrad.ops.signatures import log_ndtr as log_ndtr
from minigrad.ops.signatures import log_softmax as log_softmax
from minigrad.ops.signatures import logit as logit
from minigrad.ops.signatures import logsumexp as logsumexp
from minigrad.ops.signatures import modified_bessel_k0 as modified_bessel_k0
from minigrad.ops.signatures import modified_bessel_k1 as modified_bessel_k1
from minigrad.ops.signatures import ndtr as ndtr
from minigrad.ops.signatures import ndtri as ndtri
from minigrad.ops.signatures import round as round
from minigrad.ops.signatures import scaled_modified_bessel_k0 as scaled_modified_bessel_k0
from minigrad.ops.signatures import scaled_modified_bessel_k1 as scaled_modified_bessel_k1
from minigrad.ops.signatures import sigmoid as expit
from minigrad.ops.signatures import sinc as sinc
from minigrad.ops.signatures import softmax as softmax
from minigrad.ops.signatures import spherical_bessel_j0 as spherical_bessel_j0
from minigrad.ops.signatures import xlog1py as xlog1py
from minigrad.ops.signatures import xlogy as xlogy
from minigrad.ops.signatures import zeta as zeta


__all__ = ["airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "chebyshev_polynomial_t", "chebyshev_polynomial_u",
           "chebyshev_polynomial_v", "chebyshev_polynomial_w", "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2",
           "expit", "expm1", "gammainc", "gammaincc", "gammaln", "hermite_polynomial_h", "hermite_polynomial_he", "i0", "i0e",
           "i1", "i1e", "laguerre_polynomial_l", "legendre_polynomial_p", "log1p", "log_ndtr", "log_softmax", "logit",
           "logsumexp", "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1", "multigammaln",
           "ndtr", "ndtri", "polygamma", "psi", "round", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1",
           "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
           "shifted_chebyshev_polynomial_w", "sinc", "softmax", "spherical_bessel_j0", "xlog1py", "xlogy", "zeta"]
