"""Pipelines of transformers and classifiers, and grid searches over them."""

from __future__ import annotations

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedGroupKFold,
    cross_val_predict,
)
from sklearn.pipeline import Pipeline

from ecgclf import ECGSpectrogramClassifier
from ecgclf.datasets import load_mitbih, make_beats
from ecgclf.transforms import (
    BandpassFilter,
    MorphologyFeatures,
    QRSWidth,
    RecordRelative,
    RhythmFeatures,
    SignalResampler,
    Spectrogram,
    TemplateCorrelation,
)

KEYS = ["record", "sample"]


@pytest.fixture(scope="module")
def beats():
    return make_beats(
        n_beats=1200,
        n_patients=12,
        fs=250,
        weights=[6, 2, 2, 0, 0],
        as_frame=True,
        random_state=0,
    )


@pytest.fixture(scope="module")
def model(beats):
    signal = list(beats.data.columns)
    widths = MorphologyFeatures(fs=250, before=0.25, measures=[QRSWidth()])
    features = ColumnTransformer(
        [
            ("rhythm", RhythmFeatures(), KEYS),
            ("width", widths, signal),
            ("relative", RecordRelative(widths), [*KEYS, *signal]),
            ("template", TemplateCorrelation(), [*KEYS, *signal]),
        ]
    )
    forest = RandomForestClassifier(20, random_state=0)
    return Pipeline([("features", features), ("forest", forest)])


def test_unseen_patients_are_classified(model, beats):
    cv = GroupKFold(4)
    predicted = cross_val_predict(model, beats.frame, beats.target, groups=beats.groups, cv=cv)
    scores = f1_score(beats.target, predicted, average=None)
    assert scores.shape == (3,)
    assert scores.min() > 0.8
    # S beats differ from N in rhythm, but hardly in shape.
    shape = clone(model).set_params(features__rhythm="drop", features__template="drop")
    without = cross_val_predict(shape, beats.frame, beats.target, groups=beats.groups, cv=cv)
    assert scores[1] > f1_score(beats.target, without, average=None)[1] + 0.2


def test_predictions_do_not_depend_on_other_records(model, beats):
    fitted = clone(model).fit(beats.frame, beats.target)
    expected = fitted.predict_proba(beats.frame)
    one = beats.record == "p03"
    np.testing.assert_array_equal(fitted.predict_proba(beats.frame[one]), expected[one])


def test_feature_names(model, beats):
    names = clone(model).fit(beats.frame, beats.target)[0].get_feature_names_out().tolist()
    assert len(names) == len(set(names)) == 14 + 2 + 2 + 1
    assert {"rhythm__rr_prev_over_mean_32", "width__qrs_width_50"} < set(names)
    assert names[-2:] == [
        "relative__qrs_width_25_over_mean_32",
        "template__correlation_median_record",
    ]


def test_grid_search_over_features_by_patient(model, beats, tmp_path):
    grid = {
        "features__rhythm__causal": [True, False],
        "features__relative__transformer__measures": [[QRSWidth([0.5])], [QRSWidth([0.3])]],
    }
    search = GridSearchCV(model, grid, cv=GroupKFold(3), scoring="f1_macro")
    search.fit(beats.frame, beats.target, groups=beats.groups)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert len(set(scores.round(6))) > 1
    joblib.dump(search.best_estimator_, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(
        again.predict_proba(beats.frame), search.predict_proba(beats.frame)
    )


def test_rhythm_of_real_records_equals_that_of_the_loader(mitdb_dir):
    beats = load_mitbih(mitdb_dir, records=["100", "119"], as_frame=True)
    features = RhythmFeatures(absolute=True, fs=360).set_output(transform="pandas")
    # The frame contains all annotated beats, so the features are identical.
    found = features.fit_transform(beats.frame)
    np.testing.assert_array_equal(found.to_numpy(), beats.rhythm.to_numpy())
    assert found.columns.tolist() == list(beats.rhythm_names)


# --- filter, resampler, spectrogram and network on real records ---------------------------------

#: Records with normal and ventricular beats.
RECORDS = ["106", "119", "200", "208", "221", "233"]


@pytest.fixture(scope="module")
def real_beats(mitdb_dir):
    """Every tenth beat of two classes."""
    every = load_mitbih(mitdb_dir, records=RECORDS)
    chosen = np.isin(every.target, ["N", "V"]) & (np.arange(len(every.target)) % 10 == 0)
    return every.select(chosen)


def test_grid_search_over_filter_and_spectrogram_by_patient(real_beats):
    pipeline = Pipeline(
        [
            ("filter", BandpassFilter(fs=360)),
            ("resampler", SignalResampler(fs_in=360, fs_out=120)),
            ("spectrogram", Spectrogram(fs=120, frame=24, hop=4)),
            (
                "network",
                ECGSpectrogramClassifier(
                    filters=(8, 16), batch_size=32, max_epochs=2, verbose=0, random_state=0
                ),
            ),
        ]
    )
    search = GridSearchCV(
        pipeline,
        {"filter__low": [0.5, None], "spectrogram__high": [30, None]},
        scoring="balanced_accuracy",
        cv=StratifiedGroupKFold(2),
        error_score="raise",
    )
    search.fit(real_beats.data, real_beats.target, groups=real_beats.groups)
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 4
    # The balanced accuracy by chance is 0.5.
    assert search.best_score_ > 0.7
    predicted = search.predict(real_beats.data)
    assert set(predicted) == {"N", "V"}
