"""Tests of ConformalClassifier."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import make_beats
from ecgclf.estimators import ConformalClassifier
from ecgclf.evaluation import coverage_table

pytestmark = pytest.mark.filterwarnings("ignore:Too few beats were held out")

#: Imbalanced classes, as in ECG.
SHARES = {"N": 0.8, "S": 0.05, "V": 0.15}


def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Beats of three classes that overlap."""
    rng = np.random.default_rng(seed)
    y = rng.choice(list(SHARES), size=n, p=list(SHARES.values()))
    centres = {"N": (0, 0), "S": (1.5, 0), "V": (0, 2)}
    return rng.normal(size=(n, 2)) + np.array([centres[label] for label in y]), y


@parametrize_with_checks([ConformalClassifier(LogisticRegression(), random_state=0)])
def test_sklearn_contract(estimator, check):
    check(estimator)


# --- coverage ------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_coverage_of_each_class(level):
    """Over many calibrations, the coverage of each class has its theoretical value.

    The rank of a new beat among n held-out beats is uniform over n + 1 values, so the expected
    coverage is ceil((n + 1) level) / (n + 1), which is at least the level.
    """
    n_trials = 400
    fitted = FrozenEstimator(LogisticRegression().fit(*draw(1000, seed=0)))
    X_new, y_new = draw(16_000, seed=1)
    new = {label: X_new[y_new == label][:n_trials] for label in SHARES}  # one per trial
    covered = dict.fromkeys(SHARES, 0)
    expected = dict.fromkeys(SHARES, 0.0)
    for trial in range(n_trials):
        model = ConformalClassifier(fitted, confidence_level=level).fit(*draw(500, 2 + trial))
        for i, label in enumerate(model.classes_):
            covered[label] += model.predict_set(new[label][[trial]])[0, i]
            n = model.n_calibration_[i]
            expected[label] += np.ceil(round((n + 1) * level, 9)) / (n + 1)
    for label in SHARES:
        share = expected[label] / n_trials
        assert share >= level
        low, high = binom.interval(0.9999, n_trials, share)
        assert low <= covered[label] <= high, label


def test_marginal_calibration_does_not_cover_rare_classes():
    """With one threshold for all classes, the overall coverage is right, but S is not covered."""
    X, y = draw(4000, seed=0)
    estimator = LogisticRegression().fit(X, y)
    X_held, y_held = draw(4000, seed=1)
    X_new, y_new = draw(20_000, seed=2)
    model = ConformalClassifier(FrozenEstimator(estimator)).fit(X_held, y_held)
    table = coverage_table(y_new, model.predict_set(X_new), classes=model.classes_)
    assert (table.loc[["N", "S", "V"], "coverage"] > 0.86).all()
    place = np.searchsorted(model.classes_, y_held)
    own = estimator.predict_proba(X_held)[np.arange(len(y_held)), place]
    in_one_pot = estimator.predict_proba(X_new) >= np.quantile(own, 0.1)
    table = coverage_table(y_new, in_one_pot, classes=model.classes_)
    assert table.loc["all beats", "coverage"] > 0.88
    assert table.loc["S", "coverage"] < 0.5


class Certain(LogisticRegression):
    """Classifier whose only column is the probability of the second class."""

    def predict_proba(self, X):
        return np.column_stack([1 - np.ravel(X), np.ravel(X)])


def test_thresholds_by_hand():
    """With nine beats at 90%, the threshold is the ninth largest probability."""
    X = np.r_[np.linspace(0.1, 0.5, 9), np.linspace(0.4, 0.8, 9)][:, None]
    y = np.repeat([0, 1], 9)
    certain = FrozenEstimator(Certain().fit(X, y))
    model = ConformalClassifier(certain, confidence_level=0.9).fit(X, y)
    np.testing.assert_allclose(model.thresholds_, [0.5, 0.4])
    assert model.n_calibration_.tolist() == [9, 9]
    sets = model.predict_set([[0.3], [0.45], [0.6]])
    assert sets.tolist() == [[True, False], [True, True], [False, True]]
    # At 80% it is the eighth largest.
    model = ConformalClassifier(certain, confidence_level=0.8).fit(X, y)
    np.testing.assert_allclose(model.thresholds_, [0.55, 0.45])


def test_a_class_with_too_few_beats_is_in_every_set():
    X, y = draw(2000, seed=0)
    keep = (y != "S") | (np.cumsum(y == "S") <= 8)
    fitted = FrozenEstimator(LogisticRegression().fit(X, y))
    model = ConformalClassifier(fitted)
    with pytest.warns(UserWarning, match=r"held out of \{'S': 8\}: confidence_level=0.9 needs 9"):
        model.fit(X[keep], y[keep])
    assert model.predict_set(X)[:, 1].all()
    assert not model.predict_set(X)[:, 0].all()


# --- calibration beats ---------------------------------------------------------------------


class Remembering(LogisticRegression):
    """Classifier that records its training data."""

    def fit(self, X, y, groups=None):
        self.seen_, self.groups_ = X, groups
        return super().fit(X, y)


