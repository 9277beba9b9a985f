"""Data and estimators for the tests of the classifiers."""

from __future__ import annotations

import numpy as np
import pytest

from ecgclf.datasets import Beats, make_beats


@pytest.fixture(scope="session")
def beats() -> Beats:
    """Synthetic beats of ten patients: one lead, five classes."""
    return make_beats(n_beats=400, n_patients=10, random_state=0)


@pytest.fixture(scope="session")
def two_leads() -> Beats:
    """Synthetic beats of two leads."""
    return make_beats(n_beats=200, n_leads=2, n_patients=5, random_state=0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
