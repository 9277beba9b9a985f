"""Segmentation of recordings compared with the loaders."""

from __future__ import annotations

import numpy as np
import pytest
import wfdb
from sklearn.base import clone

from ecgclf.datasets import (
    AAMI_OF_SYMBOL,
    BeatWindow,
    FixedWindow,
    KaggleWindow,
    RRWindow,
    load_mitbih,
    load_ptbdb,
    make_record,
    rhythm_features,
)
from ecgclf.transforms import BeatSegmenter

SIGNAL = np.random.default_rng(0).normal(size=3600)
PEAKS = [400, 760, 1110, 1500]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    make_record(folder, "100", duration=40, random_state=0)
    return folder


def recorded(folder, name, annotated=True):
    record = wfdb.rdrecord(str(folder / name))
    if not annotated:
        return record.p_signal.T, None, None
    annotation = wfdb.rdann(str(folder / name), "atr")
    labels = np.array([AAMI_OF_SYMBOL.get(symbol, "") for symbol in annotation.symbol])
    return record.p_signal.T, annotation.sample[labels != ""], labels[labels != ""]


@pytest.mark.parametrize("fs", [None, 120, 250])
@pytest.mark.parametrize("window", [(0.25, 0.45), FixedWindow(0.1, 0.2), RRWindow(0.3, 0.5)])
@pytest.mark.parametrize("leads", [["MLII"], ["MLII", "V1"]])
def test_equals_the_mitbih_loader(folder, fs, window, leads):
    loaded = load_mitbih(folder, records=["100"], leads=leads, fs=fs, window=window)
    signal, peaks, labels = recorded(folder, "100")
    segmenter = BeatSegmenter(fs=fs or 360, window=window)
    beats = segmenter.segment(
        signal[: len(leads)],
        peaks,
        labels,
        fs_record=360,
        record="100",
        groups=100,
        leads=leads,
    )
    np.testing.assert_allclose(beats.data, loaded.data, atol=1e-5)
    assert beats.data.dtype == np.float32
    for field in ("target", "groups", "record", "sample", "lead", "rhythm"):
        np.testing.assert_array_equal(beats[field], loaded[field], err_msg=field)
    for field in ("fs", "fs_record", "rhythm_names"):
        assert beats[field] == loaded[field]


def test_equals_the_ptbdb_loader(ptbdb_dir):
    loaded = load_ptbdb(ptbdb_dir, leads=("ii", "v2"), fs=250)
    loaded = loaded.select(loaded.record == "s0010_re")
    signal = recorded(ptbdb_dir, "s0010_re", annotated=False)[0][[1, 7]]
    beats = BeatSegmenter(fs=250).segment(signal, loaded.sample, fs_record=1000)
    np.testing.assert_allclose(beats.data, loaded.data, atol=1e-5)
    np.testing.assert_array_equal(beats.rhythm, loaded.rhythm)


def test_kaggle_window_equals_the_loader(folder):
    loaded = load_mitbih(folder, records=["100"], window="kaggle")
    signal, peaks, labels = recorded(folder, "100")
    for window in ("kaggle", KaggleWindow()):
        beats = BeatSegmenter(fs=120, window=window).segment(
            signal[0], peaks, labels, fs_record=360
        )
        np.testing.assert_allclose(beats.data, loaded.data, atol=1e-6)
        np.testing.assert_array_equal(beats.target, labels[:-1])
        np.testing.assert_array_equal(beats.rhythm, rhythm_features(peaks, 360)[:-1])
        assert beats.fs == 120


def test_windows_are_slices_of_the_signal_with_repeated_ends():
    beats = BeatSegmenter(fs=360, window=(0.5, 0.5)).segment(SIGNAL, [100, 1000, 3590])
    np.testing.assert_array_equal(beats.data[1], SIGNAL[820:1180].astype(np.float32))
    np.testing.assert_array_equal(beats.data[0, :80], np.full(80, SIGNAL[0], np.float32))
    np.testing.assert_array_equal(beats.data[2, 190:], np.full(170, SIGNAL[-1], np.float32))


