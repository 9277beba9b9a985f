"""Beats of annotated databases, against wfdb and published counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgclf.datasets import (
    AAMI_CLASSES,
    AAMI_OF_SYMBOL,
    DATABASES,
    Beats,
    Database,
    RecordError,
    RRWindow,
    load_mitbih,
    load_svdb,
    load_wfdb,
    make_record,
)


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
    counts = {name: int(np.sum(target == name)) for name in AAMI_CLASSES}
    assert counts == {"N": 128_574, "S": 9_478, "V": 7_580, "F": 21, "Q": 73}


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
