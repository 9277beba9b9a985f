"""PTB beats, from raw records and CSV files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgclf.datasets import Beats, detect_r_peaks, load_ptbdb, rhythm_features

RECORDS = ("s0010_re", "s0014lre", "s0016lre")


@pytest.fixture(scope="module")
def beats(ptbdb_dir: Path) -> Beats:
    return load_ptbdb(ptbdb_dir)


def copy_record(source: Path, name: str, folder: Path, **replaced: str) -> None:
    """Link the signals of a record in `folder`, and write its header with changes."""
    folder.mkdir(parents=True, exist_ok=True)
    for ending in ("dat", "xyz"):
        (folder / f"{name}.{ending}").symlink_to(source / f"{name}.{ending}")
    header = (source / f"{name}.hea").read_text()
    for old, new in replaced.values():
        assert old in header
        header = header.replace(old, new)
    (folder / f"{name}.hea").write_text(header)


def test_beats_of_the_sample(beats: Beats, ptbdb_dir: Path) -> None:
    assert tuple(dict.fromkeys(beats.record)) == RECORDS
    assert set(beats.target) == {"infarction"}
    assert beats.target_names == ("healthy", "infarction")
    assert (beats.fs, beats.fs_record) == (1000, 1000)
    assert set(beats.lead[:, 0]) == {"ii"}
    # The records are of one patient, and their headers agree except for the date.
    assert set(beats.groups) == {"s0010_re"}
    assert beats.data.shape == (len(beats.target), 700)
    # 38.4 + 115.2 + 115.2 s at a heart rate of 80 to 87 per minute.
    assert 360 <= len(beats.target) <= 390
    assert "Left out, because of another reason or none: 0." in beats.DESCR


def test_windows_are_cut_at_the_detected_peaks(beats: Beats, ptbdb_dir: Path) -> None:
    signal = wfdb.rdrecord(str(ptbdb_dir / "s0014lre")).p_signal[:, 1]
    of_record = beats.select(beats.record == "s0014lre")
    np.testing.assert_array_equal(of_record.sample, detect_r_peaks(signal, 1000))
    np.testing.assert_array_equal(of_record.rhythm, rhythm_features(of_record.sample, 1000))
    position = of_record.sample[50]
    np.testing.assert_array_equal(
        of_record.data[50], signal[position - 250 : position + 450].astype(np.float32)
    )


def test_any_leads_at_any_rate(ptbdb_dir: Path) -> None:
    several = load_ptbdb(ptbdb_dir, leads=("V2", "vz"), fs=250, window=(0.2, 0.4))
    assert several.data.shape == (len(several.target), 2, 150)
    assert several.fs == 250
    assert several.lead[0].tolist() == ["v2", "vz"]
    signal = wfdb.rdrecord(str(ptbdb_dir / "s0010_re"), channel_names=["vz"]).p_signal[:, 0]
    position = 4 * round(several.sample[5] / 4)
    np.testing.assert_allclose(
        several.data[5, 1], signal[position - 200 : position + 400 : 4], atol=0.05
    )


def test_patients_diagnoses_and_records_left_out(ptbdb_dir: Path, tmp_path: Path) -> None:
    infarction = "Reason for admission: Myocardial infarction"
    copy_record(ptbdb_dir, "s0010_re", tmp_path / "patient001")
    copy_record(
        ptbdb_dir,
        "s0014lre",
        tmp_path / "patient002",
        reason=(infarction, "Reason for admission: Healthy control"),
    )
    copy_record(
        ptbdb_dir,
        "s0016lre",
        tmp_path / "patient003",
        reason=(infarction, "Reason for admission: Cardiomyopathy"),
    )
    beats = load_ptbdb(tmp_path, fs=250)
    assert {
        (str(r), str(g), str(t))
        for r, g, t in zip(beats.record, beats.groups, beats.target, strict=True)
    } == {
        ("s0010_re", "patient001", "infarction"),
        ("s0014lre", "patient002", "healthy"),
    }
    assert "2 of the 3 raw records" in beats.DESCR
    assert "Left out, because of another reason or none: 1." in beats.DESCR


def test_flat_records_of_two_patients(ptbdb_dir: Path, tmp_path: Path) -> None:
    copy_record(ptbdb_dir, "s0010_re", tmp_path)
    copy_record(ptbdb_dir, "s0014lre", tmp_path, age=("age: 81", "age: 44"))
    copy_record(ptbdb_dir, "s0016lre", tmp_path)
    beats = load_ptbdb(tmp_path, fs=250)
    groups = dict(zip(beats.record.tolist(), beats.groups.tolist(), strict=True))
    assert groups == {
        "s0010_re": "s0010_re",
        "s0014lre": "s0014lre",
        "s0016lre": "s0010_re",
    }


def test_no_record_of_the_two_diagnoses(ptbdb_dir: Path, tmp_path: Path) -> None:
    copy_record(ptbdb_dir, "s0010_re", tmp_path, reason=("Reason for admission:", "Reason:"))
    with pytest.raises(ValueError, match=r"None of the 1 records .* reason for admission"):
        load_ptbdb(tmp_path)


def test_missing_lead(ptbdb_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"s0010_re .* no lead 'MLII'; it has 'i', 'ii'"):
        load_ptbdb(ptbdb_dir, leads="MLII")


def test_truncated_frank_leads(ptbdb_dir: Path, tmp_path: Path) -> None:
    copy_record(ptbdb_dir, "s0010_re", tmp_path)
    content = (tmp_path / "s0010_re.xyz").read_bytes()
    (tmp_path / "s0010_re.xyz").unlink()
    (tmp_path / "s0010_re.xyz").write_bytes(content[:-2])
    with pytest.raises(ValueError, match=r"s0010_re\.xyz is truncated"):
        load_ptbdb(tmp_path)


def write_csvs(folder: Path, normal: np.ndarray, abnormal: np.ndarray) -> None:
    for name, data, label in (("normal", normal, 0), ("abnormal", abnormal, 1)):
        table = np.column_stack([data, np.full(len(data), label)]).astype(np.float64)
        np.savetxt(folder / f"ptbdb_{name}.csv", table, fmt="%.18e", delimiter=",")


def test_csvs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    normal, abnormal = (rng.random((n, 187), dtype=np.float32) for n in (3, 5))
    write_csvs(tmp_path, normal, abnormal)
    with pytest.warns(UserWarning, match=r"ptbdb_(ab)?normal\.csv has .* bytes"):
        beats = load_ptbdb(tmp_path)
    np.testing.assert_array_equal(beats.data, np.concatenate([normal, abnormal]), strict=True)
    assert beats.target.tolist() == ["healthy"] * 3 + ["infarction"] * 5
    assert beats.fs == 125
    for field in ("groups", "record", "sample", "lead", "rhythm"):
        assert beats[field] is None
    with pytest.raises(ValueError, match=r"leads, fs and window cannot be chosen"):
        load_ptbdb(tmp_path, fs=250)


def test_csv_label_outside_its_range(tmp_path: Path) -> None:
    table = np.zeros((2, 188))
    table[1, -1] = 2
    write_csvs(tmp_path, np.zeros((1, 187)), np.zeros((1, 187)))
    np.savetxt(tmp_path / "ptbdb_normal.csv", table, fmt="%.18e", delimiter=",")
    with pytest.raises(ValueError, match=r"ptbdb_normal\.csv, row 2: has the label .*0 to 1"):
        load_ptbdb(tmp_path)


def test_nothing_to_load(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"neither WFDB records .* nor ptbdb_normal"):
        load_ptbdb(tmp_path)
