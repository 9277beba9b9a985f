"""Classifiers with several labels a beat, and early stopping by a score."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, get_scorer, log_loss, roc_auc_score
from sklearn.model_selection import cross_val_score

import ecgclf
from ecgclf import ECGContextClassifier, annotate_recording
from ecgclf.datasets import make_record
from ecgclf.estimators import ConformalClassifier, EffectiveNumber
from ecgclf.evaluation import integrated_gradients
from ecgclf.training import BeatNet, hold_out
from tests.networks import QUICK, small_cnn, small_mlp


@pytest.fixture(scope="module")
def labelled():
    """Beats with three labels: two independent ones and a rare one."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 30)).astype(np.float32)
    X[:, :10] += rng.normal(size=(300, 1))
    X[:, 10:20] += rng.normal(size=(300, 1))
    y = np.column_stack([X[:, :10].mean(1) > 0, X[:, 10:20].mean(1) > 0.4, X[:, 0] > 2.2])
    return X, y.astype(int)


def test_learns_each_label(labelled):
    X, y = labelled
    model = small_mlp(max_epochs=40).fit(X[:200], y[:200])
    probabilities = model.predict_proba(X[200:])
    assert (roc_auc_score(y[200:], probabilities, average=None) > [0.9, 0.9, 0.6]).all()
    np.testing.assert_array_equal(model.predict(X[200:]), probabilities > 0.5)
    np.testing.assert_allclose(expit(model.decision_function(X[200:])), probabilities)
    assert model.predict(X).dtype == np.int64


def test_two_labels_are_not_two_classes(labelled):
    X, y = labelled[0], labelled[1][:, :2]
    model = small_mlp(max_epochs=30, early_stopping=True, scoring="roc_auc").fit(X, y)
    assert model.decision_function(X).shape == model.predict(X).shape == (300, 2)
    assert model.history_["valid_score"].max() > 0.8


def test_training_loss_is_the_mean_over_labels(labelled):
    X, y = labelled
    model = small_mlp(max_epochs=1, batch_size=300, lr=1e-30).fit(X, y)
    probabilities = model.predict_proba(X)
    expected = np.mean([log_loss(y[:, i], probabilities[:, i]) for i in range(3)])
    assert model.history_["train_loss"][0] == pytest.approx(expected, rel=1e-5)


def test_balanced_weights_make_both_sides_equal(labelled):
    X, y = labelled
    model = small_mlp(max_epochs=1, batch_size=300, lr=1e-30)
    weight = np.random.default_rng(0).uniform(0.5, 2, size=300)
    model.set_params(class_weight="balanced").fit(X, y, sample_weight=weight)
    probabilities = model.predict_proba(X)
    losses = [
        log_loss(y[:, i], probabilities[:, i], sample_weight=weight * factor)
        for i in range(3)
        for balance in [weight[y[:, i] == 0].sum() / weight[y[:, i] == 1].sum()]
        for factor in [np.where(y[:, i], balance, 1)]
    ]
    totals = [2 * weight[y[:, i] == 0].sum() for i in range(3)]
    expected = np.average(losses, weights=totals)
    assert model.history_["train_loss"][0] == pytest.approx(expected, rel=1e-5)


def test_class_weights_of_any_kind(labelled):
    X, y = labelled
    counts = y.sum(axis=0)
    by_name = small_mlp(class_weight={0: 1.0, 1: 2.0, 2: 7.0}).fit(X, y)
    by_call = small_mlp(class_weight=lambda n: np.array([1.0, 2.0, 7.0]) * (n == counts))
    expected = by_name.predict_proba(X)
    np.testing.assert_array_equal(by_call.fit(X, y).predict_proba(X), expected)
    effective = small_mlp(class_weight=EffectiveNumber()).fit(X, y)
    assert np.abs(effective.predict_proba(X) - expected).max() > 1e-4


def test_repeating_a_beat_equals_its_weight(labelled):
    X, y = (part[:20] for part in labelled)
    times = np.arange(20) % 3
    model = small_mlp(class_weight={1: 3.0})
    weighed = clone(model).fit(X, y, sample_weight=times).predict_proba(X)
    repeated = model.fit(np.repeat(X, times, axis=0), np.repeat(y, times, axis=0))
    np.testing.assert_allclose(repeated.predict_proba(X), weighed, atol=1e-6)


def test_sparse_boolean_and_listed_targets(labelled):
    X, y = labelled
    expected = small_mlp().fit(X, y).predict_proba(X)
    for same in (csr_matrix(y), y.astype(bool), y.tolist(), y.astype(float)):
        np.testing.assert_array_equal(small_mlp().fit(X, same).predict_proba(X), expected)


