"""Annotation files, against wfdb."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgclf.datasets import MITBIH_RECORDS, RecordError, make_record, read_recording
from ecgclf.datasets._annotations import read_annotations


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a valid record "100" of two leads, in format 212."""
    make_record(tmp_path, "100", duration=20, random_state=0)
    return tmp_path


def test_annotations_of_every_mitbih_record(mitdb_dir: Path) -> None:
    for name in MITBIH_RECORDS:
        sample, symbol = read_annotations(mitdb_dir / f"{name}.atr")
        annotation = wfdb.rdann(str(mitdb_dir / name), "atr")
        np.testing.assert_array_equal(sample, annotation.sample, err_msg=name)
        np.testing.assert_array_equal(symbol, annotation.symbol, err_msg=name)


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
        read_recording(folder / "100", annotator="atr")


def test_annotation_file_cut_short(folder: Path) -> None:
    file = folder / "100.atr"
    file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises(RecordError, match=r"100\.atr .*end mark.*missing"):
        read_recording(folder / "100", annotator="atr")


def test_annotation_beyond_the_end(folder: Path) -> None:
    wfdb.wrann("100", "atr", np.array([10, 7201]), ["N", "N"], write_dir=str(folder))
    with pytest.raises(RecordError, match=r"annotation at sample 7,201, .* has 7,200 samples"):
        read_recording(folder / "100", annotator="atr")
