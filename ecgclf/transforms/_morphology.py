"""Morphology of beats: widths, amplitudes, areas and Hermite coefficients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid

from ecgclf._parameters import NotNegativeFloat, PositiveFloat
from ecgclf.transforms._beat_transformer import BeatFeatures

#: An interval: seconds from the R peak to its start and to its end.
Span = tuple[float, float]


@dataclass(frozen=True)
class BeatMeasure(ABC):
    """Base class of the measures of `MorphologyFeatures`."""

    @abstractmethod
    def names(self) -> Sequence[str]:
        """List the names of the features."""

    @abstractmethod
    def __call__(self, signals: NDArray, fs: float, r_peak: int) -> NDArray:
        """Compute features of beats without baseline, of shape (n_beats, n_leads, n_names)."""

    def _part(self, signals: NDArray, span: Span, fs: float, r_peak: int) -> NDArray:
        """Extract the samples of an interval, including both ends."""
        first, last = (r_peak + round(end * fs) for end in span)
        if not 0 <= first <= last < signals.shape[2]:
            reach = [round((column - r_peak) / fs, 3) for column in (0, signals.shape[2] - 1)]
            raise ValueError(
                f"{type(self).__name__} needs the samples from {span[0]:g} to {span[1]:g} s "
                f"around the R peak, but beats last from {reach[0]:g} to {reach[1]:g} s. Cut "
                "longer beats, change the times, or leave it out of measures."
            )
        return signals[:, :, first : last + 1]


@dataclass(frozen=True)
class QRSWidth(BeatMeasure):
    """Width of the QRS complex at fractions of its height, in s.

    The height is the largest deflection from the baseline near the R peak, positive or
    negative. The width is the time around it during which the signal exceeds a fraction of the
    height, with linear interpolation between samples. It ends at the latest at the ends of the
    beat. It does not depend on the amplitude, and is shorter than the QRS duration from onset to
    offset. The width of a constant beat is NaN.

    Parameters
    ----------
    heights : sequence of float, default=(0.5, 0.25)
        Fractions of the height, between 0 and 1.
    search : float, default=0.06
        Distance from the R peak, in seconds, within which the largest deflection is searched.

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
        """List the names: widths by per cent of the height."""
        return [f"qrs_width_{100 * height:g}" for height in self.heights]

    def __call__(self, signals: NDArray, fs: float, r_peak: int) -> NDArray:
        if not all(0 < height < 1 for height in self.heights):
            raise ValueError(f"heights={self.heights!r}: expected fractions between 0 and 1.")
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
    """Count the samples, as a real number, from a peak until the share falls to a level."""
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
    """Amplitudes of the waves over the baseline, in mV.

    For P and T the largest deflection, positive or negative; for R the maximum, for Q and S the
    minimum. Waves are searched at fixed times around the R peak.

    Parameters
    ----------
    p, q, r, s, t : tuple of two floats
        Interval of each wave: seconds from the R peak to its start and to its end.

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
        """List the names: amplitudes by wave."""
        return [f"amplitude_{wave}" for wave in "pqrst"]

    def __call__(self, signals: NDArray, fs: float, r_peak: int) -> NDArray:
        spans = (self.p, self.q, self.r, self.s, self.t)
        p, q, r, s, t = (self._part(signals, span, fs, r_peak) for span in spans)
        amplitudes = [_largest(p), q.min(axis=2), r.max(axis=2), s.min(axis=2), _largest(t)]
        return np.stack(amplitudes, axis=2)


def _largest(part: NDArray) -> NDArray:
    """Find the value of the largest deflection."""
    place = np.abs(part).argmax(axis=2, keepdims=True)
    return np.take_along_axis(part, place, axis=2)[:, :, 0]


@dataclass(frozen=True)
class WaveAreas(BeatMeasure):
    """Areas between the waves and the baseline, in mV s.

    Areas above and below the baseline are added, so the two deflections of a biphasic QRS
    complex do not cancel.

    Parameters
    ----------
    p, qrs, t : tuple of two floats
        Interval of each wave: seconds from the R peak to its start and to its end.

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
        """List the names: areas by wave."""
        return [f"area_{wave}" for wave in ("p", "qrs", "t")]

    def __call__(self, signals: NDArray, fs: float, r_peak: int) -> NDArray:
        parts = (self._part(signals, span, fs, r_peak) for span in (self.p, self.qrs, self.t))
        return np.stack([trapezoid(np.abs(part), dx=1 / fs) for part in parts], axis=2)


