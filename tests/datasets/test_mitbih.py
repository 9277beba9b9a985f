"""MIT-BIH beats, against published counts and wfdb."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecgclf.datasets import (
    AAMI_OF_SYMBOL,
    DS1,
    DS2,
    RHYTHM_FEATURES,
    Beats,
    load_mitbih,
    make_record,
    rhythm_features,
)


@pytest.fixture(scope="module")
def all_beats(mitdb_dir: Path) -> Beats:
    return load_mitbih(mitdb_dir)


@pytest.fixture(scope="module")
def synthetic_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with short synthetic records under three names of the database."""
    folder = tmp_path_factory.mktemp("records")
    make_record(folder, "100", duration=30, random_state=0)
    make_record(folder, "201", duration=30, leads=("V1", "MLII"), random_state=1)
    make_record(folder, "202", duration=30, leads=("V5", "V2"), random_state=2)
    return folder


def count(target: np.ndarray) -> dict[str, int]:
    return {name: int(np.sum(target == name)) for name in "NSVFQ"}


def test_published_counts(all_beats: Beats) -> None:
    # Totals of the database; DS1 and DS2 of de Chazal et al. with every beat kept.
    assert count(all_beats.target) == {"N": 90631, "S": 2781, "V": 7236, "F": 803, "Q": 8043}
    ds1 = count(all_beats.target[np.isin(all_beats.record, DS1)])
    ds2 = count(all_beats.target[np.isin(all_beats.record, DS2)])
    assert ds1 == {"N": 45866, "S": 944, "V": 3788, "F": 415, "Q": 8}
    assert ds2 == {"N": 44259, "S": 1837, "V": 3221, "F": 388, "Q": 7}
    assert "109,494 beats: N 90,631, S 2,781, V 7,236, F 803, Q 8,043" in all_beats.DESCR


def test_fields_of_all_beats(all_beats: Beats) -> None:
    assert all_beats.data.shape == (109_494, 252)
    assert all_beats.data.dtype == np.float32
    assert np.isfinite(all_beats.data).all()
    assert np.isfinite(all_beats.rhythm).all()
    assert all_beats.rhythm.shape == (109_494, len(RHYTHM_FEATURES))
    assert (all_beats.fs, all_beats.fs_record) == (360, 360)
    assert len(np.unique(all_beats.groups)) == 47
    assert len(np.unique(all_beats.record)) == 48
    others = np.unique(all_beats.record[all_beats.lead[:, 0] != "MLII"])
    assert others.tolist() == ["102", "104"]


def test_sets_are_the_records_of_the_protocol(mitdb_dir: Path, all_beats: Beats) -> None:
    beats = load_mitbih(mitdb_dir, records="ds2")
    assert tuple(dict.fromkeys(beats.record)) == DS2
    rows = np.isin(all_beats.record, DS2)
    np.testing.assert_array_equal(beats.data, all_beats.data[rows])
    np.testing.assert_array_equal(beats.rhythm, all_beats.rhythm[rows])


def test_windows_equal_slices_of_wfdb(mitdb_dir: Path) -> None:
    beats = load_mitbih(mitdb_dir, records=["114"], leads=("MLII", "V5"), window=(0.1, 0.2))
    signal = wfdb.rdrecord(str(mitdb_dir / "114"), channel_names=["V5", "MLII"])
    annotation = wfdb.rdann(str(mitdb_dir / "114"), "atr")
    # In record 114 V5 comes first.
    leads = signal.p_signal[:, [signal.sig_name.index("MLII"), signal.sig_name.index("V5")]]
    expected = [
        (position, AAMI_OF_SYMBOL[symbol], leads[position - 36 : position + 72].T)
        for position, symbol in zip(annotation.sample, annotation.symbol, strict=True)
        if symbol in AAMI_OF_SYMBOL
    ]
    positions, target, windows = zip(*expected, strict=True)
    np.testing.assert_array_equal(beats.sample, positions)
    np.testing.assert_array_equal(beats.target, target)
    np.testing.assert_array_equal(beats.data, np.array(windows, dtype=np.float32))
    assert beats.lead[0].tolist() == ["MLII", "V5"]


def test_swapped_lead_is_found_by_its_name(mitdb_dir: Path) -> None:
    by_default = load_mitbih(mitdb_dir, records=["114"])
    by_name = load_mitbih(mitdb_dir, records=["114"], leads="MLII")
    np.testing.assert_array_equal(by_default.data, by_name.data)
    second = wfdb.rdrecord(str(mitdb_dir / "114")).p_signal[:, 1].astype(np.float32)
    np.testing.assert_array_equal(by_name.data[:, 90], second[by_name.sample])


def test_resampling_keeps_the_position_of_the_beat(mitdb_dir: Path) -> None:
    beats = load_mitbih(mitdb_dir, records=["103"], fs=120)
    original = load_mitbih(mitdb_dir, records=["103"])
    assert beats.fs == 120
    assert beats.data.shape == (len(original.target), 84)
    np.testing.assert_array_equal(beats.sample, original.sample)
    # If no rounding moves the beat: every third sample of the original, except for the filter.
    exact = original.sample % 3 == 0
    thinned = original.data[exact, ::3]
    pairs = zip(beats.data[exact], thinned, strict=True)
    assert np.median([np.corrcoef(a, b)[0, 1] for a, b in pairs]) > 0.995
    # The R peak is 0.25 s after the start of the window, at sample 30.
    assert abs(np.median(beats.data.argmax(axis=1)) - 30) <= 1


