"""Beats for the tests of samplers."""

from __future__ import annotations

import pytest

from ecgclf.datasets import Beats, make_beats


@pytest.fixture(scope="session")
def beats() -> Beats:
    """Beats of two leads; 180 N, 30 S, 45 V, 15 F and 30 Q of five patients."""
    return make_beats(n_beats=300, n_leads=2, n_patients=5, random_state=0)
