"""``minigrad.special``: special functions under the names of ``torch.special``."""

from minigrad.ops.neural.activation import log_softmax, softmax
from minigrad.ops.pointwise.arithmetic import round
from minigrad.ops.pointwise.elementary import exp2, expm1, log1p, logit, sinc, xlogy
from minigrad.ops.pointwise.elementary import sigmoid as expit
from minigrad.ops.pointwise.special import (
    airy_ai,
    bessel_j0,
    bessel_j1,
    bessel_y0,
    bessel_y1,
    chebyshev_polynomial_t,
    chebyshev_polynomial_u,
    chebyshev_polynomial_v,
    chebyshev_polynomial_w,
    digamma,
    entr,
    erf,
    erfc,
    erfcx,
    erfinv,
    hermite_polynomial_h,
    hermite_polynomial_he,
    i0,
    i0e,
    i1,
    i1e,
    laguerre_polynomial_l,
    legendre_polynomial_p,
    log_ndtr,
    modified_bessel_k0,
    modified_bessel_k1,
    ndtr,
    ndtri,
    polygamma,
    scaled_modified_bessel_k0,
    scaled_modified_bessel_k1,
    shifted_chebyshev_polynomial_t,
    shifted_chebyshev_polynomial_u,
    shifted_chebyshev_polynomial_v,
    shifted_chebyshev_polynomial_w,
    spherical_bessel_j0,
    xlog1py,
    zeta,
)
from minigrad.ops.pointwise.special import digamma as psi
from minigrad.ops.pointwise.special import i0 as modified_bessel_i0
from minigrad.ops.pointwise.special import i1 as modified_bessel_i1
from minigrad.ops.pointwise.special import lgamma as gammaln
from minigrad.ops.pointwise.special import mvlgamma as multigammaln
from minigrad.ops.pointwise.tails import igamma as gammainc
from minigrad.ops.pointwise.tails import igammac as gammaincc
from minigrad.ops.reducing.reduction import logsumexp
from minigrad.recording.boundary import publish as _publish

__all__ = ["airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "chebyshev_polynomial_t", "chebyshev_polynomial_u",
           "chebyshev_polynomial_v", "chebyshev_polynomial_w", "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2",
           "expit", "expm1", "gammainc", "gammaincc", "gammaln", "hermite_polynomial_h", "hermite_polynomial_he", "i0", "i0e",
           "i1", "i1e", "laguerre_polynomial_l", "legendre_polynomial_p", "log1p", "log_ndtr", "log_softmax", "logit",
           "logsumexp", "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1", "multigammaln",
           "ndtr", "ndtri", "polygamma", "psi", "round", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1",
           "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
           "shifted_chebyshev_polynomial_w", "sinc", "softmax", "spherical_bessel_j0", "xlog1py", "xlogy", "zeta"]

_publish(globals())
