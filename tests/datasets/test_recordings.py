"""Recordings and reading of WFDB files, against wfdb."""

from __future__ import annotations

import datetime
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import wfdb
from numpy.testing import assert_allclose, assert_array_equal

from ecgclf.datasets import (
    MITBIH_RECORDS,
    RecordError,
    Recording,
    _wfdb,
    detect_r_peaks,
    read_recording,
)
from ecgclf.datasets._recordings import millivolts_per

#: WFDB records of the shared folder, and the signals in them that are no voltages.
WFDB = {
    "100_3chan": set(),
    "310derive_3": set(),
    "311derive_4": set(),
    "binformats": set(),
    "flacformats": set(),
    "mixedsignals": {"ABP", "Pleth", "Resp"},
    "test01_00s": set(),
    "test01_00s_frame": set(),
    "test01_00s_skew": set(),
    "test01_00s_skewframe": set(),
    "v102s": {"PLETH", "RESP"},
    "multi-segment/041s/041s": {"ABP", "PAP"},
    "multi-segment/fixed1/v102s": {"PLETH", "RESP"},
    "multi-segment/s25047/s25047-2704-05-04-10-44": {"ABP"},
}


def write(folder: Path, name: str = "own", signal: np.ndarray | None = None, **changes) -> Path:
    """Write a WFDB record of two leads in format 16, and return the path of its header."""
    if signal is None:
        signal = np.random.default_rng(0).integers(-400, 400, size=(2, 1000))
    wfdb.wrsamp(
        name,
        fs=changes.pop("fs", 250),
        units=["mV"] * len(signal),
        sig_name=changes.pop("names", ["I", "II"]),
        d_signal=signal.T,
        fmt=[changes.pop("fmt", "16")] * len(signal),
        adc_gain=[200] * len(signal),
        baseline=[0] * len(signal),
        write_dir=str(folder),
        **changes,
    )
    return folder / f"{name}.hea"


def change(file: Path, *changes: tuple[str | bytes, str | bytes]) -> None:
    """Replace parts of a header."""
    content = file.read_bytes()
    for old, new in changes:
        old, new = (part.encode() if isinstance(part, str) else part for part in (old, new))
        assert old in content
        content = content.replace(old, new)
    file.write_bytes(content)


def expected(path: Path, lead: str, **options: int) -> np.ndarray:
    """Signal of a lead in mV as read by wfdb, at its own rate."""
    record = wfdb.rdrecord(str(path), smooth_frames=False, **options)
    number = record.sig_name.index(lead)
    return record.e_p_signal[number] * millivolts_per(record.units[number])


