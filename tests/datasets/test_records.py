"""WFDB records, against wfdb, and damaged files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgclf.datasets import MITBIH_RECORDS, RecordError, make_record
from ecgclf.datasets._records import read_annotations, read_record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a valid record "100" of two leads, in format 212."""
    make_record(tmp_path, "100", duration=20, random_state=0)
    return tmp_path


def test_equals_wfdb_on_every_mitbih_record(mitdb_dir: Path) -> None:
    for name in MITBIH_RECORDS:
        record = read_record(mitdb_dir, name)
        expected = wfdb.rdrecord(str(mitdb_dir / name), physical=False)
        np.testing.assert_array_equal(record.adc.T, expected.d_signal, err_msg=name)
        annotation = wfdb.rdann(str(mitdb_dir / name), "atr")
        np.testing.assert_array_equal(record.sample, annotation.sample, err_msg=name)
        np.testing.assert_array_equal(record.symbol, annotation.symbol, err_msg=name)


@pytest.mark.parametrize("name", ["100", "114"])
def test_millivolts_equal_wfdb(mitdb_dir: Path, name: str) -> None:
    record = read_record(mitdb_dir, name)
    expected = wfdb.rdrecord(str(mitdb_dir / name))
    assert record.leads == tuple(expected.sig_name)
    assert record.fs == expected.fs == 360
    np.testing.assert_array_equal(
        record.millivolts(), expected.p_signal.T.astype(np.float32), strict=True
    )


def test_frank_leads_come_from_their_own_file(ptbdb_dir: Path) -> None:
    record = read_record(ptbdb_dir, "s0010_re", annotator=None)
    expected = wfdb.rdrecord(str(ptbdb_dir / "s0010_re"))
    picked = record.pick(["vz", "II"])
    assert picked.leads == ("vz", "ii")
    np.testing.assert_array_equal(
        picked.millivolts(), expected.p_signal[:, [14, 1]].T.astype(np.float32)
    )


@pytest.mark.parametrize("n_signals", [1, 2, 3])
@pytest.mark.parametrize("fmt", ["16", "212", "80", "24"])
def test_other_formats_equal_wfdb(tmp_path: Path, fmt: str, n_signals: int) -> None:
    rng = np.random.default_rng(0)
    wfdb.wrsamp(
        "odd",
        fs=250,
        units=["mV"] * n_signals,
        sig_name=[f"lead {i}" for i in range(n_signals)],
        d_signal=rng.integers(-127, 128, size=(1001, n_signals)),
        fmt=[fmt] * n_signals,
        adc_gain=[200] * n_signals,
        baseline=[5] * n_signals,
        write_dir=str(tmp_path),
    )
    record = read_record(tmp_path, "odd", annotator=None)
    expected = wfdb.rdrecord(str(tmp_path / "odd")).p_signal.T.astype(np.float32)
    np.testing.assert_array_equal(record.millivolts(), expected)


def test_units_are_converted_to_millivolts(tmp_path: Path) -> None:
    signal = np.linspace(-1, 1, 500)[:, np.newaxis]
    for name, units, factor in (("mv", "mV", 1.0), ("uv", "uV", 1000.0)):
        wfdb.wrsamp(
            name,
            fs=360,
            units=[units],
            sig_name=["II"],
            p_signal=signal * factor,
            fmt=["16"],
            write_dir=str(tmp_path),
        )
        record = read_record(tmp_path, name, annotator=None)
        np.testing.assert_allclose(record.millivolts()[0], signal[:, 0], atol=1e-4)


ANNOTATIONS = st.lists(
    st.tuples(
        st.integers(1, 3_000),  # distances from 1024 samples on need a SKIP word
        st.sampled_from(["N", "V", "/", "+", "~", '"']),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=7),
    ),
    min_size=1,
    max_size=20,
)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(annotations=ANNOTATIONS, with_rate=st.booleans())
def test_annotations_equal_wfdb(tmp_path: Path, annotations: list, with_rate: bool) -> None:
    steps, symbols, notes = zip(*annotations, strict=True)
    wfdb.wrann(
        "a",
        "atr",
        sample=np.cumsum(steps),
        symbol=list(symbols),
        aux_note=list(notes),
        fs=360 if with_rate else None,  # writes a definition before the annotations
        write_dir=str(tmp_path),
    )
    sample, symbol = read_annotations(tmp_path / "a.atr")
    expected = wfdb.rdann(str(tmp_path / "a"), "atr")
    np.testing.assert_array_equal(sample, expected.sample)
    np.testing.assert_array_equal(symbol, expected.symbol)


