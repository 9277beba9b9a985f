"""Tests of the perturbations and of robustness_curve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import periodogram
from sklearn.metrics import accuracy_score, f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import make_beats
from ecgclf.evaluation import (
    LeadInversion,
    NoiseAtSNR,
    RateError,
    WanderAtAmplitude,
    robustness_curve,
)

EVERY = [NoiseAtSNR(), WanderAtAmplitude(fs=120), LeadInversion(), RateError()]
NOTHING = [np.inf, 0.0, 0.0, 0.0]


@pytest.fixture(scope="module")
def beats():
    return make_beats(n_beats=300, noise=0, baseline_wander=0, random_state=0)


@pytest.fixture(scope="module")
def model(beats):
    return KNeighborsClassifier(3).fit(beats.data[:150], beats.target[:150])


def perturb(perturbation, X, level, seed=0):
    return perturbation(X, level, np.random.default_rng(seed))


@pytest.mark.parametrize(("perturbation", "level"), list(zip(EVERY, NOTHING)))
@pytest.mark.parametrize("shape", [(5, 60), (5, 2, 60)])
def test_zero_level_and_unchanged_input(perturbation, level, shape):
    X = np.random.default_rng(1).normal(size=shape)
    before = X.copy()
    np.testing.assert_allclose(perturb(perturbation, X, level), X, atol=1e-12)
    strong = perturb(perturbation, X, 0.5)
    assert strong.shape == X.shape
    assert not np.allclose(strong, X)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(strong, perturb(perturbation, X, 0.5))


@pytest.mark.parametrize("snr", [-6, 0, 12.5])
def test_noise_has_the_stated_snr_in_each_beat_and_lead(snr):
    time = np.linspace(0, 20, 20_000)
    X = np.stack([3 + np.sin(time), 10 * np.cos(3 * time)])[np.newaxis].repeat(2, axis=0)
    noise = perturb(NoiseAtSNR(), X, snr) - X
    found = 10 * np.log10(X.var(axis=-1) / noise.var(axis=-1))
    np.testing.assert_allclose(found, snr, atol=0.15)


def test_wander_is_slow_and_equal_in_all_leads():
    X = np.zeros((8, 2, 120 * 60))
    wander = perturb(WanderAtAmplitude(fs=120), X, 0.7)
    np.testing.assert_array_equal(wander[:, 0], wander[:, 1])
    np.testing.assert_allclose(wander.max(axis=-1), 0.7, atol=1e-3)
    frequency, power = periodogram(wander[:, 0], fs=120)
    peaks = frequency[power.argmax(axis=-1)]
    assert peaks.min() > 0.12
    assert peaks.max() < 0.43
    assert len(np.unique(peaks)) > 4


def test_rate_error_moves_a_wave_away_from_the_center():
    """With a rate 2% above the stated one, a wave at 0.75 of the window is 2% later."""
    at = np.arange(1001)
    X = np.exp(-0.5 * ((at - 750) / 5) ** 2)[np.newaxis]
    assert perturb(RateError(), X, 0.02).argmax() == 500 + 250 * 1.02
    assert perturb(RateError(center=0), X, 0.02).argmax() == 750 * 1.02
    assert perturb(RateError(), X, -0.02).argmax() == 500 + 250 * 0.98


def test_inversion_of_a_lead():
    X = np.random.default_rng(0).normal(size=(100, 3, 10))
    turned = perturb(LeadInversion(lead=2), X, 0.3)
    np.testing.assert_array_equal(turned[:, :2], X[:, :2])
    hit = (turned[:, 2] == -X[:, 2]).all(axis=1)
    assert hit.sum() == 30
    np.testing.assert_array_equal(turned[~hit], X[~hit])


def test_curve_scores_perturbed_beats(beats, model):
    X, y = beats.data[150:], beats.target[150:]
    curve = robustness_curve(model, X, y, LeadInversion(), [0, 1], random_state=0)
    assert curve.index.tolist() == [0, 1]
    assert curve["score"].tolist() == [model.score(X, y), model.score(-X, y)]
    noisy = robustness_curve(model, X, y, NoiseAtSNR(), [np.inf, 0, -20], random_state=0)
    assert noisy.loc[np.inf, "score"] == model.score(X, y)
    assert noisy["score"].is_monotonic_decreasing
    assert noisy.loc[-20, "score"] < 0.8 * noisy.loc[np.inf, "score"]


def test_scorings_and_repeats(beats, model):
    X, y = beats.data[150:], beats.target[150:]
    scoring = ["accuracy", "f1_macro"]
    curve = robustness_curve(
        model, X, y, NoiseAtSNR(), [20, 0], scoring=scoring, n_repeats=3, random_state=0
    )
    assert curve.index.tolist() == [20] * 3 + [0] * 3
    assert curve.columns.tolist() == scoring
    assert curve.loc[0, "accuracy"].nunique() > 1
    seen = []

    def keep(X, level, rng):
        seen.append(rng.random())
        return X

    plain = robustness_curve(model, X, y, keep, [1, 2], scoring=scoring, n_repeats=2)
    assert plain.iloc[0].tolist() == [
        accuracy_score(y, model.predict(X)),
        f1_score(y, model.predict(X), average="macro"),
    ]
    # Random numbers are equal for all levels and differ between repeats.
    assert seen[:2] == seen[2:]
    assert seen[0] != seen[1]
    named = robustness_curve(model, X, y, keep, [1], scoring="f1_macro")
    assert named.columns.tolist() == ["f1_macro"]


def test_random_state(beats, model):
    given = (model, beats.data[150:], beats.target[150:], NoiseAtSNR(), [0, -5])
    assert robustness_curve(*given, random_state=1).equals(
        robustness_curve(*given, random_state=1)
    )


def test_network_in_a_pipeline(beats):
    network = ECGCNNClassifier(max_epochs=2, random_state=0, verbose=0)
    model = make_pipeline(StandardScaler(), network).fit(beats.data, beats.target)
    curve = robustness_curve(model, beats.data, beats.target, RateError(), [0.0, 0.05])
    assert curve.loc[0.0, "score"] == model.score(beats.data, beats.target)


@pytest.mark.parametrize(
    ("perturbation", "levels", "message"),
    [
        (LeadInversion(), [2], "level of LeadInversion is 2; expected 0 to 1"),
        (LeadInversion(lead=0), [0.5], "lead is 0, but the beats have shape"),
        (RateError(), [-1], "level of RateError is -1"),
        (NoiseAtSNR(), [-np.inf], "without NaN or infinity"),
        (lambda X, level, rng: X[:, 1:], [1], "returned shape"),
        (NoiseAtSNR(), [], r"levels is \[\]"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_bad_input(beats, model, perturbation, levels, message):
    with pytest.raises(ValueError, match=message):
        robustness_curve(model, beats.data, beats.target, perturbation, levels)
