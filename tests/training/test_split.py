"""Rows that are held out for early stopping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.training import hold_out

some = settings(max_examples=30, deadline=None)
fractions = st.floats(0.05, 0.6)
seeds = st.integers(0, 2**31)


def assert_parts(train, valid, n):
    assert len(train)
    assert len(valid)
    assert sorted([*train, *valid]) == list(range(n))


@some
@given(
    counts=st.lists(st.integers(4, 60), min_size=2, max_size=5), fraction=fractions, seed=seeds
)
def test_beats(counts, fraction, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    train, valid = hold_out(y, fraction, seed)
    assert_parts(train, valid, len(y))
    assert len(valid) == np.ceil(fraction * len(y))
    held_out = np.bincount(y[valid], minlength=len(counts))
    # As even as whole beats allow.
    assert (np.abs(held_out - len(valid) / len(y) * np.array(counts)) <= 1.0 + 1e-9).all() or (
        len(valid) < len(counts)
    )
    assert (held_out < counts).all()
    again = hold_out(y, fraction, seed)
    np.testing.assert_array_equal(train, again[0])


@some
@given(
    n_patients=st.integers(3, 12), n_beats=st.integers(30, 120), fraction=fractions, seed=seeds,
    named=st.booleans(),
)  # fmt: skip
def test_patients_are_never_split(n_patients, n_beats, fraction, seed, named):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, n_patients, n_beats)
    if named:
        groups = np.array([f"p{g}" for g in groups])
    y = rng.integers(0, 3, n_beats)
    train, valid = hold_out(y, fraction, seed, groups)
    assert_parts(train, valid, n_beats)
    assert not set(groups[train]) & set(groups[valid])
    n_there = len(set(groups))
    assert len(set(groups[valid])) == np.ceil(fraction * n_there)


def test_seeds_differ():
    y = np.arange(100) % 2
    assert set(hold_out(y, 0.2, 0)[1]) != set(hold_out(y, 0.2, 1)[1])
    groups = np.arange(100) // 5
    assert set(hold_out(y, 0.2, 0, groups)[1]) != set(hold_out(y, 0.2, 1, groups)[1])


@pytest.mark.parametrize("seed", range(5))
def test_a_class_that_one_patient_has_is_trained_on(seed):
    """Held out whole, it could never be learned."""
    groups = np.repeat(np.arange(6), 20)
    y = np.where(groups == seed, np.arange(120) % 3, np.arange(120) % 2)
    for fraction in (0.1, 0.5):
        train, _ = hold_out(y, fraction, seed, groups)
        assert set(y[train]) == {0, 1, 2}


@pytest.mark.parametrize("seed", range(5))
def test_a_class_of_one_beat_is_trained_on(seed):
    y = np.zeros(40, dtype=int)
    y[17] = 1
    train, valid = hold_out(y, 0.5, seed)
    assert 17 in train
    assert len(valid) == 20


def test_classes_are_shared_out_among_patients_as_evenly_as_can_be():
    """Six patients of one kind, six of another: two of each, though four could be alike."""
    groups = np.repeat(np.arange(12), 10)
    y = (groups >= 6).astype(int)
    for seed in range(5):
        _, valid = hold_out(y, 1 / 3, seed, groups)
        assert np.bincount(y[valid]).tolist() == [20, 20]


def test_one_class_alone_can_be_split_too():
    train, valid = hold_out(np.zeros(10, dtype=int), 0.2, 0)
    assert (len(train), len(valid)) == (8, 2)


@pytest.mark.parametrize(
    ("y", "fraction", "groups", "match"),
    [
        ([0, 1, 1], 0.9, None, "validation_fraction=0.9 of 3 beats leaves none"),
        ([0, 1], 0.5, None, "only one class to train on.*validation_fraction=0.5"),
        ([0, 1, 0, 1], 0.5, [7, 7, 7, 7], "at least 2 patients, got 1"),
        ([0, 1, 0, 1], 0.8, [1, 2, 3, 3], "validation_fraction=0.8 of 3 patients leaves none"),
        ([0, 1, 0, 1], 0.5, [1, 2, 1, 2], "only one class to train on"),
    ],
)
def test_too_little(y, fraction, groups, match):
    with pytest.raises(ValueError, match=match):
        hold_out(np.array(y), fraction, 0, None if groups is None else np.array(groups))
