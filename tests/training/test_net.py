"""Nets and their callbacks."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_squared_error
from sklearn.preprocessing import StandardScaler
from torch import nn

from ecgclf.modules import make_autoencoder
from ecgclf.training import (
    SCHEDULES,
    BeatNet,
    CrossEntropyLoss,
    LearningRate,
    ReconstructionLoss,
    ReconstructionNet,
    Rows,
    check_callbacks,
    fit_callbacks,
    history_frame,
    make_net,
)
from ecgclf.training._callbacks import BatchNormStatistics
from ecgclf.training._net import mean_and_scale

some = settings(max_examples=20, deadline=None)


def rows_of(n: int, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    return Rows(rng.normal(2.0, 3.0, (n, 4)).astype(np.float32), rng.integers(0, 2, n))


def net(module=lambda: nn.Sequential(nn.Linear(4, 2)), **params) -> BeatNet:
    defaults = {"seed": 0, "device": "cpu", "optimizer": "sgd", "weight_decay": None}
    made = make_net(module, CrossEntropyLoss(), **{**defaults, **params})
    made.batch_size = 8
    return made


# --- statistics of batch norm ----------------------------------------------------------------


def with_batch_norm() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2))


@pytest.mark.parametrize(("n_rows", "n_batches"), [(24, 50), (40, 2)])
def test_batch_norm_statistics_are_means_over_batches(n_rows, n_batches):
    model, rows = net(with_batch_norm), rows_of(n_rows)
    model.train(rows, 2, callbacks=[LearningRate(), BatchNormStatistics(n_batches)])
    linear, norm = model.module_[0], model.module_[1]
    batches = model.get_iterator(rows, training=True)
    means, variances = [], []
    with torch.no_grad():
        for x, _ in list(batches)[:n_batches]:
            inside = linear(x["x"])
            means.append(inside.mean(dim=0))
            variances.append(inside.var(dim=0, unbiased=True))
    assert len(means) == min(n_batches, n_rows // 8)
    torch.testing.assert_close(norm.running_mean, torch.stack(means).mean(dim=0))
    torch.testing.assert_close(norm.running_var, torch.stack(variances).mean(dim=0))
    assert norm.momentum == 0.1


def test_batch_norm_statistics_do_not_change_parameters():
    params = []
    for callbacks in ([LearningRate()], [LearningRate(), BatchNormStatistics()]):
        model = net(with_batch_norm)
        model.train(rows_of(24), 2, callbacks=callbacks)
        params.append([p.detach().clone() for p in model.module_.parameters()])
    for plain, measured in zip(*params):
        assert torch.equal(plain, measured)


def test_batch_norm_statistics_without_batch_norm():
    model = net()
    model.train(rows_of(24), 1, callbacks=[LearningRate(), BatchNormStatistics()])
    other = net()
    other.train(rows_of(24), 1, callbacks=[LearningRate()])
    np.testing.assert_array_equal(model.outputs(rows_of(40)), other.outputs(rows_of(40)))


# --- the run -------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(first=st.integers(1, 4), second=st.integers(1, 4))
def test_continued_run_equals_one_run(first, second):
    whole, parts = net(), net()
    whole.train(rows_of(20), first + second, callbacks=[LearningRate()])
    for n_epochs in (first, second):
        assert parts.train(rows_of(20), n_epochs, callbacks=[LearningRate()]) is False
    for one, other in zip(whole.module_.parameters(), parts.module_.parameters()):
        assert torch.equal(one, other)
    losses = [history_frame(n.history)["train_loss"].tolist() for n in (whole, parts)]
    assert losses[0] == losses[1]


def test_one_step_of_sgd():
    """The first Nesterov step is 1.9 times lr times the gradient of the mean loss."""
    model, rows = net(), rows_of(8)
    model.lr = 0.1
    model.initialize()
    before = [p.detach().clone() for p in model.module_.parameters()]
    logits = model.module_(torch.from_numpy(rows.X))
    loss = nn.functional.cross_entropy(logits, torch.from_numpy(rows.y))
    gradient = torch.autograd.grad(loss, list(model.module_.parameters()))
    model.train(rows, 1, callbacks=[LearningRate()])
    for old, slope, new in zip(before, gradient, model.module_.parameters()):
        torch.testing.assert_close(new.detach(), old - 0.1 * 1.9 * slope)
    assert history_frame(model.history)["train_loss"].item() == pytest.approx(loss.item())


def test_loss_of_unequal_batches_is_the_mean_over_beats():
    model, rows = net(), rows_of(19)  # batches of 7, 6 and 6
    model.lr = 1e-30
    model.train(rows, 1, validation=rows, callbacks=[LearningRate()])
    history = history_frame(model.history)
    assert history["train_loss"].item() == pytest.approx(history["valid_loss"].item())


def test_validation_rows_are_not_trained_on():
    models = [net(), net()]
    models[0].train(rows_of(20), 3, callbacks=[LearningRate()])
    models[1].train(rows_of(20), 3, validation=rows_of(20, seed=9), callbacks=[LearningRate()])
    for one, other in zip(*(m.module_.parameters() for m in models)):
        assert torch.equal(one, other)


def test_nan_loss_is_an_error():
    rows = rows_of(8)
    rows.X[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"training loss became nan in epoch 1\. Lower lr"):
        net().train(rows, 3, callbacks=[LearningRate()])
    with pytest.raises(ValueError, match="validation loss became nan in epoch 1"):
        net().train(rows_of(8), 3, validation=rows, callbacks=[LearningRate()])


def test_infinite_output_is_an_error():
    model = net()
    model.train(rows_of(8), 1, callbacks=[LearningRate()])
    rows = rows_of(40)
    rows.X[33] = 3e38
    with torch.no_grad():
        model.module_[0].weight.fill_(10.0)
    with pytest.raises(ValueError, match=r"position 33 is not finite.*3e\+38.*lower lr"):
        model.outputs(rows)


def test_pickled_net_can_train():
    model = net(with_batch_norm, optimizer="adamw")
    model.train(rows_of(20), 2, callbacks=[LearningRate()])
    other = pickle.loads(pickle.dumps(model))
    assert other.module is other.module_
    for each in (model, other):
        each.train(rows_of(20), 2, callbacks=[LearningRate()])
    np.testing.assert_array_equal(model.outputs(rows_of(40)), other.outputs(rows_of(40)))


def test_pickle_of_an_untrained_net():
    other = pickle.loads(pickle.dumps(net()))
    other.train(rows_of(8), 1, callbacks=[LearningRate()])
    assert len(other.history) == 1


# --- schedules -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(
    "optimizer", [torch.optim.SGD, torch.optim.AdamW, torch.optim.Adagrad, torch.optim.RMSprop]
)
def test_schedules_with_different_optimizers(name, optimizer):
    model = net(optimizer=optimizer)
    callbacks = fit_callbacks(lr=0.01, lr_schedule=name, n_steps=9, patience=None)
    model.train(rows_of(24), 3, callbacks=[LearningRate(), *callbacks])
    rates = history_frame(model.history)["lr"]
    assert rates.between(0, 0.01 * (1 + 1e-9)).all()
    if name != "plateau":
        assert rates.iloc[-1] < 0.002


def test_one_cycle_equals_torch():
    model = net(optimizer=torch.optim.AdamW)
    rates = []

    class Rates(LearningRate):
        def on_batch_end(self, net, training=False, **kwargs):
            super().on_batch_end(net, training=training)
            rates.append(self.lr_)

    callbacks = fit_callbacks(lr=0.3, lr_schedule="one_cycle", n_steps=9, patience=None)
    model.train(rows_of(24), 3, callbacks=[Rates(), *callbacks])
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)])
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=9)
    expected = []
    for _ in range(9):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(expected) < 9:
            scheduler.step()
    np.testing.assert_allclose(rates, expected)


# --- checks of arguments -----------------------------------------------------------------------


def test_invalid_optimizer():
    with pytest.raises(TypeError, match=r"class 'dict'.*'adam', 'adamw', 'sgd'"):
        net(optimizer=dict)


@pytest.mark.parametrize("item", ["clip", 1, None, dict, ("a", "b"), ("a", LearningRate(), 1)])
def test_invalid_callbacks(item):
    with pytest.raises(TypeError, match=r"callbacks contains .*expected skorch callbacks"):
        check_callbacks([LearningRate(), item])


def test_valid_callbacks():
    check_callbacks([LearningRate(), LearningRate, ("a", LearningRate()), ["b", LearningRate()]])
    check_callbacks([])


# --- reconstruction ----------------------------------------------------------------------------


@some
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 30), width=st.integers(1, 9))
def test_mean_and_scale_equal_scikit_learn(seed, n, width):
    rng = np.random.default_rng(seed)
    X = rng.normal(rng.normal(), rng.uniform(0.1, 3), (n, width + 2)).astype(np.float32)
    weight = rng.uniform(0.1, 3, n)
    mean, scale = mean_and_scale(Rows(X, weight=weight), width)
    expected = StandardScaler().fit(X[:, :width].astype(np.float64), sample_weight=weight)
    np.testing.assert_allclose(mean, expected.mean_, rtol=1e-5, atol=1e-6)
    assert scale == pytest.approx(np.sqrt(expected.var_.mean()) if n > 1 else 1.0, rel=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e30])
def test_scale_of_equal_beats(value):
    mean, scale = mean_and_scale(Rows(np.full((7, 3), value, dtype=np.float32)), 3)
    np.testing.assert_array_equal(mean, np.full(3, value, dtype=np.float32))
    assert scale == 1.0


@some
@given(seed=st.integers(0, 2**32 - 1))
def test_loss_is_the_weighted_mean_squared_error(seed):
    rng = np.random.default_rng(seed)
    output, target = rng.normal(size=(2, 8, 5))
    weight = rng.uniform(0.1, 3, 8)
    weight /= weight.mean()
    loss = ReconstructionLoss()(*map(torch.from_numpy, (output, target, weight)))
    assert loss.item() == pytest.approx(mean_squared_error(target, output, sample_weight=weight))


def reconstruction_net() -> ReconstructionNet:
    made = make_net(
        lambda: make_autoencoder("dense", 2, 1, 6),
        ReconstructionLoss(),
        seed=0,
        device="cpu",
        optimizer="adamw",
        weight_decay=0.0,
        kind=ReconstructionNet,
    )
    made.lr = 1e-3
    return made


def test_scale_is_measured_once_on_training_rows():
    rng = np.random.default_rng(0)
    first, second = (Rows(rng.normal(5, 2, (20, 6)).astype(np.float32)) for _ in range(2))
    model = reconstruction_net()
    model.train(first, 1, validation=second, callbacks=[LearningRate()])
    mean, scale = mean_and_scale(first, 6)
    for _ in range(2):
        np.testing.assert_array_equal(model.module_.standardize.mean.numpy()[0], mean)
        assert model.module_.standardize.scale.item() == np.float32(scale)
        model.train(second, 1, callbacks=[LearningRate()])


def test_loss_of_the_mean_beat_is_1():
    X = np.random.default_rng(0).normal(3, 7, (50, 6)).astype(np.float32)
    model = reconstruction_net()
    for parameter in model.module.parameters():
        torch.nn.init.zeros_(parameter)
    model.lr = 1e-30
    model.train(Rows(X), 1, callbacks=[LearningRate()])
    assert model.history[-1, "train_loss"] == pytest.approx(1.0, rel=1e-5)


def test_outputs_of_parts_of_the_module():
    X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    model = reconstruction_net()
    model.train(Rows(X), 1, callbacks=[LearningRate()])
    codes = model.outputs(Rows(X), model.module_.encode)
    assert codes.shape == (40, 2)
    again = model.outputs(Rows(codes), model.module_.decode)
    np.testing.assert_array_equal(again, model.outputs(Rows(X)))
    np.testing.assert_array_equal(model.outputs(Rows(X[:1]), model.module_.encode), codes[:1])


@pytest.mark.parametrize(("accuracy", "n_callbacks"), [(True, 3), (False, 2)])
def test_accuracy_is_recorded_for_classifiers_only(accuracy, n_callbacks):
    callbacks = fit_callbacks(
        lr=0.01, lr_schedule="constant", n_steps=10, patience=3, accuracy=accuracy
    )
    assert len(callbacks) == n_callbacks
