"""Loader of the MIT-BIH Arrhythmia Database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgclf.datasets._beats import Beats, check_leads, convert, cut_beats
from ecgclf.datasets._databases import (
    AAMI_CLASSES,
    AAMI_OF_SYMBOL,
    DS1,
    DS2,
    MITBIH_DESCR,
    MITBIH_RECORDS,
    count_classes,
    mitbih_subject,
    wrap_names,
)
from ecgclf.datasets._records import Record, read_record
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
    """Load the annotated beats of the MIT-BIH Arrhythmia Database [2]_.

    Parameters
    ----------
    path : str or Path
        Folder of the WFDB files (``100.hea``, ``100.dat``, ``100.atr``, ...), as returned by
        `fetch_mitbih`.
    records : {"all", "ds1", "ds2"} or list of str, default="all"
        Names of the records; or all 48, or the training (DS1) or test records (DS2) of the
        inter-patient protocol of de Chazal et al. [1]_.
    leads : str, sequence of str or None, default=None
        Names of the leads, such as ``"MLII"`` or ``("MLII", "V1")``. None takes MLII, or the
        first lead of records without MLII, which is V5 in records 102 and 104; ``lead`` in
        the result states which. With ``window="kaggle"``, None takes the first lead of each
        record.
    fs : float or None, default=None
        Sampling rate of the windows in Hz. Whole records are resampled, with an anti-aliasing
        filter, before they are cut. None keeps the 360 Hz of the records.
    window : tuple (before, after), "kaggle" or BeatWindow, default=(0.25, 0.45)
        Seconds around the annotated beat, short for `FixedWindow`. Beyond the ends of a record
        its first or last value is repeated, so every annotated beat is kept. ``"kaggle"``,
        short for `KaggleWindow`, cuts rows of 187 values at 120 Hz as in the Kaggle
        "heartbeat" set, see `load_kaggle_heartbeat`; it leaves out the last annotation of each
        record. `RRWindow` follows the heart rate.
    rhythm : bool, default=True
        Add the rhythm features of `rhythm_features`, computed over all annotated beats of a
        record.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of the container.
    as_frame : bool, default=False
        Return ``data``, ``rhythm`` and ``target`` as pandas objects.

    Returns
    -------
    Beats or tuple (data, target)
        ``data`` is float32 of shape (n_beats, n_samples) for one lead and
        (n_beats, n_leads, n_samples) for several, in mV (scaled to [0, 1] with
        ``window="kaggle"``). ``target`` holds the AAMI classes "N", "S", "V", "F" and "Q".
        ``groups`` is the number of the subject; 201 and 202 are one person. ``sample`` is the
        position of the annotation at ``fs_record`` = 360 Hz. Records are in the order of
        `records`.

    Raises
    ------
    FileNotFoundError
        If a file of a record is missing.
    RecordError
        If a record is truncated, fails its checksum, or has unusable annotations.
    ValueError
        If a record is unknown or does not have the leads, or `fs` or `window` is invalid.

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
    cut.rate(MITBIH_FS, fs)  # check both before reading records

    parts = []
    used: Counter[tuple[str, ...]] = Counter()
    for name in names:
        record = read_record(folder, name)
        record.require_rate(MITBIH_FS)
        record = record.pick(wanted or _default_lead(record, cut))
        used[record.leads] += 1
        parts.append(_beats(record, cut, fs=fs, rhythm=rhythm))

    beats = Beats.concat(parts)
    beats.DESCR = MITBIH_DESCR.format(
        counts=count_classes(beats.target, AAMI_CLASSES),
        records=wrap_names(names),
        leads=", ".join(f"{' + '.join(lead)} in {n} records" for lead, n in used.items()),
        windows=cut.describe(beats.data.shape[-1], beats.fs, MITBIH_FS),
        rhythm=wrap_names(beats.rhythm_names) or "not requested",
    )
    return convert(beats, return_X_y=return_X_y, as_frame=as_frame)


def _beats(record: Record, window: BeatWindow, *, fs: float | None, rhythm: bool) -> Beats:
    """Cut the beats of one record, in the leads that it has."""
    aami = np.array([AAMI_OF_SYMBOL.get(symbol, "") for symbol in record.symbol.tolist()])
    is_beat = aami != ""
    recording = AnnotatedSignal(
        name=record.name,
        signal=record.adc if window.any_unit else record.millivolts(),
        fs=record.fs,
        positions=record.sample[is_beat],
        marks=record.sample,
    )
    return cut_beats(
        recording,
        window,
        fs=fs,
        target=aami[is_beat],
        target_names=AAMI_CLASSES,
        group=mitbih_subject(record.name),
        leads=record.leads,
        rhythm=rhythm,
    )


def _record_names(records: str | Sequence[str]) -> tuple[str, ...]:
    """Convert the `records` parameter to names."""
    if isinstance(records, str) and records in _RECORD_SETS:
        return _RECORD_SETS[records]
    if isinstance(records, str) or not isinstance(records, Iterable):
        raise ValueError(
            f'records={records!r}: expected "all", "ds1", "ds2", or a list of record names '
            'such as ["100", "101"].'
        )
    names = tuple(str(name) for name in records)
    unknown = [name for name in names if name not in MITBIH_RECORDS]
    if unknown or not names:
        raise ValueError(
            f"records={list(records)!r}: {unknown or 'an empty list'} names no record of the "
            f"MIT-BIH Arrhythmia Database. Its records are {' '.join(MITBIH_RECORDS)}."
        )
    if len(set(names)) < len(names):
        raise ValueError(
            f"records={list(records)!r} names a record twice. Name each record once."
        )
    return names


def _default_lead(record: Record, window: BeatWindow) -> tuple[str, ...]:
    has_mlii = "MLII" in record.leads and not isinstance(window, KaggleWindow)
    return ("MLII",) if has_mlii else record.leads[:1]
