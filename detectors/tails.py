"""Upper tails of counts: negative binomial, with the uncertainty of its dispersion integrated."""

from __future__ import annotations

import numpy as np
from scipy import special

from detectors.base import Floats

NODES = np.array([-np.sqrt(3.0), 0.0, np.sqrt(3.0)])  # three-point Gauss-Hermite rule
WEIGHTS = np.array([1 / 6, 2 / 3, 1 / 6])


def negative_binomial(count: Floats, mean: Floats, variance: Floats) -> Floats:
    """P(Y >= count) for a count of this mean and variance; Poisson in the limit variance = mean. All float64[m]."""
    excess = np.maximum(variance - mean, 1e-9 * mean + 1e-300)
    size = mean * mean / excess
    p = np.asarray(special.betainc(np.maximum(count, 1e-9), size, excess / (mean + excess)), np.float64)
    return np.where(count <= 0, 1.0, p)


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


def upper_quantile(mean: Floats, variance: Floats, z: float = 1.96) -> Floats:
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
