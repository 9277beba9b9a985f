"""Reader of recordings: finds the file, tells its format, and reads EDF, BDF and DICOM."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgclf._extras import import_extra
from ecgclf.datasets._annotations import RecordError, explain_damage
from ecgclf.datasets._recordings import (
    UNKNOWN_DATE,
    Leads,
    Piece,
    Recording,
    choose_leads,
    decode,
    millivolts_per,
)
from ecgclf.datasets._wfdb import read_wfdb

#: Endings of files that are read directly.
_ENDINGS = (".hea", ".edf", ".bdf", ".dcm")

#: First bytes of files of other kinds.
_OTHER_KINDS = {
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"MATLAB": "a MATLAB file",
    b"\x89HDF": "an HDF5 file",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"\x93NUMPY": "a NumPy file",
    b"ISHNE1.0": "an ISHNE file",
    b"GDF ": "a GDF file",
    b"<?xml": "an XML file",
    b"{": "a JSON file",
}


def read_recording(
    path: str | os.PathLike[str],
    leads: Leads = None,
    *,
    annotator: str | None = None,
) -> Recording:
    """Read an ECG recording of any supported format.

    ======== =====================================================================================
    WFDB     all storage formats, also FLAC; several samples per frame, skew, and segments with a
             fixed or variable layout and gaps between them
    EDF, BDF also EDF+ and BDF+ with gaps; needs ``pip install 'ecgclf[edf]'``
    DICOM    waveforms; needs ``pip install 'ecgclf[dicom]'``
    ======== =====================================================================================

    Samples that a file marks as missing, and gaps between segments, are NaN. Signals of other
    units than V, mV, µV and nV may be in the file and are left out.

    Parameters
    ----------
    path : str or path-like
        The file, with or without its ending, or the folder of one recording.
    leads : str, int or sequence of these, optional
        Leads to read, by name in any case or by number from 0. Default: all signals with a unit
        of voltage that have the rate of the first one.
    annotator : str, optional
        Ending of the WFDB annotation file, such as "atr". For EDF+ and BDF+, any text reads the
        annotations in the file. Default: no annotations.

    Returns
    -------
    Recording
        The signal in mV, its leads, rate, start and annotations.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder, or a file of the recording is missing.
    ImportError
        If the library for the format is not installed.
    RecordError
        If a file is damaged or of another kind.
    ValueError
        If a lead is unknown or ambiguous, or the leads have several rates.

    Warns
    -----
    UserWarning
        If the amplitude of a lead cannot be that of an ECG in mV, or leads at other rates were
        left out.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf.datasets import make_record, read_recording
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = make_record(folder, duration=10, random_state=0)
    ...     recording = read_recording(path, leads=["V1"], annotator="atr")
    >>> recording
    <Recording synthetic: V1, 3,600 samples at 360 Hz>
    >>> recording.signal.shape, recording.annotations.symbol[:2].tolist()
    ((1, 3600), ['+', 'N'])
    """
    file = find_recording(Path(path).expanduser())
    with explain_damage(file):
        return _read(file, leads, annotator)


def _read(file: Path, leads: Leads, annotator: str | None) -> Recording:
    """Read a file by its format."""
    if file.suffix.lower() == ".hea":
        return read_wfdb(file, leads, annotator)
    with file.open("rb") as stream:
        start = stream.read(132)
    if start[:8] == b"0       " or start[:8] == b"\xffBIOSEMI":
        return _read_edf(file, leads, annotator)
    if start[128:132] == b"DICM":
        return _read_dicom(file, leads)
    kind = next((kind for first, kind in _OTHER_KINDS.items() if start.startswith(first)), None)
    if b"SCPECG" in start:
        kind = "an SCP-ECG file"
    if kind is None:
        is_text = bool(start) and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start)
        kind = "a text file" if is_text else "a file of an unknown kind" if start else "empty"
    raise RecordError(
        f"{file} is {kind}; expected WFDB, EDF, BDF or DICOM. Read it otherwise and make a "
        "Recording of the arrays."
    )


def find_recording(path: Path) -> Path:
    """Find the header or the file that a path means."""
    if path.is_dir():
        return _find_in_folder(path)
    if path.is_file() and path.suffix.lower() in _ENDINGS:
        return path
    # Of "100.dat", "100.atr" and the like, the header has the same stem.
    beside = [path.with_name(path.name + ending) for ending in _ENDINGS]
    for file in [*beside, path.with_suffix(".hea"), path]:
        if file.is_file():
            return file
    raise FileNotFoundError(
        f"there is no recording {path}; expected the path of a file, with or without its ending, "
        "or of the folder of one recording"
    )


def _find_in_folder(folder: Path) -> Path:
    """Find the one recording in a folder."""
    whole = recordings_in(folder)
    if len(whole) == 1:
        return whole[0]
    if not whole:
        raise FileNotFoundError(f"{folder} contains no recording; expected a {_ENDINGS} file")
    names = ", ".join(file.name for file in whole[:5])
    raise ValueError(f"{folder} contains {len(whole)} recordings ({names} ...); name one of them")


def recordings_in(folder: Path) -> list[Path]:
    """List the files of the recordings in a folder, without the segments of recordings."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _ENDINGS)
    # The segments of a recording have headers too, which its own header names.
    segments = {
        line.split()[0]
        for file in files
        if file.suffix.lower() == ".hea"
        for line in decode(file.read_bytes()).splitlines()[1:]
        if len(line.split()) == 2
    }
    return [file for file in files if file.stem not in segments]


