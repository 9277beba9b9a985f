"""Resampling of beats."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array, check_is_fitted

from ecgclf._parameters import PositiveFloat
from ecgclf.datasets import resample, resampling_ratio
from ecgclf.transforms._beat_transformer import BeatTransformer, NamedFeatures


class SignalResampler(BeatTransformer, NamedFeatures):
    """Resampler of beats by polyphase filtering, with an anti-aliasing filter.

    Beats are extended along the line through their first and last sample. The first sample
    keeps its time. Samples are those of `scipy.signal.resample_poly`. The `fs` of the loaders
    resamples whole records before beats are cut.

    Parameters
    ----------
    fs_in : float
        Sampling rate of the beats in Hz.
    fs_out : float
        Sampling rate of the output in Hz. The output has ``ceil(n_samples * fs_out / fs_in)``
        samples.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import SignalResampler
    >>> resampler = SignalResampler(fs_in=360, fs_out=120)
    >>> resampler.fit_transform(np.zeros((5, 252))).shape
    (5, 84)
    >>> resampler.transform_positions([90])  # of the R peak in windows from 0.25 s before it
    array([30])
    """

    fs_in: PositiveFloat
    fs_out: PositiveFloat

    def transform_positions(self, positions: ArrayLike) -> NDArray[np.int64]:
        """Convert positions in the beats to positions in the resampled beats.

        Parameters
        ----------
        positions : array-like of int, of any shape
            Positions in samples from the start of a beat, at `fs_in`.

        Returns
        -------
        ndarray of int64, of the shape of `positions`
            Nearest samples at `fs_out`.

        Raises
        ------
        ValueError
            If a position lies outside the beats of `fit`.
        """
        check_is_fitted(self, "n_samples_")
        given = check_array(
            positions, ensure_2d=False, allow_nd=True, ensure_min_samples=0, dtype=np.float64
        )
        outside = given[(given < 0) | (given > self.n_samples_ - 1)]
        if outside.size:
            raise ValueError(
                f"position {outside[0]:g} lies outside beats of {self.n_samples_} samples. Count "
                "positions from the start of each beat, at fs_in."
            )
        ratio = resampling_ratio(self.fs_in, self.fs_out)
        nearest = np.rint(given * float(ratio)).astype(np.int64)
        return np.minimum(nearest, self._n_samples_out() - 1)

    def _output_names(self) -> list[str]:
        n_columns = self.n_leads_ * self._n_samples_out()
        width = max(3, len(str(n_columns - 1)))
        return [f"sample_{i:0{width}}" for i in range(n_columns)]

    def _n_samples_out(self) -> int:
        ratio = resampling_ratio(self.fs_in, self.fs_out)
        return -(-self.n_samples_ * ratio.numerator // ratio.denominator)

    def _change(self, signals: NDArray) -> NDArray:
        ratio = resampling_ratio(self.fs_in, self.fs_out)
        if ratio == 1:
            return signals.copy()
        rows = resample(signals.reshape(-1, signals.shape[2]), ratio)
        return rows.reshape(*signals.shape[:2], -1)
