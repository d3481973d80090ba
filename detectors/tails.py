"""Upper tails of counts: negative binomial, with the uncertainty of its dispersion integrated."""

from __future__ import annotations

import numpy as np
from scipy import special

from detectors.base import AnyFloats, Floats, Indices

NODES = np.array([-np.sqrt(3.0), 0.0, np.sqrt(3.0)])  # three-point Gauss-Hermite rule
WEIGHTS = np.array([1 / 6, 2 / 3, 1 / 6])
FEW = 24  # a sum of so many terms is cheaper than the beta integral
DEEP = 1e-6  # below this, what is left of 1 minus a sum has too few digits


def negative_binomial(count: Floats, mean: Floats, variance: Floats) -> Floats:
    """P(Y >= count) for a whole count of this mean and variance; Poisson in the limit variance = mean. All float64[m]."""
    excess = np.maximum(variance - mean, 1e-9 * mean + 1e-300)
    size, chance = mean * mean / excess, excess / (mean + excess)
    p = np.ones(len(count))
    few = np.flatnonzero((count >= 1) & (count <= FEW) & (mean > 0))
    p[few] = _of_few(count[few].astype(np.int8), size[few], chance[few], np.log1p(excess[few] / mean[few]))
    other = count > FEW
    other[few] = p[few] < DEEP
    rest = np.flatnonzero(other | ((count > 0) & ~(mean > 0)))
    p[rest] = special.betainc(count[rest], size[rest], chance[rest])
    return p


def _of_few(count: Indices, size: Floats, chance: Floats, nothing: Floats) -> Floats:
    """1 - P(Y < count), term by term: several times cheaper than the beta integral, with an error of some 1e-15.

    `nothing`: -log(1 - chance). The many with small counts are done after a few terms.
    """
    order = np.argsort(-count, kind="stable")
    size, chance = size[order], chance[order]
    term = np.exp(-size * nothing[order])
    below = term.copy()
    more = len(count) - np.bincount(count, minlength=1).cumsum()  # with more than j terms
    for j, m in enumerate(more[1:-1].tolist(), 1):
        term[:m] *= chance[:m] * (size[:m] + (j - 1)) / j
        below[:m] += term[:m]
    p = np.empty(len(count))
    p[order] = 1 - below
    return p


def mixed(count: Floats, mean: Floats, theta: Floats, theta_sd: Floats, relative: Floats) -> Floats:
    """P(Y >= count) where variance = mean (1 + theta) + mean^2 relative and theta is log-normal with mean and sd given.

    The deep tail belongs to the large thetas: a plug-in theta would call chance clusters impossible.
    """
    spread = np.sqrt(np.log1p((theta_sd / theta) ** 2))
    nodes = theta * np.exp(-0.5 * spread * spread + NODES[:, None] * spread)
    variance = mean * (1 + nodes) + mean * mean * relative
    shape = nodes.shape
    flat = [np.broadcast_to(a, shape).ravel() for a in (count, mean, variance)]
    p: Floats = WEIGHTS @ negative_binomial(*flat).reshape(shape)
    return p


def upper_quantile(mean: AnyFloats, variance: AnyFloats, z: float = 1.96) -> Floats:
    """Quantile of a gamma with this mean and variance (Wilson and Hilferty 1931), never under the mean: a chart's band."""
    shape = mean * mean / variance  # worked on in place: there is one a series
    np.maximum(shape, 1e-12, out=shape)
    root = np.divide(1, 9 * shape)
    np.subtract(1, root, out=root)
    np.sqrt(shape, out=shape)
    shape *= 3
    np.divide(z, shape, out=shape)
    root += shape
    np.maximum(root, 0.0, out=root)
    upper = np.multiply(root, root, out=shape)
    upper *= root
    upper *= mean
    return np.asarray(np.maximum(mean, upper, out=upper), np.float64)
