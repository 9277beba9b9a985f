"""Beats of annotated databases, against wfdb and published counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecgclf.datasets import (
    AAMI_CLASSES,
    AAMI_OF_SYMBOL,
    DATABASES,
    DS1,
    DS2,
    RHYTHM_FEATURES,
    Beats,
    Database,
    RecordError,
    RRWindow,
    load_mitbih,
    load_svdb,
    load_wfdb,
    make_record,
    rhythm_features,
)

# --- MIT-BIH Arrhythmia Database -----------------------------------------------------------


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


def test_leads_by_number(synthetic_dir: Path) -> None:
    by_name = load_mitbih(synthetic_dir, records=["201"], leads=["MLII", "V1"])
    by_number = load_mitbih(synthetic_dir, records=["201"], leads=[1, 0])
    np.testing.assert_array_equal(by_number.data, by_name.data)
    assert by_number.lead[0].tolist() == ["MLII", "V1"]
    one = load_mitbih(synthetic_dir, records=["201"], leads=0)
    np.testing.assert_array_equal(one.data, by_name.data[:, 1])


def test_two_leads_of_one_name(tmp_path: Path) -> None:
    header = make_record(tmp_path, "own", duration=30, random_state=0).with_suffix(".hea")
    expected = load_wfdb(tmp_path, leads=["MLII", "V1"]).data
    header.write_text(header.read_text().replace("MLII", "ECG").replace("V1", "ECG"))
    beats = load_wfdb(tmp_path, leads=[0, 1])
    np.testing.assert_array_equal(beats.data, expected)
    assert beats.lead[0].tolist() == ["ECG", "ECG"]
    np.testing.assert_array_equal(load_wfdb(tmp_path).data, expected[:, 0])
    with pytest.raises(ValueError, match="several leads named 'ECG'; use their numbers, 0, 1"):
        load_wfdb(tmp_path, leads="ECG")


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
        ({"leads": [1.0]}, r"leads=\[1\.0\]: expected the name of a lead"),
        ({"leads": 2}, r"has no lead 2; it has 'MLII', 'V1', numbered from 0"),
        ({"leads": [0, "0"]}, "names a lead twice"),
        ({"leads": ["MLII", "mlii"]}, "names a lead twice"),
        ({"fs": -5}, r"fs=-5: expected a positive number"),
        ({"fs": 0.01}, r"from 360 Hz to fs=0\.01, by a factor of"),
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


# --- any annotated database ----------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two annotated records, one of them in a folder, and one without annotations."""
    folder = tmp_path_factory.mktemp("own")
    make_record(folder, "a", duration=30, random_state=0)
    make_record(folder / "ward", "b", duration=30, leads=("V5", "MLII"), random_state=1)
    unannotated = make_record(folder, "c", duration=10, random_state=2)
    unannotated.with_suffix(".atr").unlink()
    return folder


@pytest.fixture(scope="module")
def svdb_beats(svdb_dir: Path) -> Beats:
    return load_svdb(svdb_dir, records=["801", "812", "865"])


def test_all_annotated_records_of_a_folder(folder: Path) -> None:
    beats = load_wfdb(folder)
    assert list(dict.fromkeys(beats.record)) == ["a", "b"]
    np.testing.assert_array_equal(beats.groups, beats.record)
    assert beats.target_names == AAMI_CLASSES
    assert beats.DESCR.startswith(f"Heartbeats of the records in {folder}\n====")
    assert {name: set(beats.lead[beats.record == name, 0]) for name in "ab"} == {
        "a": {"MLII"},
        "b": {"V5"},
    }
    annotation = wfdb.rdann(str(folder / "ward" / "b"), "atr")
    expected = [AAMI_OF_SYMBOL[symbol] for symbol in annotation.symbol[1:]]
    assert beats.target[beats.record == "b"].tolist() == expected
    signal = wfdb.rdrecord(str(folder / "ward" / "b")).p_signal[:, 0].astype(np.float32)
    chosen = beats.select(beats.record == "b").select(slice(3, 6))
    for row, sample in zip(chosen.data, chosen.sample, strict=True):
        np.testing.assert_array_equal(row, signal[sample - 90 : sample + 162])


def test_own_labels_and_patients(folder: Path) -> None:
    labels = {"N": "normal", "V": "ventricular", "A": "atrial"}
    beats = load_wfdb(folder, labels=labels, patients={"a": 7, "b": 7})
    assert beats.target_names == ("normal", "ventricular", "atrial")
    assert set(beats.target) == set(beats.target_names)
    assert set(beats.groups) == {7}
    every = load_wfdb(folder)
    assert len(beats.target) == np.isin(every.target, ["N", "V", "S"]).sum()
    assert "normal = N, ventricular = V, atrial = A" in " ".join(beats.DESCR.split())
    with pytest.raises(ValueError, match="no entry for record b"):
        load_wfdb(folder, patients={"a": 7})


def test_an_own_entry(folder: Path) -> None:
    own = Database("own", "2", "Own Database", "Two records.", "Doe J (2026).", lead="MLII")
    beats = load_wfdb(folder, database=own)
    assert set(beats.lead[:, 0]) == {"MLII"}
    assert beats.DESCR.startswith("Heartbeats of the Own Database 2\n=====")
    assert "Doe J (2026)." in beats.DESCR


