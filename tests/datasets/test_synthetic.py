"""Synthetic beats and records, against the paper's equations, wfdb and scikit-learn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.signal import periodogram
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ecgclf.datasets import (
    RHYTHM_NAMES,
    detect_r_peaks,
    make_beats,
    make_record,
    read_recording,
)
from ecgclf.datasets._synthetic_patients import NORMAL_EVENTS, integrate, tachogram

CLASSES = ("N", "S", "V", "F", "Q")
TEXTBOOK_WEIGHTS = (0.6, 0.1, 0.15, 0.05, 0.1)


def counts(target) -> dict[str, int]:
    return {name: int(np.sum(target == name)) for name in CLASSES}


# The dynamical model


def test_integrate_agrees_with_the_three_equations_of_the_paper():
    fs, seconds, omega, amplitude = 360, 4, 2 * np.pi, 0.15

    def baseline(time):
        return amplitude * np.sin(2 * np.pi * 0.25 * time)

    def motion(time, state):
        x, y, z = state
        alpha = 1 - np.hypot(x, y)
        theta = np.arctan2(y, x)
        pull = -(z - baseline(time))
        for theta_i, a, b in NORMAL_EVENTS.values():
            delta = (theta - theta_i + np.pi) % (2 * np.pi) - np.pi
            pull -= a * delta * np.exp(-(delta**2) / (2 * b**2))
        return [alpha * x - omega * y, alpha * y + omega * x, pull]

    time = np.arange(seconds * fs) / fs
    # From (-1, 0) the first R peak, at angle 0, is half a lap away.
    paper = solve_ivp(
        motion, (0, seconds), [-1, 0, 0], t_eval=time, max_step=0.004, rtol=1e-7, atol=1e-9
    ).y[2]

    angle, force, width = np.array(list(NORMAL_EVENTS.values())).T
    centre = np.arange(seconds)[:, None] + 0.5 + angle / omega
    one_lap = np.ones((seconds, 1))
    ours = integrate(
        centre,
        one_lap * width / omega,
        (one_lap * force * width**2 / omega)[None],
        baseline(time)[None],
        fs,
    )[0]
    assert np.ptp(paper) > 0.15
    np.testing.assert_allclose(ours, paper, atol=2e-3 * np.ptp(paper))


def test_integrate_is_linear_in_the_height_and_skips_absent_events():
    centre, width = np.array([[0.5, 0.7]]), np.full((1, 2), 0.02)
    both = np.array([[[1.0, 0.0]], [[-2.0, 0.0]]])
    z = integrate(centre, width, both, np.zeros((2, 240)), 240)
    np.testing.assert_allclose(z[1], -2 * z[0])
    assert abs(np.argmax(z[0]) - 120) <= 1
    assert z[0].max() == pytest.approx(1, abs=0.05)


def test_tachogram_has_two_peaks_of_the_right_power():
    rr = tachogram(4096, 0.8, 0.05, 0.25, np.random.RandomState(0))
    assert rr.mean() == pytest.approx(0.8, abs=0.002)
    assert rr.std() == pytest.approx(0.05, rel=0.15)
    frequency, power = periodogram(rr, fs=1 / 0.8)
    mayer = power[abs(frequency - 0.1) < 0.04].sum()
    breath = power[abs(frequency - 0.25) < 0.04].sum()
    assert mayer + breath > 0.98 * power.sum()
    assert mayer / breath == pytest.approx(0.5, rel=0.2)


# make_beats


@pytest.mark.parametrize("n_leads", [1, 2, 12])
def test_shapes_and_fields(n_leads):
    beats = make_beats(60, n_leads=n_leads, n_patients=3, random_state=0)
    shape = (60, 84) if n_leads == 1 else (60, n_leads, 84)
    assert beats.data.shape == shape
    assert beats.data.dtype == np.float32
    assert np.isfinite(beats.data).all()
    assert beats.lead.shape == (60, n_leads)
    assert len(set(beats.lead[0])) == n_leads
    assert beats.rhythm.shape == (60, len(RHYTHM_NAMES))
    assert beats.rhythm_names == RHYTHM_NAMES
    assert beats.target_names == CLASSES
    assert beats.fs == beats.fs_record == 120
    assert np.bincount(beats.groups).tolist() == [20, 20, 20]
    assert [f"p{group:02d}" for group in beats.groups] == beats.record.tolist()
    for patient in range(3):
        assert (np.diff(beats.sample[beats.groups == patient]) > 0).all()


def test_counts_follow_the_weights():
    beats = make_beats(1000, random_state=0)
    expected = [round(1000 * weight) for weight in TEXTBOOK_WEIGHTS]
    assert counts(beats.target) == dict(zip(CLASSES, expected))
    only = make_beats(40, weights=[2, 0, 1, 0, 1], random_state=0)
    assert counts(only.target) == {"N": 20, "S": 0, "V": 10, "F": 0, "Q": 10}


@settings(deadline=None, max_examples=30)
@given(
    n_beats=st.integers(5, 40),
    n_patients=st.integers(1, 5),
    weights=st.lists(st.floats(0, 1), min_size=5, max_size=5).filter(lambda w: sum(w) > 0),
    seed=st.integers(0, 2**31),
)
def test_exactly_n_beats_and_every_class_of_positive_weight(n_beats, n_patients, weights, seed):
    beats = make_beats(n_beats, n_patients=n_patients, weights=weights, random_state=seed, fs=60)
    assert len(beats.data) == len(beats.target) == len(beats.rhythm) == n_beats
    assert set(np.unique(beats.groups)) == set(range(n_patients))
    assert set(beats.target) == {name for name, weight in zip(CLASSES, weights) if weight > 0}
    assert np.isfinite(beats.data).all()
    assert np.isfinite(beats.rhythm).all()


def test_the_same_seed_gives_the_same_beats_and_another_does_not():
    first, again = make_beats(50, random_state=7), make_beats(50, random_state=7)
    np.testing.assert_array_equal(first.data, again.data)
    np.testing.assert_array_equal(first.target, again.target)
    np.testing.assert_array_equal(first.rhythm, again.rhythm)
    from_state = make_beats(50, random_state=np.random.RandomState(7))
    np.testing.assert_array_equal(first.data, from_state.data)
    assert not np.array_equal(first.data, make_beats(50, random_state=8).data)


def test_a_random_state_advances_from_call_to_call():
    state = np.random.RandomState(7)
    assert not np.array_equal(
        make_beats(20, random_state=state).data, make_beats(20, random_state=state).data
    )


@pytest.mark.parametrize("seed", [None, 0])
def test_the_global_generator_is_neither_read_nor_changed(seed, tmp_path):
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()  # noqa: NPY002
    first = make_beats(20, random_state=seed)
    make_record(tmp_path, duration=5, random_state=seed)
    for old, new in zip(before, np.random.get_state()):  # noqa: NPY002
        np.testing.assert_array_equal(old, new)
    np.random.seed(3)  # noqa: NPY002
    same = np.array_equal(first.data, make_beats(20, random_state=seed).data)
    assert same == (seed is not None)


def test_early_beats_come_early_and_pauses_follow():
    beats = make_beats(1000, random_state=0, weights=[0.8, 0.1, 0.1, 0, 0])
    rr_prev, rr_next = beats.rhythm[:, 0], beats.rhythm[:, 1]
    sinus = [
        np.median(rr_prev[(beats.groups == group) & (beats.target == "N")]) for group in range(10)
    ]
    early = rr_prev / np.array(sinus)[beats.groups]
    assert np.percentile(early[beats.target == "V"], 90) < 0.85
    assert np.percentile(early[beats.target == "S"], 90) < 0.9
    # An isolated V beat does not shift the sinus rhythm: both intervals together are two.
    isolated = (
        (beats.target[1:-1] == "V")
        & (beats.target[:-2] == "N")
        & (beats.target[2:] == "N")
        & (beats.groups[:-2] == beats.groups[2:])
    )
    after_normal = np.flatnonzero(isolated) + 1
    assert len(after_normal) > 20
    both = (rr_prev + rr_next)[after_normal] / np.array(sinus)[beats.groups[after_normal]]
    assert np.median(both) == pytest.approx(2, abs=0.1)
    # An S beat resets the sinus node: less than two beats.
    after_s = np.flatnonzero(
        (beats.target[1:-1] == "S")
        & (beats.target[2:] == "N")
        & (beats.groups[:-2] == beats.groups[2:])
    )
    both = (rr_prev + rr_next)[after_s + 1] / np.array(sinus)[beats.groups[after_s + 1]]
    assert np.median(both) < 1.85


def test_ventricular_complexes_are_wide_and_a_spike_announces_a_paced_one():
    beats = make_beats(600, n_leads=12, noise=0, baseline_wander=0, fs=240, random_state=0)
    peak = 60
    # The size of the dipole, which does not depend on the axis: norm over the leads.
    size = np.linalg.norm(beats.data[..., peak - 24 : peak + 24], axis=1)
    width_ms = (size > size.max(axis=1, keepdims=True) / 2).sum(axis=1) / 240 * 1000
    typical = {name: np.median(width_ms[beats.target == name]) for name in CLASSES}
    # Full width at half maximum of a Gaussian of 0.1 rad at 75 beats a minute: 34 ms.
    assert 25 < typical["N"] < 45
    assert 25 < typical["S"] < 45
    assert typical["V"] > 2 * typical["N"]
    assert typical["Q"] > 2 * typical["N"]
    # The spike stands 0.5 rad before the QRS complex, some 70 ms.
    bend = np.abs(np.diff(beats.data, 2, axis=2)[:, :, peak - 30 : peak - 6])
    sharp = bend.max(axis=(1, 2))
    assert np.median(sharp[beats.target == "Q"]) > 5 * np.median(sharp[beats.target == "V"])


def test_normal_r_peaks_lie_where_sample_says():
    beats = make_beats(200, n_leads=12, weights=[1, 0, 0, 0, 0], noise=0, fs=240, random_state=0)
    # Over all leads, for any axis, the R wave is the largest of a normal beat.
    size = np.linalg.norm(beats.data - np.median(beats.data, axis=2, keepdims=True), axis=1)
    assert np.abs(size.argmax(axis=1) - 60).max() <= 3


def test_noise_has_the_asked_standard_deviation():
    settings = {"n_beats": 100, "n_patients": 2, "random_state": 0}
    difference = make_beats(noise=0.2, **settings).data - make_beats(noise=0, **settings).data
    assert difference.std() == pytest.approx(0.2, rel=0.03)


def test_baseline_wander_follows_the_first_order_lag_of_the_model():
    settings = {"n_beats": 300, "n_patients": 30, "noise": 0, "random_state": 0}
    wander = (
        make_beats(baseline_wander=1, **settings).data
        - make_beats(baseline_wander=0, **settings).data
    )
    # dz/dt = z0 - z passes a sine of frequency f with the gain 1 / sqrt(1 + (2 pi f)^2).
    gain = 1 / np.sqrt(1 + (2 * np.pi * 0.25) ** 2)
    assert wander.std() == pytest.approx(gain / np.sqrt(2), rel=0.15)


def test_a_nonlinear_model_is_better_than_a_linear_one():
    X, y = make_beats(1000, random_state=0, return_X_y=True)
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    linear, nonlinear = (
        cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=cv).mean()
        for model in (LogisticRegression(max_iter=300), SVC(C=10))
    )
    majority = 0.6
    assert majority + 0.1 < linear < 0.92
    assert nonlinear > linear + 0.05


def test_return_forms():
    X, y = make_beats(20, random_state=0, return_X_y=True)
    assert X.shape == (20, 84)
    assert y.shape == (20,)
    framed = make_beats(20, n_leads=2, random_state=0, as_frame=True)
    assert isinstance(framed.frame, pd.DataFrame)
    assert framed.frame.shape == (20, 2 + 2 * 84 + len(RHYTHM_NAMES) + 1)
    assert framed.target.tolist() == y.tolist()


def test_window_and_rate_set_the_number_of_samples():
    assert make_beats(10, fs=250, window=(0.2, 0.4), random_state=0).data.shape == (10, 150)
    assert make_beats(10, window=(0, 0.5), random_state=0).data.shape == (10, 60)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_beats": 0}, "n_beats"),
        ({"n_beats": 2.5}, "n_beats"),
        ({"n_beats": 5}, r"n_patients=10 exceeds n_beats=5"),
        ({"n_leads": 0}, "n_leads"),
        ({"n_leads": 13}, "n_leads"),
        ({"fs": 0}, "fs"),
        ({"fs": np.nan}, "fs"),
        ({"noise": -0.1}, "noise"),
        ({"noise": np.nan}, "noise"),
        ({"baseline_wander": np.inf}, "baseline_wander"),
        ({"random_state": "x"}, "random_state"),
        ({"window": (0.2,)}, "window"),
        ({"window": (-0.1, 0.2)}, "window"),
        ({"window": (0.001, 0.001)}, "contains no sample"),
        ({"weights": [1, 1, 1]}, "weights.*5 numbers"),
        ({"weights": [1, 1, 1, 1, -1]}, "none negative"),
        ({"weights": [0, 0, 0, 0, 0]}, "at least one positive"),
        ({"weights": [np.nan, 1, 1, 1, 1]}, "weights"),
    ],
)
def test_bad_parameters_of_make_beats(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_beats(**parameters)


# make_record


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return make_record(tmp_path_factory.mktemp("made") / "new", "s1", random_state=0)


def test_wfdb_reads_the_record(record):
    assert record.name == "s1"
    read = wfdb.rdrecord(str(record), physical=False)
    assert (read.fs, read.sig_len, read.sig_name) == (360, 60 * 360, ["MLII", "V1"])
    assert read.fmt == ["212", "212"]
    assert read.adc_gain == [200, 200]
    assert read.baseline == [1024, 1024]
    assert read.units == ["mV", "mV"]
    assert read.d_signal.min() >= 0
    assert read.d_signal.max() <= 2047
    # WFDB's checksum is the sum of all samples in 16 bits.
    sums = read.d_signal.astype(np.int64).sum(axis=0)
    assert ((np.array(read.checksum) - sums) % 2**16 == 0).all()
    assert record.with_suffix(".dat").stat().st_size == 60 * 360 * 3


def test_annotations_mark_the_r_peaks(record):
    read = wfdb.rdann(str(record), "atr")
    assert read.symbol[0] == "+"
    assert read.aux_note[0].rstrip("\0") == "(N"
    assert (np.diff(read.sample) > 0).all()
    symbols, samples = np.array(read.symbol[1:]), read.sample[1:]
    assert set(symbols) == set("NAVF/")
    signal = wfdb.rdrecord(str(record)).p_signal
    for sample in samples[symbols == "N"]:
        nearby = signal[sample - 36 : sample + 36]
        size = np.linalg.norm(nearby - np.median(nearby, axis=0), axis=1)
        assert abs(size.argmax() - 36) <= 7
    # Neither end has a gap longer than two beats.
    assert samples[0] < 2 * 360
    assert samples[-1] > signal.shape[0] - 2 * 360


def test_the_proportions_of_a_record(tmp_path):
    path = make_record(tmp_path, duration=120, weights=[1, 0, 1, 0, 0], random_state=1)
    symbols = wfdb.rdann(str(path), "atr").symbol[1:]
    assert set(symbols) == {"N", "V"}
    assert abs(symbols.count("N") - symbols.count("V")) <= 1
    assert 110 <= len(symbols) <= 190


def test_the_same_seed_writes_the_same_files(tmp_path):
    paths = [make_record(tmp_path / folder, duration=4, random_state=5) for folder in "ab"]
    for suffix in (".hea", ".dat", ".atr"):
        first, second = (path.with_suffix(suffix).read_bytes() for path in paths)
        assert first == second


@settings(deadline=None, max_examples=10)
@given(duration=st.floats(2, 12), fs=st.sampled_from([100, 250, 360, 1000]), n=st.integers(1, 4))
def test_a_record_has_the_asked_length(tmp_path_factory, duration, fs, n):
    leads = ("I", "V2", "aVF", "V6")[:n]
    path = make_record(
        tmp_path_factory.mktemp("any"), duration=duration, fs=fs, leads=leads, random_state=0
    )
    read = wfdb.rdrecord(str(path))
    assert read.p_signal.shape == (round(duration * fs), n)
    assert not np.isnan(read.p_signal).any()
    samples = wfdb.rdann(str(path), "atr").sample
    assert samples[0] >= 0
    assert samples[-1] < read.sig_len


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"duration": 1}, "duration"),
        ({"duration": np.inf}, "duration"),
        ({"leads": ["MLII", "X9"]}, r"unknown: \['X9'\]"),
        ({"leads": []}, "one or more"),
        ({"leads": ["V1", "V1"]}, "different names"),
        ({"leads": "V1"}, "leads"),
        ({"weights": [1]}, "weights"),
        ({"fs": -1}, "fs"),
        ({"name": "a b"}, "name"),
    ],
)
def test_bad_parameters_of_make_record(tmp_path, parameters, message):
    with pytest.raises(ValueError, match=message):
        make_record(tmp_path / "new", **parameters)
    assert not (tmp_path / "new").exists()


def test_a_detector_finds_the_beats_of_synthetic_records(tmp_path):
    found, n_beats = Counter(), Counter()
    for seed in range(10):
        path = make_record(tmp_path, f"record{seed}", duration=120, random_state=seed)
        recording = read_recording(path, annotator="atr")
        peaks = detect_r_peaks(recording.signal[0], recording.fs)
        for sample, symbol in zip(*recording.annotations):
            n_beats[symbol] += 1
            found[symbol] += np.abs(peaks - sample).min() <= 0.15 * recording.fs
    for symbol, least in {"N": 0.99, "A": 0.99, "V": 0.95, "F": 0.95, "/": 0.9}.items():
        assert found[symbol] / n_beats[symbol] >= least, symbol


def test_a_weak_beat_at_the_edge_does_not_make_a_synthetic_record_unreadable(tmp_path):
    path = make_record(tmp_path, duration=60, random_state=9)
    _, unreadable = read_recording(path, ["MLII"]).detect_r_peaks()
    assert unreadable.tolist() == []
