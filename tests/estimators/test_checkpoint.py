"""Resuming interrupted fits from a checkpoint."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator
from skorch.callbacks import Callback, EpochScoring

import ecgclf
from ecgclf import (
    ECGAutoencoder,
    ECGCNNClassifier,
    ECGLSTMClassifier,
    ECGMLPClassifier,
    ECGTransferClassifier,
)
from ecgclf._model_file import pack, unpack
from ecgclf.augmentation import TimeShift
from ecgclf.estimators._fit_checkpoint import FitCheckpoint
from ecgclf.persistence import PersistenceError
from tests.networks import small_mlp

QUICK = {"max_epochs": 5, "batch_size": 64, "verbose": 0, "random_state": 0}
CNN = {"filters": (8, 16), "stride": 2, "conv_dropout": 0.2, **QUICK}

#: Fits with every part that has a state: schedules, optimizers, early stopping, dropout, batch
#: norm, augmentation, frozen layers.
FITS = {
    "one_cycle": ECGCNNClassifier(augment=TimeShift(max_shift=3), **CNN),
    "plateau": ECGCNNClassifier(
        lr_schedule="plateau", early_stopping=True, lr=0.02, n_iter_no_change=2, optimizer="sgd",
        **{**CNN, "max_epochs": 16},
    ),
    "cosine": ECGCNNClassifier(lr_schedule="cosine", optimizer=torch.optim.NAdam, **CNN),
    "constant": ECGLSTMClassifier(units=(8,), step_size=12, lr_schedule="constant", **QUICK),
    "scored": ECGMLPClassifier(
        dense=(16,), early_stopping=True, max_grad_norm=1.0,
        callbacks=[EpochScoring("f1_macro", lower_is_better=False, name="f1")], **QUICK,
    ),
    "transfer": ECGTransferClassifier(
        source=None, strategy="gradual", dense=(8,), dense_dropout=0.2, **QUICK
    ),
    "autoencoder": ECGAutoencoder(n_codes=4, early_stopping=True, **QUICK),
}  # fmt: skip

#: Epoch in which each fit is killed. Early stopping has then seen one epoch without improvement;
#: it stops in this epoch and restores the weights of two epochs earlier.
KILLED_IN = {**dict.fromkeys(FITS, 4), "plateau": 13}

#: Runs every fit in a separate process, which kills itself at a given batch of a given epoch, and
#: prints the signal that ended it and the number of epochs in its checkpoint. Epoch 0 means after
#: the training; batch -1 means while the checkpoint is written.
KILL = """
import os, pickle, signal, sys
import torch
from skorch.callbacks import Callback
from ecgclf.estimators._fit_checkpoint import FitCheckpoint

class Kill(Callback):
    def __init__(self, epoch, batch):
        self.epoch, self.batch = epoch, batch

    def on_epoch_begin(self, net, **kwargs):
        self.n_batches_ = 0
        if self.batch == -1 and len(net.history) == self.epoch:
            os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)

    def on_batch_begin(self, net, training, **kwargs):
        if len(net.history) == self.epoch and self.n_batches_ == self.batch:
            os.kill(os.getpid(), signal.SIGKILL)
        self.n_batches_ += 1

    def on_train_end(self, net, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)

with open(sys.argv[1], "rb") as file:
    X, y, groups, fits = pickle.load(file)
# Trigger the lazy imports of torch once, before forking.
torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
for model, epoch, batch in fits:
    model.set_params(callbacks=[*(model.callbacks or []), Kill(epoch, batch)])
    child = os.fork()
    if child == 0:
        model.fit(X, y, groups=groups)
        os._exit(0)
    signal_number = os.WTERMSIG(os.waitpid(child, 0)[1])
    print(signal_number, len(FitCheckpoint(model.checkpoint).state[0]["history"]))
