"""Training of classifiers: weights, early stopping, warm start, interruption."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.utils.class_weight import compute_sample_weight
from skorch.callbacks import Callback, EpochScoring, GradientNormClipping

from ecgclf import ECGCNNClassifier
from tests.networks import small_cnn

small = partial(small_cnn, filters=(8, 16), max_epochs=3)


class Watch(Callback):
    """Record the training and validation rows."""

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.train, self.valid = dataset_train, dataset_valid


class Interrupt(Callback):
    """Simulate Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_batch_end(self, net, training=None, **kwargs):
        if training and len(net.history) == self.epoch:
            raise KeyboardInterrupt


def watched(model: ECGCNNClassifier, *args, **kwargs) -> Watch:
    model.set_params(callbacks=[Watch()]).fit(*args, **kwargs)
    return next(cb for _, cb in model.net_.callbacks_ if isinstance(cb, Watch))


def groups_of(rows, beats) -> set[int]:
    """Find the patients of rows by their signals."""
    where = {signal.tobytes(): g for signal, g in zip(beats.data, beats.groups)}
    return {where[signal.tobytes()] for signal in rows.X}


# --- weights -------------------------------------------------------------------------------


def test_the_recorded_loss_is_the_log_loss(beats, rng):
    """With a learning rate near 0, the first loss is that of the untrained network."""
    weight = rng.uniform(0.5, 2.0, size=len(beats.data))
    model = small(max_epochs=1, lr=1e-30, lr_schedule="constant", batch_norm=False)
    model.set_params(batch_size=len(weight), callbacks=None)
    model.fit(beats.data, beats.target, sample_weight=weight)
    expected = log_loss(beats.target, model.predict_proba(beats.data), sample_weight=weight)
    assert model.history_["train_loss"].iloc[0] == pytest.approx(expected, rel=1e-5)


def test_focal_loss_by_its_formula(beats):
    model = small(max_epochs=1, lr=1e-30, lr_schedule="constant", batch_norm=False)
    model.set_params(loss="focal", focal_gamma=1.5, batch_size=1000)
    model.fit(beats.data, beats.target)
    codes = np.searchsorted(model.classes_, beats.target)
    p_true = model.predict_proba(beats.data)[np.arange(len(codes)), codes]
    expected = np.mean(-((1 - p_true) ** 1.5) * np.log(p_true))
    assert model.history_["train_loss"].iloc[0] == pytest.approx(expected, rel=1e-5)


def test_beats_of_weight_zero_are_ignored(beats):
    used = np.arange(len(beats.data)) % 3 > 0
    with_zeros = small().fit(beats.data, beats.target, sample_weight=used.astype(float))
    without = small().fit(beats.data[used], beats.target[used])
    np.testing.assert_array_equal(
        with_zeros.predict_proba(beats.data), without.predict_proba(beats.data)
    )


def test_the_scale_of_the_weights_does_not_matter(beats):
    weight = np.where(beats.target == "N", 0.5, 2.0)
    one, other = (small().fit(beats.data, beats.target, w) for w in (weight, 1024 * weight))
    np.testing.assert_array_equal(one.predict_proba(beats.data), other.predict_proba(beats.data))


def test_class_weights_equal_sample_weights(beats):
    class_weight = {"N": 1.0, "S": 4.0, "V": 2.0, "F": 8.0, "Q": 1.0}
    by_class = small(class_weight=class_weight).fit(beats.data, beats.target)
    weight = [class_weight[label] for label in beats.target]
    by_beat = small().fit(beats.data, beats.target, sample_weight=weight)
    np.testing.assert_array_equal(
        by_class.predict_proba(beats.data), by_beat.predict_proba(beats.data)
    )


def test_balanced_weights_predict_a_rare_class_more_often(rng):
    X = np.vstack([rng.normal(0, 1, (950, 20)), rng.normal(0.35, 1, (50, 20))])
    y = np.repeat(["common", "rare"], [950, 50])
    found = [
        (small(class_weight=w).fit(X, y).predict(X) == "rare").mean() for w in (None, "balanced")
    ]
    assert found[1] > 2 * found[0]
    assert found[1] > 0.05