@dataclass(frozen=True)
class HermiteCoefficients(BeatMeasure):
    r"""Coefficients of the QRS complex in Hermite functions, and their scale in s.

    The functions [1]_

    .. math:: \varphi_n(t, \sigma) = \frac{1}{\sqrt{\sigma\, 2^n\, n!\, \sqrt{\pi}}}\,
              e^{-t^2 / 2\sigma^2} H_n(t / \sigma)

    are orthonormal, so the coefficients are :math:`c_n = \int x(t)\,\varphi_n(t,
    \sigma)\,dt`. For each beat the scale :math:`\sigma` with the smallest error is chosen.

    Parameters
    ----------
    n_coefficients : int, default=6
        Number of Hermite functions.
    reach : float, default=0.1
        Seconds before and after the R peak that are used.
    scales : sequence of float, default=(0.008, 0.01, ..., 0.04)
        Candidates for the scale, in s.

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
        """List the names: coefficients by number, then the scale."""
        return [*(f"hermite_{n}" for n in range(self.n_coefficients)), "hermite_scale"]

    def __call__(self, signals: NDArray, fs: float, r_peak: int) -> NDArray:
        part = self._part(signals, (-self.reach, self.reach), fs, r_peak)
        reach = part.shape[2] // 2
        time = np.arange(-reach, reach + 1) / fs
        functions = np.stack([self._functions(time / scale, scale) for scale in self.scales])
        coefficients = np.einsum("blt,snt->blsn", part, functions, optimize=True) / fs
        # The functions are orthonormal: the most energy means the smallest error.
        best = np.sum(coefficients**2, axis=3).argmax(axis=2)
        chosen = np.take_along_axis(coefficients, best[:, :, np.newaxis, np.newaxis], axis=2)
        scale = np.asarray(self.scales)[best]
        return np.concatenate([chosen[:, :, 0], scale[:, :, np.newaxis]], axis=2)

    def _functions(self, time: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
        """Compute the functions by recursion, of shape (n_coefficients, n_samples)."""
        first = np.exp(-(time**2) / 2) / np.sqrt(scale * np.sqrt(np.pi))
        functions = [first, np.sqrt(2) * time * first]
        for n in range(2, self.n_coefficients):
            functions.append(
                np.sqrt(2 / n) * time * functions[-1] - np.sqrt((n - 1) / n) * functions[-2]
            )
        return np.stack(functions[: self.n_coefficients])


_DEFAULT = (QRSWidth(), WaveAmplitudes(), WaveAreas(), HermiteCoefficients())


class MorphologyFeatures(BeatFeatures):
    """Widths, amplitudes, areas and Hermite coefficients of each beat.

    The median of each lead of a beat is its baseline. Each beat is measured alone, so all
    features are causal. Amplitudes and areas differ more between patients than between
    classes, so use `RecordRelative` around this transformer for unseen patients.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    before : float
        Seconds from the start of a beat to its R peak: ``window[0]`` of a loader.
    measures : sequence of measures, optional
        Measures, in the order of the output columns. By default `QRSWidth`, `WaveAmplitudes`,
        `WaveAreas` and `HermiteCoefficients`, 17 features of each lead.

    Examples
    --------
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.transforms import MorphologyFeatures, QRSWidth
    >>> beats = make_beats(n_beats=50, n_leads=2, fs=360, random_state=0)
    >>> widths = MorphologyFeatures(fs=360, before=0.25, measures=[QRSWidth([0.5])])
    >>> widths.fit(beats.data).get_feature_names_out()
    array(['lead_0_qrs_width_50', 'lead_1_qrs_width_50'], dtype=object)
    """

    fs: PositiveFloat
    before: NotNegativeFloat
    _: KW_ONLY
    measures: Annotated[Sequence[BeatMeasure], list, tuple] | None = None

    def _measure(self, signals: NDArray) -> NDArray:
        r_peak = round(self.before * self.fs)
        if r_peak >= signals.shape[2]:
            raise ValueError(
                f"before={self.before!r} s at fs={self.fs!r} Hz puts the R peak at sample "
                f"{r_peak}, but X has beats of {signals.shape[2]} samples. Set before to the "
                "seconds of the window before the R peak, and fs to the rate of the beats."
            )
        over_baseline = signals - np.median(signals, axis=2, keepdims=True)
        parts = [measure(over_baseline, self.fs, r_peak) for measure in self._chosen()]
        return np.concatenate(parts, axis=2)

    def _names(self) -> Sequence[str]:
        return [name for measure in self._chosen() for name in measure.names()]

    def _chosen(self) -> Sequence[BeatMeasure]:
        chosen = _DEFAULT if self.measures is None else self.measures
        if not chosen or not all(isinstance(measure, BeatMeasure) for measure in chosen):
            raise ValueError(
                f"measures={self.measures!r}: expected one or more measures, such as QRSWidth()."
            )
        return chosen