@pytest.mark.filterwarnings("ignore:.*which no ECG has", "ignore:.*leads at several rates")
@pytest.mark.parametrize("name", WFDB)
@pytest.mark.parametrize("frames", [_wfdb._FRAMES, 60])
def test_every_format_equals_wfdb(
    formats_dir: Path, name: str, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = formats_dir / "wfdb" / name
    monkeypatch.setattr(_wfdb, "_FRAMES", frames)
    record = wfdb.rdheader(str(path), rd_segments=True)
    names = record.sig_name or record.segments[0].sig_name
    for lead in names:
        if lead in WFDB[name]:
            with pytest.raises(RecordError, match=r"not in V, mV or µV; is it an ECG lead"):
                read_recording(path, leads=[lead])
            continue
        recording = read_recording(path, leads=[lead])
        assert_allclose(recording.signal[0], expected(path, lead), rtol=1e-6, atol=1e-7)


def test_every_mitbih_record_equals_wfdb(mitdb_dir: Path) -> None:
    for name in MITBIH_RECORDS:
        recording = read_recording(mitdb_dir / name)
        record = wfdb.rdrecord(str(mitdb_dir / name), physical=False)
        assert recording.leads == tuple(record.sig_name)
        assert_array_equal(recording.stored().T, record.d_signal, err_msg=name)
        physical = (record.d_signal - record.baseline) / record.adc_gain
        assert_array_equal(recording.signal.T, physical.astype(np.float32), strict=True)


def test_frank_leads_come_from_their_own_file(ptbdb_dir: Path) -> None:
    picked = read_recording(ptbdb_dir / "s0010_re").pick(["vz", "II"])
    record = wfdb.rdrecord(str(ptbdb_dir / "s0010_re"))
    assert picked.leads == ("vz", "ii")
    assert_array_equal(picked.signal, record.p_signal[:, [14, 1]].T.astype(np.float32))
    with pytest.raises(ValueError, match=r"Record s0010_re \(.*\) has no lead 'V9'; it has 'i',"):
        picked = read_recording(ptbdb_dir / "s0010_re").pick(["V9"])


def test_long_flac_file_is_read_in_parts(formats_dir: Path) -> None:
    path = formats_dir / "wfdb" / "flac_3_constant"
    recording = read_recording(path, leads=[1])
    assert recording.n_samples == 5_600_000
    assert_array_equal(np.unique(recording.signal), np.float32([0.25]))


def test_skew_of_two_leads_in_one_file(
    formats_dir: Path, mitdb_dir: Path, tmp_path: Path
) -> None:
    shutil.copy(formats_dir / "wfdb" / "100skew.hea", tmp_path)
    shutil.copy(mitdb_dir / "100.dat", tmp_path)
    recording = read_recording(tmp_path / "100skew")
    record = wfdb.rdrecord(str(tmp_path / "100skew"))
    assert_allclose(recording.signal, record.p_signal.T, rtol=1e-6)
    assert np.isnan(recording.signal[1, -3:]).all()
    assert not np.isnan(recording.signal[:, :-3]).any()


def test_variable_layout_with_a_gap(formats_dir: Path, tmp_path: Path) -> None:
    for file in (formats_dir / "wfdb" / "multi-segment" / "p000878").iterdir():
        shutil.copy(file, tmp_path)
    header = tmp_path / "p000878-2137-10-26-16-57.hea"
    # Two of 36 segments are there.
    lines = header.read_text().splitlines()
    lines[0] = lines[0].replace("/36", "/4").replace("52725000", "7500")
    header.write_text("\n".join(lines[:5]))
    recording = read_recording(tmp_path, leads=["II"])
    record = wfdb.rdrecord(str(header.with_suffix("")))
    assert_allclose(
        recording.signal[0], record.p_signal[:, record.sig_name.index("II")], rtol=1e-6
    )
    assert np.isnan(recording.signal[0, :5750]).all()
    assert recording.start == datetime.datetime(2137, 10, 26, 16, 57, 9)
    with pytest.raises(RecordError, match=r"'PLETH' .* is in 'NU'"):
        read_recording(tmp_path, leads=["PLETH"])


def test_recording_of_a_layout_and_a_gap(formats_dir: Path) -> None:
    folder = formats_dir / "wfdb" / "multi-segment" / "s00001"
    recording = read_recording(folder / "s00001-2896-10-09-01-56")
    assert recording.leads == ("II", "V", "MCL1")
    assert recording.signal.shape == (3, 7500)
    assert np.isnan(recording.signal).all()


@pytest.mark.parametrize(
    "missing", [("16", 16), ("212", 12), ("80", 8), ("24", 24), ("32", 32)], ids=lambda x: x[0]
)
def test_missing_samples(tmp_path: Path, missing: tuple[str, int]) -> None:
    fmt, bits = missing
    signal = np.random.default_rng(0).integers(-100, 100, size=(2, 1000))
    signal[0, 500] = signal[1, 20:30] = -(2 ** (bits - 1))
    path = write(tmp_path, signal=signal, fmt=fmt)
    recording = read_recording(path)
    assert_array_equal(np.isnan(recording.signal), signal == -(2 ** (bits - 1)))
    record = wfdb.rdrecord(str(path.with_suffix("")))
    assert_allclose(recording.signal, record.p_signal.T, rtol=1e-6)
    assert np.nanmax(recording.signal) <= 0.5


@pytest.mark.parametrize(
    ("fmt", "mark"),
    [
        *(("310", -512), ("311", -512), ("61", -32768), ("160", -32768)),
        *(("508", -128), ("516", -32768), ("524", -(2**23))),
    ],
)
def test_missing_samples_of_formats_that_wfdb_does_not_write(
    tmp_path: Path, fmt: str, mark: int
) -> None:
    samples = np.random.default_rng(0).integers(-100, 100, size=999)
    samples[[5, 7, 998]] = mark
    if fmt in ("310", "311"):
        one, two, three = (samples.reshape(-1, 3).T & 0x3FF).astype(np.uint32)
        if fmt == "310":
            low = one << 1 | (three & 0x1F) << 11
            high = two << 1 | three >> 5 << 11
            content = np.stack([low, high], 1).astype("<u2").tobytes()
        else:
            content = (one | two << 10 | three << 20).astype("<u4").tobytes()
    elif fmt in ("61", "160"):
        content = (
            samples.astype(">i2") if fmt == "61" else (samples + 32768).astype("<u2")
        ).tobytes()
    else:
        import soundfile

        subtype, shift = {"508": ("PCM_S8", 24), "516": ("PCM_16", 16), "524": ("PCM_24", 8)}[fmt]
        with (tmp_path / "own.dat").open("wb") as file:
            soundfile.write(
                file, (samples << shift).astype(np.int32), 96000, subtype, format="FLAC"
            )
        content = (tmp_path / "own.dat").read_bytes()
    (tmp_path / "own.dat").write_bytes(content)
    line = f"own.dat {fmt} 200 16 0 {samples[0]} {samples.sum()} 0 II"
    (tmp_path / "own.hea").write_text(f"own 1 360 999\n{line}\n")
    recording = read_recording(tmp_path / "own")
    assert_array_equal(np.isnan(recording.signal[0]), samples == mark)
    valid = samples != mark
    assert_allclose(recording.signal[0, valid], samples[valid] / 200, rtol=1e-6)
    assert_allclose(recording.signal[0], expected(tmp_path / "own", "II"), rtol=1e-6)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("mV", 1),
        ("mv", 1),
        ("MV", 1),
        ("uV", 1e-3),
        ("uv", 1e-3),
        ("µV", 1e-3),
        ("\u03bcV", 1e-3),
        (b"\xb5V", 1e-3),
        ("microvolt", 1e-3),
        ("nV", 1e-6),
        ("V", 1e3),
        ("Volt", 1e3),
    ],
)
def test_units(tmp_path: Path, unit: str | bytes, factor: float) -> None:
    path = write(tmp_path)
    encoded = unit if isinstance(unit, bytes) else unit.encode()
    change(path, (b"200(0)/mV", b"%.15g(0)/" % (200 * factor) + encoded))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recording = read_recording(path)
    record = wfdb.rdrecord(str(path.with_suffix("")), physical=False)
    assert_allclose(recording.signal, record.d_signal.T / 200, rtol=1e-6)
    assert millivolts_per(recording.units[0]) == pytest.approx(factor)


