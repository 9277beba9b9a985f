"""One experiment, told to each of the trackers."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from ecgclf import ECGMLPClassifier
from ecgclf.datasets import Beats, make_beats
from ecgclf.evaluation import beat_report, ec57_report
from ecgclf.tracking import Tracker


@pytest.fixture(scope="session")
def beats() -> Beats:
    """Synthetic beats of five patients, each with beats of all classes."""
    return make_beats(n_beats=300, n_patients=5, random_state=0)


@pytest.fixture(scope="session")
def run_experiment(beats) -> Callable[[Tracker], SimpleNamespace]:
    """Fit a small network and log everything about it but the model."""

    def run(tracker: Tracker) -> SimpleNamespace:
        model = ECGMLPClassifier(
            dense=(8,), max_epochs=3, early_stopping=True, random_state=0, verbose=0,
            callbacks=[tracker.callback()],
        )  # fmt: skip
        tracker.log_params(model)
        model.fit(beats.data, beats.target, groups=beats.groups)
        predicted = model.predict(beats.data)
        ec57 = ec57_report(beats.target, predicted, beats.groups)
        per_class = beat_report(beats.target, predicted)
        tracker.log_report(ec57, "ec57")
        tracker.log_report(per_class, "test")
        return SimpleNamespace(model=model, ec57=ec57, per_class=per_class)

    return run


@pytest.fixture(scope="session")
def assert_curves() -> Callable[[dict, ECGMLPClassifier], None]:
    """Compare the curves that a tool has kept with the history of the model."""

    def check(curves: dict[str, list], model: ECGMLPClassifier) -> None:
        names = {"train_loss", "valid_loss", "valid_score", "lr", "time"}
        assert names <= set(curves)
        for name in names:
            assert curves[name] == pytest.approx(model.history_[name].tolist(), rel=1e-6)

    return check
