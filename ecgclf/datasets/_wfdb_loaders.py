"""Loaders of annotated databases in WFDB format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack, overload

import numpy as np

from ecgclf._docstrings import parameters_from
from ecgclf.datasets._beats import Arrays, Beats, Frames, check_leads, convert, cut_beats
from ecgclf.datasets._databases import (
    AAMI_OF_SYMBOL,
    WFDB_DESCR,
    Database,
    count_classes,
    find_database,
    underline,
    wrap_names,
)
from ecgclf.datasets._recordings import Leads, Recording, check_rate
from ecgclf.datasets._wfdb import read_wfdb
from ecgclf.datasets._windows import (
    AnnotatedSignal,
    BeatWindow,
    KaggleWindow,
    Window,
    as_window,
    describe_rows,
)


def load_wfdb(
    path: str | Path,
    *,
    database: str | Database | None = None,
    records: str | Sequence[str] = "all",
    annotator: str | None = None,
    labels: Mapping[str, str] | None = None,
    patients: Mapping[str, Any] | None = None,
    leads: Leads = None,
    fs: float | None = None,
    window: Window = (0.25, 0.45),
    rhythm: bool = True,
) -> Beats:
    """Load the annotated beats of any folder of WFDB records.

    Parameters
    ----------
    path : str or Path
        Folder of the WFDB files, such as `fetch` returns.
    database : str, Database or None, default=None
        A name in `DATABASES`, or an own entry, which gives the defaults for `annotator`,
        `labels`, `patients` and `leads`, and the description of the data. With None, they are
        "atr", the AAMI classes, each record as a patient, and the first lead.
    records : "all", name of a set of records, or list of str, default="all"
        Names of the records, with their folder if they are in one. "all" takes all annotated
        records in the folder, or the complete list if `database` has one.
    annotator : str or None, default=None
        Suffix of the annotation files.
    labels : mapping of str to str or None, default=None
        Class of each annotation symbol of a beat, such as `AAMI_OF_SYMBOL`. Annotations with
        other symbols are not beats.
    patients : mapping of str to object or None, default=None
        Patient of each record, by the name of the record.
    leads : str, int, sequence of these or None, default=None
        Leads by name in any case, such as ``"MLII"`` or ``("MLII", "V1")``, or by number from 0.
        None takes that of the database, or the first lead of records without it; ``lead`` in the
        result states which.
    fs : float or None, default=None
        Sampling rate of the windows in Hz. Whole records are resampled, with an anti-aliasing
        filter, before they are cut. None keeps the rate of the records, which then must be the
        same in all.
    window : tuple (before, after), "kaggle" or BeatWindow, default=(0.25, 0.45)
        Seconds around the beat, short for `FixedWindow`. Beyond the ends of a record its first
        or last value is repeated, so every beat is kept. ``"kaggle"``, short for `KaggleWindow`,
        cuts rows of 187 values at a third of the rate as in the Kaggle "heartbeat" set, see
        `load_kaggle_heartbeat`; it leaves out the last annotation of each record. `RRWindow`
        follows the heart rate.
    rhythm : bool, default=True
        Add the rhythm features of `rhythm_features`, computed over all annotated beats of a
        record.

    Returns
    -------
    Beats
        ``data`` is float32 of shape (n_beats, n_samples) for one lead and
        (n_beats, n_leads, n_samples) for several, in mV (scaled to [0, 1] with
        ``window="kaggle"``). ``target`` holds the classes, ``groups`` the patients, ``sample``
        the positions of the annotations at ``fs_record``. Records are in the order of
        `records`.

    Raises
    ------
    FileNotFoundError
        If a file of a record is missing.
    RecordError
        If a record is truncated, fails its checksum, or has unusable annotations.
    ValueError
        If a record is unknown or does not have the leads, records have different rates and `fs`
        is None, or a parameter is invalid.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf.datasets import load_wfdb, make_record
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for seed, name in enumerate(["a", "b"]):
    ...         record = make_record(folder, name, duration=10, random_state=seed)
    ...     beats = load_wfdb(folder, labels={"N": "normal", "V": "ventricular"}, fs=120)
    >>> sorted(set(beats.groups.tolist())), beats.target_names, beats.data.shape[1]
    (['a', 'b'], ('normal', 'ventricular'), 84)
    """
    folder = Path(path).expanduser()
    entry = find_database(database) if isinstance(database, str) else database
    if entry is None:
        title = f"records in {folder}"
        entry = Database("", "", title, "No database was named.", "", licence="unknown.")
    entry = replace(
        entry,
        annotator=entry.annotator if annotator is None else annotator,
        labels=entry.labels if labels is None else labels,
    )
    names = _record_names(records, entry, folder)
    if patients is not None:
        if missing := {Path(name).name for name in names}.difference(patients):
            raise ValueError(
                f"patients has no entry for record {min(missing)}. Give the patient of every "
                "record."
            )
        entry = replace(
            entry, patient=lambda record: patients[record.name], groups="as given by the caller."
        )
    wanted = check_leads(leads)
    cut = as_window(window)
    if entry.fs is not None:
        cut.rate(entry.fs, fs)  # check both before reading records

    parts = []
    used: Counter[tuple[str, ...]] = Counter()
    for name in names:
        place = folder / name
        record = read_wfdb(place.with_name(f"{place.name}.hea"), wanted, entry.annotator)
        if entry.fs is not None:
            check_rate(record, entry.fs)
        if wanted is None:
            # The Kaggle set has the first lead of every record.
            has_lead = entry.lead in record.leads and not isinstance(cut, KaggleWindow)
            record = record.pick([record.leads.index(entry.lead) if has_lead else 0])
        used[record.leads] += 1
        parts.append(_beats_of(record, entry, cut, fs, rhythm))
    joined = Beats.concat(parts)
    joined.DESCR = WFDB_DESCR.format(
        title=underline(f"Heartbeats of the {entry.title} {entry.version}".strip()),
        summary=entry.summary,
        counts=count_classes(joined.target, joined.target_names),
        records=wrap_names(names),
        leads=", ".join(f"{' + '.join(lead)} in {n} records" for lead, n in used.items()),
        windows=describe_rows(cut, joined.data.shape[-1], joined.fs, record.fs),
        classes=_describe_labels(entry.labels),
        groups=entry.groups,
        rhythm=wrap_names(joined.rhythm_names) or "not requested",
        cite=entry.cite,
    )
    return joined


class _Options(TypedDict, total=False):
    """Parameters of `load_mitbih` and `load_svdb` that do not change the type of the result."""

    records: str | Sequence[str]
    leads: Leads
    fs: float | None
    window: Window
    rhythm: bool


@overload
def load_mitbih(
    path: str | Path,
    *,
    records: str | Sequence[str] = ...,
    leads: Leads = ...,
    fs: float | None = ...,
    window: Window = ...,
    rhythm: bool = ...,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> Beats: ...
@overload
def load_mitbih(
    path: str | Path,
    *,
    return_X_y: Literal[True],
    as_frame: Literal[False] = ...,
    **options: Unpack[_Options],
) -> Arrays: ...
@overload
def load_mitbih(
    path: str | Path,
    *,
    return_X_y: Literal[True],
    as_frame: Literal[True],
    **options: Unpack[_Options],
) -> Frames: ...


@parameters_from(load_wfdb, convert)
def load_mitbih(
    path: str | Path,
    *,
    records: str | Sequence[str] = "all",
    leads: Leads = None,
    fs: float | None = None,
    window: Window = (0.25, 0.45),
    rhythm: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Beats | Arrays | Frames:
    """Load the annotated beats of the MIT-BIH Arrhythmia Database [2]_.

    Parameters
    ----------
    path : str or Path
        Folder of the WFDB files (``100.hea``, ``100.dat``, ``100.atr``, ...), as returned by
        `fetch_mitbih`.
    records : {"all", "ds1", "ds2"} or list of str, default="all"
        Names of the records; or all 48, or the training (DS1) or test records (DS2) of the
        inter-patient protocol of de Chazal et al. [1]_.
    leads : str, int, sequence of these or None, default=None
        Leads by name in any case, such as ``"MLII"`` or ``("MLII", "V1")``, or by number from 0.
        None takes MLII, or the first lead of records without MLII, which is V5 in records 102
        and 104; ``lead`` in the result states which. With ``window="kaggle"``, None takes the
        first lead of each record.

    Returns
    -------
    Beats or tuple (data, target)
        As from `load_wfdb`. ``target`` holds the AAMI classes "N", "S", "V", "F" and "Q".
        ``groups`` is the number of the subject; 201 and 202 are one person. ``fs_record`` is
        360 Hz.

    Raises
    ------
    FileNotFoundError, RecordError, ValueError
        As in `load_wfdb`.

    References
    ----------
    .. [1] de Chazal P, O'Dwyer M, Reilly RB. Automatic classification of heartbeats using
       ECG morphology and heartbeat interval features. IEEE Trans Biomed Eng 51(7), 2004.
    .. [2] Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng Med
       Biol 20(3), 2001.

    Examples
    --------
    >>> from ecgclf.datasets import fetch_mitbih, load_mitbih
    >>> beats = load_mitbih(fetch_mitbih(), records="ds1", fs=125)  # doctest: +SKIP
    >>> beats.data.shape  # doctest: +SKIP
    (51021, 87)
    """
    beats = load_wfdb(
        path, database="mitdb", records=records, leads=leads, fs=fs, window=window, rhythm=rhythm
    )
    return convert(beats, return_X_y=return_X_y, as_frame=as_frame)


@overload
def load_svdb(
    path: str | Path,
    *,
    records: str | Sequence[str] = ...,
    leads: Leads = ...,
    fs: float | None = ...,
    window: Window = ...,
    rhythm: bool = ...,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> Beats: ...
@overload
def load_svdb(
    path: str | Path,
    *,
    return_X_y: Literal[True],
    as_frame: Literal[False] = ...,
    **options: Unpack[_Options],
) -> Arrays: ...
@overload
def load_svdb(
    path: str | Path,
    *,
    return_X_y: Literal[True],
    as_frame: Literal[True],
    **options: Unpack[_Options],
) -> Frames: ...


@parameters_from(load_wfdb, convert)
def load_svdb(
    path: str | Path,
    *,
    records: str | Sequence[str] = "all",
    leads: Leads = None,
    fs: float | None = None,
    window: Window = (0.25, 0.45),
    rhythm: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Beats | Arrays | Frames:
    """Load the annotated beats of the MIT-BIH Supraventricular Arrhythmia Database [1]_.

    Parameters
    ----------
    path : str or Path
        Folder of the WFDB files (``800.hea``, ``800.dat``, ``800.atr``, ...), as returned by
        ``fetch("svdb")``.
    records : "all" or list of str, default="all"
        Names of the records. "all" takes all records in the folder, up to 78.
    leads : str, int, sequence of these or None, default=None
        Names of the leads, "ECG1" and "ECG2", or numbers from 0. None takes "ECG1".

    Returns
    -------
    Beats or tuple (data, target)
        As from `load_mitbih`, with the number of the record in ``groups``, because each record
        is from another patient, and ``fs_record`` = 128 Hz.

    Raises
    ------
    FileNotFoundError, RecordError, ValueError
        As in `load_wfdb`.

    References
    ----------
    .. [1] Greenwald SD. Improved detection and classification of arrhythmias in
       noise-corrupted electrocardiograms using contextual information. PhD thesis, 1990.

    Examples
    --------
    >>> from ecgclf.datasets import fetch, load_svdb
    >>> beats = load_svdb(fetch("svdb"))  # doctest: +SKIP
    """
    beats = load_wfdb(
        path, database="svdb", records=records, leads=leads, fs=fs, window=window, rhythm=rhythm
    )
    return convert(beats, return_X_y=return_X_y, as_frame=as_frame)


def _beats_of(
    record: Recording, database: Database, window: BeatWindow, fs: float | None, rhythm: bool
) -> Beats:
    """Cut the annotated beats of one record, in the leads that it has."""
    assert record.annotations is not None
    sample, symbol = record.annotations
    target = np.array([database.labels.get(mark, "") for mark in symbol.tolist()])
    is_beat = target != ""
    signal = record.stored() if window.any_unit else record.signal
    return cut_beats(
        AnnotatedSignal(record.name, signal, record.fs, sample[is_beat], marks=sample),
        window,
        fs=fs,
        target=target[is_beat],
        target_names=tuple(dict.fromkeys(database.labels.values())),
        group=record.name if database.patient is None else database.patient(record),
        leads=record.leads,
        rhythm=rhythm,
    )


def _record_names(
    records: str | Sequence[str], database: Database, folder: Path
) -> tuple[str, ...]:
    """Convert the `records` parameter to names."""
    sets = database.record_sets
    if isinstance(records, str) and records in sets:
        return sets[records]
    if isinstance(records, str) and records == "all":
        found = sorted(folder.rglob(f"*.{database.annotator}"))
        if not found:
            raise FileNotFoundError(
                f"{folder} contains no annotated records (*.{database.annotator}). Check the "
                "path; fetch() downloads databases and returns their folders."
            )
        return tuple(file.relative_to(folder).with_suffix("").as_posix() for file in found)
    if isinstance(records, str) or not isinstance(records, Iterable):
        known = ", ".join(f'"{name}"' for name in {"all": (), **sets})
        raise ValueError(
            f"records={records!r}: expected {known}, or a list of record names such as "
            '["100", "101"].'
        )
    names = tuple(str(name) for name in records)
    unknown = [name for name in names if name not in sets.get("all", names)]
    if unknown or not names:
        raise ValueError(
            f"records={list(records)!r}: {unknown or 'an empty list'} names no record of the "
            f"{database.title}. Its records are {' '.join(sets.get('all', ())) or 'unknown'}."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"records={list(records)!r} names a record twice. Name each once.")
    return names


def _describe_labels(labels: Mapping[str, str]) -> str:
    standard = "AAMI EC57 by" if labels == AAMI_OF_SYMBOL else "by"
    symbols: dict[str, list[str]] = {}
    for symbol, name in labels.items():
        symbols.setdefault(name, []).append(symbol)
    of_class = ", ".join(f"{name} = {' '.join(of)}" for name, of in symbols.items())
    return wrap_names(f"{standard} annotation symbol: {of_class}".split())
