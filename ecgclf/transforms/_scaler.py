"""Bring beats to a common size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils._param_validation import StrOptions

from ecgclf.transforms._transformer import BeatTransformer


@dataclass(eq=False, repr=False)
class BeatScaler(OneToOneFeatureMixin, BeatTransformer):
    """Subtract a center and divide by a size, each beat by its own or all by the training's.

    Zeros at the end, with which beats are brought to one length, stay zeros and do not count.
    They are the samples after the last one at which any lead differs from 0. What does not
    change at all, such as the lead of an electrode that came off, becomes 0.

    Parameters
    ----------
    size : {"range", "deviation", "quartiles"}, default="deviation"
        - ``"range"``: from the lowest sample to the highest one, which become 0 and 1;
        - ``"deviation"``: mean and standard deviation, which become 0 and 1;
        - ``"quartiles"``: median and distance of the quartiles, which become 0 and 1 and do
          not mind a few wild samples. Where the quartiles are equal, the median alone is
          subtracted.
    of : {"lead", "beat", "training"}, default="lead"
        Whose center and size:

        - ``"lead"``: of each lead of each beat;
        - ``"beat"``: of each beat, the same for all of its leads, which keep their
          proportions;
        - ``"training"``: of each lead over all beats passed to `fit`. Beats keep their
          proportions, too. A lead that did not change in training is not divided.
    keep_padding : bool, default=True
        Leave zeros at the end of a beat alone. If False they are signal like any other.

    Attributes
    ----------
    center_, size_ : ndarray of shape (n_leads,)
        Only if `of` is ``"training"``.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : scales each column, that is each point in time.

    Examples
    --------
    >>> from ecgclf.transforms import BeatScaler
    >>> BeatScaler("range").fit_transform([[2.0, 4.0, 3.0, 0.0], [5.0, 5.0, 5.0, 5.0]])
    array([[0. , 1. , 0.5, 0. ],
           [0. , 0. , 0. , 0. ]])
    >>> BeatScaler("range", of="training").fit_transform([[2.0, 4.0], [3.0, 1.0]]).round(2)
    array([[0.33, 1.  ],
           [0.67, 0.  ]])
    """

    size: str = "deviation"
    of: str = "lead"
    keep_padding: bool = True

    _parameter_constraints: ClassVar[dict] = {
        "size": [StrOptions({"range", "deviation", "quartiles"})],
        "of": [StrOptions({"lead", "beat", "training"})],
        "keep_padding": ["boolean"],
    }

    _stateless: ClassVar[bool] = False

    def _learn(self, signals: NDArray) -> None:
        for name in ("center_", "size_"):  # of an earlier fit with other parameters
            self.__dict__.pop(name, None)
        if self.of == "training":
            leads = signals.transpose(1, 0, 2).reshape(self.n_leads_, -1)
            inside = np.broadcast_to(self._inside(signals)[:, 0], signals.shape[::2])
            center, size = _measure(leads, inside.reshape(1, -1), self.size)
            self.center_, self.size_ = center[:, 0], size[:, 0]

    def _change(self, signals: NDArray) -> NDArray:
        inside = self._inside(signals)
        if self.of == "training":
            center, size = self.center_[:, np.newaxis], self.size_[:, np.newaxis]
        elif self.of == "lead":
            center, size = _measure(signals, inside, self.size)
        else:
            everywhere = np.broadcast_to(inside, signals.shape)
            beats, counted = (part.reshape(len(part), 1, -1) for part in (signals, everywhere))
            center, size = _measure(beats, counted, self.size)
        return np.where(inside, (signals - center) / size, 0)

    def _inside(self, signals: NDArray) -> NDArray[np.bool_]:
        """Tell samples from padding, of shape (n_beats, 1, n_samples)."""
        used = (signals != 0).any(axis=1, keepdims=True)
        if not self.keep_padding:
            return np.ones_like(used)
        return np.logical_or.accumulate(used[..., ::-1], axis=2)[..., ::-1]


def _measure(values: NDArray, inside: NDArray[np.bool_], size: str) -> tuple[NDArray, NDArray]:
    """Center and size along the last axis, which is kept; sizes are never 0.

    A standard deviation of equal numbers need not be 0 to the last digit, so what does not
    change is found by its range.
    """
    values = values.astype(np.float64, copy=False)
    count = np.maximum(inside.sum(axis=-1, keepdims=True), 1)
    lowest = np.where(inside, values, np.inf).min(axis=-1, keepdims=True)
    highest = np.where(inside, values, -np.inf).max(axis=-1, keepdims=True)
    flat = highest <= lowest  # also where all is padding
    lowest = np.where(np.isfinite(lowest), lowest, 0)
    center, spread = _MEASURES[size](values, inside, count, lowest, highest)
    spread = np.where(flat | (spread == 0), 1, spread)
    return np.where(flat, lowest, center), spread


def _range(
    values: NDArray, inside: NDArray, count: NDArray, lowest: NDArray, highest: NDArray
) -> tuple[NDArray, NDArray]:
    return lowest, highest - lowest


def _deviation(
    values: NDArray, inside: NDArray, count: NDArray, lowest: NDArray, highest: NDArray
) -> tuple[NDArray, NDArray]:
    mean = values.sum(axis=-1, keepdims=True, where=inside) / count
    squares = np.where(inside, values - mean, 0) ** 2
    return mean, np.sqrt(squares.sum(axis=-1, keepdims=True) / count)


def _quartiles(
    values: NDArray, inside: NDArray, count: NDArray, lowest: NDArray, highest: NDArray
) -> tuple[NDArray, NDArray]:
    in_order = np.sort(np.where(inside, values, np.inf), axis=-1)
    low, median, high = (_quantile(in_order, count, q) for q in (0.25, 0.5, 0.75))
    return median, high - low


def _quantile(in_order: NDArray, count: NDArray, q: float) -> NDArray:
    """Quantiles of the first `count` numbers, with a straight line between neighbours."""
    place = q * (count - 1)
    before = np.floor(place).astype(np.intp)
    after = np.ceil(place).astype(np.intp)
    low, high = (
        np.nan_to_num(np.take_along_axis(in_order, index, axis=-1), posinf=0)
        for index in (before, after)
    )
    return low + (high - low) * (place - before)


_MEASURES: dict[str, Callable] = {
    "range": _range,
    "deviation": _deviation,
    "quartiles": _quartiles,
}
