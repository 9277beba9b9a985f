"""The Kaggle heartbeat set, rebuilt from records and read from CSV files."""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecgclf.datasets import AAMI_CLASSES, AAMI_OF_SYMBOL, Beats, _kaggle, load_kaggle_heartbeat

#: SHA-256 of the float32 values of the test rows, rebuilt by two implementations.
TEST_ROWS_SHA256 = "6f64721ee4fffe369be7e0cd8136ed1a0b9cf7871df1455001ddbfa824b8b6fd"


@pytest.fixture(scope="module")
def rebuilt(mitdb_dir: Path) -> Beats:
    return load_kaggle_heartbeat(mitdb_dir, "all")


def count(target: np.ndarray) -> dict[str, int]:
    return {name: int(np.sum(target == name)) for name in AAMI_CLASSES}


def test_published_counts(rebuilt: Beats) -> None:
    train, test = rebuilt.target[:87_554], rebuilt.target[87_554:]
    assert count(train) == {"N": 72_471, "S": 2_223, "V": 5_788, "F": 641, "Q": 6_431}
    assert count(test) == {"N": 18_118, "S": 556, "V": 1_448, "F": 162, "Q": 1_608}


def test_rows_of_the_test_set(mitdb_dir: Path, rebuilt: Beats) -> None:
    test = load_kaggle_heartbeat(mitdb_dir, "test")
    assert test.data.shape == (21_892, 187)
    assert test.data.dtype == np.float32
    assert hashlib.sha256(test.data.tobytes()).hexdigest() == TEST_ROWS_SHA256
    np.testing.assert_array_equal(test.data, rebuilt.data[87_554:])
    np.testing.assert_array_equal(test.sample, rebuilt.sample[87_554:])
    # The first rows of the published order.
    assert test.record[:5].tolist() == ["103", "203", "222", "109", "111"]
    assert test.sample[:5].tolist() == [322_111, 608_260, 58_685, 497_241, 596_428]
    assert "21,892 beats: N 18,118" in test.DESCR


