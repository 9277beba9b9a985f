"""Fixtures of a small model and its training beats."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import Beats, make_beats
from tests.networks import small_cnn


@pytest.fixture(scope="session")
def beats() -> Beats:
    """Synthetic beats of one lead, five classes."""
    return make_beats(n_beats=200, n_patients=5, random_state=0)


@pytest.fixture
def quick():
    """Function that makes a small unfitted classifier."""
    return small_cnn


@pytest.fixture
def fitted(quick, beats) -> ECGCNNClassifier:
    return quick().fit(beats.data, beats.target)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "model.ecgclf"
