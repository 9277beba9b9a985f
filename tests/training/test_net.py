"""The net and what happens around its epochs, without an estimator."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ecgclf.training import (
    SCHEDULES,
    BatchNormStatistics,
    BeatNet,
    CrossEntropyLoss,
    LearningRate,
    Rows,
    check_callbacks,
    fit_callbacks,
    history_frame,
    make_net,
)


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
def test_statistics_are_the_means_over_batches(n_rows, n_batches):
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


def test_statistics_are_measured_without_learning():
    params = []
    for callbacks in ([LearningRate()], [LearningRate(), BatchNormStatistics()]):
        model = net(with_batch_norm)
        model.train(rows_of(24), 2, callbacks=callbacks)
        params.append([p.detach().clone() for p in model.module_.parameters()])
    for plain, measured in zip(*params):
        assert torch.equal(plain, measured)


def test_a_network_without_batch_norm_is_not_troubled():
    model = net()
    model.train(rows_of(24), 1, callbacks=[LearningRate(), BatchNormStatistics()])
    other = net()
    other.train(rows_of(24), 1, callbacks=[LearningRate()])
    np.testing.assert_array_equal(model.outputs(rows_of(40)), other.outputs(rows_of(40)))


# --- the run -------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(first=st.integers(1, 4), second=st.integers(1, 4))
def test_a_run_in_two_parts_is_one_run(first, second):
    whole, parts = net(), net()
    whole.train(rows_of(20), first + second, callbacks=[LearningRate()])
    for n_epochs in (first, second):
        assert parts.train(rows_of(20), n_epochs, callbacks=[LearningRate()]) is False
    for one, other in zip(whole.module_.parameters(), parts.module_.parameters()):
        assert torch.equal(one, other)
    losses = [history_frame(n.history)["train_loss"].tolist() for n in (whole, parts)]
    assert losses[0] == losses[1]


def test_one_step_of_sgd_by_hand():
    """lr times the gradient of the mean loss: Nesterov's first step is (1 + 0.9) of it."""
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


def test_the_loss_of_unequal_batches_is_the_mean_over_beats():
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


def test_a_loss_that_is_no_number_ends_the_run():
    rows = rows_of(8)
    rows.X[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"training loss became nan in epoch 1\. Lower lr"):
        net().train(rows, 3, callbacks=[LearningRate()])
    with pytest.raises(ValueError, match="validation loss became nan in epoch 1"):
        net().train(rows_of(8), 3, validation=rows, callbacks=[LearningRate()])


def test_an_output_that_is_no_number_is_not_given_out():
    model = net()
    model.train(rows_of(8), 1, callbacks=[LearningRate()])
    rows = rows_of(40)
    rows.X[33] = 3e38
    with torch.no_grad():
        model.module_[0].weight.fill_(10.0)
    with pytest.raises(ValueError, match=r"position 33 is not finite.*3e\+38.*lower lr"):
        model.outputs(rows)


def test_a_pickled_net_goes_on():
    model = net(with_batch_norm, optimizer="adamw")
    model.train(rows_of(20), 2, callbacks=[LearningRate()])
    other = pickle.loads(pickle.dumps(model))
    assert other.module is other.module_
    for each in (model, other):
        each.train(rows_of(20), 2, callbacks=[LearningRate()])
    np.testing.assert_array_equal(model.outputs(rows_of(40)), other.outputs(rows_of(40)))


def test_an_untrained_net_can_be_pickled():
    other = pickle.loads(pickle.dumps(net()))
    other.train(rows_of(8), 1, callbacks=[LearningRate()])
    assert len(other.history) == 1


# --- schedules -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(
    "optimizer", [torch.optim.SGD, torch.optim.AdamW, torch.optim.Adagrad, torch.optim.RMSprop]
)
def test_every_schedule_with_every_kind_of_optimizer(name, optimizer):
    model = net(optimizer=optimizer)
    callbacks = fit_callbacks(lr=0.01, lr_schedule=name, n_steps=9, patience=None)
    model.train(rows_of(24), 3, callbacks=[LearningRate(), *callbacks])
    rates = history_frame(model.history)["lr"]
    assert rates.between(0, 0.01 * (1 + 1e-9)).all()
    if name != "plateau":
        assert rates.iloc[-1] < 0.002


def test_the_one_cycle_is_that_of_torch():
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


# --- what is passed in -----------------------------------------------------------------------


def test_an_optimizer_that_is_none():
    with pytest.raises(TypeError, match=r"class 'dict'.*'adam', 'adamw', 'sgd'"):
        net(optimizer=dict)


@pytest.mark.parametrize("item", ["clip", 1, None, dict, ("a", "b"), ("a", LearningRate(), 1)])
def test_callbacks_that_are_none(item):
    with pytest.raises(TypeError, match=r"callbacks holds .*expected skorch callbacks"):
        check_callbacks([LearningRate(), item])


def test_callbacks_of_every_form():
    check_callbacks([LearningRate(), LearningRate, ("a", LearningRate()), ["b", LearningRate()]])
    check_callbacks([])