def _read_edf(path: Path, leads: Leads, annotator: str | None) -> Recording:
    """Read an EDF or BDF file."""
    edfio = import_extra("edfio", "Reading EDF and BDF files")
    with path.open("rb") as stream:
        is_bdf = stream.read(1) == b"\xff"
    try:
        edf: Any = edfio.read_bdf(path) if is_bdf else edfio.read_edf(path)
    except Exception as error:
        raise RecordError(
            f"{path} cannot be read as {'BDF' if is_bdf else 'EDF'} ({error})."
        ) from error
    labels, units, counts = _read_edf_header(path)
    is_note = [label in ("EDF Annotations", "BDF Annotations") for label in labels]
    names = [label for label, note in zip(labels, is_note) if not note]
    units = [unit for unit, note in zip(units, is_note) if not note]
    rates = [signal.sampling_frequency for signal in edf.signals]
    rows = choose_leads(leads, names, units, rates, f"Record {path.stem} ({path})")
    width = 3 if is_bdf else 2
    n_bytes = 256 * (1 + len(counts)) + edf.num_data_records * width * sum(counts)
    if not edf.num_data_records or path.stat().st_size < n_bytes:
        raise RecordError(
            f"{path} has {path.stat().st_size:,} bytes, but its header announces "
            f"{edf.num_data_records:,} data records. Download it again."
        )
    duration = edf.data_record_duration
    onsets = np.arange(edf.num_data_records) * duration
    if not edf.is_continuous:
        onsets = _read_onsets(path, counts, is_note.index(True), width, edf.num_data_records)
    fs, per_record = rates[rows[0]], edf.signals[rows[0]].samples_per_data_record
    place = np.rint((onsets - onsets[0]) * fs).astype(np.int64)
    # Records that follow one another without a gap are one piece.
    starts = np.flatnonzero(np.diff(place, prepend=place[0] - per_record - 1) != per_record)
    ends = np.append(starts[1:], len(place))
    pieces = []
    for lead, row in enumerate(rows):
        signal = edf.signals[row]
        digital = signal.digital
        per_unit = (signal.digital_max - signal.digital_min) / (
            signal.physical_max - signal.physical_min
        )
        zero = signal.digital_min - signal.physical_min * per_unit
        gain = per_unit / (millivolts_per(units[row]) or 1.0)
        for first, end in zip(starts, ends):
            values = digital[first * per_record : end * per_record]
            pieces.append(Piece(lead, int(place[first]), values, gain, zero))
    day, start = UNKNOWN_DATE, None
    # A date may be anonymised; the library raises errors of many kinds for a broken one.
    with suppress(Exception):
        day = edf.startdate
    with suppress(Exception):
        start = datetime.combine(day, edf.starttime)
    annotations = None
    if annotator is not None:
        origin = 0 if edf.is_continuous else onsets[0]
        sample = [round((note.onset - origin) * fs) for note in edf.annotations]
        annotations = sample, [note.text for note in edf.annotations]
    return Recording._from_pieces(
        pieces,
        int(place.max()) + per_record,
        fs,
        leads=[names[row] for row in rows],
        units=[units[row] for row in rows],
        start=start,
        path=path,
        annotations=annotations,
    )


