"""R peak detection, against annotated and synthetic beats."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import wfdb
from wfdb.processing import compare_annotations

from ecgclf.datasets import AAMI_OF_SYMBOL, _r_peaks, detect_r_peaks, make_record

R_PEAKS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "r-peaks.json"

RATES = [50, 128, 249.99, 250, 333.33, 360, 512.414, 1000, 2000]

#: Records of DS1 with various beats.
RECORDS = "101 106 109 114 119 203 208 209 223 230".split()


def read(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Leads and annotated beats of a MIT-BIH record, MLII first."""
    record = wfdb.rdrecord(str(folder / name))
    annotation = wfdb.rdann(str(folder / name), "atr")
    order = sorted(range(record.n_sig), key=lambda lead: record.sig_name[lead] != "MLII")
    is_beat = np.isin(annotation.symbol, [*AAMI_OF_SYMBOL, "B"])
    return record.p_signal.T[order], annotation.sample[is_beat]


def make_beats_at(times: np.ndarray, fs: float, duration: float) -> np.ndarray:
    """Draw beats of a P, QRS and T wave with their R peaks at the given times."""
    t = np.arange(int(duration * fs)) / fs
    signal = np.zeros_like(t)
    for shift, height, width in ((-0.16, 0.1, 0.02), (0, 1.0, 0.018), (0.25, 0.3, 0.04)):
        for time in times:
            low, high = np.searchsorted(t, [time + shift - 0.2, time + shift + 0.2])
            z = (t[low:high] - time - shift) / width
            signal[low:high] += height * np.exp(-(z**2) / 2)
    return signal


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("scale", [1, -1, 5000.0, 1e-6])
def test_positions_are_exact_at_any_rate_and_in_any_unit(fs: float, scale: float) -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.6, 1.1, 60)) + 1
    signal = make_beats_at(times, fs, times[-1] + 1)
    peaks = detect_r_peaks(scale * signal + 7 * scale, fs)
    np.testing.assert_allclose(peaks, times * fs, atol=0.51)


def test_positions_do_not_drift_over_24_hours() -> None:
    fs = 51.213
    times = np.cumsum(np.random.default_rng(0).uniform(0.7, 1.1, 95_000)) + 1
    samples = np.zeros(int((times[-1] + 2) * fs))
    nearest = np.rint(times * fs).astype(int)
    for shift, height in ((-1, 0.4), (0, 1.0), (1, 0.4)):
        samples[nearest + shift] = height
    np.testing.assert_array_equal(detect_r_peaks(samples, fs), nearest)


@pytest.mark.parametrize("fs", [250, 360, 500, 1000])
@pytest.mark.parametrize("sign", [1, -1])
def test_finds_the_beats_of_a_synthetic_record(tmp_path: Path, fs: int, sign: int) -> None:
    path = make_record(
        tmp_path, duration=30, fs=fs, weights=[1, 0, 0, 0, 0], noise=0.01, random_state=0
    )
    signal = sign * wfdb.rdrecord(str(path)).p_signal[:, 0]
    annotation = wfdb.rdann(str(path), "atr")
    beats = annotation.sample[np.array(annotation.symbol) == "N"]
    peaks = detect_r_peaks(signal, fs)
    # All beats, except possibly the first and the last, within 20 ms.
    distance = np.abs(peaks[:, np.newaxis] - beats[np.newaxis]).min(axis=1) / fs
    assert distance.max() < 0.02
    assert len(beats) - 2 <= len(peaks) <= len(beats)


def test_finds_the_annotated_beats_of_a_real_record(mitdb_dir: Path) -> None:
    signal = wfdb.rdrecord(str(mitdb_dir / "103"), sampto=108_000).p_signal[:, 0]
    annotation = wfdb.rdann(str(mitdb_dir / "103"), "atr", sampto=108_000)
    beats = annotation.sample[np.isin(annotation.symbol, ["N", "A"])]
    peaks = detect_r_peaks(signal, 360)
    distance = np.abs(peaks[:, np.newaxis] - beats[np.newaxis]) / 360
    assert np.mean(distance.min(axis=0) < 0.05) > 0.99  # sensitivity
    assert np.mean(distance.min(axis=1) < 0.05) > 0.99  # positive predictivity