"""


def fit_and_be_killed(beats, fits, folder):
    """Run fits in processes that are killed; return the number of epochs that each has kept."""
    (folder / "fits").write_bytes(pickle.dumps((beats.data, beats.target, beats.groups, fits)))
    done = subprocess.run(
        [sys.executable, "-c", KILL, str(folder / "fits")],
        capture_output=True, text=True, check=True, timeout=500,
    )  # fmt: skip
    ends = [[int(number) for number in line.split()] for line in done.stdout.splitlines()]
    assert [signal_number for signal_number, _ in ends] == [signal.SIGKILL] * len(fits)
    return [n_kept for _, n_kept in ends]


def weights(model):
    return {name: value.numpy() for name, value in model.net_.module_.state_dict().items()}


def assert_same(model, expected):
    """Compare weights, history and frozen layers exactly."""
    ours, theirs = weights(model), weights(expected)
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    first, second = ([{**row, "dur": None} for row in m.net_.history] for m in (model, expected))
    assert first == second
    first, second = (
        [p.requires_grad for p in m.net_.module_.parameters()] for m in (model, expected)
    )
    assert first == second


@pytest.fixture(scope="module")
def fits(beats):
    source = ECGCNNClassifier(**CNN).fit(beats.data, beats.target)
    fits = {name: clone(model) for name, model in FITS.items()}
    fits["transfer"].set_params(source=source)
    return fits


@pytest.fixture(scope="module")
def killed(fits, beats, tmp_path_factory):
    """Folder with the checkpoints of all fits, each killed in the middle of an epoch.

    Another fit, "several", is killed while it writes, at the start of an epoch, and after the
    last epoch.
    """
    folder = tmp_path_factory.mktemp("killed")
    once = [
        (clone(model).set_params(checkpoint=folder / name), KILLED_IN[name], 2)
        for name, model in fits.items()
    ]
    several = clone(fits["one_cycle"]).set_params(checkpoint=folder / "several")
    ends = [(clone(several), *end) for end in [(3, -1), (4, 0), (0, 0)]]
    n_kept = fit_and_be_killed(beats, once + ends, folder)
    assert n_kept[-3:] == [2, 3, 5]
    return folder


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.checkpoint"


@pytest.fixture
def quick():
    return partial(small_mlp, dense=(16,), dense_dropout=0.3, max_epochs=5)


class Stop(Callback):
    """Raise an error at the beginning of an epoch, counted from 1."""

    def __init__(self, epoch, error=RuntimeError):
        self.epoch = epoch
        self.error = error

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise self.error("stopped")


def interrupt(model, beats, epoch=4):
    """Fit a copy that fails in an epoch."""
    with pytest.raises(RuntimeError, match="stopped"):
        clone(model).set_params(callbacks=[Stop(epoch)]).fit(beats.data, beats.target)


# --- resuming ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FITS)
def test_resume_after_a_kill(name, fits, killed, beats):
    path = killed / name
    kept = FitCheckpoint(path).state[0]["history"]
    assert len(kept) == KILLED_IN[name] - 1
    model = clone(fits[name]).set_params(checkpoint=path)
    model.fit(beats.data, beats.target, groups=beats.groups)
    expected = clone(fits[name]).fit(beats.data, beats.target, groups=beats.groups)
    assert_same(model, expected)
    # The first epochs are those of the killed process, with their times.
    assert model.history_["time"].tolist()[: len(kept)] == [row["dur"] for row in kept]
    assert not path.exists()
    if name == "plateau":
        assert model.n_iter_ == 13
        assert model.history_["valid_loss"].idxmin() == 10


def test_resume_after_several_kills(fits, killed, beats):
    """After the last epoch, dropout is on while the statistics of the batch norms are computed.

    Its masks continue those of the last epoch.
    """
    model = clone(fits["one_cycle"]).set_params(checkpoint=killed / "several")
    model.fit(beats.data, beats.target)
    assert_same(model, clone(fits["one_cycle"]).fit(beats.data, beats.target))


def test_resume_after_ctrl_c(quick, beats, path):
    model = quick(checkpoint=str(path), callbacks=[Stop(4, KeyboardInterrupt)])
    with pytest.warns(UserWarning, match="interrupted after 3 of 5 epochs"):
        model.fit(beats.data, beats.target)
    assert path.exists()
    model.set_params(callbacks=None).fit(beats.data, beats.target)
    assert_same(model, quick().fit(beats.data, beats.target))


def test_resume_of_a_warm_start(quick, beats, path):
    def once_fitted():
        return quick(warm_start=True).fit(beats.data, beats.target)

    model = once_fitted().set_params(checkpoint=path, callbacks=[Stop(8)])
    with pytest.raises(RuntimeError, match="stopped"):
        model.fit(beats.data, beats.target)
    again = once_fitted().set_params(checkpoint=path).fit(beats.data, beats.target)
    assert_same(again, once_fitted().fit(beats.data, beats.target))
    interrupt(quick(warm_start=True, checkpoint=path), beats)
    with pytest.raises(PersistenceError, match="does not begin with the same weights"):
        again.fit(beats.data, beats.target)


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(3)])
def test_a_random_seed_is_kept(quick, beats, path, random_state):
    model = quick(random_state=random_state, checkpoint=path, early_stopping=True)
    interrupt(model, beats)
    seed = FitCheckpoint(path).fit["seed"]
    model.fit(beats.data, beats.target)
    assert_same(
        model, quick(random_state=seed, early_stopping=True).fit(beats.data, beats.target)
    )


# --- checkpoints of other fits ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": 0.02}, "lr was 0.01 and is 0.02"),
        ({"dense": (8,)}, r"dense was \{'tuple': \[16\]\} and is \{'tuple': \[8\]\}"),
        ({"random_state": 1}, "random_state was 0 and is 1"),
        ({"optimizer": torch.optim.SGD}, "optimizer was 'adamw' and is 'torch.optim.sgd.SGD'"),
    ],
)
def test_other_parameters_are_refused(quick, beats, path, change, message):
    interrupt(quick(checkpoint=path), beats)
    kept = path.read_bytes()
    with pytest.raises(PersistenceError, match=message):
        quick(checkpoint=path, **change).fit(beats.data, beats.target)
    assert path.read_bytes() == kept


@pytest.mark.parametrize("change", ["X", "y", "sample_weight", "groups"])
def test_other_data_is_refused(quick, beats, path, change):
    model = quick(checkpoint=path, early_stopping=True)
    interrupt(model, beats)
    data = {"X": beats.data.copy(), "y": beats.target.copy()}
    if change == "X":
        data["X"][7, 7] += 1e-3
    elif change == "y":
        data["y"][7] = "F" if data["y"][7] == "N" else "N"
    else:
        data[change] = beats.groups + 1.0
    with pytest.raises(PersistenceError, match="the beats, their labels, weights or groups"):
        model.fit(**data)


def test_another_estimator_or_source_is_refused(quick, fits, beats, path):
    model = clone(fits["transfer"]).set_params(checkpoint=path)
    interrupt(model, beats)
    with pytest.raises(PersistenceError, match="was a ECGTransferClassifier and is a ECGMLP"):
        quick(checkpoint=path).fit(beats.data, beats.target)
    other = clone(model.source).set_params(random_state=1).fit(beats.data, beats.target)
    with pytest.raises(PersistenceError, match="does not begin with the same weights"):
        model.set_params(source=other).fit(beats.data, beats.target)


def test_a_file_that_is_no_checkpoint_is_not_changed(quick, beats, path, tmp_path):
    quick().fit(beats.data, beats.target).save(tmp_path / "model")
    interrupt(quick(checkpoint=path), beats)
    contents = {
        "is a saved model": (tmp_path / "model").read_bytes(),
        "is no model that ecgclf has saved": b"record,sample,label\n",
        "checksum": path.read_bytes()[:-1],
    }
    for message, content in contents.items():
        path.write_bytes(content)
        with pytest.raises(PersistenceError, match=message):
            quick(checkpoint=path).fit(beats.data, beats.target)
        assert path.read_bytes() == content
    interrupt(quick(checkpoint=tmp_path / "other"), beats)
    with pytest.raises(PersistenceError, match="describes no model"):
        ecgclf.load(tmp_path / "other")


def test_an_invalid_path_is_an_error_before_training(quick, beats, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        quick(checkpoint=tmp_path / "nowhere" / "fit").fit(beats.data, beats.target)
    with pytest.raises(PersistenceError, match="is a folder"):
        quick(checkpoint=tmp_path).fit(beats.data, beats.target)
    with pytest.raises(ValueError, match="'checkpoint' parameter of ECGMLPClassifier"):
        quick(checkpoint=3).fit(beats.data, beats.target)


def change_state(path, change):
    """Write a checkpoint with a valid checksum and another state."""
    document, arrays = unpack(path.read_bytes())
    kept = {key: value for key, value in document.items() if key not in ("format", "sha256")}
    change(kept, arrays)
    path.write_bytes(pack(kept, arrays))


def test_tensors_of_other_shapes_or_types_are_refused(quick, beats, path):
    interrupt(quick(checkpoint=path), beats)
    content = path.read_bytes()
    names = [name for name in unpack(content)[1] if name.startswith(("weights", "optimizer/st"))]
    assert len(names) > 6
    for name in names:
        for wrong in (np.ones(3, np.float32), np.ones((2, 2), "i8"), np.ones(0, np.float32)):
            path.write_bytes(content)
            change_state(path, lambda _, arrays, new=wrong, at=name: arrays.update({at: new}))
            with pytest.raises(PersistenceError, match="is not one of this network"):
                quick(checkpoint=path).fit(beats.data, beats.target)


@pytest.mark.parametrize("key", ["fit", "state"])
@pytest.mark.parametrize("value", [3, None, "x", [], {}, {"class": 3}])
def test_values_of_other_types_are_refused(quick, beats, path, key, value):
    interrupt(quick(checkpoint=path), beats)
    change_state(path, lambda document, _: document.update({key: value}))
    with pytest.raises(PersistenceError, match="checkpoint"):
        quick(checkpoint=path).fit(beats.data, beats.target)


class FitAnother(Callback):
    """Start another fit with the same checkpoint during this one."""

    def __init__(self, other, data):
        self.other = other
        self.data = data

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 1:
            interrupt(self.other, self.data)


def test_two_fits_do_not_share_a_checkpoint(quick, beats, path):
    other = quick(checkpoint=path, lr=0.02)
    model = quick(checkpoint=path, callbacks=[FitAnother(other, beats)])
    with pytest.raises(PersistenceError, match="give every fit its own checkpoint"):
        model.fit(beats.data, beats.target)
    other.fit(beats.data, beats.target)
    assert_same(other, quick(lr=0.02).fit(beats.data, beats.target))


# --- no other effect -------------------------------------------------------------------------


def test_a_checkpoint_does_not_change_the_model(quick, beats, path, tmp_path):
    model = quick(checkpoint=path).fit(beats.data, beats.target)
    assert_same(model, quick().fit(beats.data, beats.target))
    assert list(tmp_path.iterdir()) == []
    assert clone(model).checkpoint == path
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.predict(beats.data), model.predict(beats.data))
    model.partial_fit(beats.data, beats.target)
    assert list(tmp_path.iterdir()) == []
    model.save(tmp_path / "model")
    assert ecgclf.load(tmp_path / "model").checkpoint == path


def test_scikit_learn_finds_nothing_wrong(path):
    check_estimator(ECGMLPClassifier(checkpoint=path, verbose=0))
