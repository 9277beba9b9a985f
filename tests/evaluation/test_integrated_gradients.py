"""Tests of integrated_gradients."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import (
    ECGAutoencoder,
    ECGCNNClassifier,
    ECGLSTMClassifier,
    ECGMLPClassifier,
    ECGResNetClassifier,
    ECGTransformerClassifier,
)
from ecgclf.datasets import Beats, make_beats
from ecgclf.evaluation import integrated_gradients
from tests.networks import QUICK

pytest.importorskip("captum", reason="needs captum, which is not installed")


def logits_of(model, X):
    with torch.no_grad():
        rows = torch.tensor(X.reshape(len(X), -1), dtype=torch.float32)
        return model.net_.module_.eval()(rows).numpy()


def weights_of_last_layer(model):
    return model.net_.module_.head[-1].weight.detach().numpy()


@pytest.fixture(scope="module")
def beats() -> Beats:
    return make_beats(n_beats=400, n_patients=10, random_state=0)


@pytest.fixture(scope="module")
def two_leads() -> Beats:
    return make_beats(n_beats=200, n_leads=2, n_patients=5, random_state=0)


@pytest.fixture(scope="module")
def linear(beats):
    """A network without a hidden layer: its logits are linear in the samples."""
    return ECGMLPClassifier(dense=(), dense_dropout=(), **QUICK).fit(beats.data, beats.target)


def test_linear_network_by_hand(linear, beats):
    X, weights = beats.data[:5], weights_of_last_layer(linear)
    for code, label in enumerate(linear.classes_):
        attributions = integrated_gradients(linear, X, label, n_steps=1)
        np.testing.assert_allclose(attributions, X * weights[code], rtol=1e-4, atol=1e-6)
    mean = beats.data.mean(axis=0)
    attributions = integrated_gradients(linear, X, "V", baseline=mean, n_steps=2)
    of_v = weights[list(linear.classes_).index("V")]
    np.testing.assert_allclose(attributions, (X - mean) * of_v, rtol=1e-4, atol=1e-6)


def test_default_target_is_the_predicted_class(linear, beats):
    X = beats.data[::40]
    predicted = linear.predict(X)
    attributions = integrated_gradients(linear, X)
    np.testing.assert_array_equal(attributions, integrated_gradients(linear, X, predicted))
    of_v = integrated_gradients(linear, X, "V")
    np.testing.assert_allclose(attributions[predicted == "V"], of_v[predicted == "V"], rtol=1e-5)
    assert not np.allclose(attributions[predicted != "V"], of_v[predicted != "V"])


@pytest.mark.parametrize(
    "estimator",
    [
        ECGMLPClassifier(**QUICK),
        ECGCNNClassifier(filters=(8, 8), stride=2, **QUICK),
        ECGResNetClassifier(**QUICK),
        ECGTransformerClassifier(**QUICK),
        ECGLSTMClassifier(units=(8,), mask_zeros=False, **QUICK),
    ],
    ids=lambda model: type(model).__name__,
)
def test_attributions_sum_to_the_difference_of_the_logits(estimator, beats):
    model = estimator.fit(beats.data, beats.target)
    X, origin = beats.data[:6], beats.data[100:106]
    attributions = integrated_gradients(model, X, "V", baseline=origin, n_steps=128)
    code = list(model.classes_).index("V")
    difference = (logits_of(model, X) - logits_of(model, origin))[:, code]
    np.testing.assert_allclose(attributions.sum(axis=1), difference, atol=0.03)


def test_two_leads_and_two_classes(two_leads):
    X, y = two_leads.data, two_leads.target == "N"
    model = ECGCNNClassifier(filters=(8,), stride=2, **QUICK).fit(X, y)
    attributions = integrated_gradients(model, X[:4], True)
    assert attributions.shape == X[:4].shape
    difference = (logits_of(model, X[:4]) - logits_of(model, 0 * X[:4]))[:, 1]
    np.testing.assert_allclose(attributions.sum(axis=(1, 2)), difference, atol=0.03)
    flat = integrated_gradients(model, X[:4].reshape(4, -1), True)
    np.testing.assert_array_equal(flat, attributions.reshape(4, -1))
    mean = X.mean(axis=0)
    of_mean = integrated_gradients(model, X[:4], True, baseline=mean)
    difference = (logits_of(model, X[:4]) - logits_of(model, mean[None]))[:, 1]
    np.testing.assert_allclose(of_mean.sum(axis=(1, 2)), difference, atol=0.03)


def test_batches_do_not_affect_each_other(linear, beats):
    attributions = integrated_gradients(linear, beats.data, "N", n_steps=64)
    alone = integrated_gradients(linear, beats.data[-1:], "N", n_steps=64)
    np.testing.assert_allclose(attributions[-1:], alone, rtol=1e-5, atol=1e-7)


def test_warning_of_wrong_sums_and_its_remedy(beats):
    model = ECGLSTMClassifier(units=(8,), **{**QUICK, "max_epochs": 8})
    model.fit(beats.data, beats.target)
    X = beats.data[:5]
    with pytest.warns(ConvergenceWarning, match="do not add up.*Increase n_steps"):
        integrated_gradients(model, X)
    origin = 1e-6 * (X != 0)
    attributions = integrated_gradients(model, X, "N", baseline=origin)
    code = list(model.classes_).index("N")
    difference = (logits_of(model, X) - logits_of(model, origin))[:, code]
    np.testing.assert_allclose(attributions.sum(axis=1), difference, atol=0.02)


def test_model_is_unchanged(linear, beats):
    parameters = list(linear.net_.module_.parameters())
    before = [(p.detach().clone(), p.grad.clone()) for p in parameters]
    with torch.no_grad():  # has no effect inside
        integrated_gradients(linear, beats.data[:3])
    for parameter, (value, gradient) in zip(parameters, before):
        assert torch.equal(parameter, value)
        assert torch.equal(parameter.grad, gradient)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": "X"}, r"target holds \['X'\], which are not among the classes"),
        ({"target": ["N", "N"]}, r"target has shape \(2,\); expected one label"),
        ({"baseline": np.zeros(7)}, r"baseline has shape \(7,\); expected a number"),
        ({"baseline": np.nan}, "baseline holds NaN"),
        ({"n_steps": 0}, "n_steps=0; expected at least 1"),
    ],
)
def test_bad_input(linear, beats, arguments, message):
    with pytest.raises(ValueError, match=message):
        integrated_gradients(linear, beats.data[:3], **arguments)


def test_only_networks(linear, beats):
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    for model in (pipeline, ECGAutoencoder()):
        with pytest.raises(TypeError, match=r"needs a network.*pipeline\[-1\]"):
            integrated_gradients(model, beats.data)
    with pytest.raises(NotFittedError):
        integrated_gradients(ECGMLPClassifier(), beats.data)


def test_without_captum_the_error_names_the_extra(linear, beats, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(ImportError, match=r"integrated_gradients needs captum.*ecgclf\[attrib"):
        integrated_gradients(linear, beats.data[:3])
