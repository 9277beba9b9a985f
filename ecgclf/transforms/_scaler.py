"""Amplitude scaling of beats."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ecgclf.transforms._beat_transformer import SignalTransformer


class BeatScaler(SignalTransformer):
    """Amplitude scaler: subtracts a center and divides by a scale.

    Zero padding at the end of a beat stays zero and does not enter the statistics. Padding
    begins after the last sample at which any lead is not 0. A constant signal, such as that of
    a disconnected lead, becomes 0.

    Parameters
    ----------
    method : {"minmax", "standard", "robust"}, default="standard"
        Center and scale: minimum and range, mean and standard deviation, or median and
        interquartile range, which outliers hardly change. If the interquartile range is 0, only
        the median is subtracted.
    per : {"lead", "beat", "dataset"}, default="lead"
        Values from which center and scale are computed: each lead of each beat; all leads of
        each beat, so that leads keep their proportions; or each lead over all beats passed to
        `fit`, so that beats keep theirs. A lead that is constant in `fit` is not divided.
    keep_padding : bool, default=True
        Whether to leave zero padding out. If False, it is treated as signal.

    Attributes
    ----------
    center_ : ndarray of shape (n_leads,)
        Center of each lead. Only if ``per="dataset"``.
    scale_ : ndarray of shape (n_leads,)
        Scale of each lead. Only if ``per="dataset"``.

    Examples
    --------
    >>> from ecgclf.transforms import BeatScaler
    >>> BeatScaler("minmax").fit_transform([[2.0, 4.0, 3.0, 0.0], [5.0, 5.0, 5.0, 5.0]])
    array([[0. , 1. , 0.5, 0. ],
           [0. , 0. , 0. , 0. ]])
    >>> BeatScaler("minmax", per="dataset").fit_transform([[2.0, 4.0], [3.0, 1.0]]).round(2)
    array([[0.33, 1.  ],
           [0.67, 0.  ]])
    """

    method: Literal["minmax", "standard", "robust"] = "standard"
    per: Literal["lead", "beat", "dataset"] = "lead"
    keep_padding: bool = True

    _stateless: ClassVar[bool] = False

    def _learn(self, signals: NDArray) -> None:
        for name in ("center_", "scale_"):  # of an earlier fit with other parameters
            self.__dict__.pop(name, None)
        if self.per == "dataset":
            leads = signals.transpose(1, 0, 2).reshape(self.n_leads_, -1)
            inside = np.broadcast_to(self._inside(signals)[:, 0], signals.shape[::2])
            center, scale = _measure(leads, inside.reshape(1, -1), self.method)
            self.center_, self.scale_ = center[:, 0], scale[:, 0]

    def _change(self, signals: NDArray) -> NDArray:
        inside = self._inside(signals)
        if self.per == "dataset":
            center, scale = self.center_[:, np.newaxis], self.scale_[:, np.newaxis]
        elif self.per == "lead":
            center, scale = _measure(signals, inside, self.method)
        else:
            everywhere = np.broadcast_to(inside, signals.shape)
            beats, counted = (part.reshape(len(part), 1, -1) for part in (signals, everywhere))
            center, scale = _measure(beats, counted, self.method)
        return np.where(inside, (signals - center) / scale, 0)

    def _inside(self, signals: NDArray) -> NDArray[np.bool_]:
        """Separate samples (True) from padding, of shape (n_beats, 1, n_samples)."""
        used = (signals != 0).any(axis=1, keepdims=True)
        if not self.keep_padding:
            return np.ones_like(used)
        return np.logical_or.accumulate(used[..., ::-1], axis=2)[..., ::-1]


def _measure(values: NDArray, inside: NDArray[np.bool_], method: str) -> tuple[NDArray, NDArray]:
    """Compute center and scale along the last axis, which is kept; scales are never 0."""
    values = values.astype(np.float64, copy=False)
    count = np.maximum(inside.sum(axis=-1, keepdims=True), 1)
    lowest = np.where(inside, values, np.inf).min(axis=-1, keepdims=True)
    highest = np.where(inside, values, -np.inf).max(axis=-1, keepdims=True)
    # By the range, because rounding can make the deviation of equal numbers nonzero.
    constant = highest <= lowest  # also true if all is padding
    lowest = np.where(np.isfinite(lowest), lowest, 0)
    if method == "minmax":
        center, scale = lowest, highest - lowest
    elif method == "standard":
        center = values.sum(axis=-1, keepdims=True, where=inside) / count
        squares = np.where(inside, values - center, 0) ** 2
        scale = np.sqrt(squares.sum(axis=-1, keepdims=True) / count)
    else:
        in_order = np.sort(np.where(inside, values, np.inf), axis=-1)
        low, center, high = (_quantile(in_order, count, q) for q in (0.25, 0.5, 0.75))
        scale = high - low
    scale = np.where(constant | (scale == 0), 1, scale)
    return np.where(constant, lowest, center), scale


def _quantile(in_order: NDArray, count: NDArray, q: float) -> NDArray:
    """Compute a quantile of the first `count` sorted numbers by linear interpolation."""
    place = q * (count - 1)
    before = np.floor(place).astype(np.intp)
    after = np.ceil(place).astype(np.intp)
    low, high = (
        np.nan_to_num(np.take_along_axis(in_order, index, axis=-1), posinf=0)
        for index in (before, after)
    )
    return low + (high - low) * (place - before)