@pytest.mark.parametrize(("unit", "power"), [("V", r"e\+03"), ("nV", "e-06")])
def test_amplitude_that_no_ecg_has(tmp_path: Path, unit: str, power: str) -> None:
    path = write(tmp_path)
    change(path, ("/mV", f"/{unit}"))
    with pytest.warns(
        UserWarning,
        match=rf"lead I of own has a median amplitude of \S+{power} mV in 2 s.*'{unit}'",
    ):
        read_recording(path)


def test_a_wrong_unit_is_refused_for_the_leads_that_are_taken(tmp_path: Path) -> None:
    path = write(tmp_path)
    lines = path.read_text().splitlines()
    lines[2] = lines[2].replace("/mV", "/mmHg")
    path.write_text("\n".join(lines))
    assert read_recording(path).leads == ("I",)
    assert read_recording(path, leads=["I"]).leads == ("I",)
    with pytest.raises(RecordError, match=r"'II' of .* is in 'mmHg', not in V, mV or µV"):
        read_recording(path, leads=["I", "II"])
    path.write_text(path.read_text().replace("/mV", "/NU"))
    with pytest.raises(RecordError, match=r"no signal in V, mV or µV, only in 'NU', 'mmHg'"):
        read_recording(path)


def test_leads_of_several_rates(formats_dir: Path) -> None:
    path = formats_dir / "wfdb" / "test01_00s_frame"
    record = wfdb.rdrecord(str(path), smooth_frames=False)
    with pytest.warns(UserWarning, match=r"'ECG_2' were left out, which are not at 500 Hz"):
        assert read_recording(path).leads == ("ECG_1", "ECG_3")
    recording = read_recording(path, leads=["ECG_2"])
    assert recording.fs == record.fs * record.samps_per_frame[1] == 1000
    with pytest.raises(ValueError, match=r"'ECG_1' at 500 Hz, 'ECG_2' at 1000 Hz; read them"):
        read_recording(path, leads=["ECG_1", "ECG_2"])