def test_names_and_folders_of_records(folder: Path) -> None:
    beats = load_wfdb(folder, records=["ward/b"], leads="MLII", window="kaggle")
    assert set(beats.record) == {"b"}
    with pytest.raises(ValueError, match=r'records=\'b\': expected "all", or a list'):
        load_wfdb(folder, records="b")
    with pytest.raises(FileNotFoundError, match=r"b\.hea is missing"):
        load_wfdb(folder, records=["b"])


def test_a_folder_without_annotated_records(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no annotated records \(\*\.atr\)"):
        load_wfdb(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no annotated records \(\*\.qrs\)"):
        load_wfdb(folder, annotator="qrs")


def test_records_of_different_rates(tmp_path: Path) -> None:
    make_record(tmp_path, "a", duration=10, fs=250, random_state=0)
    make_record(tmp_path, "b", duration=10, fs=360, random_state=0)
    with pytest.raises(ValueError, match=r"Part 2 has beats of shape \(252,\)"):
        load_wfdb(tmp_path)
    beats = load_wfdb(tmp_path, fs=125)
    assert (beats.fs, beats.fs_record) == (125, None)
    for name in "ab":
        sample = wfdb.rdann(str(tmp_path / name), "atr").sample[1:]
        np.testing.assert_array_equal(beats.sample[beats.record == name], sample)


def test_load_wfdb_and_load_mitbih_agree(mitdb_dir: Path) -> None:
    options = {"records": ["114", "202"], "fs": 72}
    found = load_wfdb(mitdb_dir, database="mitdb", **options)
    expected = load_mitbih(mitdb_dir, **options)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
    assert set(found.groups) == {114, 201}
    with pytest.raises(ValueError, match="database 'mitbih' is unknown"):
        load_wfdb(mitdb_dir, database="mitbih")


def test_svdb_equals_wfdb(svdb_dir: Path, svdb_beats: Beats) -> None:
    for name in ("801", "812", "865"):
        annotation = wfdb.rdann(str(svdb_dir / name), "atr")
        pairs = [
            (sample, AAMI_OF_SYMBOL[symbol])
            for sample, symbol in zip(annotation.sample, annotation.symbol, strict=True)
            if symbol in AAMI_OF_SYMBOL
        ]
        of_record = svdb_beats.select(svdb_beats.record == name)
        assert list(zip(of_record.sample, of_record.target, strict=True)) == pairs
        assert set(of_record.groups) == {int(name)}
    assert (svdb_beats.fs, set(svdb_beats.lead[:, 0])) == (128, {"ECG1"})
    # Of all records of the database, 865 has the most S beats.
    of_865 = svdb_beats.target[svdb_beats.groups == 865]
    assert (of_865 == "S").sum() == 1818


def test_all_records_of_svdb(svdb_dir: Path) -> None:
    target = load_svdb(svdb_dir, rhythm=False, window=(0, 0.01), return_X_y=True)[1]
    # Published: N 162,339, S 12,198, V 9,943, F 23, Q 79 in 78 records, of which 62 are here.
    assert count(target) == {"N": 128_574, "S": 9_478, "V": 7_580, "F": 21, "Q": 73}


@pytest.mark.parametrize("window", [(0.25, 0.45), RRWindow()])
@pytest.mark.parametrize("fs", [None, 250])
def test_a_beat_at_the_very_end_of_a_record(svdb_dir: Path, window: object, fs: float) -> None:
    beats = load_svdb(svdb_dir, records=["860"], window=window, fs=fs)
    signal = wfdb.rdrecord(str(svdb_dir / "860")).p_signal[:, 0]
    assert beats.sample[-1] == len(signal)
    assert np.isfinite(beats.data[-1]).all()
    assert beats.data[-1, -1] == pytest.approx(signal[-1], abs=1e-3 if fs is None else 0.05)


def test_two_databases_together(mitdb_dir: Path, svdb_beats: Beats) -> None:
    first = load_mitbih(mitdb_dir, records=["100"], fs=128)
    both = Beats.concat([first, svdb_beats])
    assert (both.fs, both.fs_record) == (128, None)
    assert set(both.groups) == {100, 801, 812, 865}
    assert len(both.target) == len(first.target) + len(svdb_beats.target)
    assert "Moody" in both.DESCR
    assert "Greenwald" in both.DESCR


def test_a_record_of_another_database(folder: Path) -> None:
    with pytest.raises(RecordError, match=r"a\.hea gives a sampling rate of 360 Hz.* 128 Hz"):
        load_svdb(folder)


@pytest.mark.parametrize("name", DATABASES)
def test_entries_of_the_table(name: str) -> None:
    entry = DATABASES[name]
    assert entry.name == name
    assert "Licence : " in entry.cite
    assert entry.citation in entry.cite
    assert set(entry.labels.values()) == set(AAMI_CLASSES)


def test_patients_of_the_incart_database(tmp_path: Path) -> None:
    for name, patient in (("I01", 1), ("I02", 1), ("I03", 2)):
        place = make_record(tmp_path, name, duration=10, fs=257, leads=("II",), random_state=0)
        with place.with_suffix(".hea").open("a") as header:
            header.write(f"# <age>: 65 <sex>: F\n# patient {patient}\n# PVCs, noise\n")
    beats = load_wfdb(tmp_path, database="incartdb")
    assert {str(r): int(g) for r, g in zip(beats.record, beats.groups, strict=True)} == {
        "I01": 1,
        "I02": 1,
        "I03": 2,
    }
