"""Rhythm features from the positions of beats, as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ecgclf.datasets import (
    RHYTHM_FEATURES,
    RHYTHM_NAMES,
    RhythmFeature,
    rhythm_features,
)
from ecgclf.transforms._record_transformer import RecordTransformer


class RhythmFeatures(RecordTransformer):
    """RR intervals and their ratios, from the record and the position of each beat.

    The features are those of `rhythm_features`, computed for each record by itself. By
    default they are all that compare intervals with each other. Intervals in seconds say how
    fast a heart beats, and so who the patient is: a model learns its patients by them, and
    does worse on others. Ask for them only if all patients that the model will meet are known
    to it.

    `X` must have **all** beats of a record, at `fit` and at `transform`: a beat that was left
    out makes one long interval of two. So select by patient or record before, and by beat
    after this step. A beat that is given twice, as resampling does, counts once. A record with
    a single beat has no interval, and its features are NaN.

    Parameters
    ----------
    features : sequence of str, optional
        Names out of `RHYTHM_FEATURES`, in the order wanted. By default all that `causal` and
        `absolute` leave.
    causal : bool, default=False
        Only features that need no beat later than the beat itself, so that they can be had
        while recording.
    absolute : bool, default=False
        Also intervals in seconds, which need `fs`.
    fs : float, optional
        Sampling rate in Hz of the positions. Relative features do not need it.
    record, sample : str or int, default="record", "sample"
        Columns of `X` with the record of each beat and its position in samples: names in a
        DataFrame, positions in an array. Other columns are not looked at.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import RhythmFeatures
    >>> X = [[100, 0], [100, 360], [100, 720], [100, 900], [101, 0], [101, 90]]
    >>> early = RhythmFeatures(["rr_prev_over_mean_10"], record=0, sample=1)
    >>> early.fit_transform(X).round(2).ravel().tolist()
    [1.0, 1.0, 1.0, 0.6000000238418579, 1.0, 1.0]
    >>> RhythmFeatures(causal=True, record=0, sample=1).fit(X).get_feature_names_out()[:2]
    array(['rr_prev_over_prev_prev', 'rr_prev_over_mean_10'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict] = {
        **RecordTransformer._parameter_constraints,
        "features": ["array-like", None],
        "causal": ["boolean"],
        "absolute": ["boolean"],
        "fs": [Interval(Real, 0, None, closed="neither"), None],
    }

    _takes_rows = False

    def __init__(
        self,
        features: Sequence[str] | None = None,
        *,
        causal: bool = False,
        absolute: bool = False,
        fs: float | None = None,
        record: str | int = "record",
        sample: str | int = "sample",
    ) -> None:
        self.features = features
        self.causal = causal
        self.absolute = absolute
        self.fs = fs
        self.record = record
        self.sample = sample

    def _learn(self, rows: NDArray, y: Any) -> None:
        self._chosen()

    def _of_record(self, samples: NDArray[np.float64], rows: NDArray) -> NDArray:
        columns = [RHYTHM_NAMES.index(name) for name in self._chosen()]
        beats, place = np.unique(samples, return_inverse=True)
        return rhythm_features(beats, 1.0 if self.fs is None else self.fs)[place][:, columns]

    def _names(self) -> Sequence[str]:
        return self._chosen()

    def _chosen(self) -> list[str]:
        """Names of the features that the parameters ask for."""
        known = {feature.name: feature for feature in RHYTHM_FEATURES}
        if self.features is None:
            asked = [f for f in RHYTHM_FEATURES if f.relative or self.absolute]
            asked = [f for f in asked if f.causal or not self.causal]
        else:
            names = list(self.features)
            unknown = [name for name in names if name not in known]
            if unknown or not names or len(set(names)) < len(names):
                raise ValueError(
                    f"features={names!r}: expected one or more different names out of "
                    f"{', '.join(known)}" + (f"; unknown: {unknown}" if unknown else "")
                )
            asked = [known[name] for name in names]
        self._check(asked)
        return [feature.name for feature in asked]

    def _check(self, asked: list[RhythmFeature]) -> None:
        """Refuse features that other parameters speak against."""
        late = [feature.name for feature in asked if self.causal and not feature.causal]
        if late:
            raise ValueError(
                f"features={list(self.features or [])!r} are asked for with causal=True, but "
                f"{', '.join(late)} need later beats; leave these out, or set causal=False"
            )
        in_seconds = [feature.name for feature in asked if not feature.relative]
        if in_seconds and self.fs is None:
            raise ValueError(
                f"{', '.join(in_seconds)} are in seconds; give fs, the sampling rate in Hz of "
                "the positions"
            )