def test_annotations_of_a_lead_with_several_samples_a_frame(tmp_path: Path) -> None:
    signal = np.random.default_rng(0).integers(-400, 400, size=(1, 2000))
    path = write(tmp_path, signal=signal, names=["II"], fs=500)
    change(path, (b"own 1 500 2000", b"own 1 250 1000"), (b".dat 16 ", b".dat 16x2 "))
    wfdb.wrann("own", "atr", np.array([10, 500]), ["N", "V"], write_dir=str(tmp_path))
    recording = read_recording(path, annotator="atr")
    assert recording.fs == 500
    assert recording.annotations is not None
    assert_array_equal(recording.annotations.sample, [20, 1000])
    assert_array_equal(recording.annotations.symbol, ["N", "V"])
    with pytest.raises(FileNotFoundError, match=r"own\.qrs is missing"):
        read_recording(path, annotator="qrs")


@pytest.mark.parametrize("fs", [249.99, 333.33, 512.414])
def test_rates_that_are_not_round(tmp_path: Path, fs: float) -> None:
    recording = read_recording(write(tmp_path, fs=fs))
    assert recording.fs == fs


def test_signals_without_a_description_or_with_one_name(tmp_path: Path) -> None:
    path = write(tmp_path)
    change(path, (" II\n", " ECG\n"), (" I\n", " ECG\n"))
    record = wfdb.rdrecord(str(path.with_suffix("")))
    assert_allclose(read_recording(path).signal, record.p_signal.T, rtol=1e-6)
    with pytest.raises(ValueError, match=r"several leads named 'ECG'; use their numbers, 0, 1"):
        read_recording(path, leads=["ECG"])
    for leads in ([1], ["1"], [1, 0], ["0", "1"]):
        recording = read_recording(path, leads=leads)
        assert_allclose(recording.signal, record.p_signal.T[[int(x) for x in leads]], rtol=1e-6)
    change(path, (" ECG", ""))
    assert read_recording(path).leads == ("lead 0", "lead 1")
    for leads, message in (
        (["V9"], r"no lead 'V9'; it has 'lead 0', 'lead 1', numbered from 0"),
        ([2], r"no lead 2;"),
        ([-1], r"no lead -1;"),
        ([], r"leads is empty"),
    ):
        with pytest.raises(ValueError, match=message):
            read_recording(path, leads=leads)


@pytest.mark.parametrize("name", ["rec.1.a", "my rec 2", "Jürgen", "100"])
@pytest.mark.parametrize("folder", ["", "some folder/", "data/"])
def test_names_of_all_kinds(tmp_path: Path, name: str, folder: str) -> None:
    signal = write(tmp_path)
    content = (tmp_path / "own.dat").read_bytes()
    text = (
        signal.read_text().replace("own 2", f"{folder}{name} 2").replace("own.dat", f"{name}.dat")
    )
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / f"{name}.dat").write_bytes(content)
    (tmp_path / "other" / f"{name}.hea").write_text(text, encoding="utf-8")
    for path in (name, f"{name}.hea", f"{name}.dat", ""):
        recording = read_recording(tmp_path / "other" / path)
        assert recording.name == name
        assert_array_equal(recording.signal, read_recording(signal).signal)


def test_date(tmp_path: Path) -> None:
    path = write(tmp_path, base_time=datetime.time(9, 30, 5), base_date=datetime.date(2024, 2, 1))
    assert read_recording(path).start == datetime.datetime(2024, 2, 1, 9, 30, 5)
    change(path, ("01/02/2024", "31/02/2024"))
    assert read_recording(path).start == datetime.datetime(1985, 1, 1, 9, 30, 5)
    change(path, ("09:30:05 31/02/2024", "9:30"))
    assert read_recording(path).start == datetime.datetime(1985, 1, 1, 9, 30)
    change(path, ("9:30", "25:61:00"))
    assert read_recording(path).start is None