def test_beats_at_the_edges_are_kept_with_the_edge_value(synthetic_dir: Path) -> None:
    beats = load_mitbih(synthetic_dir, records=["100"], window=(5, 5))
    signal = wfdb.rdrecord(str(synthetic_dir / "100")).p_signal[:, 0].astype(np.float32)
    missing = 5 * 360 - beats.sample[0]
    assert missing > 0
    np.testing.assert_array_equal(beats.data[0, :missing], np.full(missing, signal[0]))
    np.testing.assert_array_equal(beats.data[0, missing:], signal[: 3600 - missing])
    assert beats.data[-1, -1] == signal[-1]


def test_default_lead_groups_and_rhythm_by_record(synthetic_dir: Path) -> None:
    beats = load_mitbih(synthetic_dir, records=["100", "201", "202"])
    of_record = {name: beats.select(beats.record == name) for name in ("100", "201", "202")}
    assert {name: set(b.lead[:, 0]) for name, b in of_record.items()} == {
        "100": {"MLII"},
        "201": {"MLII"},
        "202": {"V5"},
    }
    assert {name: set(b.groups) for name, b in of_record.items()} == {
        "100": {100},
        "201": {201},
        "202": {201},
    }
    for part in of_record.values():
        np.testing.assert_array_equal(part.rhythm, rhythm_features(part.sample, 360))


def test_forms_of_the_result(synthetic_dir: Path) -> None:
    options = {"records": ["100"], "leads": ["MLII", "V1"], "window": (0.1, 0.1)}
    beats = load_mitbih(synthetic_dir, **options)
    data, target = load_mitbih(synthetic_dir, **options, return_X_y=True)
    np.testing.assert_array_equal(data, beats.data)
    np.testing.assert_array_equal(target, beats.target)
    assert data.shape[1:] == (2, 72)
    frame = load_mitbih(synthetic_dir, **options, as_frame=True).frame
    assert isinstance(frame, pd.DataFrame)
    assert frame.shape == (len(target), 2 + 2 * 72 + len(RHYTHM_FEATURES) + 1)
    without = load_mitbih(synthetic_dir, **options, rhythm=False)
    assert without.rhythm is None
    assert without.rhythm_names == ()


def test_kaggle_window_takes_any_lead(synthetic_dir: Path) -> None:
    first = load_mitbih(synthetic_dir, records=["201"], window="kaggle")
    both = load_mitbih(synthetic_dir, records=["201"], window="kaggle", leads=["MLII", "V1"])
    assert first.lead[0].tolist() == ["V1"]
    assert first.fs == both.fs == 120
    assert both.data.shape == (len(first.target), 2, 187)
    np.testing.assert_array_equal(both.data[:, 1], first.data)
    beats = load_mitbih(synthetic_dir, records=["201"])
    # The last annotation has no row, but it is used for the rhythm.
    np.testing.assert_array_equal(first.sample, beats.sample[:-1])
    np.testing.assert_array_equal(first.rhythm, beats.rhythm[:-1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"records": "ds3"}, r'records=\'ds3\': expected "all", "ds1", "ds2"'),
        ({"records": ["100", "999"]}, r"'999'.* names no record of the MIT-BIH"),
        ({"records": []}, "empty list"),
        ({"records": 100}, r"records=100: expected"),
        ({"records": ["100", "100"]}, "names a record twice"),
        ({"records": ["202"], "leads": "MLII"}, r"Record 202 .* no lead 'MLII'; it has 'V5'"),
        ({"leads": ()}, r"leads=\(\): expected the name of a lead"),
        ({"leads": 1}, r"leads=1: expected the name of a lead"),
        ({"leads": ["MLII", "mlii"]}, "names a lead twice"),
        ({"fs": -5}, r"fs=-5: expected a positive number"),
        ({"fs": 360 / np.pi}, r"from 360 Hz to fs=114\.59"),
        ({"window": (0.1,)}, r"window=\(0\.1,\): expected two numbers"),
        ({"window": "beat"}, r"window='beat'"),
        ({"window": "kaggle", "fs": 125}, r'fs=125 cannot be combined with window="kaggle"'),
        ({"records": ["100"], "window": (20, 20)}, "longer than record 100, which lasts 30 s"),
    ],
)
def test_invalid_parameters(synthetic_dir: Path, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_mitbih(synthetic_dir, **options)


def test_record_that_is_not_there(synthetic_dir: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"101\.hea is missing"):
        load_mitbih(synthetic_dir)


def test_record_at_another_rate(tmp_path: Path) -> None:
    make_record(tmp_path, "100", duration=10, fs=250, random_state=0)
    with pytest.raises(ValueError, match=r"100\.hea gives a sampling rate of 250 Hz.* 360 Hz"):
        load_mitbih(tmp_path, records=["100"])
