"""Measures of the shape of a beat, for `MorphologyFeatures`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid

#: A stretch of time: seconds from the R peak to its beginning and to its end.
Span = tuple[float, float]


@dataclass(frozen=True)
class BeatMeasure(ABC):
    """Base of the measures: what `MorphologyFeatures` takes as ``measures``.

    A subclass states its parameters as fields, names its figures and computes them.
    """

    @abstractmethod
    def names(self) -> Sequence[str]:
        """Name the figures."""

    @abstractmethod
    def __call__(self, signals: NDArray, fs: float, r_peak: int) -> NDArray:
        """Compute the figures.

        Parameters
        ----------
        signals : ndarray of shape (n_beats, n_leads, n_samples)
            In mV over the baseline.
        fs : float
            In Hz.
        r_peak : int
            The column of the R peak.

        Returns
        -------
        ndarray of shape (n_beats, n_leads, n_names)

        Raises
        ------
        ValueError
            If the beats do not reach as far as the measure does.
        """

    def _part(self, signals: NDArray, span: Span, fs: float, r_peak: int) -> NDArray:
        """Take the samples of a span, both its ends included."""
        first, last = (r_peak + round(end * fs) for end in span)
        if not 0 <= first <= last < signals.shape[2]:
            reach = [round((column - r_peak) / fs, 3) for column in (0, signals.shape[2] - 1)]
            raise ValueError(
                f"{type(self).__name__} looks from {span[0]:g} to {span[1]:g} s around the R "
                f"peak, but beats reach from {reach[0]:g} to {reach[1]:g} s: cut longer beats, "
                "give it other times, or leave it out of measures"
            )
        return signals[:, :, first : last + 1]


@dataclass(frozen=True)
class QRSWidth(BeatMeasure):
    """Width of the QRS complex at some shares of its height, in s.

    The height is the largest deflection from the baseline near the R peak, up or down. The
    width is the time around it in which the signal stays beyond a share of that height,
    between samples by linear interpolation; where it stays there up to an end of the beat,
    the width ends there. It does not change with the amplitude. A beat without a deflection
    has no width: NaN.

    Parameters
    ----------
    heights : sequence of float, default=(0.5, 0.25)
        Shares of the height, between 0 and 1.
    search : float, default=0.06
        Seconds around the R peak in which to look for the largest deflection.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import QRSWidth
    >>> triangle = np.array([[[0, 0, 0, 1, 2, 3, 4, 3, 2, 1, 0, 0]]]) / 4
    >>> QRSWidth()(triangle, fs=100, r_peak=6).round(3)
    array([[[0.04, 0.06]]])
    """

    heights: Sequence[float] = (0.5, 0.25)
    search: float = 0.06

    def names(self) -> Sequence[str]:
        """Name the widths by per cent of the height."""
        return [f"qrs_width_{100 * height:g}" for height in self.heights]

    def __call__(self, signals: NDArray, fs: float, r_peak: int) -> NDArray:
        """Measure the widths: as of `BeatMeasure`."""
        if not all(0 < height < 1 for height in self.heights):
            raise ValueError(f"heights={self.heights!r}: expected shares between 0 and 1")
        reach = round(self.search * fs)
        first = max(r_peak - reach, 0)
        near = np.abs(signals[:, :, first : r_peak + reach + 1])
        peak = first + near.argmax(axis=2, keepdims=True)
        height = np.take_along_axis(signals, peak, axis=2)
        share = np.divide(signals, height, out=np.full(signals.shape, np.nan), where=height != 0)
        widths = [
            _run(share, peak, level) + _run(share[:, :, ::-1], -1 - peak, level)
            for level in self.heights
        ]
        return np.where(height == 0, np.nan, np.concatenate(widths, axis=2) / fs)


def _run(share: NDArray, peak: NDArray, level: float) -> NDArray:
    """Count the samples, with their fraction, from a peak on until the share falls to a level."""
    n_samples = share.shape[2]
    peak = peak % n_samples
    below = (share < level) & (np.arange(n_samples) > peak)
    end = np.where(below.any(axis=2, keepdims=True), below.argmax(axis=2, keepdims=True), 0)
    before, after = (np.take_along_axis(share, end - step, axis=2) for step in (1, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = end - 1 + (before - level) / (before - after)
    return np.where(end > 0, crossing, n_samples - 1) - peak


@dataclass(frozen=True)
class WaveAmplitudes(BeatMeasure):
    """Deflections of the waves from the baseline, in mV.

    Of P and T the largest deflection, up or down, of R the highest value, of Q and S the lowest.
    The waves are taken to lie at fixed times around the R peak.

    Parameters
    ----------
    p, q, r, s, t : tuple of two floats
        Seconds from the R peak to the beginning and to the end of each wave.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import WaveAmplitudes
    >>> beat = np.zeros((1, 1, 70))
    >>> beat[0, 0, [10, 25, 27, 50]] = 0.1, 1.2, -0.3, 0.4
    >>> WaveAmplitudes()(beat, fs=100, r_peak=25)
    array([[[ 0.1,  0. ,  1.2, -0.3,  0.4]]])
    """

    p: Span = (-0.2, -0.08)
    q: Span = (-0.08, 0.0)
    r: Span = (-0.04, 0.04)
    s: Span = (0.0, 0.08)
    t: Span = (0.15, 0.4)

    def names(self) -> Sequence[str]:
        """Name the amplitudes by their waves."""
        return [f"amplitude_{wave}" for wave in "pqrst"]

    def __call__(self, signals: NDArray, fs: float, r_peak: int) -> NDArray:
        """Measure the amplitudes: as of `BeatMeasure`."""
        highest = {"p": _largest, "q": _lowest, "r": _highest, "s": _lowest, "t": _largest}
        return np.stack(
            [
                measure(self._part(signals, getattr(self, wave), fs, r_peak))
                for wave, measure in highest.items()
            ],
            axis=2,
        )


def _highest(part: NDArray) -> NDArray:
    return part.max(axis=2)


def _lowest(part: NDArray) -> NDArray:
    return part.min(axis=2)


def _largest(part: NDArray) -> NDArray:
    place = np.abs(part).argmax(axis=2, keepdims=True)
    return np.take_along_axis(part, place, axis=2)[:, :, 0]


@dataclass(frozen=True)
class WaveAreas(BeatMeasure):
    """Areas between the waves and the baseline, in mV s.

    What lies above and what lies below the baseline both count, so that a QRS complex that
    points both ways has its whole area.

    Parameters
    ----------
    p, qrs, t : tuple of two floats
        Seconds from the R peak to the beginning and to the end of each wave.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import WaveAreas
    >>> beat = np.zeros((1, 1, 70))
    >>> beat[0, 0, 22:30] = 1, 1, 1, 1, -1, -1, -1, -1
    >>> WaveAreas()(beat, fs=100, r_peak=25).round(3)
    array([[[0.  , 0.08, 0.  ]]])
    """

    p: Span = (-0.2, -0.08)
    qrs: Span = (-0.08, 0.1)
    t: Span = (0.15, 0.4)

    def names(self) -> Sequence[str]:
        """Name the areas by their waves."""
        return [f"area_{wave}" for wave in ("p", "qrs", "t")]

    def __call__(self, signals: NDArray, fs: float, r_peak: int) -> NDArray:
        """Measure the areas: as of `BeatMeasure`."""
        parts = (self._part(signals, span, fs, r_peak) for span in (self.p, self.qrs, self.t))
        return np.stack([trapezoid(np.abs(part), dx=1 / fs) for part in parts], axis=2)


@dataclass(frozen=True)
class HermiteCoefficients(BeatMeasure):
    r"""Coefficients of the QRS complex in Hermite functions, and their width, in s.

    The functions [1]_

    .. math:: \varphi_n(t, \sigma) = \frac{1}{\sqrt{\sigma\, 2^n\, n!\, \sqrt{\pi}}}\,
              e^{-t^2 / 2\sigma^2} H_n(t / \sigma)

    are orthonormal, so that the coefficients are :math:`c_n = \int x(t)\,\varphi_n(t,
    \sigma)\,dt`. Of each beat the :math:`\sigma` is taken whose functions leave the least
    error.

    Parameters
    ----------
    n_coefficients : int, default=6
    reach : float, default=0.1
        Seconds on both sides of the R peak; beyond them the signal is taken to be zero.
    scales : sequence of float, default=(0.008, 0.01, ..., 0.04)
        The widths to choose from, in s.

    References
    ----------
    .. [1] Lagerholm M, Peterson C, Braccini G, Edenbrandt L, Sornmo L. Clustering ECG
       complexes using Hermite functions and self-organizing maps. IEEE Trans Biomed Eng
       47(7), 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import HermiteCoefficients
    >>> time = np.arange(-90, 162) / 360
    >>> gauss = np.exp(-(time**2) / 2 / 0.02**2)[np.newaxis, np.newaxis]
    >>> HermiteCoefficients(n_coefficients=2)(gauss, fs=360, r_peak=90).round(3)
    array([[[0.188, 0.   , 0.02 ]]])
    """

    n_coefficients: int = 6
    reach: float = 0.1
    scales: Sequence[float] = tuple(scale / 1000 for scale in range(8, 42, 2))

    def names(self) -> Sequence[str]:
        """Name the coefficients by their number, and the width."""
        return [*(f"hermite_{n}" for n in range(self.n_coefficients)), "hermite_scale"]

    def __call__(self, signals: NDArray, fs: float, r_peak: int) -> NDArray:
        """Compute the coefficients: as of `BeatMeasure`."""
        part = self._part(signals, (-self.reach, self.reach), fs, r_peak)
        reach = part.shape[2] // 2
        time = np.arange(-reach, reach + 1) / fs
        functions = np.stack([self._functions(time / scale, scale) for scale in self.scales])
        coefficients = np.einsum("blt,snt->blsn", part, functions, optimize=True) / fs
        # The energy that the functions take up is what they do not leave as an error.
        best = np.sum(coefficients**2, axis=3).argmax(axis=2)
        chosen = np.take_along_axis(coefficients, best[:, :, np.newaxis, np.newaxis], axis=2)
        scale = np.asarray(self.scales)[best]
        return np.concatenate([chosen[:, :, 0], scale[:, :, np.newaxis]], axis=2)

    def _functions(self, time: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
        """Compute the functions by their recursion, of shape (n_coefficients, n_samples)."""
        first = np.exp(-(time**2) / 2) / np.sqrt(scale * np.sqrt(np.pi))
        functions = [first, np.sqrt(2) * time * first]
        for n in range(2, self.n_coefficients):
            functions.append(
                np.sqrt(2 / n) * time * functions[-1] - np.sqrt((n - 1) / n) * functions[-2]
            )
        return np.stack(functions[: self.n_coefficients])
