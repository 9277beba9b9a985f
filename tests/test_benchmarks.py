"""Code of the benchmarks that can be wrong without a visible error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from benchmarks.accuracy.annotate import overlapping
from benchmarks.common.arguments import select_names
from benchmarks.models import own_beats
from ecgclf.datasets import RHYTHM_FEATURES, make_beats, rhythm_features

NAMES = ["our small CNN", "10 Fourier network", "7 vanilla RNN", "16 imbalance: SMOTE and ENN"]


# --- selection by --only ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        (None, NAMES),
        (["our"], ["our small CNN"]),
        (["OUR", "7 van"], ["our small CNN", "7 vanilla RNN"]),
        (["16 imbalance: SMOTE"], ["16 imbalance: SMOTE and ENN"]),
    ],
)
def test_names_are_selected_by_the_start_of_words(parts, found):
    assert select_names(NAMES, parts) == found


def test_an_unknown_name_exits_with_a_list_of_names():
    with pytest.raises(SystemExit, match=r"starts with ourier.*10 Fourier network"):
        select_names(NAMES, ["ourier"])


# --- comparisons with the beats of the same patient ---------------------------------------------


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


def test_features_do_not_depend_on_labels_of_later_beats(record):
    signal, target, time, early, rhythm = record
    hidden = np.where(early, target, "?")
    assert len(set(target[~early])) > 1
    pd.testing.assert_frame_equal(
        own_beats.compare_with_own(signal, target, time, early, rhythm),
        own_beats.compare_with_own(signal, hidden, time, early, rhythm),
    )


def test_distances_match_scipy_and_exclude_the_beat_itself():
    features = np.random.default_rng(0).normal(size=(30, 4))
    early = np.arange(30) < 10
    expected = cdist(features, features[early], "sqeuclidean")
    expected[np.arange(10), np.arange(10)] = np.inf
    np.testing.assert_allclose(own_beats.distances(features, early), expected, atol=1e-12)


def test_a_copy_of_a_labelled_beat_is_near_its_class_and_far_from_absent_classes(record):
    signal, target, time, early, rhythm = record
    target = np.where(target == "F", "N", target)
    first_v = int(np.flatnonzero(early & (target == "V"))[0])
    signal = signal.copy()
    signal[100] = signal[first_v]
    table = own_beats.compare_with_own(signal, target, time, early, rhythm)
    assert table.loc[100, "shape_to_V"] < 1e-3 < table.loc[100, "shape_to_N"]
    assert (table["shape_to_F"] == own_beats.FAR).all()


def test_features_do_not_depend_on_the_heart_rate(record):
    signal, target, time, early, rhythm = record
    table = own_beats.compare_with_own(signal, target, time, early, rhythm)
    slower = own_beats.compare_with_own(signal, target, 2 * time, early, rhythm)
    pd.testing.assert_frame_equal(table, slower, atol=1e-4)


# --- episodes that are found -------------------------------------------------------------------


def test_episodes_that_overlap_others_are_counted():
    episodes = pd.DataFrame({"time_s": [0.0, 10.0, 20.0], "duration_s": [2.0, 2.0, 2.0]})
    others = pd.DataFrame({"time_s": [1.0, 12.0, 30.0], "duration_s": [0.5, 1.0, 5.0]})
    assert overlapping(episodes, others) == 2
    assert overlapping(others, episodes) == 2
    assert overlapping(episodes, others[:0]) == 0
