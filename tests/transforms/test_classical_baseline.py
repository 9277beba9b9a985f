"""One pipeline from positions and signals to labels, and a grid search over it."""

from __future__ import annotations

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline

from ecgclf.datasets import load_mitbih, make_beats
from ecgclf.transforms import (
    MorphologyFeatures,
    QRSWidth,
    RecordRelative,
    RhythmFeatures,
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


def test_new_patients_are_classified_from_positions_and_signals(model, beats):
    cv = GroupKFold(4)
    predicted = cross_val_predict(model, beats.frame, beats.target, groups=beats.groups, cv=cv)
    scores = f1_score(beats.target, predicted, average=None)
    assert scores.shape == (3,)
    assert scores.min() > 0.8
    # Rhythm alone tells an S beat from N, which a beat's shape hardly does.
    shape = clone(model).set_params(features__rhythm="drop", features__template="drop")
    without = cross_val_predict(shape, beats.frame, beats.target, groups=beats.groups, cv=cv)
    assert scores[1] > f1_score(beats.target, without, average=None)[1] + 0.2


def test_a_beat_is_classified_alike_whatever_other_records_are_there(model, beats):
    fitted = clone(model).fit(beats.frame, beats.target)
    expected = fitted.predict_proba(beats.frame)
    one = beats.record == "p03"
    np.testing.assert_array_equal(fitted.predict_proba(beats.frame[one]), expected[one])


def test_names_of_all_features(model, beats):
    names = clone(model).fit(beats.frame, beats.target)[0].get_feature_names_out().tolist()
    assert len(names) == len(set(names)) == 14 + 2 + 2 + 1
    assert {"rhythm__rr_prev_over_mean_32", "width__qrs_width_50"} < set(names)
    assert names[-2:] == [
        "relative__qrs_width_25_over_mean_32",
        "template__correlation_median_record",
    ]


def test_grid_search_with_folds_of_patients_over_every_step(model, beats, tmp_path):
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


def test_real_records_give_the_rhythm_of_the_loader(mitdb_dir):
    beats = load_mitbih(mitdb_dir, records=["100", "119"], as_frame=True)
    features = RhythmFeatures(absolute=True, fs=360).set_output(transform="pandas")
    # All annotated beats are there, so the two are the same to the last bit.
    found = features.fit_transform(beats.frame)
    np.testing.assert_array_equal(found.to_numpy(), beats.rhythm.to_numpy())
    assert found.columns.tolist() == list(beats.rhythm_names)
