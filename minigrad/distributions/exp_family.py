"""Exponential families."""

from __future__ import annotations

from minigrad import autograd
from minigrad._tensor import Tensor
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.utils import _sum_rightmost

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Distributions of density ``exp(<t(x), eta> - F(eta) + k(x))``, where t is the sufficient statistic, eta the natural
    parameters, F the log normalizer and k the carrier measure.

    The entropy is ``F(eta) - <eta, F'(eta)> - E[k(x)]`` (Nielsen and Nock, Entropies and cross-entropies of exponential families,
    2010), and so is the divergence between two of one family a difference of F: a Bregman divergence.

    >>> import minigrad as mg
    >>> isinstance(mg.distributions.Gamma(2.0, 1.0), mg.distributions.ExponentialFamily)
    True
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError(f"{type(self)} does not define _natural_params")

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self)} does not define _log_normalizer")

    @property
    def _mean_carrier_measure(self) -> float | Tensor:
        """The expected value of k."""
        raise NotImplementedError(f"{type(self)} does not define _mean_carrier_measure")

    def _normalizer_and_slopes(self) -> tuple[tuple[Tensor, ...], Tensor, tuple[Tensor, ...]]:
        """The natural parameters, the log normalizer there, and its derivatives, which are the expected values of t.

        They are part of the graph where a parameter is.
        """
        natural = self._natural_params
        recorded = any(eta.requires_grad for eta in natural)
        with autograd.enable_grad():
            inputs = [eta if eta.requires_grad else eta.detach().requires_grad_() for eta in natural]
            normalizer = self._log_normalizer(*inputs)
            slopes = autograd.grad(normalizer.sum(), inputs, create_graph=recorded)
        return natural, normalizer if recorded else normalizer.detach(), slopes

    def entropy(self) -> Tensor:
        natural, result, slopes = self._normalizer_and_slopes()
        result = result - self._mean_carrier_measure
        for eta, slope in zip(natural, slopes):
            result = result - _sum_rightmost(eta * slope, eta.dim() - len(self._batch_shape))
        return result