def test_comments_and_length_that_is_not_stated(tmp_path: Path) -> None:
    path = write(tmp_path, comments=["69 M", "none"])
    change(path, ("own 2 250 1000", "own 2 250"))
    recording = read_recording(path)
    assert recording.comments == ("69 M", "none")
    assert recording.n_samples == 1000


def test_defaults_of_a_short_header(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text("own 2\nown.dat 16\nown.dat 16\n")
    recording = read_recording(path)
    record = wfdb.rdrecord(str(path.with_suffix("")))
    assert recording.fs == 250
    assert_allclose(recording.signal, record.p_signal.T, rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([("own.dat 16 ", "own.dat 17 ")], r"gives own\.dat the formats \[17\]"),
        ([("own 2 ", "own 3 ")], r"announces 3 signals or segments but has 2 lines"),
        (
            [("own 2 250", "own 2 fast")],
            r"expected the name of the record, the number of signals",
        ),
        ([("own.dat 16 200(0)", "own.dat 16 1-0(0)")], r"the gain is no number"),
        (
            [("own 2 250 1000", "own 2 250 1001")],
            r"truncated: it has 4,000 bytes, .* 4,004",
        ),
        (
            [("own 2 250 1000", "own 2 250 999")],
            r"damaged: the checksum of lead I is \d+",
        ),
        ([("own.dat", "gone.dat")], r"gone\.dat is missing, which .*own\.hea names"),
        ([("own 2 250 1000", "<html>404</html>")], r"own\.hea is not a readable WFDB header"),
        ([("own 2 250 1000", "own 0 250 1000")], r"own\.hea describes a record without signals"),
    ],
)
def test_damaged_records(tmp_path: Path, changes: list[tuple[str, str]], message: str) -> None:
    path = write(tmp_path)
    change(path, *changes)
    with pytest.raises((RecordError, FileNotFoundError), match=message):
        read_recording(path)


@pytest.mark.parametrize("at", [0, 3, 3999])
def test_one_flipped_bit_fails_the_checksum(tmp_path: Path, at: int) -> None:
    path = write(tmp_path)
    content = bytearray((tmp_path / "own.dat").read_bytes())
    content[at] ^= 1
    (tmp_path / "own.dat").write_bytes(content)
    with pytest.raises(RecordError, match=r"own\.dat is damaged: .* of lead \w+ is -?\d+.*again"):
        read_recording(path)


def test_empty_header_and_missing_segment(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "long.hea").write_text("long/2 2 250 2000\ngone 1000\nown 1000\n")
    with pytest.raises(FileNotFoundError, match=r"gone\.hea is missing"):
        read_recording(tmp_path / "long")
    (tmp_path / "long.hea").write_text("long/3 2 250 2500\nown 1000\n~ 500\nown 1000\n")
    # The folder contains one recording of three segments.
    recording = read_recording(tmp_path)
    one = read_recording(path).signal
    assert_array_equal(recording.signal[:, :1000], one)
    assert_array_equal(recording.signal[:, 1500:], one)
    assert np.isnan(recording.signal[:, 1000:1500]).all()
    path.write_text("# nothing\n")
    with pytest.raises(RecordError, match="is empty; expected the header"):
        read_recording(path)


@pytest.mark.parametrize("ending", [".hea", ".dat"])
@pytest.mark.parametrize("layout", ["", "layout 0\n"])
def test_a_missing_later_segment_is_a_gap(tmp_path: Path, ending: str, layout: str) -> None:
    path = write(tmp_path)
    write(tmp_path, "gone").with_suffix(ending).unlink()
    (tmp_path / "layout.hea").write_text(
        "layout 2 250 0\n~ 0 200 0 0 0 0 0 I\n~ 0 200 0 0 0 0 0 II\n"
    )
    segments = f"{layout}own 1000\ngone 1000\nown 1000\n"
    (tmp_path / "long.hea").write_text(f"long/{segments.count(chr(10))} 2 250 3000\n{segments}")
    with pytest.warns(UserWarning, match=rf"gone\{ending} is missing.* are NaN\."):
        recording = read_recording(tmp_path / "long")
    one = read_recording(path).signal
    assert_array_equal(recording.signal, np.hstack([one, np.full_like(one, np.nan), one]))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04..", "a ZIP archive"),
        (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
        (b"\x89HDF\r\n", "an HDF5 file"),
        (b"<?xml version='1.0'?>", "an XML file"),
        (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00SCPECG", "an SCP-ECG file"),
        (b"time,I,II\r\n0,1,2\r\n", "a text file"),
        (b"\x01\x02\x03", "a file of an unknown kind"),
        (b"", "empty"),
    ],
)
def test_files_of_other_kinds(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "ecg.bin"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=rf"ecg\.bin is {kind}; expected WFDB, EDF, BDF or"):
        read_recording(path)