@pytest.mark.parametrize("loss", ["cross_entropy", "focal"])
def test_saved_and_loaded(loss, labelled, tmp_path):
    X, y = labelled
    model = small_cnn(loss=loss, early_stopping=True, scoring="roc_auc").fit(X, y)
    model.save(tmp_path / "model.ecgclf")
    loaded = ecgclf.load(tmp_path / "model.ecgclf")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(clone(loaded).fit(X, y).predict(X), model.predict(X))
    assert loaded.training_data_[0]["class_counts"] == dict(enumerate(y.sum(axis=0).tolist()))


def test_partial_fit_and_warm_start(labelled):
    X, y = labelled
    model = small_mlp().partial_fit(X, y).partial_fit(X, 0 * y)
    assert model.predict_proba(X).shape == (300, 3)
    warm = small_mlp(warm_start=True).fit(X, y).fit(X, y)
    assert warm.n_iter_ == 2 * QUICK["max_epochs"]
    for other in (y[:, :2], y[:, 0]):
        with pytest.raises(ValueError, match=r"fitted with \(n_beats, 3\)"):
            warm.fit(X, other)
    with pytest.raises(ValueError, match=r"fitted with \(n_beats,\)"):
        small_mlp(warm_start=True).fit(X, y[:, 0]).fit(X, y)


def test_in_context(beats):
    X = np.column_stack([np.arange(400) // 40, beats.sample, beats.data])
    y = np.column_stack([beats.target == label for label in "NSV"]).astype(int)
    model = ECGContextClassifier(
        record=0, sample=1, context=16, filters=(8, 8), stride=2, **QUICK
    )
    model.set_params(kernel_size=5)
    assert clone(model).fit(X, y).predict(X).shape == (400, 3)
    with pytest.raises(ValueError, match="indicator matrix"):
        model.set_params(augment_stretches=lambda stretches, rng: stretches).fit(X, y)


def test_cross_validation(labelled):
    scores = cross_val_score(small_mlp(max_epochs=30), *labelled, scoring="roc_auc", cv=2)
    assert (scores > 0.7).all()


def test_attribution_of_a_label(labelled):
    X, y = labelled
    model = small_mlp(max_epochs=40).fit(X, y)
    of_label = np.abs(integrated_gradients(model, X[:50], target=1)).mean(axis=0)
    assert of_label[10:20].mean() > 2 * of_label[20:].mean()
    assert integrated_gradients(model, X[:50]).shape == (50, 30)


def test_prediction_sets_need_one_label(labelled):
    with pytest.raises(ValueError, match="one label a beat"):
        ConformalClassifier(LogisticRegression()).fit(*labelled)


def test_annotations_need_one_label(labelled, tmp_path):
    model = small_mlp().fit(*labelled)
    with pytest.raises(ValueError, match="one label a beat"):
        annotate_recording(make_record(tmp_path, duration=10, random_state=0), model)


@pytest.mark.parametrize("grouped", [False, True])
def test_held_out_rows_have_every_label(grouped):
    rng = np.random.default_rng(0)
    y = (rng.random((400, 4)) < [0.5, 0.2, 0.05, 0.02]).astype(int)
    groups = np.arange(400) // 4 if grouped else None
    train, valid = hold_out(y, 0.2, 0, groups)
    assert set(train) | set(valid) == set(range(400))
    assert y[train].any(axis=0).all()
    if grouped:
        assert not set(groups[train]) & set(groups[valid])
    share = y[valid].sum(axis=0) / y.sum(axis=0)
    assert np.abs(share[:2] - 0.2).max() < 0.1


@pytest.mark.parametrize("scoring", ["f1_macro", "roc_auc_ovr", "balanced_accuracy"])
def test_stops_at_the_best_score(scoring, beats, monkeypatch):
    held_out = []
    train = BeatNet.train
    monkeypatch.setattr(
        BeatNet,
        "train",
        lambda net, rows, n, **kw: held_out.append(kw["validation"]) or train(net, rows, n, **kw),
    )
    model = small_cnn(early_stopping=True, scoring=scoring, max_epochs=12, batch_norm=False)
    model.fit(beats.data, beats.target)
    X, y = held_out[0].X, model.classes_[held_out[0].y]
    best = model.history_["valid_score"].max()
    assert get_scorer(scoring)(model, X, y) == pytest.approx(best)


def test_a_function_as_score(beats):
    def score(estimator, X, y):
        assert set(y) <= set(beats.target)
        return f1_score(y, estimator.predict(X), average="weighted")

    model = small_cnn(early_stopping=True, scoring=score).fit(beats.data, beats.target)
    by_name = small_cnn(early_stopping=True, scoring="f1_weighted").fit(beats.data, beats.target)
    np.testing.assert_array_equal(model.history_["valid_score"], by_name.history_["valid_score"])


def test_an_undefined_score_is_an_error(labelled):
    X, y = labelled
    model = small_mlp(early_stopping=True, scoring=lambda *args: np.nan)
    with pytest.raises(ValueError, match="held-out beats"):
        model.fit(X, y)