def test_balanced_counts_weights_like_repetitions(beats, rng):
    times = rng.integers(0, 4, size=60)
    X, y = beats.data[:60], beats.target[:60]
    weighted = small(class_weight="balanced", batch_size=1000).fit(X, y, times)
    repeated = small(class_weight="balanced", batch_size=1000)
    repeated.fit(X.repeat(times, axis=0), y.repeat(times))
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-3, atol=1e-5
    )


def test_balanced_equals_scikit_learn(beats):
    balanced = small(class_weight="balanced").fit(beats.data, beats.target)
    weight = compute_sample_weight("balanced", beats.target)
    expected = small().fit(beats.data, beats.target, weight)
    np.testing.assert_allclose(
        balanced.predict_proba(beats.data), expected.predict_proba(beats.data), atol=1e-4
    )


def test_a_class_weight_of_a_missing_class_warns(beats):
    with pytest.warns(UserWarning, match=r"names \['n'\].*classes \['N'\]") as caught:
        small(class_weight={"n": 2, "F": 1, "Q": 1, "S": 1, "V": 1}).fit(beats.data, beats.target)
    assert caught[0].filename == __file__


# --- early stopping ------------------------------------------------------------------------


def test_groups_are_not_split(beats):
    model = small(early_stopping=True, validation_fraction=0.3)
    watch = watched(model, beats.data, beats.target, groups=beats.groups)
    train, valid = groups_of(watch.train, beats), groups_of(watch.valid, beats)
    assert not train & valid
    assert train | valid == set(beats.groups)
    assert len(valid) == 3


def test_the_split_is_stratified_without_groups(beats):
    model = small(early_stopping=True, validation_fraction=0.25)
    watch = watched(model, beats.data, beats.target)
    assert len(watch.valid) == 100
    counts = np.bincount(watch.train.y), np.bincount(watch.valid.y)
    np.testing.assert_allclose(counts[1] / (counts[0] + counts[1]), 0.25, atol=0.05)


def test_early_stopping_with_a_class_of_one_beat(beats):
    y = np.where(np.arange(len(beats.data)) == 7, "single", beats.target)
    model = small(early_stopping=True).fit(beats.data, y)
    assert "single" in model.classes_
    assert model.predict_proba(beats.data).shape[1] == len(np.unique(y))


def test_early_stopping_restores_the_best_weights(beats):
    """The callback makes the network worse from the third epoch on."""

    class Spoil(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) > 3:
                with torch.no_grad():
                    net.module_.head[-1].bias[0] += 5.0  # F, a rare class

    model = small(early_stopping=True, n_iter_no_change=2, max_epochs=30, batch_norm=False)
    model.set_params(callbacks=[Spoil()], lr=1e-3, lr_schedule="constant")
    model.fit(beats.data, beats.target)
    history = model.history_
    best = history["valid_loss"].argmin()
    assert model.n_iter_ == len(history) == best + 3 < 30
    again = small(early_stopping=True, max_epochs=int(best) + 1, batch_norm=False)
    again.set_params(lr=1e-3, lr_schedule="constant").fit(beats.data, beats.target)
    np.testing.assert_array_equal(
        model.predict_proba(beats.data), again.predict_proba(beats.data)
    )


def test_too_few_patients_for_early_stopping(beats):
    model = small(early_stopping=True)
    with pytest.raises(ValueError, match="at least 2 patients, got 1"):
        model.fit(beats.data, beats.target, groups=np.zeros(len(beats.data)))


# --- the history ---------------------------------------------------------------------------


