"""R peak detection, against annotated and synthetic beats."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import wfdb
from wfdb.processing import compare_annotations

from ecgclf.datasets import AAMI_OF_SYMBOL, detect_r_peaks, make_record

R_PEAKS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "r-peaks.json"


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


@pytest.mark.parametrize("name", ["105", "207"])
def test_the_published_figures_are_those_of_the_detector(mitdb_dir: Path, name: str) -> None:
    """The table in the guide is rendered from this file, which must be up to date."""
    rows = json.loads(R_PEAKS.read_text())["figures"]
    published = next(row for row in rows if row["record"] == name)
    record = wfdb.rdrecord(str(mitdb_dir / name))
    annotation = wfdb.rdann(str(mitdb_dir / name), "atr")
    beats = annotation.sample[np.isin(annotation.symbol, list(AAMI_OF_SYMBOL))]
    lead = record.p_signal[:, record.sig_name.index(published["lead"])]
    found = compare_annotations(beats, detect_r_peaks(lead, 360), 55)
    measured = (found.n_ref, found.tp, found.fn, found.fp)
    assert measured == tuple(published[key] for key in ("beats", "found", "missed", "wrong"))


def test_peaks_are_local_extrema(ptbdb_dir: Path) -> None:
    signal = wfdb.rdrecord(str(ptbdb_dir / "s0010_re")).p_signal[:, 1]
    peaks = detect_r_peaks(signal, 1000)
    assert len(peaks) == 52
    for peak in peaks:
        window = signal[max(peak - 20, 0) : peak + 21]
        assert signal[peak] in (window.max(), window.min())


@pytest.mark.parametrize("signal", [np.zeros(5000), np.zeros(0), np.ones(100)])
def test_nothing_to_find(signal: np.ndarray) -> None:
    peaks = detect_r_peaks(signal, 360)
    assert peaks.shape == (0,)
    assert peaks.dtype == np.int64


@pytest.mark.parametrize("signal", [np.zeros((2, 5000)), np.full(5000, np.nan)])
def test_invalid_signal(signal: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"signal of shape .* expected one lead"):
        detect_r_peaks(signal, 360)
