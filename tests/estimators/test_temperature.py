"""Temperature scaling of networks by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from scipy.special import softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils.fixes import parse_version

from ecgclf import ECGMLPClassifier
from ecgclf.evaluation import expected_calibration_error

pytestmark = pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.8"),
    reason="scikit-learn has temperature scaling from 1.8 on",
)


def draw(n_beats: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw beats with random classes, so that a confident prediction is wrong."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_beats, 30))
    logits = X @ np.random.default_rng(0).normal(scale=0.4, size=(30, 3))
    y = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return X, np.array(["N", "S", "V"])[y], rng.integers(20, size=n_beats)


@pytest.fixture(scope="module")
def network() -> ECGMLPClassifier:
    """A network that overfits its few training beats."""
    return ECGMLPClassifier(dense=(64,), max_epochs=20, batch_size=32, verbose=0, random_state=0)


def errors_of(model, X: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    y_prob = model.predict_proba(X)
    return (
        expected_calibration_error(y, y_prob, classes=model.classes_),
        brier_score_loss(y, y_prob, labels=model.classes_),
    )


def test_an_over_confident_network_becomes_calibrated(network):
    X, y, patients = draw(600, seed=1)
    X_new, y_new, _ = draw(4000, seed=2)
    plain = network.fit(X, y)
    before, brier_before = errors_of(plain, X_new, y_new)
    assert before > 0.1
    by_patient = StratifiedGroupKFold(3).split(X, y, patients)
    scaled = CalibratedClassifierCV(
        network, method="temperature", cv=list(by_patient), ensemble=False
    ).fit(X, y)
    after, brier_after = errors_of(scaled, X_new, y_new)
    assert after < before / 3
    assert brier_after < brier_before
    # One network, trained on all beats, whose logits are divided by a number above 1.
    (calibrated,) = scaled.calibrated_classifiers_
    (calibrator,) = calibrated.calibrators
    assert calibrator.beta_ < 1
    np.testing.assert_array_equal(scaled.predict(X_new), plain.predict(X_new))
    expected = softmax(plain.decision_function(X_new) * calibrator.beta_, axis=1)
    np.testing.assert_allclose(scaled.predict_proba(X_new), expected, atol=1e-6)


def test_calibration_of_a_fitted_network_on_other_patients(network):
    X, y, _ = draw(600, seed=1)
    model = network.fit(X, y)
    scaled = CalibratedClassifierCV(FrozenEstimator(model), method="temperature")
    scaled.fit(*draw(1000, seed=3)[:2])
    new = draw(4000, seed=2)[:2]
    assert errors_of(scaled, *new)[0] < errors_of(model, *new)[0] / 3
