"""Fixtures of the export tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from ecgclf.datasets import Beats, make_beats


@pytest.fixture(scope="session")
def beats() -> Beats:
    """Synthetic beats; every other one is shorter and padded with zeros."""
    beats = make_beats(n_beats=200, random_state=0)
    lengths = np.random.default_rng(0).integers(20, beats.data.shape[1], size=100)
    for row, length in zip(beats.data[::2], lengths):
        row[length:] = 0
    return beats


@pytest.fixture
def run_graph() -> Callable[[Path, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Function that runs a graph and returns its labels and probabilities."""

    def run(path: Path, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        label, probabilities = session.run(["label", "probabilities"], {"X": X})
        return label, probabilities

    return run