@pytest.mark.parametrize("name", ["105", "203", "207"])
@pytest.mark.parametrize(("detector", "n_leads"), [("one lead", 1), ("two leads", 2)])
def test_the_published_figures_are_those_of_the_detector(
    mitdb_dir: Path, name: str, detector: str, n_leads: int
) -> None:
    """The table in the guide is rendered from this file, which must be up to date."""
    rows = json.loads(R_PEAKS.read_text())["figures"]["records"]
    published = next(
        row for row in rows if row["record"] == name and row["detector"] == f"ecgclf, {detector}"
    )
    leads, beats = read(mitdb_dir, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        peaks = detect_r_peaks(leads[:n_leads], 360)
    found = compare_annotations(beats, peaks, 55)
    measured = (found.n_ref, found.tp, found.fp)
    assert measured == tuple(published[key] for key in ("beats", "found", "wrong"))


@pytest.mark.parametrize(
    ("database", "sensitivity", "predictivity"), [("mitdb", 0.997, 0.993), ("svdb", 0.998, 0.993)]
)
def test_the_published_figures_reach_their_targets(
    database: str, sensitivity: float, predictivity: float
) -> None:
    rows = json.loads(R_PEAKS.read_text())["figures"]["clean"]
    one, two = (
        next(
            row
            for row in rows
            if row["records"].startswith(f"{database}, all") and row["detector"] == detector
        )
        for detector in ("ecgclf, one lead", "ecgclf, two leads")
    )
    assert one["sensitivity"] >= sensitivity
    assert one["positive_predictivity"] >= predictivity
    assert one["V"] >= 0.985
    for figure in ("sensitivity", "positive_predictivity", "V"):
        assert two[figure] > one[figure]


def test_peaks_are_local_extrema(ptbdb_dir: Path) -> None:
    signal = wfdb.rdrecord(str(ptbdb_dir / "s0010_re")).p_signal[:, 1]
    peaks = detect_r_peaks(signal, 1000)
    assert len(peaks) == 52
    for peak in peaks:
        window = signal[max(peak - 20, 0) : peak + 21]
        assert signal[peak] in (window.max(), window.min())


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("kind", ["clipped", "loud", "flat", "missing", "at the limit"])
def test_recovers_within_five_seconds_of_an_artefact(
    mitdb_dir: Path, name: str, kind: str
) -> None:
    leads, beats = read(mitdb_dir, name)
    signal, beats = leads[0, : 180 * 360].copy(), beats[beats < 180 * 360]
    expected = detect_r_peaks(signal, 360)
    start, stop = 60 * 360, 65 * 360
    noise = np.random.default_rng(0).normal(scale=50, size=stop - start)
    signal[start:stop] = {
        "clipped": noise.clip(-5.12, 5.115),
        "loud": noise,
        "flat": 0.3,
        "missing": np.nan,
        "at the limit": 5.115,
    }[kind]
    with pytest.warns(UserWarning, match=r"s of the signal are unreadable, in \d stretch"):
        peaks, unreadable = detect_r_peaks(signal, 360, return_unreadable=True)
    np.testing.assert_allclose(unreadable.ravel()[[0, -1]], [start, stop], atol=0.6 * 360)
    assert not np.any((peaks >= start) & (peaks < stop))
    far = (expected < start - 5 * 360) | (expected > stop + 5 * 360)
    kept = (peaks < start - 5 * 360) | (peaks > stop + 5 * 360)
    np.testing.assert_array_equal(peaks[kept], expected[far])
    soon = beats[(beats > stop + 360) & (beats < stop + 5 * 360)]
    distance = np.abs(soon[:, np.newaxis] - peaks).min(axis=1)
    assert np.mean(distance <= 54) >= 0.75


def test_noise_is_unreadable() -> None:
    noise = np.random.default_rng(0).normal(size=60 * 250)
    with pytest.warns(UserWarning, match="unreadable"):
        peaks, unreadable = detect_r_peaks(noise, 250, return_unreadable=True)
    assert np.sum(unreadable[:, 1] - unreadable[:, 0]) > 0.8 * len(noise)
    assert len(peaks) < 30


def test_a_pause_is_no_unreadable_stretch() -> None:
    times = np.concatenate([np.arange(1, 20, 0.8), np.arange(28, 50, 0.8)])
    signal = make_beats_at(times, 250, 51)
    signal += np.random.default_rng(0).normal(scale=0.01, size=len(signal))
    peaks, unreadable = detect_r_peaks(signal, 250, return_unreadable=True)
    np.testing.assert_allclose(peaks, times * 250, atol=2)
    assert unreadable.shape == (0, 2)


def test_single_missing_samples_change_nothing(mitdb_dir: Path) -> None:
    signal = read(mitdb_dir, "208")[0][0, : 60 * 360]
    expected = detect_r_peaks(signal, 360)
    with_gaps = signal.copy()
    for gap in (1, 5, 20):
        # Halfway between two beats.
        at = (expected[gap:-1:30] + expected[gap + 1 :: 30]) // 2
        with_gaps[at[:, np.newaxis] + np.arange(gap)] = np.nan
    assert np.isnan(with_gaps).sum() > 50
    np.testing.assert_array_equal(detect_r_peaks(with_gaps, 360), expected)


def test_another_lead_replaces_an_unreadable_one(mitdb_dir: Path) -> None:
    leads, beats = read(mitdb_dir, "223")
    leads, beats = leads[:, : 120 * 360].copy(), beats[beats < 120 * 360]
    leads[0, 30 * 360 : 90 * 360] = -5.12
    peaks, unreadable = detect_r_peaks(leads, 360, return_unreadable=True)
    found = compare_annotations(beats, peaks, 55)
    assert (found.fn, found.fp) == (0, 0)
    assert len(unreadable) == 0


def test_several_leads_are_better_than_one_in_noise(mitdb_dir: Path) -> None:
    leads, beats = read(mitdb_dir, "119")
    leads, beats = leads[:, : 300 * 360].copy(), beats[beats < 300 * 360]
    rng = np.random.default_rng(0)
    leads[0] += np.convolve(rng.normal(scale=1.0, size=leads.shape[1]), np.ones(9) / 3, "same")
    errors = []
    for signal in (leads[0], leads):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            found = compare_annotations(beats, detect_r_peaks(signal, 360), 55)
        errors.append(found.fn + found.fp)
    assert errors[1] < errors[0] / 5


def test_stretches_do_not_change_the_result(
    mitdb_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = read(mitdb_dir, "209")[0][:, : 600 * 360]
    whole = detect_r_peaks(signal, 360)
    monkeypatch.setattr(_r_peaks, "_STRETCH", 60.0)
    np.testing.assert_array_equal(detect_r_peaks(signal, 360), whole)


@pytest.mark.parametrize("signal", [np.zeros(0), np.ones(100), np.zeros((2, 300))])
def test_signal_that_is_too_short(signal: np.ndarray) -> None:
    peaks = detect_r_peaks(signal, 360)
    assert peaks.shape == (0,)
    assert peaks.dtype == np.int64


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_nothing_to_find(value: float) -> None:
    with pytest.warns(UserWarning, match=r"13\.9 s of the signal are unreadable, in 1 stretch "):
        peaks, unreadable = detect_r_peaks(np.full(5000, value), 360, return_unreadable=True)
    assert len(peaks) == 0
    np.testing.assert_array_equal(unreadable, [[0, 5000]])


@pytest.mark.parametrize(
    ("signal", "fs", "message"),
    [
        (np.zeros((1, 2, 5000)), 360, r"expected numbers of shape"),
        (np.array(["a"] * 1000), 360, r"expected numbers of shape"),
        (np.zeros((5000, 2)), 360, r"more leads than samples.*signal\.T"),
        (np.zeros(5000), 20, r"fs=20: expected a sampling rate of at least 50 Hz"),
        (np.zeros(5000), np.nan, r"fs=nan: expected"),
    ],
)
def test_signal_that_is_none(signal: np.ndarray, fs: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        detect_r_peaks(signal, fs)
