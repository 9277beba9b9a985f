"""Rhythm features, against values computed by hand and by a plain loop."""

from __future__ import annotations

import statistics
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.datasets import RHYTHM_FEATURES, rhythm_features

NAMES = [feature.name for feature in RHYTHM_FEATURES]
POSITIONS = st.lists(st.integers(1, 2000), min_size=2, max_size=50).map(np.cumsum)


def naive(positions: np.ndarray, fs: float) -> dict[str, list[float]]:
    """Compute the features by their descriptions, beat by beat."""
    rr = [float(b - a) / fs for a, b in pairwise(positions)]
    columns: dict[str, list[float]] = {name: [] for name in NAMES}
    for i in range(len(positions)):
        past = rr[:i] or rr[:1]
        following = rr[i] if i < len(rr) else rr[-1]
        before = past[-2] if len(past) > 1 else past[0]
        values = {
            "rr_prev": past[-1],
            "rr_next": following,
            "rr_prev_prev": before,
            "rr_prev_over_next": past[-1] / following,
            "rr_prev_over_prev_prev": past[-1] / before,
        }
        means = {"10": past[-10:], "32": past[-32:], "so_far": past, "record": rr}
        for span, intervals in means.items():
            values[f"rr_prev_over_mean_{span}"] = past[-1] / np.mean(intervals)
            values[f"rr_next_over_mean_{span}"] = following / np.mean(intervals)
        values["rr_prev_prev_over_mean_32"] = before / np.mean(past[-32:])
        last = past[-32:]
        middle = statistics.median(last)
        scale = statistics.median(abs(x - middle) for x in last) + 0.02 * middle
        values["rr_prev_z_32"] = (past[-1] - middle) / scale
        values["rr_next_z_32"] = (following - middle) / scale
        changes = [abs(b - a) for a, b in pairwise(last)] or [0.0]
        values["rr_change_32"] = statistics.median(changes) / middle
        for name, value in values.items():
            columns[name].append(value)
    return columns


@settings(deadline=None, max_examples=50)
@given(positions=POSITIONS)
def test_equal_a_plain_loop(positions: np.ndarray) -> None:
    features = rhythm_features(positions, fs=360)
    assert features.shape == (len(positions), len(NAMES))
    assert features.dtype == np.float32
    for column, (name, expected) in enumerate(naive(positions, 360).items()):
        np.testing.assert_allclose(
            features[:, column], expected, rtol=1e-5, atol=1e-6, err_msg=name
        )


def test_by_hand() -> None:
    # RR intervals of 1, 1, 0.5 and 1.5 s: a premature beat and its pause.
    features = rhythm_features([100, 460, 820, 1000, 1540], fs=360)
    beat = dict(zip(NAMES, features[3].tolist(), strict=True))
    assert beat == pytest.approx(
        {
            "rr_prev": 0.5,
            "rr_next": 1.5,
            "rr_prev_prev": 1.0,
            "rr_prev_over_next": 1 / 3,
            "rr_prev_over_prev_prev": 0.5,
            "rr_prev_over_mean_10": 0.6,
            "rr_next_over_mean_10": 1.8,
            "rr_prev_over_mean_32": 0.6,
            "rr_next_over_mean_32": 1.8,
            "rr_prev_over_mean_so_far": 0.6,
            "rr_next_over_mean_so_far": 1.8,
            "rr_prev_over_mean_record": 0.5,
            "rr_next_over_mean_record": 1.5,
            "rr_prev_prev_over_mean_32": 1.2,
            # Of 1, 1 and 0.5 s: median 1, no deviation from it in most, changes of 0 and 0.5.
            "rr_prev_z_32": -0.5 / 0.02,
            "rr_next_z_32": 0.5 / 0.02,
            "rr_change_32": 0.25,
        }
    )


@settings(deadline=None, max_examples=30)
@given(positions=POSITIONS, data=st.data())
def test_causal_features_do_not_change_with_the_future(
    positions: np.ndarray, data: st.DataObject
) -> None:
    until = data.draw(st.integers(2, len(positions)))
    causal = [feature.causal for feature in RHYTHM_FEATURES]
    whole = rhythm_features(positions, fs=360)[:until, causal]
    np.testing.assert_array_equal(whole, rhythm_features(positions[:until], fs=360)[:, causal])


def test_every_feature_not_marked_causal_changes_with_the_future() -> None:
    short = rhythm_features([0, 300, 650, 1050], fs=360)
    longer = rhythm_features([0, 300, 650, 1050, 3000], fs=360)[:4]
    changed = (short != longer)[1:].any(axis=0)
    assert changed.tolist() == [not feature.causal for feature in RHYTHM_FEATURES]


@settings(deadline=None, max_examples=30)
@given(positions=POSITIONS, factor=st.floats(0.3, 3))
def test_relative_features_do_not_change_with_the_heart_rate(
    positions: np.ndarray, factor: float
) -> None:
    relative = [feature.relative for feature in RHYTHM_FEATURES]
    slow, fast = (rhythm_features(positions, fs) for fs in (360, 360 * factor))
    np.testing.assert_allclose(slow[:, relative], fast[:, relative], rtol=1e-5, atol=1e-5)
    absolute = ~np.array(relative)
    np.testing.assert_allclose(slow[:, absolute], factor * fast[:, absolute], rtol=1e-5)


def test_too_few_beats_for_an_interval() -> None:
    assert np.isnan(rhythm_features([5], fs=360)).all()
    assert rhythm_features([5], fs=360).shape == (1, len(NAMES))
    assert rhythm_features([], fs=360).shape == (0, len(NAMES))


@pytest.mark.parametrize(
    ("positions", "fs", "message"),
    [
        ([10, 10], 360, "beat 1 is at sample 10 after beat 0"),
        ([10, 20, 5], 360, "beat 2 is at sample 5 after beat 1 at sample 20"),
        ([10, float("nan")], 360, "must increase"),
        ([[10, 20]], 360, "shape"),
        ([10, 20], 0, "positive sampling rate"),
    ],
)
def test_invalid_positions(positions: list, fs: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rhythm_features(positions, fs)
