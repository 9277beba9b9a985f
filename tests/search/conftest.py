"""Beats of a few patients."""

from __future__ import annotations

import pytest

from ecgclf.datasets import make_beats


@pytest.fixture(scope="session")
def beats():
    return make_beats(n_beats=160, n_patients=8, random_state=0)