def test_whole_patients_are_held_out():
    beats = make_beats(n_beats=600, n_patients=12, random_state=0)
    model = ConformalClassifier(Remembering(max_iter=500), calibration_size=0.25, random_state=0)
    model.fit(beats.data, beats.target, groups=beats.groups)
    trained = np.unique(model.estimator_.groups_)
    assert len(trained) == 9
    held_out = ~np.isin(beats.groups, trained)
    assert model.n_calibration_.sum() == held_out.sum()
    np.testing.assert_array_equal(model.estimator_.seen_, beats.data[~held_out])


def test_the_same_seed_gives_the_same_split():
    X, y = draw(500, seed=0)
    first, again, other = (
        ConformalClassifier(LogisticRegression(), random_state=seed).fit(X, y).thresholds_
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_frozen_estimator_is_not_trained():
    X, y = draw(500, seed=0)
    fitted = LogisticRegression().fit(X, y)
    before = fitted.coef_.copy()
    model = ConformalClassifier(FrozenEstimator(fitted)).fit(*draw(300, seed=1))
    np.testing.assert_array_equal(fitted.coef_, before)
    assert model.n_calibration_.sum() == 300
    np.testing.assert_array_equal(model.predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("n_leads", [1, 2])
def test_around_a_network(n_leads):
    beats = make_beats(n_beats=600, n_patients=10, n_leads=n_leads, random_state=0)
    network = ECGCNNClassifier(
        filters=(8, 8), stride=2, max_epochs=3, batch_size=32, verbose=0, random_state=0
    )
    model = ConformalClassifier(network, confidence_level=0.7, random_state=0)
    model.fit(beats.data, beats.target, groups=beats.groups)
    assert model.predict_set(beats.data).shape == (600, 5)
    assert (model.predict(beats.data) == model.estimator_.predict(beats.data)).all()


def test_in_a_grid_search_and_with_a_frame():
    X, y = draw(600, seed=0)
    frame = pd.DataFrame(X, columns=["a", "b"])
    grid = {"estimator__C": [0.01, 1.0], "confidence_level": [0.8]}
    search = GridSearchCV(ConformalClassifier(LogisticRegression(), random_state=0), grid, cv=2)
    search.fit(frame, y)
    assert search.best_estimator_.feature_names_in_.tolist() == ["a", "b"]
    assert clone(search.best_estimator_).confidence_level == 0.8


# --- abstention ----------------------------------------------------------------------------


def test_abstains_unless_the_set_has_one_class():
    X, y = draw(2000, seed=0)
    model = ConformalClassifier(LogisticRegression(), random_state=0).fit(X, y)
    sets = model.predict_set(X)
    assert (model.predict(X) == model.classes_[model.predict_proba(X).argmax(axis=1)]).all()
    predicted = model.set_params(abstain_label="unsure").predict(X)
    alone = sets.sum(axis=1) == 1
    assert 0 < alone.mean() < 1
    assert ((predicted == "unsure") == ~alone).all()
    assert (predicted[alone] == np.array(model.classes_)[sets[alone].argmax(axis=1)]).all()


def test_abstain_label_has_the_type_of_the_labels():
    X, y = draw(500, seed=0)
    codes = np.searchsorted(list(SHARES), y)
    model = ConformalClassifier(LogisticRegression(), abstain_label=-1, random_state=0)
    predicted = model.fit(X, codes).predict(X)
    assert predicted.dtype.kind == "i"
    assert set(predicted.tolist()) <= {-1, 0, 1, 2}


# --- errors --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"confidence_level": 1.0}, "confidence_level"),
        ({"calibration_size": 0}, "calibration_size"),
        ({"calibration_size": 0.99}, r"calibration_size=0.99 of 50 beats leaves too few"),
        ({"abstain_label": "N"}, "abstain_label='N' is one of the classes"),
        ({"abstain_label": -1}, r"abstain_label=-1 must be of the type .* give a string"),
        ({"estimator": "CNN"}, "estimator"),
    ],
)
def test_invalid_parameters(parameters, message):
    X, y = draw(50, seed=0)
    model = ConformalClassifier(LogisticRegression(), random_state=0).set_params(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


def test_invalid_data():
    X, y = draw(100, seed=0)
    model = ConformalClassifier(LogisticRegression(), random_state=0)
    with pytest.raises(ValueError, match="only one class"):
        model.fit(X, np.repeat("N", 100))
    with pytest.raises(ValueError, match=r"of 1 patients leaves too few"):
        model.fit(X, y, groups=np.zeros(100))
    with pytest.raises(ValueError, match=r"groups has the shape \(99,\)"):
        model.fit(X, y, groups=np.zeros(99))
    known = FrozenEstimator(LogisticRegression().fit(X[y != "S"], y[y != "S"]))
    with pytest.raises(ValueError, match=r"y contains \['S'\], but the estimator was trained"):
        ConformalClassifier(known).fit(X, y)


def test_a_class_of_one_patient_is_in_training():
    X, y = draw(1000, seed=0)
    groups = np.where(y == "S", 0, 1 + np.arange(1000) % 9)
    model = ConformalClassifier(LogisticRegression(), random_state=0)
    with pytest.warns(UserWarning, match=r"held out of \{'S': 0\}"):
        model.fit(X, y, groups=groups)
    assert model.classes_.tolist() == ["N", "S", "V"]
