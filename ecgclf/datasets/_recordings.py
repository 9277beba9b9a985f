"""Recordings of any recorder: signals in mV, with their leads, gaps and annotations."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgclf.datasets._annotations import LeadError, RecordError
from ecgclf.datasets._r_peaks import check_leads_first, detect_in_stretches

#: Leads by name in any case, or by number from 0.
Leads: TypeAlias = str | int | Sequence[str | int] | None

#: Millivolts per unit, by its name in lower case, with the Greek letter mu.
_MILLIVOLTS = {
    **dict.fromkeys(("v", "volt", "volts"), 1e3),
    **dict.fromkeys(("mv", "millivolt", "millivolts"), 1.0),
    **dict.fromkeys(("uv", "\u03bcv", "microv", "microvolt", "microvolts"), 1e-3),
    **dict.fromkeys(("nv", "nanovolt", "nanovolts"), 1e-6),
}

#: Limits in mV of the median amplitude of an ECG in windows of 2 s.
_SMALLEST, _LARGEST = 0.01, 50.0

#: Number of windows whose amplitude is measured.
_N_WINDOWS = 30

#: Date of recordings of which only the time of the day is known, as in anonymised EDF files.
UNKNOWN_DATE = date(1985, 1, 1)

#: Limits of what a file may state: sampling rate of a lead in Hz, stored units per mV, number of
#: samples of a lead. WFDB counts samples with 32 bits.
_RATES, _GAINS, _MOST_SAMPLES = (10.0, 1e6), (1e-6, 1e12), 2**31


class Annotations(NamedTuple):
    """Positions in samples of a recording, and symbols or texts, of annotations."""

    sample: NDArray[np.int64]
    symbol: NDArray[np.str_]


@dataclass(frozen=True)
class Piece:
    """Consecutive samples of one lead as they are stored in a file."""

    lead: int
    start: int  # position of the first value in the recording
    values: NDArray
    gain: float = 1.0  # stored units per mV
    baseline: float = 0.0  # stored value of 0 mV
    missing: int | None = None  # stored value that marks a missing sample

    def write_into(self, signal: NDArray[np.float32], start: int) -> None:
        """Write the millivolts into the part of the recording that begins at `start`."""
        stop = start + signal.shape[1]
        low, high = max(start, self.start, 0), min(stop, self.start + len(self.values))
        if low >= high:
            return
        stored = self.values[low - self.start : high - self.start]
        row = signal[self.lead, low - start : high - start]
        row[:] = (stored.astype(np.float64) - self.baseline) / self.gain
        if self.missing is not None:
            row[stored == self.missing] = np.nan


class Recording:
    """ECG recording in mV.

    A recording read from a file keeps the values as they are stored, which takes half the memory
    of `signal` or less. `read` converts a part of it.

    Parameters
    ----------
    signal : array-like of shape (n_samples,) or (n_leads, n_samples)
        The samples, with NaN where they are missing.
    fs : float
        Sampling rate in Hz.
    leads : sequence of str, optional
        Names of the leads. Default: "lead 0", "lead 1" and so on.
    unit : str, default="mV"
        Unit of the signal: V, mV, µV or nV in any spelling.
    start : datetime, optional
        Time of the first sample; on 1 January 1985, as in anonymised EDF files, if a file states
        only the time of the day.
    name : str, default="recording"
        Name for messages.
    annotations : tuple (sample, symbol), optional
        Positions in samples and symbols of annotations, which become a named tuple of arrays.

    Attributes
    ----------
    units : tuple of str
        Unit of each lead in the file. The signal itself is in mV.
    path : Path or None
        File it was read from.
    comments : tuple of str
        Comments in the file.
    n_samples : int
        Number of samples of each lead.

    Raises
    ------
    ValueError
        If the signal has another shape or more leads than samples, or a parameter is invalid.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.datasets import Recording
    >>> recording = Recording(np.full((2, 1000), 500), fs=100, leads=["I", "II"], unit="µV")
    >>> recording.signal.shape, float(recording.signal[0, 0])
    ((2, 1000), 0.5)
    >>> recording.pick(["ii"])
    <Recording recording: II, 1,000 samples at 100 Hz>
    >>> recording.crop(100, 300).signal.shape == recording.read(100, 300).shape == (2, 200)
    True
    """

    annotations: Annotations | None

    def __init__(
        self,
        signal: ArrayLike,
        fs: float,
        *,
        leads: Sequence[str] | None = None,
        unit: str = "mV",
        start: datetime | None = None,
        name: str = "recording",
        annotations: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> None:
        values = check_leads_first(signal)
        n_leads = len(values)
        names = [f"lead {number}" for number in range(n_leads)] if leads is None else list(leads)
        if len(names) != n_leads:
            raise ValueError(f"leads={leads!r}: expected a name for each of the {n_leads} leads")
        factor = millivolts_per(unit)
        if factor is None:
            raise ValueError(f"unit={unit!r}: expected V, mV, µV or nV")
        if not np.isfinite(fs) or fs <= 0:
            raise ValueError(f"fs={fs!r}: expected a positive number of Hz")
        self._pieces = [Piece(lead, 0, row, gain=1 / factor) for lead, row in enumerate(values)]
        self.n_samples = values.shape[1]
        self.fs = float(fs)
        self.leads = tuple(names)
        self.units = (unit,) * n_leads
        self.start = start
        self.path: Path | None = None
        self.name = name
        self.comments: tuple[str, ...] = ()
        self.annotations = None
        if annotations is not None:
            sample, symbol = annotations
            positions = np.asarray(sample, dtype=np.int64)
            self.annotations = Annotations(positions, np.asarray(symbol, dtype=np.str_))

    @classmethod
    def _from_pieces(
        cls,
        pieces: Sequence[Piece],
        n_samples: int,
        fs: float,
        *,
        leads: Sequence[str],
        units: Sequence[str],
        start: datetime | None,
        path: Path,
        comments: Sequence[str] = (),
        annotations: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> Recording:
        """Make a recording of the values in a file; samples without a piece are missing."""
        _check_plausible(pieces, n_samples, fs, path)
        empty = np.empty((len(leads), 0))
        recording = cls(
            empty, fs, leads=leads, start=start, name=path.stem, annotations=annotations
        )._replace(
            _pieces=list(pieces),
            n_samples=n_samples,
            units=tuple(units),
            path=path,
            comments=tuple(comments),
        )
        recording._check_amplitude()
        return recording

    def _replace(self, **attributes: Any) -> Recording:
        """Copy the recording with other attributes, and without the signal read before."""
        replaced = copy(self)
        vars(replaced).pop("signal", None)
        vars(replaced).update(attributes)
        return replaced

    @cached_property
    def signal(self) -> NDArray[np.float32]:
        """Samples in mV, of shape (n_leads, n_samples), with NaN where they are missing."""
        return self.read()

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return a part of the signal.

        Parameters
        ----------
        start : int, default=0
            First sample.
        stop : int, optional
            End of the part. Default: the end of the recording.

        Returns
        -------
        ndarray of float32, shape (n_leads, n_samples)
            In mV, with NaN where samples are missing.
        """
        start, stop, _ = slice(start, stop).indices(self.n_samples)
        signal = np.full((len(self.leads), max(stop - start, 0)), np.nan, dtype=np.float32)
        for piece in self._pieces:
            piece.write_into(signal, start)
        return signal

    def pick(self, leads: Sequence[str | int]) -> Recording:
        """Select leads.

        Parameters
        ----------
        leads : sequence of str or int
            Their names in any case, or numbers from 0.

        Returns
        -------
        Recording
            With the leads in the given order.

        Raises
        ------
        ValueError
            If there is no such lead or a name is ambiguous.
        """
        what = f"Record {self.name}" + ("" if self.path is None else f" ({self.path})")
        rows = [find_lead(lead, self.leads, what) for lead in leads]
        return self._replace(
            _pieces=[
                replace(piece, lead=lead)
                for lead, row in enumerate(rows)
                for piece in self._pieces
                if piece.lead == row
            ],
            leads=tuple(self.leads[row] for row in rows),
            units=tuple(self.units[row] for row in rows),
        )

    def crop(self, start: int, stop: int) -> Recording:
        """Select a part of the recording, without reading it.

        Parameters
        ----------
        start, stop : int
            First sample and end.

        Returns
        -------
        Recording
            Without annotations.
        """
        start, stop, _ = slice(start, stop).indices(self.n_samples)
        return self._replace(
            _pieces=[replace(piece, start=piece.start - start) for piece in self._pieces],
            n_samples=max(stop - start, 0),
            start=self.start and self.start + timedelta(seconds=start / self.fs),
            annotations=None,
        )

    def stored(self) -> NDArray:
        """Return the values as they are stored, or in mV if samples are missing.

        Returns
        -------
        ndarray of shape (n_leads, n_samples)
            Integers for most files.
        """
        whole = [piece for piece in self._pieces if len(piece.values) == self.n_samples]
        marked = [p for p in whole if p.missing is not None and np.any(p.values == p.missing)]
        if marked or len(whole) != len(self.leads) or len(self._pieces) != len(whole):
            return self.signal
        return np.stack([piece.values for piece in whole])

    def detect_r_peaks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Detect the R peaks in all leads, one stretch of the recording after the other.

        Returns
        -------
        peaks : ndarray of int64, shape (n_beats,)
            Positions in samples.
        unreadable : ndarray of int64, shape (n_stretches, 2)
            First sample and end of each unreadable stretch; see `detect_r_peaks`.
        """
        return detect_in_stretches(self.read, self.n_samples, self.fs)

    def __repr__(self) -> str:
        return (
            f"<Recording {self.name}: {', '.join(self.leads)}, {self.n_samples:,} samples at "
            f"{self.fs:g} Hz>"
        )

    def _check_amplitude(self) -> None:
        """Warn of an amplitude that an ECG in mV cannot have."""
        size = max(round(2 * self.fs), 1)
        places = np.linspace(0, max(self.n_samples - size, 0), _N_WINDOWS).astype(np.int64)
        ranges = []
        for place in np.unique(places):
            part = self.read(place, place + size)
            ranges.append(np.fmax.reduce(part, axis=1) - np.fmin.reduce(part, axis=1))
        for lead, of_lead in enumerate(np.transpose(ranges)):
            known = of_lead[np.isfinite(of_lead) & (of_lead > 0)]
            median = np.median(known) if len(known) else 1.0
            if not _SMALLEST <= median <= _LARGEST:
                warnings.warn(
                    f"lead {self.leads[lead]} of {self.name} has a median amplitude of "
                    f"{median:.3g} mV in 2 s, which no ECG has. Check the gain and the unit in "
                    f"the file ({self.units[lead]!r}).",
                    UserWarning,
                    stacklevel=2,
                )


def _check_plausible(pieces: Sequence[Piece], n_samples: int, fs: float, path: Path) -> None:
    """Raise a RecordError if a file states what no recorder writes."""
    stated = [("a sampling rate in Hz", fs, *_RATES), ("a length", n_samples, 0, _MOST_SAMPLES)]
    stated += [("a gain per mV", abs(piece.gain), *_GAINS) for piece in pieces]
    stated += [("a baseline", abs(piece.baseline), 0, _GAINS[1]) for piece in pieces]
    for what, value, low, high in stated:
        if not low <= value <= high:
            raise RecordError(
                f"{path} states {what} of {value:g}; expected {low:g} to {high:g}. Check the "
                "header."
            )


def check_rate(recording: Recording, fs: float) -> None:
    """Raise a RecordError unless the recording has the sampling rate `fs` of its database."""
    if recording.fs != fs:
        raise RecordError(
            f"{recording.path} gives a sampling rate of {recording.fs:g} Hz, but the records of "
            f"this database have {fs:g} Hz. Check that this is the right folder."
        )


def millivolts_per(unit: str) -> float | None:
    """Return how many mV a unit in any spelling is, or None if it is no unit of voltage."""
    # NFKC turns the micro sign into the Greek letter.
    return _MILLIVOLTS.get(unicodedata.normalize("NFKC", unit).strip().lower())


def decode(text: bytes) -> str:
    """Decode text of a header, which is UTF-8 or else Latin-1."""
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def choose_leads(
    leads: Leads,
    names: Sequence[str],
    units: Sequence[str],
    rates: Sequence[float],
    what: str,
) -> list[int]:
    """Find the numbers of leads of one rate; None takes all leads with a unit of voltage.

    The file, `what` in messages, has signals of these names, units and rates.
    """
    if leads is None:
        rows = [row for row, unit in enumerate(units) if millivolts_per(unit) is not None]
        if not rows:
            raise RecordError(f"{what} has no signal in V, mV or µV, only in {_quoted(units)}.")
        others = [names[row] for row in rows if rates[row] != rates[rows[0]]]
        if others:
            warnings.warn(
                f"{what} has leads at several rates: {_quoted(others)} were left out, which are "
                f"not at {rates[rows[0]]:g} Hz like {names[rows[0]]!r}. Name them in leads.",
                UserWarning,
                stacklevel=4,
            )
        return [row for row in rows if rates[row] == rates[rows[0]]]
    chosen = [leads] if isinstance(leads, (str, int)) else leads
    rows = [find_lead(lead, names, what) for lead in chosen]
    if not rows:
        raise LeadError("leads is empty; expected at least one name or number")
    for row in rows:
        if millivolts_per(units[row]) is None:
            raise RecordError(
                f"signal {names[row]!r} of {what} is in {units[row]!r}, not in V, mV or µV; is "
                "it an ECG lead?"
            )
    if len({rates[row] for row in rows}) > 1:
        of_each = ", ".join(f"{names[row]!r} at {rates[row]:g} Hz" for row in rows)
        raise LeadError(f"the leads of {what} have several rates: {of_each}; read them apart")
    return rows


def find_lead(lead: str | int, names: Sequence[str], what: str) -> int:
    """Find a lead by name or number."""
    same = [row for row, name in enumerate(names) if name.lower() == str(lead).lower()]
    if not isinstance(lead, str) or (not same and lead.isdigit()):
        if 0 <= int(lead) < len(names):
            return int(lead)
    elif len(same) == 1:
        return same[0]
    elif same:
        numbers = ", ".join(map(str, same))
        raise LeadError(
            f"{what} has several leads named {lead!r}; use their numbers, {numbers}, in leads"
        )
    raise LeadError(
        f"{what} has no lead {lead!r}; it has {_quoted(names)}, numbered from 0. Name one of "
        "these."
    )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