def test_paths_without_a_recording(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no recording"):
        read_recording(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="contains no recording"):
        read_recording(tmp_path)
    write(tmp_path, "one")
    write(tmp_path, "two")
    with pytest.raises(ValueError, match=r"contains 2 recordings \(one\.hea, two\.hea"):
        read_recording(tmp_path)


def test_recording_from_arrays() -> None:
    signal = np.arange(20.0).reshape(2, 10)
    signal[1, 3] = np.nan
    recording = Recording(
        signal, 100, leads=["I", "II"], unit="V", annotations=([3, 5], ["N", "V"])
    )
    assert recording.signal.dtype == np.float32
    assert_array_equal(recording.signal, (signal * 1000).astype(np.float32))
    assert recording.annotations is not None
    assert_array_equal(recording.annotations.sample, [3, 5])
    assert_array_equal(recording.read(4, 99), recording.signal[:, 4:])
    assert_array_equal(recording.read(-3), recording.signal[:, -3:])
    assert repr(recording) == "<Recording recording: I, II, 10 samples at 100 Hz>"


@pytest.mark.parametrize(
    ("signal", "parameters", "message"),
    [
        (np.zeros((1000, 2)), {}, r"more leads than samples.*signal\.T"),
        (np.zeros((2, 1000)), {"leads": ["I"]}, r"a name for each of the 2 leads"),
        (np.zeros(1000), {"unit": "mmHg"}, r"unit='mmHg': expected V, mV, µV or nV"),
        (np.zeros(1000), {"fs": 0}, r"fs=0: expected a positive number"),
    ],
)
def test_recording_from_wrong_arrays(signal: np.ndarray, parameters: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recording(signal, **{"fs": 100, **parameters})


def test_r_peaks_of_a_recording_are_those_of_its_signal(mitdb_dir: Path) -> None:
    recording = read_recording(mitdb_dir / "223")
    peaks, unreadable = recording.detect_r_peaks()
    expected_peaks, expected_unreadable = detect_r_peaks(
        recording.signal, recording.fs, return_unreadable=True
    )
    assert_array_equal(peaks, expected_peaks)
    assert_array_equal(unreadable, expected_unreadable)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the proc file system")
def test_24_hours_of_three_leads_need_less_than_400_mb(tmp_path: Path) -> None:
    n_samples = 24 * 3600 * 250
    rng = np.random.default_rng(0)
    block = rng.integers(0, 256, size=9_000_000, dtype=np.uint8).tobytes()
    size = n_samples * 3 * 3 // 2
    with (tmp_path / "day.dat").open("wb") as file:
        for start in range(0, size, len(block)):
            file.write(block[: size - start])
    lines = [f"day 3 250 {n_samples}", *("day.dat 212 200 12 0 0" for _ in range(3))]
    (tmp_path / "day.hea").write_text("\n".join(lines))
    program = (
        "import re, sys\n"
        "from ecgclf.datasets import read_recording\n"
        "recording = read_recording(sys.argv[1])\n"
        "starts = range(0, recording.n_samples, 150_000)\n"
        "total = sum(recording.read(at, at + 150_000).shape[1] for at in starts)\n"
        "status = open('/proc/self/status').read()\n"
        "print(total, int(re.search(r'VmHWM:\\s*(\\d+)', status)[1]) // 1000)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "day")],
        capture_output=True,
        text=True,
        check=True,
    )
    total, megabytes = map(int, result.stdout.split())
    assert total == n_samples
    assert megabytes < 400
