"""A small model and the beats it was fitted on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import Beats, make_beats


@pytest.fixture(scope="session")
def beats() -> Beats:
    """Synthetic beats of one lead, five classes."""
    return make_beats(n_beats=200, n_patients=5, random_state=0)


@pytest.fixture
def quick():
    """Make an unfitted classifier that is quick to fit."""

    def make(**params) -> ECGCNNClassifier:
        small = {"filters": (8, 8), "stride": 2, "max_epochs": 2, "batch_size": 64}
        return ECGCNNClassifier(**{**small, "verbose": 0, "random_state": 0, **params})

    return make


@pytest.fixture
def fitted(quick, beats) -> ECGCNNClassifier:
    return quick().fit(beats.data, beats.target)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "model.ecgclf"
