"""What holds for every tracker."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGMLPClassifier
from ecgclf.augmentation import Compose, TimeShift
from ecgclf.evaluation import beat_report
from ecgclf.tracking import MLflowTracker, TensorBoardTracker, Tracker, WandbTracker
from ecgclf.tracking._served import save_without_callbacks


class Listed(Tracker):
    """Keeps what it is told in lists."""

    def __init__(self):
        self.params, self.epochs, self.reports, self.pictures = {}, [], [], []

    def log_figure(self, figure, name):
        self.pictures.append(name)

    def _log_params(self, params):
        self.params = params

    def _log_epoch(self, epoch, figures):
        self.epochs.append((epoch, figures))

    def _log_report(self, report, figures, name):
        self.reports.append((name, figures))


@pytest.fixture
def tracker() -> Listed:
    return Listed()


def quick(**params) -> ECGMLPClassifier:
    return ECGMLPClassifier(
        **{"dense": (8,), "max_epochs": 2, "verbose": 0, "random_state": 0, **params}
    )


def test_copies_tell_the_same_tracker_and_pickles_none(tracker, beats):
    model = clone(quick(callbacks=[tracker.callback()])).fit(beats.data, beats.target)
    assert [epoch for epoch, _ in tracker.epochs] == [1, 2]
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict(beats.data), model.predict(beats.data))
    restored.fit(beats.data, beats.target)
    assert len(tracker.epochs) == 2
    model.fit(beats.data, beats.target)
    assert [epoch for epoch, _ in tracker.epochs] == [1, 2, 1, 2]


def test_a_tracked_fit_is_the_same_fit(tracker, beats):
    tracked = quick(callbacks=[tracker.callback()]).fit(beats.data, beats.target)
    alone = quick().fit(beats.data, beats.target)
    np.testing.assert_array_equal(
        tracked.predict_proba(beats.data), alone.predict_proba(beats.data)
    )
    assert set(tracker.epochs[0][1]) == {"train_loss", "lr", "time"}


def test_parameters_of_a_pipeline_and_of_objects_in_it(tracker):
    network = quick(augment=Compose([TimeShift(max_shift=3)]), callbacks=[tracker.callback()])
    tracker.log_params(make_pipeline(StandardScaler(), network))
    kept = tracker.params
    assert kept["estimator"] == "Pipeline"
    assert kept["ecgmlpclassifier"] == "ECGMLPClassifier"
    assert kept["ecgmlpclassifier__dense"] == "(8,)"
    assert kept["ecgmlpclassifier__augment"] == "Compose"
    assert kept["standardscaler__with_mean"] is True
    assert not [name for name in kept if "callbacks" in name]
    assert all(isinstance(v, (bool, int, float, str, type(None))) for v in kept.values())


def test_undefined_figures_are_left_out(tracker):
    tracker.log_report(beat_report(list("NNV"), list("NNN"), labels=list("NVF")), "test")
    ((name, figures),) = tracker.reports
    assert name == "test"
    assert figures["test/V/sensitivity"] == 0
    assert "test/F/sensitivity" not in figures
    assert np.isfinite(list(figures.values())).all()
    assert tracker.pictures == ["test_confusion_matrix"]


def test_what_is_no_report_or_no_network_is_refused(tracker, tmp_path):
    with pytest.raises(TypeError, match="report is a dict, expected what ec57_report"):
        tracker.log_report({"f1": 1.0})
    with pytest.raises(TypeError, match="takes a network of ecgclf, got a Pipeline"):
        save_without_callbacks(make_pipeline(quick()), tmp_path / "model")


@pytest.mark.parametrize(
    ("make", "module", "message"),
    [
        (MLflowTracker, "mlflow", r"MLflowTracker needs mlflow.*ecgclf\[mlflow\]"),
        (WandbTracker, "wandb", r"WandbTracker needs wandb.*ecgclf\[wandb\]"),
        (
            lambda: TensorBoardTracker("runs"),
            "tensorboard",
            r"TensorBoardTracker needs tensorboard.*ecgclf\[tensorboard\]",
        ),
    ],
)
def test_a_missing_library_is_named(make, module, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.delattr(torch.utils, "tensorboard", raising=False)
    with pytest.raises(ImportError, match=message):
        make()