def test_history(beats):
    model = small(early_stopping=True, lr=0.01).fit(beats.data, beats.target)
    history = model.history_
    assert isinstance(history, pd.DataFrame)
    expected = ["epoch", "train_loss", "valid_loss", "valid_score", "lr", "time"]
    assert list(history) == expected
    assert history["epoch"].tolist() == [1, 2, 3]
    assert np.isfinite(history.to_numpy(dtype=float)).all()
    assert (history["time"] > 0).all()
    assert history["valid_score"].between(0, 1).all()
    assert history["lr"].iloc[-1] < 0.01 / 100
    assert model.n_iter_ == 3


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", lambda t: np.ones_like(t)), ("cosine", lambda t: (1 + np.cos(np.pi * t)) / 2)],
)
def test_schedules(beats, schedule, expected):
    model = small(lr_schedule=schedule, lr=0.01, max_epochs=4).fit(beats.data, beats.target)
    n_steps = 7  # batches per epoch
    progress = (np.arange(1, 5) * n_steps - 1) / (4 * n_steps)
    np.testing.assert_allclose(
        model.history_["lr"], 0.01 * expected(progress), rtol=1e-6, atol=1e-12
    )


def test_plateau_lowers_the_rate(beats):
    model = small(lr_schedule="plateau", lr=1e-6, optimizer="sgd", max_epochs=6, batch_norm=False)
    rates = model.fit(beats.data, beats.target).history_["lr"]
    # The loss does not improve at this rate, so the rate drops after three more epochs.
    np.testing.assert_allclose(rates, [1e-6] * 5 + [1e-7])


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", torch.optim.RMSprop])
def test_optimizers_learn(beats, optimizer):
    model = small(optimizer=optimizer, lr=3e-3, max_epochs=6).fit(beats.data, beats.target)
    losses = model.history_["train_loss"]
    assert losses.iloc[-1] < 0.8 * losses.iloc[0]


# --- warm start and partial_fit ------------------------------------------------------------


def test_warm_start_continues_training(beats):
    model = small(warm_start=True, max_epochs=2).fit(beats.data, beats.target)
    first = model.history_["train_loss"].tolist()
    model.fit(beats.data, beats.target)
    assert model.n_iter_ == 4
    assert model.history_["train_loss"].tolist()[:2] == first
    assert model.history_["train_loss"].iloc[3] < first[1]
    model.set_params(warm_start=False).fit(beats.data, beats.target)
    assert model.n_iter_ == 2
    assert model.history_["train_loss"].tolist() == first


def test_warm_start_checks_the_classes(beats):
    model = small(warm_start=True).fit(beats.data, beats.target)
    some = beats.target != "F"
    model.fit(beats.data[some], beats.target[some])
    assert model.predict_proba(beats.data).shape[1] == 5
    with pytest.raises(ValueError, match=r"labels \['X'\].*not among the classes"):
        model.fit(beats.data, np.where(some, beats.target, "X"))


def test_partial_fit_in_chunks_learns(beats):
    streamed = small(lr=5e-3)
    order = np.random.default_rng(0).permutation(len(beats.data))
    for _ in range(15):
        for chunk in np.array_split(order, 4):
            streamed.partial_fit(beats.data[chunk], beats.target[chunk], classes=list("FNQSV"))
    assert streamed.n_iter_ == 60
    whole = small(lr=5e-3, lr_schedule="constant", max_epochs=15).fit(beats.data, beats.target)
    scores = [model.score(beats.data, beats.target) for model in (streamed, whole)]
    assert scores[0] > scores[1] - 0.1
    assert scores[0] > (beats.target == "N").mean() + 0.1


def test_partial_fit_equals_fit_with_a_constant_rate(beats):
    """Without batch norm, whose statistics `fit` computes at its end."""
    params = {"lr_schedule": "constant", "batch_norm": False, "lr": 1e-3}
    whole = small(**params).fit(beats.data, beats.target)
    streamed = small(**params)
    for _ in range(3):
        streamed.partial_fit(beats.data, beats.target, classes=np.unique(beats.target))
    np.testing.assert_array_equal(
        whole.predict_proba(beats.data), streamed.predict_proba(beats.data)
    )


