"""Loader of the PTB Diagnostic ECG Database."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, overload

import numpy as np

from ecgclf._docstrings import parameters_from
from ecgclf.datasets._beats import Arrays, Beats, Frames, check_leads, convert, cut_beats
from ecgclf.datasets._databases import (
    PTBDB_DESCR,
    PTBDB_FROM_CSV,
    PTBDB_FROM_RECORDS,
    count_classes,
)
from ecgclf.datasets._kaggle import beats_of_csv
from ecgclf.datasets._r_peaks import detect_r_peaks
from ecgclf.datasets._recordings import Leads, Recording, check_rate
from ecgclf.datasets._wfdb import read_wfdb
from ecgclf.datasets._wfdb_loaders import load_wfdb
from ecgclf.datasets._windows import (
    AnnotatedSignal,
    BeatWindow,
    FixedWindow,
    Window,
    as_window,
    describe_rows,
)

PTBDB_CLASSES = ("healthy", "infarction")

#: Sampling rate of the database, and the rate of the CSV files according to the paper, in Hz.
PTBDB_FS, CSV_FS = 1000.0, 125.0

_CLASS_OF_REASON = {"healthy control": "healthy", "myocardial infarction": "infarction"}
_REASON = "reason for admission:"
_CSV_FILES = ("ptbdb_normal.csv", "ptbdb_abnormal.csv")


@overload
def load_ptbdb(
    path: str | Path,
    *,
    leads: Leads = ...,
    fs: float | None = ...,
    window: Window = ...,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> Beats: ...
@overload
def load_ptbdb(
    path: str | Path,
    *,
    leads: Leads = ...,
    fs: float | None = ...,
    window: Window = ...,
    return_X_y: Literal[True],
    as_frame: Literal[False] = ...,
) -> Arrays: ...
@overload
def load_ptbdb(
    path: str | Path,
    *,
    leads: Leads = ...,
    fs: float | None = ...,
    window: Window = ...,
    return_X_y: Literal[True],
    as_frame: Literal[True],
) -> Frames: ...


@parameters_from(load_wfdb, convert)
def load_ptbdb(
    path: str | Path,
    *,
    leads: Leads = None,
    fs: float | None = None,
    window: Window = (0.25, 0.45),
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Beats | Arrays | Frames:
    """Load beats of patients with a myocardial infarction and of healthy controls.

    Parameters
    ----------
    path : str or Path
        Folder with the raw records of the PTB Diagnostic ECG Database [1]_, directly or in
        folders ``patientNNN`` as on PhysioNet; or folder with ``ptbdb_normal.csv`` and
        ``ptbdb_abnormal.csv`` of the Kaggle set [2]_. Records have priority.
    leads : str, int, sequence of these or None, default=None
        Numbers of the leads from 0, or their names in any case: "i", "ii", "iii", "avr", "avl",
        "avf", "v1" to "v6", and the Frank leads "vx", "vy", "vz". R peaks are detected in the
        first of them. None takes lead ii.

    Returns
    -------
    Beats or tuple (data, target)
        ``target`` is "healthy" or "infarction", by the reason for admission in the header of the
        record; records with another reason are left out. From the records, ``data`` is float32
        in mV of shape (n_beats, n_samples), with several leads (n_beats, n_leads, n_samples);
        ``groups`` is the patient, ``sample`` the R peak at ``fs_record`` = 1000 Hz; ``rhythm``
        as from `rhythm_features`. From the CSV files, ``data`` has the shape (n_beats, 187) and
        is scaled to [0, 1], and ``groups``, ``record``, ``sample``, ``lead`` and ``rhythm`` are
        None.

    Raises
    ------
    FileNotFoundError
        If the folder contains neither records nor the two CSV files.
    RecordError
        If a record is truncated or fails its checksum.
    ValueError
        If a lead is missing, `fs` or `window` is invalid or given for CSV files, no record has
        one of the two diagnoses, or a CSV file has an invalid row.

    Warns
    -----
    UserWarning
        If a CSV file is not the published one.

    Notes
    -----
    The patient is the folder ``patientNNN``. Records outside such folders are taken to be of
    one patient if their headers agree in everything except the date of the ECG. The patient
    is then named after the first of these records.

    References
    ----------
    .. [1] Bousseljot R, Kreiseler D, Schnabel A. Nutzung der EKG-Signaldatenbank CARDIODAT
       der PTB über das Internet. Biomedizinische Technik 40(s1), 1995.
    .. [2] Kachuee M, Fazeli S, Sarrafzadeh M. ECG heartbeat classification: a deep
       transferable representation. IEEE ICHI, 2018. arXiv:1805.00794.

    Examples
    --------
    >>> from ecgclf.datasets import fetch_ptbdb, load_ptbdb
    >>> beats = load_ptbdb(fetch_ptbdb(), leads=("ii", "v2"), fs=250)  # doctest: +SKIP
    >>> beats.data.shape[1:]  # doctest: +SKIP
    (2, 174)
    """
    folder = Path(path).expanduser()
    wanted = check_leads(leads)
    cut = as_window(window)
    cut.rate(PTBDB_FS, fs)  # check both before reading records

    headers = sorted(folder.rglob("*.hea"))
    if headers:
        beats = _from_records(folder, headers, wanted or ("ii",), fs, cut)
    elif all((folder / name).is_file() for name in _CSV_FILES):
        if wanted or fs is not None or cut != FixedWindow():
            raise ValueError(
                f"{folder} contains CSV files with windows of their own, so leads, fs and window "
                "cannot be chosen. Leave them out, or pass the folder of the raw records."
            )
        beats = beats_of_csv([folder / name for name in _CSV_FILES], PTBDB_CLASSES, CSV_FS)
    else:
        raise FileNotFoundError(
            f"{folder} contains neither WFDB records (*.hea) nor {' and '.join(_CSV_FILES)}. "
            "fetch_ptbdb() downloads the records and returns their folder."
        )
    counts = count_classes(beats.target, PTBDB_CLASSES)
    beats.DESCR = PTBDB_DESCR.format(source=beats.DESCR or PTBDB_FROM_CSV, counts=counts)
    return convert(beats, return_X_y=return_X_y, as_frame=as_frame)


def _from_records(
    folder: Path,
    headers: list[Path],
    leads: tuple[str | int, ...],
    fs: float | None,
    window: BeatWindow,
) -> Beats:
    """Detect and cut the beats of all records with one of the two diagnoses."""
    parts = []
    first_with: dict[tuple[str, ...], str] = {}
    for header in headers:
        record = read_wfdb(header, None, None)
        check_rate(record, PTBDB_FS)
        diagnosis = _diagnosis(record)
        if diagnosis is None:
            continue
        patient = _patient(record, first_with)
        record = record.pick(leads)
        peaks = detect_r_peaks(record.pick([0]).signal[0], record.fs)
        signal = record.stored() if window.any_unit else record.signal
        beats = cut_beats(
            AnnotatedSignal(record.name, signal, record.fs, positions=peaks, marks=peaks),
            window,
            fs=fs,
            target=np.full(len(peaks), diagnosis),
            target_names=PTBDB_CLASSES,
            group=patient,
            leads=record.leads,
            rhythm=True,
        )
        parts.append(beats)
    if not parts:
        raise ValueError(
            f"None of the {len(headers):,} records in {folder} has the reason for admission "
            '"Myocardial infarction" or "Healthy control" in its header. Check that they are '
            "records of the PTB Diagnostic ECG Database."
        )
    groups = "the patient, from the folder of the record."
    if first_with:
        groups += (
            " Records outside such folders\n          are of one patient if their headers agree "
            f"except for the date of the ECG ({len(first_with)})."
        )
    beats = Beats.concat(parts)
    beats.DESCR = PTBDB_FROM_RECORDS.format(
        n_used=len(parts),
        n_found=len(headers),
        folder=folder,
        n_other=len(headers) - len(parts),
        n_without_peaks=sum(len(part.target) == 0 for part in parts),
        leads=", ".join(map(str, leads)),
        first_lead=leads[0],
        windows=describe_rows(window, beats.data.shape[-1], beats.fs, PTBDB_FS),
        groups=groups,
    )
    return beats


def _diagnosis(record: Recording) -> str | None:
    """Return the class of a record by its header, None for another diagnosis or none."""
    for comment in record.comments:
        if comment.lower().startswith(_REASON):
            return _CLASS_OF_REASON.get(comment[len(_REASON) :].strip().lower())
    return None


def _patient(record: Recording, first_with: dict[tuple[str, ...], str]) -> str:
    """Return the patient of a record by its folder, or by the rest of its header.

    `first_with` maps each clinical summary to the first record that had it.
    """
    in_folder = Path(record.path or "").resolve().parent.name
    if re.fullmatch(r"patient\d+", in_folder):
        return in_folder
    summary = tuple(c for c in record.comments if not c.lower().startswith("ecg date:"))
    return first_with.setdefault(summary, record.name)
