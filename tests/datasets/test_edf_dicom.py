"""Reading of EDF, BDF and DICOM files, against edfio, pyedflib and pydicom."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import edfio
import numpy as np
import pydicom
import pyedflib
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ecgclf.datasets import RecordError, read_recording


@pytest.fixture
def edf(tmp_path: Path) -> Path:
    """An EDF+ file of two ECG leads and one other signal, with annotations."""
    rng = np.random.default_rng(0)
    signals = [
        edfio.EdfSignal(
            rng.normal(scale=500, size=2500), 250, label=name, physical_dimension="uV"
        )
        for name in ("ECG I", "ECG II")
    ]
    signals.insert(
        1, edfio.EdfSignal(rng.normal(size=500), 50, label="Resp", physical_dimension="l/min")
    )
    notes = [edfio.EdfAnnotation(1.5, None, "N"), edfio.EdfAnnotation(7.25, None, "noise")]
    start = datetime.time(8, 15, 30)
    edf = edfio.Edf(
        signals,
        annotations=notes,
        starttime=start,
        recording=edfio.Recording(startdate=datetime.date(2023, 5, 6)),
    )
    edf.write(tmp_path / "ecg.edf")
    return tmp_path / "ecg.edf"


def test_edf_equals_edfio_and_pyedflib(edf: Path) -> None:
    recording = read_recording(edf.with_suffix(""), annotator="edf")
    assert recording.leads == ("ECG I", "ECG II")
    assert recording.fs == 250
    assert recording.start == datetime.datetime(2023, 5, 6, 8, 15, 30)
    with pyedflib.EdfReader(str(edf)) as reader:
        for lead, number in enumerate((0, 2)):
            assert_allclose(recording.signal[lead], reader.readSignal(number) / 1000, atol=1e-6)
    read = edfio.read_edf(edf)
    assert_allclose(recording.signal[1] * 1000, read.get_signal("ECG II").data, atol=1e-3)
    assert recording.annotations is not None
    assert_array_equal(recording.annotations.sample, [375, 1812])
    assert_array_equal(recording.annotations.symbol, ["N", "noise"])
    with pytest.raises(RecordError, match=r"'Resp' of .* is in 'l/min'"):
        read_recording(edf, leads=["Resp"])


@pytest.mark.parametrize("unit", ["µV".encode(), b"\xb5V"])
def test_edf_with_a_micro_sign(edf: Path, unit: bytes) -> None:
    plain = read_recording(edf).signal
    edf.write_bytes(edf.read_bytes().replace(b"uV      ", unit.ljust(8)))
    assert_array_equal(read_recording(edf).signal, plain)
    assert read_recording(edf).units == ("µV", "µV")


def test_edf_with_a_gap(edf: Path) -> None:
    plain = read_recording(edf).signal
    content = edf.read_bytes().replace(b"EDF+C", b"EDF+D")
    edf.write_bytes(content)
    assert_array_equal(read_recording(edf).signal, plain)
    # The last of ten data records of one second begins three seconds later.
    assert content.count(b"+9\x14\x14\x00\x00") == 1
    edf.write_bytes(content.replace(b"+9\x14\x14\x00\x00", b"+12\x14\x14\x00"))
    recording = read_recording(edf)
    assert recording.n_samples == 13 * 250
    assert_array_equal(recording.signal[:, : 9 * 250], plain[:, : 9 * 250])
    assert np.isnan(recording.signal[:, 9 * 250 : 12 * 250]).all()
    assert_array_equal(recording.signal[:, 12 * 250 :], plain[:, 9 * 250 :])


@pytest.mark.filterwarnings("ignore:EDF header indicates", "ignore:Incomplete data record")
def test_edf_that_was_not_closed_and_has_a_broken_date(edf: Path) -> None:
    plain = read_recording(edf).signal
    content = edf.read_bytes()
    content = content[:168] + b"xx.yy.zz" + content[176:236] + b"-1      " + content[244:]
    content = content.replace(b"06-MAY-2023", b"X".ljust(11))
    edf.write_bytes(content)
    recording = read_recording(edf)
    assert_array_equal(recording.signal, plain)
    assert recording.start == datetime.datetime(1985, 1, 1, 8, 15, 30)


def test_bdf_equals_pyedflib(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(scale=300, size=(2, 2500))
    signals = [
        edfio.BdfSignal(row, 250, label=name, physical_dimension="uV")
        for name, row in zip(("II", "V5"), values)
    ]
    edfio.Bdf(signals).write(tmp_path / "ecg.bdf")
    recording = read_recording(tmp_path / "ecg")
    with pyedflib.EdfReader(str(tmp_path / "ecg.bdf")) as reader:
        for lead in (0, 1):
            assert_allclose(recording.signal[lead], reader.readSignal(lead) / 1000, rtol=1e-5)


def test_dicom_equals_pydicom(formats_dir: Path) -> None:
    path = formats_dir / "dicom" / "waveform_ecg.dcm"
    recording = read_recording(path)
    dataset = pydicom.dcmread(path)
    assert recording.leads == tuple("I II III aVR aVL aVF V1 V2 V3 V4 V5 V6".split())
    assert recording.fs == 1000
    assert recording.start == datetime.datetime(2013, 1, 25, 10, 59, 19)
    assert_allclose(recording.signal.T, dataset.waveform_array(0) / 1000, rtol=1e-6)
    assert_array_equal(read_recording(path, leads=["V1"]).signal[0], recording.signal[6])
    assert 8 < len(recording.detect_r_peaks()[0]) < 20


@pytest.mark.parametrize(
    ("library", "extra", "content"),
    [("edfio", "edf", b"0       "), ("pydicom", "dicom", bytes(128) + b"DICM")],
)
def test_missing_library(
    tmp_path: Path, library: str, extra: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ecg").write_bytes(content)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"needs {library}.*pip install 'ecgclf\[{extra}\]'"):
        read_recording(tmp_path / "ecg")