def test_fields(rebuilt: Beats) -> None:
    assert rebuilt.fs == 120
    assert rebuilt.fs_record == 360
    assert rebuilt.data.min() == 0
    assert rebuilt.data.max() == 1
    assert rebuilt.target_names == AAMI_CLASSES
    in_v5 = np.unique(rebuilt.record[rebuilt.lead[:, 0] == "V5"])
    assert in_v5.tolist() == ["102", "104", "114"]
    np.testing.assert_array_equal(
        rebuilt.groups, np.where(rebuilt.record == "202", "201", rebuilt.record).astype(int)
    )
    assert np.isfinite(rebuilt.rhythm).all()
    # No beat is on both sides, and the training rows are in order.
    pairs = list(zip(rebuilt.record.tolist(), rebuilt.sample.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs) == 109_446
    assert pairs[:87_554] == sorted(pairs[:87_554])


@pytest.mark.parametrize("name", ["108", "207"])
def test_rows_equal_the_recipe_bit_for_bit(mitdb_dir: Path, rebuilt: Beats, name: str) -> None:
    signal = wfdb.rdrecord(str(mitdb_dir / name), physical=False).d_signal[:, 0]
    annotation = wfdb.rdann(str(mitdb_dir / name), "atr")
    of_record = rebuilt.select(rebuilt.record == name)
    row_at = {int(sample): row for row, sample in enumerate(of_record.sample)}
    a = [*annotation.sample.tolist(), len(signal)]
    n_rows = 0
    for j, symbol in enumerate(annotation.symbol[:-1]):
        if symbol not in AAMI_OF_SYMBOL:
            continue
        window = signal[a[j] : a[j] + int((a[j + 1] - a[j]) + 0.2 * (a[j + 2] - a[j + 1]))]
        window = window[::3].astype(float)
        window = ((window - window.min()) / (window.max() - window.min())).tolist()
        expected = np.array((window + [0.0] * 187)[:187], dtype=np.float32)
        row = row_at[a[j]]
        np.testing.assert_array_equal(of_record.data[row], expected)
        assert of_record.target[row] == AAMI_OF_SYMBOL[symbol]
        n_rows += 1
    assert n_rows == len(of_record.target)


def write_csv(file: Path, data: np.ndarray, label: np.ndarray, newline: str = "\n") -> None:
    """Write rows in the exact format of the published files."""
    table = np.column_stack([data, label]).astype(np.float64)
    np.savetxt(file, table, fmt="%.18e", delimiter=",", newline=newline)


def rows(n_rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((n_rows, 187), dtype=np.float32), rng.integers(0, 5, n_rows)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_gives_the_rebuilt_rows(rebuilt: Beats, tmp_path: Path, newline: str) -> None:
    chosen = np.arange(0, len(rebuilt.target), 50)
    picked = rebuilt.select(chosen)
    label = [AAMI_CLASSES.index(name) for name in picked.target]
    file = tmp_path / "mitbih_test.csv"
    write_csv(file, picked.data, np.array(label), newline)
    assert file.stat().st_size == len(chosen) * (4_699 + len(newline))
    with pytest.warns(UserWarning, match=r"mitbih_test\.csv has .* bytes, the published file"):
        beats = load_kaggle_heartbeat(tmp_path, "test")
    np.testing.assert_array_equal(beats.data, picked.data, strict=True)
    np.testing.assert_array_equal(beats.target, picked.target)
    assert beats.fs == 120
    for field in ("groups", "record", "sample", "lead", "rhythm"):
        assert beats[field] is None
    assert "do not contain the patient" in beats.DESCR


def test_csv_text_of_any_float32_is_read_back_exactly(tmp_path: Path) -> None:
    # Any bit pattern between the smallest normal number and 1, not only round ones.
    bits = np.random.default_rng(0).integers(0x00800000, 0x3F800000, size=(500, 187))
    data = bits.astype(np.uint32).view(np.float32)
    write_csv(tmp_path / "own.csv", data, np.zeros(500))
    read = _kaggle._parse_csv(tmp_path / "own.csv", range(5))
    np.testing.assert_array_equal(read[:, :-1], data, strict=True)


@pytest.mark.filterwarnings("ignore:.*not comparable")
def test_csv_subsets_and_forms(tmp_path: Path) -> None:
    train, test = rows(6, seed=1), rows(3, seed=2)
    write_csv(tmp_path / "mitbih_train.csv", *train)
    write_csv(tmp_path / "mitbih_test.csv", *test)
    both = load_kaggle_heartbeat(tmp_path, "all")
    np.testing.assert_array_equal(both.data, np.concatenate([train[0], test[0]]))
    data, target = load_kaggle_heartbeat(tmp_path, return_X_y=True)
    np.testing.assert_array_equal(data, train[0])
    np.testing.assert_array_equal(target, np.array(AAMI_CLASSES)[train[1]])
    framed = load_kaggle_heartbeat(tmp_path, "test", as_frame=True)
    assert framed.frame.shape == (3, 188)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_no_warning_for_the_published_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, newline: str
) -> None:
    monkeypatch.setattr(_kaggle, "cache_folder", lambda: tmp_path / "cache")
    file = tmp_path / "mitbih_test.csv"
    write_csv(file, *rows(4))
    published = _kaggle._Published(
        4, file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()
    )
    monkeypatch.setitem(_kaggle._PUBLISHED, "mitbih_test.csv", published)
    write_csv(file, *rows(4), newline)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_kaggle_heartbeat(tmp_path, "test")
    write_csv(file, *rows(4, seed=9), newline)
    with pytest.warns(UserWarning, match="not its SHA-256"):
        load_kaggle_heartbeat(tmp_path, "test")


@pytest.fixture
def published_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the reader takes for the published one, and an empty cache."""
    file = tmp_path / "mitbih_test.csv"
    write_csv(file, *rows(4))
    content = file.read_bytes()
    published = _kaggle._Published(4, len(content), hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(_kaggle._PUBLISHED, "mitbih_test.csv", published)
    monkeypatch.setattr(_kaggle, "cache_folder", lambda: tmp_path / "cache")
    return file


def test_a_published_file_is_parsed_once(
    published_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_kaggle_heartbeat(published_csv.parent, "test")
    with monkeypatch.context() as patch:
        patch.setattr(pd, "read_csv", None)  # fails if called
        again = load_kaggle_heartbeat(published_csv.parent, "test")
    np.testing.assert_array_equal(again.data, first.data, strict=True)
    np.testing.assert_array_equal(again.target, first.target, strict=True)


def test_a_changed_file_is_parsed_again(published_csv: Path) -> None:
    load_kaggle_heartbeat(published_csv.parent, "test")
    other = rows(4, seed=9)
    write_csv(published_csv, *other)
    os.utime(published_csv, ns=(0, 0))
    with pytest.warns(UserWarning, match="not its SHA-256"):
        beats = load_kaggle_heartbeat(published_csv.parent, "test")
    np.testing.assert_array_equal(beats.data, other[0])
    # It is kept as well, with its own SHA-256.
    with pytest.warns(UserWarning, match="not its SHA-256"):
        load_kaggle_heartbeat(published_csv.parent, "test")


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_a_damaged_cache_is_ignored(published_csv: Path, content: bytes) -> None:
    first = load_kaggle_heartbeat(published_csv.parent, "test")
    (kept,) = (published_csv.parent / "cache").iterdir()
    kept.write_bytes(content)
    again = load_kaggle_heartbeat(published_csv.parent, "test")
    np.testing.assert_array_equal(again.data, first.data, strict=True)


def test_a_cache_that_cannot_be_written(published_csv: Path) -> None:
    (published_csv.parent / "cache").write_text("a file in the way")
    assert len(load_kaggle_heartbeat(published_csv.parent, "test").data) == 4


def damaged(line: int, cell: int | slice, value: object) -> str:
    """Return three valid rows as text, with one or several cells replaced."""
    data, label = rows(3)
    lines = [[f"{v:.18e}" for v in [*row, y]] for row, y in zip(data, label, strict=True)]
    lines[line][cell] = value
    return "".join(",".join(row) + "\n" for row in lines)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (damaged(0, slice(187, None), []), r"row 1: has 187 columns, expected 188"),
        (damaged(1, slice(180, None), []), r"row 2: has 180 columns, expected 188"),
        (damaged(2, slice(188, None), ["0.5"]), r"row 3: has 189 columns, expected 188"),
        (damaged(1, 3, "nan"), r"row 2: column 4 contains 'nan', expected a finite number"),
        (damaged(1, 3, ""), r"row 2: column 4 contains '', expected a number"),
        (damaged(2, 0, "inf"), r"row 3: column 1 contains 'inf'"),
        (damaged(1, 3, "0,5".replace(",", ";")), r"row 2: column 4 contains '0;5'"),
        (damaged(0, 0, "ecg"), r"row 1: column 1 contains 'ecg', expected a number"),
        (damaged(1, 187, "5.0"), r"row 2: has the label 5\.0, expected an integer 0 to 4"),
        (damaged(1, 187, "-1"), r"row 2: has the label -1"),
        (damaged(2, 187, "1.5"), r"row 3: has the label 1\.5"),
    ],
)
def test_invalid_csv(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "mitbih_train.csv").write_text(content)
    with pytest.raises(ValueError, match=rf"mitbih_train\.csv.*{message}.*Download"):
        load_kaggle_heartbeat(tmp_path)


@pytest.mark.parametrize("value", ["9e38", "7e99"])
def test_csv_value_beyond_float32_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "mitbih_train.csv").write_text(damaged(1, 4, value))
    with pytest.raises(ValueError, match=r"mitbih_train\.csv"):
        load_kaggle_heartbeat(tmp_path)


def test_nothing_to_load(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"neither mitbih_test\.csv nor the raw records"):
        load_kaggle_heartbeat(tmp_path, "test")
    write_csv(tmp_path / "mitbih_test.csv", *rows(1))
    with pytest.raises(FileNotFoundError, match=r"neither mitbih_train\.csv and mitbih_test"):
        load_kaggle_heartbeat(tmp_path, "all")
    with pytest.raises(ValueError, match=r"subset='valid': expected"):
        load_kaggle_heartbeat(tmp_path, "valid")


def test_records_have_priority_over_csvs(mitdb_dir: Path, tmp_path: Path, rebuilt: Beats) -> None:
    for file in mitdb_dir.iterdir():
        (tmp_path / file.name).symlink_to(file)
    write_csv(tmp_path / "mitbih_test.csv", *rows(1))
    beats = load_kaggle_heartbeat(tmp_path, "test")
    np.testing.assert_array_equal(beats.data, rebuilt.data[87_554:])
    assert "have priority over CSV files" in beats.DESCR
    (tmp_path / "234.hea").unlink()
    with pytest.warns(UserWarning, match="published"):
        assert len(load_kaggle_heartbeat(tmp_path, "test").target) == 1
    (tmp_path / "mitbih_test.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"234\.hea is missing"):
        load_kaggle_heartbeat(tmp_path, "test")


def test_records_of_another_version_are_refused(mitdb_dir: Path, tmp_path: Path) -> None:
    for file in mitdb_dir.iterdir():
        (tmp_path / file.name).symlink_to(file)
    shifted = wfdb.rdann(str(mitdb_dir / "100"), "atr")
    (tmp_path / "100.atr").unlink()
    wfdb.wrann("100", "atr", shifted.sample + 1, list(shifted.symbol), write_dir=str(tmp_path))
    with pytest.raises(ValueError, match=r"of the 21,892 published test beats are not among"):
        load_kaggle_heartbeat(tmp_path, "test")