def _read_edf_header(path: Path) -> tuple[list[str], list[str], list[int]]:
    """Read labels, units and samples per data record from the bytes of the header."""
    with path.open("rb") as stream:
        n_signals = int(stream.read(256)[252:])
        content = stream.read(256 * n_signals)

    def column(before: int, width: int) -> list[str]:
        start = before * n_signals
        cells = (content[start + i * width : start + (i + 1) * width] for i in range(n_signals))
        return [decode(cell).strip() for cell in cells]

    return column(0, 16), column(96, 8), [int(count) for count in column(216, 8)]


def _read_onsets(
    path: Path, counts: Sequence[int], notes: int, width: int, n_records: int
) -> NDArray[np.float64]:
    """Read when each data record begins, from the first annotation in each."""
    first, size = width * sum(counts[:notes]), width * sum(counts)
    content = np.memmap(path, mode="r", offset=256 * (len(counts) + 1))
    onsets = []
    for record in range(n_records):
        start = record * size + first
        text = content[start : start + width * counts[notes]].tobytes()
        found = re.match(rb"([+-]\d+(?:\.\d*)?)[\x14\x15]", text)
        if found is None:
            raise RecordError(f"{path}: data record {record} does not say when it begins.")
        onsets.append(float(found[1]))
    return np.array(onsets)


def _read_dicom(path: Path, leads: Leads) -> Recording:
    """Read the longest waveform of a DICOM file."""
    pydicom = import_extra("pydicom", "Reading DICOM files")
    dataset = pydicom.dcmread(path)
    groups = dataset.get("WaveformSequence")
    if not groups:
        raise RecordError(f"{path} is a DICOM file without waveforms; expected an ECG waveform.")
    number = max(range(len(groups)), key=lambda i: groups[i].NumberOfWaveformSamples)
    group = groups[number]
    try:
        values = pydicom.waveforms.multiplex_array(dataset, number, as_raw=True)
    except Exception as error:
        raise RecordError(f"the waveform of {path} cannot be read ({error}).") from error
    channels = group.ChannelDefinitionSequence
    names = [_name_channel(channel, row) for row, channel in enumerate(channels)]
    unit_codes = [channel.get("ChannelSensitivityUnitsSequence") for channel in channels]
    units = [str(codes[0].get("CodeValue", "")) if codes else "" for codes in unit_codes]
    fs = float(group.SamplingFrequency)
    rows = choose_leads(leads, names, units, [fs] * len(names), f"Record {path.stem} ({path})")
    padding = group.get("WaveformPaddingValue")
    if isinstance(padding, bytes):
        padding = int.from_bytes(padding, "little", signed=values.dtype.kind == "i")
    pieces = []
    for lead, row in enumerate(rows):
        channel = channels[row]
        step = float(channel.get("ChannelSensitivity") or 1.0)
        step *= float(channel.get("ChannelSensitivityCorrectionFactor") or 1.0)
        offset = float(channel.get("ChannelBaseline") or 0.0)
        gain = 1 / (step * (millivolts_per(units[row]) or 1.0))
        pieces.append(Piece(lead, 0, values[:, row], gain, -offset / step, padding))
    start = None
    with suppress(ValueError):
        time = str(dataset.get("AcquisitionDateTime", ""))
        start = datetime.strptime(time[:14], "%Y%m%d%H%M%S")  # without fraction and zone
    return Recording._from_pieces(
        pieces,
        len(values),
        fs,
        leads=[names[row] for row in rows],
        units=[units[row] for row in rows],
        start=start,
        path=path,
    )


def _name_channel(channel: Any, number: int) -> str:
    """Name a channel, "I" for "Lead I (Einthoven)"."""
    source = channel.get("ChannelSourceSequence")
    text = str(source[0].get("CodeMeaning", "")) if source else ""
    text = text or str(channel.get("ChannelLabel", ""))
    return re.sub(r"^lead\s+|\s*\(.*\)$", "", text, flags=re.IGNORECASE) or f"lead {number}"
