"""Load beats of the MIT-BIH Arrhythmia Database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgclf.datasets import _descriptions as descriptions
from ecgclf.datasets._beats import Beats, check_leads, finish, join, segment
from ecgclf.datasets._labels import (
    AAMI_CLASSES,
    AAMI_OF_SYMBOL,
    DS1,
    DS2,
    MITBIH_RECORDS,
    mitbih_subject,
)
from ecgclf.datasets._records import Record, read_record
from ecgclf.datasets._rhythm import RHYTHM_NAMES
from ecgclf.datasets._windows import AnnotatedSignal, BeatWindow, KaggleWindow, as_window

#: Sampling rate of the database in Hz.
MITBIH_FS = 360.0

_RECORD_SETS = {"all": MITBIH_RECORDS, "ds1": DS1, "ds2": DS2}


@overload
def load_mitbih(
    path: str | Path,
    *,
    records: str | Sequence[str] = ...,
    leads: str | Sequence[str] | None = ...,
    fs: float | None = ...,
    window: tuple[float, float] | Literal["kaggle"] | BeatWindow = ...,
    rhythm: bool = ...,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> Beats: ...


@overload
def load_mitbih(
    path: str | Path,
    *,
    records: str | Sequence[str] = ...,
    leads: str | Sequence[str] | None = ...,
    fs: float | None = ...,
    window: tuple[float, float] | Literal["kaggle"] | BeatWindow = ...,
    rhythm: bool = ...,
    return_X_y: Literal[True],
    as_frame: Literal[False] = ...,
) -> tuple[NDArray[np.float32], NDArray[np.str_]]: ...


@overload
def load_mitbih(
    path: str | Path,
    *,
    records: str | Sequence[str] = ...,
    leads: str | Sequence[str] | None = ...,
    fs: float | None = ...,
    window: tuple[float, float] | Literal["kaggle"] | BeatWindow = ...,
    rhythm: bool = ...,
    return_X_y: Literal[True],
    as_frame: Literal[True],
) -> tuple[pd.DataFrame, pd.Series]: ...


def load_mitbih(
    path: str | Path,
    *,
    records: str | Sequence[str] = "all",
    leads: str | Sequence[str] | None = None,
    fs: float | None = None,
    window: tuple[float, float] | Literal["kaggle"] | BeatWindow = (0.25, 0.45),
    rhythm: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Beats | tuple[Any, Any]:
    """Load the annotated beats of the MIT-BIH Arrhythmia Database from its records.

    Parameters
    ----------
    path : str or Path
        Folder with the WFDB files (``100.hea``, ``100.dat``, ``100.atr``, ...), such as
        `fetch_mitbih` returns.
    records : {"all", "ds1", "ds2"} or list of str, default="all"
        Names of the records, or one of the sets: all 48, or the training (DS1) or test
        records (DS2) of the inter-patient protocol of de Chazal et al. 2004 [1]_.
    leads : str, sequence of str or None, default=None
        Leads by name, such as ``"MLII"`` or ``("MLII", "V1")``. None takes MLII where a
        record has it, else the record's first lead, which is V5 in records 102 and 104;
        `lead` in the result says which. With ``window="kaggle"``, None takes the first lead
        of each record.
    fs : float or None, default=None
        Sampling rate of the windows in Hz. The record is brought to it as a whole, with an
        anti-aliasing filter. None keeps the records' 360 Hz.
    window : tuple (before, after), "kaggle" or BeatWindow, default=(0.25, 0.45)
        Seconds around the annotated beat, short for `FixedWindow`. Beyond a record's ends its
        first or last value is repeated, so every annotated beat is kept. ``"kaggle"``, short
        for `KaggleWindow`, cuts rows of 187 values by the recipe of the Kaggle "heartbeat"
        set, see `load_kaggle_heartbeat`; it leaves out the last annotation of each record, and
        has its own rate of 120 Hz. `RRWindow` goes by the heart rate.
    rhythm : bool, default=True
        Add the rhythm features of `rhythm_features`, computed over the annotated beats of
        the whole record.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of the container.
    as_frame : bool, default=False
        Give ``data``, ``rhythm`` and ``target`` as pandas objects and add ``frame``.

    Returns
    -------
    Beats or tuple (data, target)
        ``data`` is float32 of shape (n_beats, n_samples) for one lead and
        (n_beats, n_leads, n_samples) for several, in mV (scaled to [0, 1] with
        ``window="kaggle"``). ``target`` holds the AAMI classes "N", "S", "V", "F" and "Q".
        ``groups`` is the number of the subject; 201 and 202 are one person. ``sample`` is the
        position of the annotation at ``fs_record`` = 360 Hz. Records follow each other in
        the order asked for.

    Raises
    ------
    FileNotFoundError
        If a file of a record is missing.
    RecordError
        If a record is truncated, fails its checksum, or has unusable annotations.
    ValueError
        If a record is unknown, lacks a lead asked for, or `fs` or `window` make no sense.

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
    folder = Path(path).expanduser()
    names = _record_names(records)
    wanted = check_leads(leads)
    cut = as_window(window)
    by_kaggle_recipe = isinstance(cut, KaggleWindow)
    fs_beats = cut.rate(MITBIH_FS, fs)

    parts = []
    used: Counter[tuple[str, ...]] = Counter()
    for name in names:
        record = read_record(folder, name)
        record.require_rate(MITBIH_FS)
        record = record.pick(wanted or _default_lead(record, first=by_kaggle_recipe))
        used[record.leads] += 1
        parts.append(_beats(record, cut, fs=fs, rhythm=rhythm))

    beats = join(
        parts,
        rhythm_names=RHYTHM_NAMES if rhythm else (),
        fs=fs_beats,
        fs_record=MITBIH_FS,
        target_names=AAMI_CLASSES,
    )
    beats.DESCR = _describe(beats, names, used, cut)
    return finish(beats, return_X_y=return_X_y, as_frame=as_frame)


