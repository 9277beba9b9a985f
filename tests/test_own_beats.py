"""The comparisons with a patient's own beats, on which the benchmark of adaptation rests."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from ecgclf.datasets import RHYTHM_FEATURES, make_beats, rhythm_features

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def own_beats(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import _own_beats

    yield _own_beats
    sys.modules.pop("_own_beats", None)


@pytest.fixture
def record():
    """Beats of one patient with two leads, of which the first third is labelled."""
    beats = make_beats(
        n_beats=120, n_patients=1, n_leads=2, fs=120, window=(0.3, 0.5), random_state=0
    )
    time = np.cumsum(np.random.default_rng(0).uniform(0.6, 1.0, len(beats.target)))
    rhythm = pd.DataFrame(rhythm_features(time, fs=1), columns=[f.name for f in RHYTHM_FEATURES])
    early = np.arange(len(time)) < 40
    return beats.data, beats.target, time, early, rhythm


def test_labels_of_later_beats_are_not_looked_at(own_beats, record):
    signal, target, time, early, rhythm = record
    hidden = np.where(early, target, "?")
    assert len(set(target[~early])) > 1
    pd.testing.assert_frame_equal(
        own_beats.compare_with_own(signal, target, time, early, rhythm),
        own_beats.compare_with_own(signal, hidden, time, early, rhythm),
    )


def test_distances_are_those_of_scipy_and_never_to_the_beat_itself(own_beats):
    features = np.random.default_rng(0).normal(size=(30, 4))
    early = np.arange(30) < 10
    expected = cdist(features, features[early], "sqeuclidean")
    expected[np.arange(10), np.arange(10)] = np.inf
    np.testing.assert_allclose(own_beats.distances(features, early), expected, atol=1e-12)


def test_a_beat_like_a_labelled_one_is_near_to_its_class_and_far_from_those_without(
    own_beats, record
):
    signal, target, time, early, rhythm = record
    target = np.where(target == "F", "N", target)
    first_v = int(np.flatnonzero(early & (target == "V"))[0])
    signal = signal.copy()
    signal[100] = signal[first_v]
    table = own_beats.compare_with_own(signal, target, time, early, rhythm)
    assert table.loc[100, "shape_to_V"] < 1e-3 < table.loc[100, "shape_to_N"]
    assert (table["shape_to_F"] == own_beats.FAR).all()


def test_comparisons_do_not_tell_the_heart_rate(own_beats, record):
    signal, target, time, early, rhythm = record
    table = own_beats.compare_with_own(signal, target, time, early, rhythm)
    slower = own_beats.compare_with_own(signal, target, 2 * time, early, rhythm)
    pd.testing.assert_frame_equal(table, slower, atol=1e-4)
