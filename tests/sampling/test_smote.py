"""SMOTE: position and origin of new beats, small classes and patients."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from ecgclf.sampling import BeatSMOTE

#: 20 beats of class N at 0.
NORMAL = np.zeros((20, 1))


def with_v(*values: float) -> tuple[np.ndarray, np.ndarray]:
    X = np.concatenate([NORMAL, np.array(values, dtype=float)[:, None]])
    return X, np.array(["N"] * 20 + ["V"] * len(values))


def new_beats(X, y, groups=None, **params):
    sampler = BeatSMOTE(random_state=0, **params)
    resampled, labels = sampler.fit_resample(X, y, groups=groups)
    np.testing.assert_array_equal(resampled[: len(X)], X)
    np.testing.assert_array_equal(labels, sampler.carry(y))
    return resampled[len(X) :], sampler.sample_indices_[len(X) :], labels[len(X) :]


@pytest.mark.filterwarnings("ignore:class")
@settings(max_examples=40, deadline=None)
@given(
    n_patients=st.integers(1, 6), n_rare=st.integers(1, 20), k=st.integers(1, 6),
    seed=st.integers(0, 10_000),
)  # fmt: skip
def test_new_beats_lie_between_neighbours_of_one_patient(n_patients, n_rare, k, seed):
    rng = np.random.default_rng(seed)
    y = np.array(["N"] * 25 + ["V"] * n_rare)
    groups = rng.integers(n_patients, size=len(y))
    X = rng.normal(size=(len(y), 3)) + 100 * groups[:, None]
    new, first, labels = new_beats(X, y, groups, k_neighbors=k)
    assert (labels == "V").all()
    assert len(new) == 25 - n_rare
    for beat, parent in zip(new, first):
        assert y[parent] == "V"
        others = np.flatnonzero((groups == groups[parent]) & (y == "V"))
        others = others[others != parent]
        distance = np.linalg.norm(X[others] - X[parent], axis=1)
        nearest = others[np.argsort(distance)][:k]
        # On the straight line to a neighbour, or the beat itself if it has none.
        ends = X[nearest] if len(nearest) else X[[parent]]
        detour = (
            np.linalg.norm(beat - X[parent])
            + np.linalg.norm(ends - beat, axis=1)
            - np.linalg.norm(ends - X[parent], axis=1)
        )
        assert detour.min() == pytest.approx(0, abs=1e-9)


def test_without_groups_patients_are_mixed():
    X, y = with_v(1, 2, 8, 9)
    groups = np.arange(24) // 22
    mixed, first, _ = new_beats(X, y, k_neighbors=3)
    between = (mixed > 2) & (mixed < 8)
    assert between.any()
    assert set(groups[first[between[:, 0]]]) == {0, 1}
    within, _, _ = new_beats(X, y, groups, k_neighbors=1)
    assert not ((within > 2) & (within < 8)).any()


def test_patients_get_new_beats_in_proportion_to_their_beats():
    X, y = with_v(*np.arange(40))
    groups = np.repeat([0, 1, 0, 2], [20, 30, 8, 2])
    strategy = {"V": 40 + 4000}
    _, first, _ = new_beats(X, y, groups, sampling_strategy=strategy, k_neighbors=1)
    share = np.bincount(groups[first]) / 4000
    # Six standard deviations of a binomial share.
    np.testing.assert_allclose(share, [0.2, 0.75, 0.05], atol=0.045)


def test_a_single_patient_changes_nothing(beats):
    params = {"sampling_strategy": {"F": 100}, "random_state": 0}
    X, _ = BeatSMOTE(**params).fit_resample(beats.data, beats.target)
    alone, _ = BeatSMOTE(**params).fit_resample(beats.data, beats.target, np.zeros(300))
    np.testing.assert_array_equal(X, alone)


@pytest.mark.parametrize("names", [["p", "q"], [3.5, -1.0], ["p", 7]], ids=str)
def test_names_of_patients(names, beats):
    patient = beats.groups % 2
    named = np.array(names, dtype=object)[patient]
    X, _ = BeatSMOTE(random_state=0).fit_resample(beats.data, beats.target, patient)
    again, _ = BeatSMOTE(random_state=0).fit_resample(beats.data, beats.target, named)
    np.testing.assert_array_equal(X, again)


# --- small classes ---------------------------------------------------------------------------


def test_small_class_lowers_k_with_a_warning():
    X, y = with_v(1, 2, 4)
    message = r"class V has 3 beat\(s\), too few for k_neighbors=5: k is lowered to 2\.$"
    with pytest.warns(UserWarning, match=message):
        new, _, _ = new_beats(X, y)
    lowered, _, _ = new_beats(X, y, k_neighbors=2)
    np.testing.assert_array_equal(new, lowered)
    assert len(np.unique(new)) == 17


def test_a_single_beat_is_repeated():
    X, y = with_v(7)
    message = r"class V has 1 beat\(s\), .*lowered to 0; a single beat, with k = 0, is repeated"
    with pytest.warns(UserWarning, match=message):
        new, first, _ = new_beats(X, y)
    assert (new == 7).all()
    assert (first == 20).all()
    assert len(new) == 19


def test_warning_counts_patients_with_few_beats():
    X, y = with_v(1, 2, 3, 10, 11, 20)
    groups = np.array([0] * 23 + [1, 1, 2])
    message = (
        r"class V has 6 beat\(s\), 2 of its 3 patients have at most k_neighbors=2 beats of it: "
        r".* at least 0; a single beat, with k = 0, is repeated\."
    )
    with pytest.warns(UserWarning, match=message):
        new, first, _ = new_beats(X, y, groups, k_neighbors=2)
    assert (new[first == 25] == 20).all()


def test_no_warning_if_there_are_enough_beats():
    X, y = with_v(1, 2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        new_beats(X, y, k_neighbors=2)
        new, _, _ = new_beats(X, y, sampling_strategy={"V": 3})
    assert len(new) == 0


# --- neighbours --------------------------------------------------------------------------------


def test_neighbours_estimator():
    X, y = with_v(1, 2, 4, 8, 16)
    own = NearestNeighbors(n_neighbors=3, algorithm="brute", metric="manhattan")
    np.testing.assert_array_equal(
        new_beats(X, y, k_neighbors=own)[0], new_beats(X, y, k_neighbors=2)[0]
    )
    assert not hasattr(own, "n_features_in_")
    with pytest.raises(ValueError, match="finds only the beat itself"):
        new_beats(X, y, k_neighbors=NearestNeighbors(n_neighbors=1))


def test_all_columns_are_interpolated_alike():
    X, y = with_v(1, 2, 3, 4)
    both = np.column_stack([X, 10 * X])
    new, _, _ = new_beats(both, y, k_neighbors=2)
    np.testing.assert_allclose(new[:, 1], 10 * new[:, 0])