@pytest.mark.parametrize("ending", ["hea", "dat", "atr"])
def test_missing_file(folder: Path, ending: str) -> None:
    (folder / f"100.{ending}").unlink()
    with pytest.raises(FileNotFoundError, match=rf"100\.{ending} is missing.*fetch_mitbih"):
        read_record(folder, "100")


def test_truncated_signal_file(folder: Path) -> None:
    file = folder / "100.dat"
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(RecordError, match=r"100\.dat is truncated: .*21,599 .*21,600"):
        read_record(folder, "100")


@pytest.mark.parametrize("at", [0, 2, 12_345])
def test_one_flipped_bit_fails_the_checksum(folder: Path, at: int) -> None:
    file = folder / "100.dat"
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    with pytest.raises(RecordError, match=r"100\.dat is damaged: .* of lead \w+ is -?\d+.*again"):
        read_record(folder, "100")


def test_unreadable_header(folder: Path) -> None:
    (folder / "100.hea").write_text("<html>404</html>\n")
    with pytest.raises(RecordError, match=r"100\.hea is not a readable WFDB header"):
        read_record(folder, "100")


def test_header_without_signals(folder: Path) -> None:
    (folder / "100.hea").write_text("100 0 360 100\n")
    with pytest.raises(RecordError, match=r"100\.hea describes a record without signals"):
        read_record(folder, "100")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "end mark"),
        (b"\0\0", "contains no annotations"),
        (b"\x10\x04", "end mark"),
        (b"\x00\xec\x00", "end mark"),
    ],
)
def test_unusable_annotation_file(folder: Path, content: bytes, message: str) -> None:
    (folder / "100.atr").write_bytes(content)
    with pytest.raises(RecordError, match=rf"100\.atr .*{message}"):
        read_record(folder, "100")


def test_annotation_file_cut_short(folder: Path) -> None:
    file = folder / "100.atr"
    file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises(RecordError, match=r"100\.atr .*end mark.*missing"):
        read_record(folder, "100")


def test_annotation_beyond_the_end(folder: Path) -> None:
    wfdb.wrann("100", "atr", np.array([10, 7201]), ["N", "N"], write_dir=str(folder))
    with pytest.raises(RecordError, match=r"annotation at sample 7,201, .* has 7,200 samples"):
        read_record(folder, "100")


def test_a_missing_lead_lists_the_known_leads(folder: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("no lead 'V5'; it has 'MLII', 'V1'")):
        read_record(folder, "100").pick(["MLII", "V5"])


def test_a_gap_matters_only_in_the_selected_lead(tmp_path: Path) -> None:
    signal = np.zeros((100, 2))
    signal[50:60, 1] = np.nan
    wfdb.wrsamp(
        "gap",
        fs=360,
        units=["mV", "mV"],
        sig_name=["I", "II"],
        p_signal=signal,
        fmt=["16", "16"],
        write_dir=str(tmp_path),
    )
    record = read_record(tmp_path, "gap", annotator=None)
    assert np.isfinite(record.pick(["I"]).millivolts()).all()
    with pytest.raises(RecordError, match=r"marks samples of lead 'II' as missing"):
        record.pick(["II"])


def test_unit_other_than_a_voltage(tmp_path: Path) -> None:
    wfdb.wrsamp(
        "bp",
        fs=360,
        units=["mmHg"],
        sig_name=["ABP"],
        p_signal=np.arange(50.0)[:, np.newaxis],
        fmt=["16"],
        write_dir=str(tmp_path),
    )
    with pytest.raises(RecordError, match=r"bp\.hea gives signals in 'mmHg'"):
        read_record(tmp_path, "bp", annotator=None)
