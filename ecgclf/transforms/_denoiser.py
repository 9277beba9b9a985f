"""Remove noise by thresholds on wavelet coefficients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import pywt
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils._param_validation import Interval, StrOptions

from ecgclf.transforms._transformer import BeatTransformer
from ecgclf.transforms._wavelets import (
    DISCRETE_WAVELET,
    check_level,
    deepest_level,
    put_together,
    take_apart,
)

#: Median of the absolute value of a standard normal variable.
_MEDIAN_OF_NORMAL = 0.6745


@dataclass(kw_only=True, eq=False, repr=False)
class WaveletDenoiser(OneToOneFeatureMixin, BeatTransformer):
    r"""Remove white noise by the universal threshold of Donoho and Johnstone.

    Of the wavelet coefficients of a lead of a beat, those are noise that lie below

    .. math:: \lambda = c \, \hat\sigma \sqrt{2 \ln n},
       \qquad \hat\sigma = \operatorname{median}(|d_1|) / 0.6745,

    where :math:`n` is the number of samples and :math:`d_1` are the finest details, which
    hold little but noise [1]_. The approximation at the last level stays as it is.

    Parameters
    ----------
    wavelet : str, default="sym4"
        One of the discrete wavelets of PyWavelets.
    level : int or None, default=None
        How often the frequencies are halved. None goes as deep as the beats allow.
    threshold : {"soft", "hard"}, default="soft"
        What becomes of coefficients above the threshold: they lose its amount, or stay.
    factor : float, default=1.0
        The factor c; with 0 nothing is removed.

    Notes
    -----
    Beyond its ends a beat is mirrored, with its last sample seen twice. Zeros that fill up a
    row are seen as a quiet part, which makes the noise look smaller than it is: remove noise
    before rows are filled up.

    References
    ----------
    .. [1] Donoho DL, Johnstone IM. Ideal spatial adaptation by wavelet shrinkage. Biometrika
       81(3), 1994.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import WaveletDenoiser
    >>> noise = np.random.default_rng(0).normal(size=(1, 256))
    >>> bump = 10 * np.hanning(256)
    >>> denoised = WaveletDenoiser().fit_transform(bump + noise)
    >>> bool(np.abs(denoised - bump).std() < 0.5 * noise.std())
    True
    """

    wavelet: str = "sym4"
    level: int | None = None
    threshold: str = "soft"
    factor: float = 1.0

    _parameter_constraints: ClassVar[dict] = {
        "wavelet": [DISCRETE_WAVELET],
        "level": [Interval(Integral, 1, None, closed="left"), None],
        "threshold": [StrOptions({"soft", "hard"})],
        "factor": [Interval(Real, 0, np.inf, closed="left")],
    }

    _min_samples: ClassVar[int] = 2

    def _change(self, signals: NDArray) -> NDArray:
        n_samples = signals.shape[2]
        level = self.level
        if level is None:
            level = max(deepest_level(n_samples, self.wavelet), 1)
        check_level(
            level,
            n_samples,
            self.wavelet,
            "lower level, take a shorter wavelet such as 'haar', or cut longer beats",
        )
        approximation, *details = take_apart(signals, self.wavelet, level)
        noise = np.median(np.abs(details[-1]), axis=-1, keepdims=True) / _MEDIAN_OF_NORMAL
        limit = self.factor * noise * math.sqrt(2 * math.log(n_samples))
        kept = [self._shrink(detail, limit) for detail in details]
        return put_together([approximation, *kept], self.wavelet, n_samples)

    def _shrink(self, detail: NDArray, limit: NDArray) -> NDArray:
        with np.errstate(invalid="ignore"):
            shrunk = pywt.threshold(detail, limit, self.threshold)
        # A coefficient of 0 under a threshold of 0 comes back as NaN.
        return np.where(detail == 0, 0, shrunk)
