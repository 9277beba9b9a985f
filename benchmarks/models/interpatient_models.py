"""Features and models of the benchmark between patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import RHYTHM_FEATURES
from ecgclf.transforms import (
    MorphologyFeatures,
    QRSWidth,
    RecordRelative,
    RhythmFeatures,
    TemplateCorrelation,
    WaveAmplitudes,
    WaveAreas,
)

#: Window of the beats in s, and their sampling rate in Hz.
WINDOW = (0.3, 0.45)
FS = 360

KEYS = ["record", "sample"]

#: Columns of the samples, and of the QRS complex among them.
SIGNAL = [f"sample_{i:03d}" for i in range(round(sum(WINDOW) * FS))]
QRS = SIGNAL[round((WINDOW[0] - 0.08) * FS) : round((WINDOW[0] + 0.12) * FS)]

FOUR_RATIOS = [
    "rr_prev_over_mean_32",
    "rr_next_over_mean_32",
    "rr_prev_prev_over_mean_32",
    "rr_prev_over_prev_prev",
]


def shape(*measures: object) -> MorphologyFeatures:
    """Make features of the shape of single beats."""
    return MorphologyFeatures(fs=FS, before=WINDOW[0], measures=list(measures))


def side_by_side(*steps: tuple) -> ColumnTransformer:
    """Concatenate features, each given as a transformer and its columns."""
    return ColumnTransformer([(f"{i}", *step) for i, step in enumerate(steps)])


#: The relative features of a published random forest (Saenz-Cogollo and Agelli 2020).
SEVEN = side_by_side(
    (RhythmFeatures(FOUR_RATIOS), KEYS),
    (shape(QRSWidth((0.5, 0.25))), SIGNAL),
    (RecordRelative(shape(QRSWidth((0.5,)))), [*KEYS, *SIGNAL]),
)

_WIDTHS = QRSWidth((0.5, 0.25))

_RHYTHM_AND_QRS = (
    (RhythmFeatures(), KEYS),
    *((RecordRelative(shape(_WIDTHS), n_beats=n), [*KEYS, *SIGNAL]) for n in (32, None)),
    *((TemplateCorrelation(n), [*KEYS, *SIGNAL]) for n in (32, None)),
    *((TemplateCorrelation(n), [*KEYS, *QRS]) for n in (32, None)),
)

#: Rhythm, and width and shape of the QRS complex relative to other beats of the record.
RHYTHM_AND_QRS = side_by_side(*_RHYTHM_AND_QRS)

#: The same, and waves relative to those of the last 32 beats. No absolute features.
RELATIVE = side_by_side(
    *_RHYTHM_AND_QRS,
    (RecordRelative(shape(WaveAmplitudes(), WaveAreas())), [*KEYS, *SIGNAL]),
)


def bounded(features: np.ndarray) -> np.ndarray:
    """Map features to (-1, 1) and missing values to 0."""
    return np.nan_to_num(np.tanh(features / 4)).astype(np.float32)


#: Every third sample of the beat.
BEAT = side_by_side(("passthrough", SIGNAL[::3]))

#: Difference of the beat from the mean beat of its record, and the rhythm.
DIFFERENCE_AND_RHYTHM = side_by_side(
    (RecordRelative(n_beats=None, relation=np.subtract), [*KEYS, *SIGNAL[::3]]),
    (make_pipeline(RhythmFeatures(), FunctionTransformer(bounded)), KEYS),
)


@dataclass(frozen=True)
class Model:
    """Features and the estimator trained on them."""

    features: ColumnTransformer
    estimator: BaseEstimator


N_RATIOS = sum(feature.relative for feature in RHYTHM_FEATURES)

cnn = ECGCNNClassifier(max_epochs=5, label_smoothing=0.05)

boosting = HistGradientBoostingClassifier(
    max_iter=40,
    learning_rate=0.12,
    max_leaf_nodes=8,
    min_samples_leaf=100,
    l2_regularization=1.0,
)

linear_discriminant = make_pipeline(
    SimpleImputer(), FunctionTransformer(bounded), LinearDiscriminantAnalysis()
)

MODELS = {
    "linear discriminant, rhythm and QRS": Model(RHYTHM_AND_QRS, linear_discriminant),
    "random forest, seven features": Model(SEVEN, RandomForestClassifier()),
    "random forest, rhythm and QRS": Model(
        RHYTHM_AND_QRS, RandomForestClassifier(min_samples_leaf=20)
    ),
    "gradient boosting, rhythm and QRS": Model(RHYTHM_AND_QRS, boosting),
    "gradient boosting, all relative features": Model(RELATIVE, boosting),
    "CNN, beat alone": Model(BEAT, cnn),
    "CNN, difference from the record and rhythm": Model(
        DIFFERENCE_AND_RHYTHM, clone(cnn).set_params(n_tabular=N_RATIOS)
    ),
}
