"""Training a network to give back its input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ecgclf.modules._mirrored import dense_autoencoder
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_squared_error
from sklearn.preprocessing import StandardScaler

from ecgclf.training import (
    LearningRate,
    ReconstructionLoss,
    ReconstructionNet,
    Rows,
    fit_callbacks,
    make_net,
)
from ecgclf.training._reconstruction import mean_and_scale

some = settings(max_examples=20, deadline=None)


@some
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 30), width=st.integers(1, 9))
def test_mean_and_scale_are_those_of_scikit_learn(seed, n, width):
    rng = np.random.default_rng(seed)
    X = rng.normal(rng.normal(), rng.uniform(0.1, 3), (n, width + 2)).astype(np.float32)
    weight = rng.uniform(0.1, 3, n)
    mean, scale = mean_and_scale(Rows(X, weight=weight), width)
    expected = StandardScaler().fit(X[:, :width].astype(np.float64), sample_weight=weight)
    np.testing.assert_allclose(mean, expected.mean_, rtol=1e-5, atol=1e-6)
    assert scale == pytest.approx(np.sqrt(expected.var_.mean()) if n > 1 else 1.0, rel=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e30])
def test_beats_that_are_all_the_same_have_no_spread(value):
    mean, scale = mean_and_scale(Rows(np.full((7, 3), value, dtype=np.float32)), 3)
    np.testing.assert_array_equal(mean, np.full(3, value, dtype=np.float32))
    assert scale == 1.0


@some
@given(seed=st.integers(0, 2**32 - 1))
def test_the_loss_is_the_weighted_mean_squared_error(seed):
    rng = np.random.default_rng(seed)
    output, target = rng.normal(size=(2, 8, 5))
    weight = rng.uniform(0.1, 3, 8)
    weight /= weight.mean()
    loss = ReconstructionLoss()(*map(torch.from_numpy, (output, target, weight)))
    assert loss.item() == pytest.approx(mean_squared_error(target, output, sample_weight=weight))


def net() -> ReconstructionNet:
    made = make_net(
        lambda: dense_autoencoder(2, 1, 6, dense=()),
        ReconstructionLoss(),
        seed=0,
        device="cpu",
        optimizer="adamw",
        weight_decay=0.0,
        kind=ReconstructionNet,
    )
    made.lr = 1e-3
    return made


def test_the_scale_is_measured_once_and_on_training_rows_only():
    rng = np.random.default_rng(0)
    first, second = (Rows(rng.normal(5, 2, (20, 6)).astype(np.float32)) for _ in range(2))
    model = net()
    model.train(first, 1, validation=second, callbacks=[LearningRate()])
    mean, scale = mean_and_scale(first, 6)
    for _ in range(2):
        np.testing.assert_array_equal(model.module_.standardize.mean.numpy()[0], mean)
        assert model.module_.standardize.scale.item() == np.float32(scale)
        model.train(second, 1, callbacks=[LearningRate()])


def test_a_network_that_gives_the_mean_has_a_loss_of_1():
    X = np.random.default_rng(0).normal(3, 7, (50, 6)).astype(np.float32)
    model = net()
    for parameter in model.module.parameters():
        torch.nn.init.zeros_(parameter)
    model.lr = 1e-30
    model.train(Rows(X), 1, callbacks=[LearningRate()])
    assert model.history[-1, "train_loss"] == pytest.approx(1.0, rel=1e-5)


def test_parts_of_the_module_give_outputs_too():
    X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    model = net()
    model.train(Rows(X), 1, callbacks=[LearningRate()])
    codes = model.outputs(Rows(X), model.module_.encode)
    assert codes.shape == (40, 2)
    again = model.outputs(Rows(codes), model.module_.decode)
    np.testing.assert_array_equal(again, model.outputs(Rows(X)))
    np.testing.assert_array_equal(model.outputs(Rows(X[:1]), model.module_.encode), codes[:1])


@pytest.mark.parametrize(("accuracy", "n_callbacks"), [(True, 3), (False, 2)])
def test_what_is_no_classifier_has_no_accuracy(accuracy, n_callbacks):
    callbacks = fit_callbacks(
        lr=0.01, lr_schedule="constant", n_steps=10, patience=3, accuracy=accuracy
    )
    assert len(callbacks) == n_callbacks
