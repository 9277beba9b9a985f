"""Damaged files: every reader ends in the library's own error.

``ECGCLF_FUZZ=100`` runs a hundred times as many examples.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import edfio
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ecgclf
from ecgclf.cli._source import _read_npz
from ecgclf.datasets import RecordError, beats_to_memmap, load_beats, make_beats, make_record
from ecgclf.datasets import read_recording as read
from ecgclf.persistence import PersistenceError
from tests.networks import small_mlp

pytestmark = pytest.mark.filterwarnings("ignore")

fuzz = settings(
    max_examples=40 * int(os.environ.get("ECGCLF_FUZZ", "1")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Kind(NamedTuple):
    """A file, the function that reads it, and its error."""

    file: Path
    read: Callable[[], object]
    error: type[Exception]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory, formats_dir) -> dict[str, Kind]:
    folder = tmp_path_factory.mktemp("files")
    record = make_record(folder, duration=5, random_state=0)
    edf = folder / "own.edf"
    signal = edfio.EdfSignal(np.sin(np.arange(500)), 100, label="II", physical_dimension="mV")
    edfio.Edf([signal]).write(edf)
    dicom = folder / "own.dcm"
    dicom.write_bytes((formats_dir / "dicom" / "waveform_ecg.dcm").read_bytes())
    npz = folder / "own.npz"
    beats = make_beats(n_beats=60, random_state=0)
    np.savez(npz, data=beats.data[:3], target=beats.target[:3])
    beats_to_memmap(beats, folder / "beats")
    model = folder / "own.ecgclf"
    small_mlp(max_epochs=1).fit(beats.data, beats.target).save(model)

    def annotated():
        return read(record, annotator="atr")

    stored = folder / "beats"
    return {
        "header": Kind(record.with_suffix(".hea"), annotated, RecordError),
        "signal": Kind(record.with_suffix(".dat"), annotated, RecordError),
        "annotations": Kind(record.with_suffix(".atr"), annotated, RecordError),
        "EDF": Kind(edf, lambda: read(edf, annotator="any"), RecordError),
        "DICOM": Kind(dicom, lambda: read(dicom), RecordError),
        "npz": Kind(npz, lambda: _read_npz(npz), ValueError),
        "beats": Kind(stored / "beats.json", lambda: load_beats(stored), ValueError),
        "signals": Kind(stored / "data.npy", lambda: load_beats(stored), ValueError),
        "labels": Kind(stored / "target.npy", lambda: load_beats(stored), ValueError),
        "model": Kind(model, lambda: ecgclf.load(model), PersistenceError),
    }


def check(kind: Kind, content: bytes) -> None:
    """Read a file with other content, and restore it."""
    before = kind.file.read_bytes()
    kind.file.write_bytes(content)
    try:
        with suppress(kind.error, FileNotFoundError):
            kind.read()
    finally:
        kind.file.write_bytes(before)


NAMES = "header signal annotations EDF DICOM npz beats signals labels model".split()


@fuzz
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_damaged_bytes(kinds, name, data):
    content = bytearray(kinds[name].file.read_bytes())
    last = min(len(content), 5000) - 1
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, last))] = data.draw(st.integers(0, 255))
    check(kinds[name], bytes(content[: data.draw(st.none() | st.integers(0, len(content)))]))


#: What a text header may have in the place of a number or a name.
TOKENS = "-1 0 1 nan inf abc 999999999 1e-300 1e300 9999 ~ 212 8 508 x0 + ( / : 1" + "0" * 5000

fields = st.sampled_from(TOKENS.split()) | st.text(st.characters(max_codepoint=255), max_size=4)


@fuzz
@pytest.mark.parametrize("name", ["header", "beats"])
@given(data=st.data())
def test_other_fields_in_a_header(kinds, name, data):
    parts = re.split(r"([ \n/()x:+,])", kinds[name].file.read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        parts[data.draw(st.integers(0, len(parts) - 1))] = data.draw(fields)
    check(kinds[name], "".join(parts).encode("latin-1"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" 360 ", " 1 "),
        (" 360 ", " -360 "),
        (" 360 ", " nan "),
        (" 360 ", " fast "),
        (" 2 360", " 1000000 360"),
        (" 1800", " 99999999999999"),
        (" 1800", " -1800"),
        (" 212 ", " 9999 "),
        (" 212 ", " 212x1000000 "),
        (" 212 ", " 212x0 "),
        (" 212 ", " 212:999999999 "),
        (" 212 ", " 212+999999999 "),
        (" 200(", " 1e-300("),
        ("(1024)", "(1" + "0" * 400 + ")"),
    ],
)
def test_implausible_headers(tmp_path, old, new):
    header = make_record(tmp_path, duration=5, random_state=0).with_suffix(".hea")
    assert old in header.read_text()
    header.write_text(header.read_text().replace(old, new))
    begin = time.process_time()
    with pytest.raises(RecordError, match=r"synthetic\.(hea|dat)"):
        read(header)
    assert time.process_time() - begin < 1


def test_an_implausible_gap(tmp_path):
    make_record(tmp_path, "own", duration=5, random_state=0)
    long = tmp_path / "long.hea"
    long.write_text("long/2 2 360 0\nown 1800\n~ 99999999999\n")
    with pytest.raises(RecordError, match="states a length of"):
        read(long)
    long.write_text("long/1 2 360 1800\nlong 1800\n")
    with pytest.raises(RecordError, match="a segment long of several segments"):
        read(long)