def _beats(record: Record, window: BeatWindow, *, fs: float | None, rhythm: bool) -> Beats:
    """Cut the beats of one record whose leads are chosen."""
    aami = np.array([AAMI_OF_SYMBOL.get(symbol, "") for symbol in record.symbol.tolist()])
    is_beat = aami != ""
    recording = AnnotatedSignal(
        name=record.name,
        signal=record.adc if window.any_unit else record.millivolts(),
        fs=record.fs,
        positions=record.sample[is_beat],
        marks=record.sample,
    )
    return segment(
        recording,
        window,
        fs=fs,
        target=aami[is_beat],
        group=mitbih_subject(record.name),
        leads=record.leads,
        rhythm=rhythm,
    )


def _record_names(records: str | Sequence[str]) -> tuple[str, ...]:
    """Names of the records that the `records` parameter asks for."""
    if isinstance(records, str) and records in _RECORD_SETS:
        return _RECORD_SETS[records]
    if isinstance(records, str) or not isinstance(records, Iterable):
        raise ValueError(
            f'records={records!r}: expected "all", "ds1", "ds2", or a list of record names '
            'such as ["100", "101"]'
        )
    names = tuple(str(name) for name in records)
    unknown = [name for name in names if name not in MITBIH_RECORDS]
    if unknown or not names:
        raise ValueError(
            f"records={list(records)!r}: {unknown or 'an empty list'} names no record of the "
            f"MIT-BIH Arrhythmia Database; its records are {' '.join(MITBIH_RECORDS)}"
        )
    if len(set(names)) < len(names):
        raise ValueError(f"records={list(records)!r} names a record twice; name each once")
    return names


def _default_lead(record: Record, *, first: bool) -> tuple[str, ...]:
    return ("MLII",) if "MLII" in record.leads and not first else record.leads[:1]


def _describe(
    beats: Beats,
    names: tuple[str, ...],
    leads: Counter[tuple[str, ...]],
    window: BeatWindow,
) -> str:
    return descriptions.MITBIH.format(
        counts=descriptions.counts(beats.target, AAMI_CLASSES),
        records=descriptions.listed(names),
        leads=", ".join(f"{' + '.join(lead)} in {n} records" for lead, n in leads.items()),
        windows=window.describe(beats.data.shape[-1], beats.fs, beats.fs_record),
        rhythm=descriptions.listed(beats.rhythm_names) or "not asked for",
    )
