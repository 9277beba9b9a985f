"""The shape of a beat in a few figures."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ecgclf.transforms._beat_transformer import BeatFeatures
from ecgclf.transforms._measures import (
    BeatMeasure,
    HermiteCoefficients,
    QRSWidth,
    WaveAmplitudes,
    WaveAreas,
)

_DEFAULT = (QRSWidth(), WaveAmplitudes(), WaveAreas(), HermiteCoefficients())


class MorphologyFeatures(BeatFeatures):
    """Widths, amplitudes, areas and Hermite coefficients of each beat.

    They are measured from a baseline, the median of the beat in each lead. Each beat is
    measured by itself, so all are causal. To compare them with those of the patient's other
    beats, which is what holds for other patients too, put this into a `RecordRelative`;
    amplitudes and areas tell patients apart more than classes.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz.
    before : float
        Seconds from the beginning of a beat to its R peak: ``window[0]`` of a loader.
    measures : sequence of BeatMeasure, optional
        What to measure, in this order. By default `QRSWidth`, `WaveAmplitudes`, `WaveAreas`
        and `HermiteCoefficients`, 17 features of each lead.

    Examples
    --------
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.transforms import MorphologyFeatures, QRSWidth
    >>> beats = make_beats(n_beats=50, n_leads=2, fs=360, random_state=0)
    >>> widths = MorphologyFeatures(fs=360, before=0.25, measures=[QRSWidth([0.5])])
    >>> widths.fit_transform(beats.data).shape
    (50, 2)
    >>> widths.get_feature_names_out()
    array(['lead_0_qrs_width_50', 'lead_1_qrs_width_50'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict] = {
        "fs": [Interval(Real, 0, None, closed="neither")],
        "before": [Interval(Real, 0, None, closed="left")],
        "measures": [list, tuple, None],
    }

    def __init__(
        self,
        fs: float,
        before: float,
        *,
        measures: Sequence[BeatMeasure] | None = None,
    ) -> None:
        self.fs = fs
        self.before = before
        self.measures = measures

    def _measure(self, signals: NDArray) -> NDArray:
        r_peak = round(self.before * self.fs)
        if r_peak >= signals.shape[2]:
            raise ValueError(
                f"before={self.before!r} s at fs={self.fs!r} Hz puts the R peak at column "
                f"{r_peak}, but X has beats of {signals.shape[2]} samples: before is what the "
                "window has before the beat, fs the rate of the beats"
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
                f"measures={self.measures!r}: expected one or more measures, such as QRSWidth()"
            )
        return chosen