def test_rr_windows_adapt_to_the_heart_rate():
    """A wave that lasts a fifth of the RR interval has the same shape at 60 and 120 bpm."""
    rows = []
    for rr in (360, 180):
        peaks = np.arange(5) * rr + rr
        phase = (np.arange(8 * rr) / rr + 0.5) % 1 - 0.5
        signal = np.maximum(0, 1 - np.abs(phase) / 0.1)
        window = RRWindow(0.4, 0.6, n_samples=100)
        rows.append(BeatSegmenter(fs=360, window=window).segment(signal, peaks).data)
    np.testing.assert_allclose(rows[0], rows[1], atol=0.03)
    expected = np.maximum(0, 1 - np.abs(np.arange(100) - 40) / 10)
    np.testing.assert_allclose(rows[0], np.tile(expected, (5, 1)), atol=1e-6)


def test_rr_windows_without_stretching_are_padded_slices():
    peaks = np.array([1000, 1200, 1400])
    window = RRWindow(0.25, 0.5, n_samples=300, stretch=False)
    beats = BeatSegmenter(fs=360, window=window).segment(SIGNAL + 9, peaks)
    for row, peak in zip(beats.data, peaks, strict=True):
        expected = np.zeros(300, np.float32)
        expected[50:200] = SIGNAL[peak - 50 : peak + 100] + 9
        np.testing.assert_allclose(row, expected, rtol=1e-6)
    assert beats.fs == 360


def test_fields_that_are_not_given_are_none():
    segmenter = BeatSegmenter(fs=360, rhythm=False)
    beats = segmenter.segment(SIGNAL, PEAKS)
    for field in ("target", "groups", "record", "lead", "rhythm"):
        assert beats[field] is None
    assert beats.select([0, 2]).sample.tolist() == [400, 1110]
    frame = segmenter.segment(SIGNAL, PEAKS, as_frame=True).frame
    assert frame.columns.tolist() == ["sample", *(f"sample_{i:03d}" for i in range(252))]
    full = BeatSegmenter(fs=360).segment(SIGNAL, PEAKS, list("NNVN"), record="own", as_frame=True)
    assert full.frame.columns[:2].tolist() == ["record", "sample"]
    assert full.frame["target"].tolist() == list("NNVN")
    assert full.target_names == ("N", "V")


def test_get_and_set_parameters():
    segmenter = BeatSegmenter(fs=120, window=RRWindow())
    again = clone(segmenter).set_params(fs=250)
    assert again.get_params() == {"fs": 250, "window": RRWindow(), "rhythm": True}


def test_warning_of_flat_beats():
    signal = np.stack([SIGNAL, SIGNAL])
    signal[1, 600:1400] = 2.0
    with pytest.warns(UserWarning, match=r"2 of 4 beats of record own \(50\.0%\) are flat in "):
        beats = BeatSegmenter(fs=360).segment(signal, PEAKS, record="own", leads=["a", "b"])
    assert len(beats.data) == 4
    with pytest.warns(UserWarning, match=r"lead b: .* sample 760, 1,110\."):
        BeatSegmenter(fs=360).segment(signal, PEAKS, leads=["a", "b"])


def holed():
    signal = SIGNAL.copy()
    signal[[7, 9]] = np.inf
    return signal