def test_partial_fit_checks_the_classes(beats):
    model = small()
    only_n = beats.target == "N"
    with pytest.raises(ValueError, match="classes must be passed"):
        model.partial_fit(beats.data, beats.target)
    model.partial_fit(beats.data[only_n], beats.target[only_n], classes=list("NSVFQ"))
    model.partial_fit(beats.data[only_n], beats.target[only_n])
    assert model.classes_.tolist() == list("FNQSV")
    with pytest.raises(ValueError, match="not the same as on the last call"):
        model.partial_fit(beats.data, beats.target, classes=list("NSV"))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"early_stopping": True}, "early_stopping=False"),
        ({"class_weight": "balanced"}, "set class_weight to a dict"),
    ],
)
def test_errors_of_partial_fit(beats, params, message):
    with pytest.raises(ValueError, match=message):
        small(**params).partial_fit(beats.data, beats.target, classes=list("FNQSV"))


# --- callbacks, interruption, divergence ---------------------------------------------------


def test_callbacks_are_used_and_not_changed(beats):
    scoring = EpochScoring("f1_macro", lower_is_better=False, name="valid_f1")
    callbacks = [scoring, ("clip", GradientNormClipping(1.0))]
    state = dict(vars(scoring))
    model = small(early_stopping=True, callbacks=callbacks).fit(beats.data, beats.target)
    assert model.history_["valid_f1"].between(0, 1).all()
    assert vars(scoring) == state
    assert model.callbacks is callbacks


def test_ctrl_c_leaves_a_usable_model(beats):
    model = small(max_epochs=5, callbacks=[Interrupt(epoch=3)])
    with pytest.warns(ConvergenceWarning, match="interrupted after 2 of 5 epochs") as caught:
        model.fit(beats.data, beats.target)
    assert caught[0].filename == __file__  # the warning refers to the call of fit
    assert model.n_iter_ == len(model.history_) == 2
    assert np.isfinite(model.predict_proba(beats.data)).all()


def test_ctrl_c_in_the_first_epoch(beats):
    with pytest.warns(ConvergenceWarning, match="after 0 of 3"):
        model = small(callbacks=[Interrupt(epoch=1)]).fit(beats.data, beats.target)
    assert list(model.history_) == ["epoch", "train_loss", "lr", "time"]
    assert np.isfinite(model.predict_proba(beats.data)).all()


def test_ctrl_c_keeps_the_best_weights(beats):
    params = {"early_stopping": True, "lr_schedule": "constant", "lr": 1e-3, "batch_norm": False}
    with pytest.warns(ConvergenceWarning, match="best weights so far"):
        model = small(max_epochs=5, callbacks=[Interrupt(epoch=4)], **params).fit(
            beats.data, beats.target
        )
    best = int(model.history_["valid_loss"].argmin())
    expected = small(max_epochs=best + 1, **params).fit(beats.data, beats.target)
    np.testing.assert_array_equal(
        model.predict_proba(beats.data), expected.predict_proba(beats.data)
    )


def test_early_stopping_does_not_warn(beats):
    model = small(early_stopping=True, n_iter_no_change=1, max_epochs=50, lr=1e-30)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(beats.data, beats.target)
    assert model.n_iter_ < 50


def test_divergence_is_an_error(beats):
    model = small(lr=1e20, lr_schedule="constant", optimizer="sgd", batch_norm=False)
    with pytest.raises(ValueError, match=r"training loss became .* in epoch .*Lower lr"):
        model.fit(beats.data, beats.target)


def test_only_training_batches_are_augmented(beats):
    seen = []

    def noise(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        assert batch.shape[1:] == (1, beats.data.shape[1])
        seen.append(len(batch))
        return batch + 0.1 * torch.randn(batch.shape, generator=generator)

    plain = small(batch_size=128).fit(beats.data, beats.target)
    model = small(augment=noise, batch_size=128).fit(beats.data, beats.target)
    # Three epochs, and a pass for the statistics of the batch norms.
    assert sum(seen) == 4 * len(beats.data)
    n_batches = len(seen)
    noisy = model.predict_proba(beats.data)
    assert len(seen) == n_batches
    assert np.abs(noisy - plain.predict_proba(beats.data)).max() > 0
    again = small(augment=noise, batch_size=128).fit(beats.data, beats.target)
    np.testing.assert_array_equal(again.predict_proba(beats.data), noisy)
