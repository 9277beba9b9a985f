"""A small model of beats in context, and a recording for it."""

from __future__ import annotations

from pathlib import Path

import pytest

import ecgclf
from ecgclf import ECGContextClassifier
from ecgclf.datasets import make_beats, make_record

#: Window of the beats of the context model.
WINDOW = (0.375, 0.5)


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> ECGContextClassifier:
    """A briefly trained model that states how its beats are cut."""
    beats = make_beats(n_beats=1200, n_patients=12, fs=128, window=WINDOW, random_state=0)
    model = ECGContextClassifier(
        **{"record": "record", "sample": "sample", "context": 32, "batch_size": 128},
        **{"max_epochs": 6, "verbose": 0, "device": "cpu", "random_state": 0},
    )
    model.fit(beats.frame.drop(columns=["target", *beats.rhythm_names]), beats.target)
    path = tmp_path_factory.mktemp("model") / "context.ecgclf"
    model.save(path, fs=128, window=WINDOW)
    return ecgclf.load(path)


@pytest.fixture(scope="session")
def record(tmp_path_factory) -> Path:
    """Two minutes with two leads."""
    return make_record(tmp_path_factory.mktemp("record"), "night", duration=120, random_state=3)
