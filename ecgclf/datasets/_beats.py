"""Container of labelled heartbeats."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch

from ecgclf.datasets._recordings import Leads
from ecgclf.datasets._rhythm_features import RHYTHM_NAMES, rhythm_features
from ecgclf.datasets._windows import AnnotatedSignal, BeatWindow

#: What loaders return with ``return_X_y=True``, and with ``as_frame=True`` too.
Arrays: TypeAlias = tuple[NDArray[np.float32], NDArray[np.str_]]
Frames: TypeAlias = tuple[pd.DataFrame, pd.Series]

#: Fields of `Beats` with one entry per beat, and those that all beats share.
PER_BEAT = ("data", "target", "groups", "record", "sample", "lead", "rhythm")
SHARED = ("rhythm_names", "fs", "fs_record", "target_names")

#: Share of a missing sample in a value of a row above which the row is left out. Resampling
#: spreads a missing sample over several values.
_GAP_SHARE = 0.01


class Beats(Bunch):
    """Heartbeats with their labels and origin.

    A `sklearn.utils.Bunch`: every field is both a key and an attribute.

    Attributes
    ----------
    data : ndarray of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        The signal, float32; 2-D for one lead, 3-D for several. With ``as_frame=True`` a
        DataFrame of shape (n_beats, n_leads * n_samples); from `load_beats` a memory map or a
        Zarr array.
    target : ndarray of shape (n_beats,) or None
        Label of each beat; None if unknown.
    groups : ndarray of shape (n_beats,) or None
        Patient of each beat; None if unknown.
    record : ndarray of shape (n_beats,) or None
        Name of the record of each beat.
    sample : ndarray of shape (n_beats,) or None
        Position of the beat in its record, in samples at ``fs_record``, or at the rate of its
        record if that is None.
    lead : ndarray of shape (n_beats, n_leads) or None
        Name of the lead in each channel of each beat.
    rhythm : ndarray of shape (n_beats, n_rhythm) or None
        Rhythm features, float32.
    rhythm_names : tuple of str
        Names of the columns of ``rhythm``.
    fs : float or None
        Sampling rate of ``data`` in Hz; None if it differs between beats.
    fs_record : float or None
        Sampling rate of the records in Hz; None if it differs between records.
    target_names : tuple of str
        Classes of the database, in their usual order.
    DESCR : str
        Description of the data, with its source, licence and citation.

    Examples
    --------
    >>> from ecgclf.datasets import Beats, make_beats
    >>> beats = make_beats(n_beats=60, random_state=0)
    >>> beats.data.shape[0] == beats.target.shape[0] == 60
    True
    >>> beats.select(beats.target == "V").target.tolist()[:2]
    ['V', 'V']
    >>> Beats.concat([beats, beats]).data.shape
    (120, 84)
    """

    data: Any
    target: Any
    groups: Any
    record: Any
    sample: Any
    lead: Any
    rhythm: Any
    rhythm_names: tuple[str, ...]
    fs: float | None
    fs_record: float | None
    target_names: tuple[str, ...]
    DESCR: str

    @property
    def frame(self) -> pd.DataFrame:
        """Table with the columns record, sample, data, rhythm and target, as far as known.

        Made from the fields at each access, so that it always agrees with them. The samples of
        several leads follow each other in the columns.
        """
        signals = _frame_of_data(self.data)
        known = {n: np.asarray(self[n]) for n in ("record", "sample") if self.get(n) is not None}
        parts = [pd.DataFrame(known, index=signals.index), signals]
        if self.get("rhythm") is not None:
            names, values = list(self.rhythm_names), np.asarray(self.rhythm)
            parts.append(pd.DataFrame(values, columns=names, index=signals.index))
        if self.get("target") is not None:
            parts.append(pd.DataFrame({"target": np.asarray(self.target)}, signals.index))
        return pd.concat(parts, axis=1)

    def __setattr__(self, key: str, value: Any) -> None:
        if key == "frame":
            raise AttributeError("frame is made from the other fields. Set those instead.")
        super().__setattr__(key, value)

    def select(self, rows: ArrayLike | slice) -> Beats:
        """Select beats.

        Parameters
        ----------
        rows : array-like or slice
            A boolean mask of shape (n_beats,), integer positions, or a slice.

        Returns
        -------
        Beats
            With every per-beat field reduced to `rows`.
        """
        at = np.arange(self.data.shape[0])[rows if isinstance(rows, slice) else np.asarray(rows)]
        selected: dict[str, Any] = dict(self)
        for name in PER_BEAT:
            if (value := selected.get(name)) is not None:
                # The rows of pandas objects and of Zarr arrays are selected by an attribute.
                by_row = getattr(value, "iloc", getattr(value, "oindex", value))
                selected[name] = by_row[at]
        return Beats(**selected)

    @classmethod
    def concat(cls, parts: Iterable[Beats]) -> Beats:
        """Concatenate beats, such as those of several records or databases.

        Parameters
        ----------
        parts : iterable of Beats
            With the same fields, windows, `fs`, leads and classes. Patients or records of the
            same name count as one.

        Returns
        -------
        Beats
            With numpy fields. ``DESCR`` contains each description once, and ``fs_record`` is
            None if it differs between the parts.

        Raises
        ------
        ValueError
            If there are no parts, or one does not have the form of the first.
        """
        parts = list(parts)
        if not parts:
            raise ValueError("parts contains no beats. Give the Beats of at least one record.")
        for number, part in enumerate(parts, start=1):
            check_same_form(part, parts[0], number, [n for n in SHARED if n != "fs_record"])
        fields: dict[str, Any] = {
            name: None
            if parts[0].get(name) is None
            else np.concatenate([np.asarray(part[name]) for part in parts])
            for name in PER_BEAT
        }
        fields.update((name, parts[0].get(name)) for name in SHARED)
        if len({part.get("fs_record") for part in parts}) > 1:
            fields["fs_record"] = None
        texts = dict.fromkeys(part.get("DESCR", "") for part in parts)
        return cls(**fields, DESCR="\n".join(filter(None, texts)))


def check_same_form(
    part: Beats, first: Beats, number: int, shared: Sequence[str] = SHARED
) -> None:
    """Raise a ValueError if the part of this number cannot be concatenated with the first."""
    for what, of_part, of_first in [
        ("beats of shape", part.data.shape[1:], first.data.shape[1:]),
        ("the fields", known_fields(part), known_fields(first)),
        *((name, as_tuple(part.get(name)), as_tuple(first.get(name))) for name in shared),
    ]:
        if of_part != of_first:
            raise ValueError(
                f"Part {number} has {what} {of_part!r}, but the first part has {of_first!r}. "
                "Load all parts with the same window, rate, leads and options."
            )


def known_fields(beats: Beats) -> list[str]:
    """Return the names of the per-beat fields, besides ``data``, that are not None."""
    return [name for name in PER_BEAT[1:] if beats.get(name) is not None]


def as_tuple(value: Any) -> Any:
    """Return a list as a tuple, and anything else as it is."""
    return tuple(value) if isinstance(value, list) else value


def convert(beats: Beats, *, return_X_y: bool, as_frame: bool) -> Any:
    """Convert the result of a loader to the form requested by its parameters.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of the container.
    as_frame : bool, default=False
        Return ``data``, ``rhythm`` and ``target`` as pandas objects.
    """
    if as_frame:
        beats = Beats(**beats)
        beats.data = _frame_of_data(beats.data)
        if beats.get("rhythm") is not None:
            beats.rhythm = pd.DataFrame(beats.rhythm, columns=list(beats.rhythm_names))
        if beats.target is not None:
            beats.target = pd.Series(beats.target, name="target")
    return (beats.data, beats.target) if return_X_y else beats


def _frame_of_data(data: Any) -> pd.DataFrame:
    """Convert signals to a table with a column for each sample of each lead."""
    if isinstance(data, pd.DataFrame):
        return data
    columns = [f"sample_{i:03d}" for i in range(data.shape[-1])]
    if data.ndim == 3:
        columns = [f"lead_{lead}_{name}" for lead in range(data.shape[1]) for name in columns]
    return pd.DataFrame(np.asarray(data).reshape(-1, len(columns)), columns=columns)


def check_leads(leads: Leads) -> tuple[str | int, ...] | None:
    """Convert the `leads` parameter of a loader to a tuple of names and numbers, or None."""
    if leads is None:
        return None
    chosen = (
        tuple(leads) if isinstance(leads, Iterable) and not isinstance(leads, str) else (leads,)
    )
    if not chosen or not all(
        isinstance(lead, (str, Integral)) and not isinstance(lead, bool) for lead in chosen
    ):
        raise ValueError(
            f"leads={leads!r}: expected the name of a lead such as 'MLII', its number from 0, a "
            "sequence of these, or None."
        )
    if len({str(lead).lower() for lead in chosen}) < len(chosen):
        raise ValueError(f"leads={leads!r} names a lead twice. Name each lead once.")
    return chosen


def cut_beats(
    recording: AnnotatedSignal,
    window: BeatWindow,
    *,
    fs: float | None,
    target: NDArray | None,
    target_names: tuple[str, ...],
    group: Any,
    leads: Sequence[str] | None,
    rhythm: bool,
) -> Beats:
    """Cut the beats of one recording, with an empty ``DESCR``.

    `target` has a label for each beat of the recording, and `group` is the patient. Rhythm
    features are computed over all beats, including those without a row. Beats with missing
    samples in their window have none.
    """
    missing = np.isnan(recording.signal).any(axis=0)
    if missing.any():
        recording = replace(recording, signal=fill_gaps(recording.signal))
    data = window.cut(recording, fs).astype(np.float32, copy=False)
    kept = np.arange(len(data))
    if missing.any():
        # A window that is cut of the gaps shows which samples of a row depend on them.
        gaps = window.cut(replace(recording, signal=missing[np.newaxis].astype(np.float32)), fs)
        touched = np.abs(gaps).max(axis=(1, 2)) > _GAP_SHARE
        kept = np.flatnonzero(~touched & ~missing[recording.positions[: len(data)]])
        if len(kept) < len(data):
            of_record = "" if recording.name is None else f" of record {recording.name}"
            warnings.warn(
                f"{len(data) - len(kept):,} of {len(data):,} beats{of_record} were left out, "
                "because samples are missing in their windows.",
                UserWarning,
                stacklevel=3,
            )
        data = data[kept]
    n_rows = len(data)

    def repeat(value: Any) -> NDArray | None:
        return None if value is None else np.full(n_rows, value)

    features = rhythm_features(recording.positions, recording.fs) if rhythm else None
    return Beats(
        data=data[:, 0] if data.shape[1] == 1 else data,
        target=None if target is None else target[kept],
        groups=repeat(group),
        record=repeat(recording.name),
        sample=recording.positions[kept],
        lead=None if leads is None else np.tile(np.array(leads), (n_rows, 1)),
        rhythm=None if features is None else features[kept],
        rhythm_names=RHYTHM_NAMES if rhythm else (),
        fs=window.rate(recording.fs, fs),
        fs_record=float(recording.fs),
        target_names=target_names,
        DESCR="",
    )


def fill_gaps(signal: NDArray) -> NDArray:
    """Replace missing samples by a line between their neighbours; zero if all are missing."""
    filled = np.zeros_like(signal)
    for lead, samples in enumerate(signal):
        known = np.flatnonzero(~np.isnan(samples))
        if len(known):
            filled[lead] = np.interp(np.arange(len(samples)), known, samples[known])
    return filled