@pytest.mark.parametrize(
    ("signal", "peaks", "options", "message"),
    [
        (
            holed(),
            PEAKS,
            {},
            r"2 infinite values, the first in lead 0 at sample 7\. Mark",
        ),
        (
            SIGNAL,
            [400, 4000],
            {},
            r"1 of 2 r_peaks lie outside .* beat 1 at sample 4,000 of 3,600",
        ),
        (SIGNAL, [-1, 400], {}, r"lie outside"),
        (SIGNAL, [760, 400], {}, r"beat 1 is at sample 400 after beat 0 at sample 760"),
        (SIGNAL, [400, 400], {}, r"must increase"),
        (SIGNAL, [1.5, 2.5], {}, r"not whole numbers"),
        (SIGNAL, [np.nan, 2], {}, r"not whole numbers"),
        (SIGNAL, [], {}, r"at least one beat"),
        (SIGNAL, [[400]], {}, r"r_peaks have the shape \(1, 1\)"),
        (np.zeros((3600, 2)), PEAKS, {}, r"shape \(3600, 2\).*transpose"),
        (np.zeros((1, 2, 3600)), PEAKS, {}, r"expected .*\(n_samples,\) or \(n_leads"),
        (np.zeros(0), PEAKS, {}, r"signal has the shape \(0,\)"),
        (["a"] * 9, PEAKS, {}, r"expected numbers"),
        (SIGNAL, PEAKS, {"labels": ["N"]}, r"labels have the shape \(1,\), but there are 4"),
        (SIGNAL, PEAKS, {"leads": ["a", "b"]}, r"the signal .* has 1 leads\. Give one name per"),
        (SIGNAL, PEAKS, {"fs_record": -1}, r"fs_record"),
    ],
)
def test_bad_input(signal, peaks, options, message):
    with pytest.raises(ValueError, match=message):
        BeatSegmenter(fs=360).segment(signal, peaks, **options)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"fs": 0}, "fs=0"),
        ({"fs": 360, "window": (0.1,)}, r"window=\(0\.1,\)"),
        ({"fs": 360, "window": "beat"}, r"window='beat'"),
        ({"fs": 360, "window": (9, 9)}, "longer than the recording, which lasts 10 s"),
        ({"fs": 360, "window": RRWindow(-1, 1)}, r"before=-1, after=1: expected"),
        ({"fs": 360, "window": RRWindow(n_samples=0)}, r"n_samples=0"),
        ({"fs": 360, "window": "kaggle"}, r"fs=360 cannot be combined with .* 120 Hz"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        BeatSegmenter(**parameters).segment(SIGNAL, PEAKS, fs_record=360)


class EverySecondSample(BeatWindow):
    """User-defined window: every second of 100 samples after each beat."""

    def rate(self, fs_record, fs):
        return fs_record / 2

    def cut(self, recording, fs=None):
        rows = [recording.signal[:, at : at + 100 : 2] for at in recording.positions]
        return np.stack(rows)


def test_user_defined_window(folder):
    beats = BeatSegmenter(fs=360, window=EverySecondSample()).segment(SIGNAL, PEAKS)
    expected = [SIGNAL[peak : peak + 100 : 2] for peak in PEAKS]
    np.testing.assert_array_equal(beats.data, np.array(expected, dtype=np.float32))
    assert beats.fs == 180
    assert "50 samples at 180 Hz" in beats.DESCR
    assert "EverySecondSample()," in beats.DESCR
    loaded = load_mitbih(folder, records=["100"], window=EverySecondSample())
    assert loaded.data.shape[1] == 50
    assert "50 samples at 180 Hz" in loaded.DESCR


def test_stretched_beats_have_no_sampling_rate():
    beats = BeatSegmenter(fs=120, window=RRWindow()).segment(SIGNAL, PEAKS, fs_record=360)
    assert beats.fs is None
    assert "128 samples stretched to one length" in beats.DESCR
    assert "RRWindow(before=0.3, after=0.6" in beats.DESCR


def test_single_beat_has_no_rr_window():
    with pytest.raises(ValueError, match="record own has a single beat"):
        BeatSegmenter(fs=360, window=RRWindow()).segment(SIGNAL, [400], record="own")


@pytest.mark.parametrize("window", [(0.25, 0.45), RRWindow(), "kaggle"], ids=repr)
@pytest.mark.parametrize("fs_record", [360, 333.33])
def test_beats_at_gaps_are_left_out(window, fs_record):
    peaks = np.arange(300, 3300, 300)
    signal = np.random.default_rng(0).normal(size=3600)
    segmenter = BeatSegmenter(fs=fs_record / 3 if window == "kaggle" else 120, window=window)
    whole = segmenter.segment(signal, peaks, list("abcdefghij"), fs_record=fs_record)
    signal[1518:1521] = np.nan
    signal[2300:2400] = np.nan
    with pytest.warns(UserWarning, match=r"\d of \d+ beats were left out, because"):
        beats = segmenter.segment(signal, peaks, list("abcdefghij"), fs_record=fs_record)
    kept = np.isin(whole.sample, beats.sample)
    np.testing.assert_allclose(beats.data, whole.data[kept], atol=0.05)
    np.testing.assert_array_equal(beats.target, whole.target[kept])
    np.testing.assert_array_equal(beats.rhythm, whole.rhythm[kept])
    assert 1500 not in beats.sample
    assert 2400 not in beats.sample or window == "kaggle"
    assert {300, 600, 1800, 2700} <= set(beats.sample.tolist())
    assert np.isfinite(beats.data).all()
