"""Rhythm of a recording: heart rate, pauses, ectopic beats and RR variability."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ecgclf._validation import check_same_length
from ecgclf.datasets import AAMI_CLASSES

#: Classes whose beats are ectopic.
ECTOPIC = ("S", "V")

#: Shortest pause in s.
PAUSE = 2.0

#: Window of the lowest and highest heart rate in s, and the part of it that RR intervals must
#: cover.
_MINUTE, _COVERED = 60.0, 0.8

_HOUR = 3600.0

#: Fewest ectopic beats of bigeminy and trigeminy.
_FEWEST = 3

#: Largest difference of successive intervals that does not count in pNN50, in s.
_NN50 = 0.05


@dataclass(frozen=True, eq=False, repr=False)
class RhythmReport:
    """Report returned by `rhythm_report`.

    Attributes
    ----------
    summary : dict
        Plain Python types, None where undefined: ``duration_s``, ``analysed_s``,
        ``unreadable_s``, ``beats`` (their number, also of each class), ``heart_rate`` (``mean``,
        and ``lowest`` and ``highest`` over one minute with their times), ``pauses``, ``S`` and
        ``V`` (counts, burden and episodes), ``hrv`` (SDNN, RMSSD, pNN50).
    episodes : DataFrame
        Pauses, couplets, runs, bigeminy and trigeminy in order of time, with the columns
        ``kind``, ``label`` (S, V or empty), ``beats`` (ectopic beats), ``first`` and ``last``
        (positions of these beats, or of those around the pause, among all beats), ``time_s``,
        ``duration_s`` (from the first to the last beat) and ``rate`` (per minute, of couplets
        and runs).
    hours : DataFrame
        Indexed by the start of each hour in s, with the columns ``analysed_s``, ``beats``,
        ``heart_rate``, ``lowest``, ``highest``, ``pauses``, ``S``, ``V``, ``S_runs`` and
        ``V_runs``.
    rr : DataFrame
        RR intervals that span no unreadable stretch, with the columns ``first`` (the beat that
        starts it), ``rr_s`` and ``is_nn`` (between two N beats).
    """

    summary: dict[str, Any]
    episodes: pd.DataFrame
    hours: pd.DataFrame
    rr: pd.DataFrame

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={self.summary['beats'][name]:,}" for name in AAMI_CLASSES)
        return f"RhythmReport({self.summary['beats']['all']:,} beats, {counts})"


def rhythm_report(
    sample: ArrayLike,
    label: ArrayLike,
    fs: float,
    *,
    start: int = 0,
    stop: int | None = None,
    unreadable: ArrayLike | None = None,
    clock: datetime | None = None,
) -> RhythmReport:
    """Compute heart rate, pauses, ectopic beats and RR variability of a recording.

    The user guide defines all terms and gives their sources.

    Parameters
    ----------
    sample : array-like of shape (n_beats,)
        Positions of the R peaks in samples, increasing.
    label : array-like of shape (n_beats,)
        AAMI classes of the beats: N, S, V, F or Q.
    fs : float
        Sampling rate in Hz.
    start : int, default=0
        First sample that was analysed. Times in the report count from sample 0.
    stop : int, optional
        End of the part that was analysed. Default: the sample after the last beat.
    unreadable : array-like of shape (n_stretches, 2), optional
        First sample and end of each unreadable stretch, such as `detect_r_peaks` returns. Beats
        in these stretches do not count.
    clock : datetime, optional
        Time of sample 0. With it, `hours` are those of the clock.

    Returns
    -------
    RhythmReport

    Raises
    ------
    ValueError
        If positions do not increase or lie outside of the analysed part, lengths differ, a label
        is unknown, or `fs` is not positive.

    References
    ----------
    .. [1] Task Force of the European Society of Cardiology and the North American Society of
       Pacing and Electrophysiology, "Heart rate variability", Circulation 93(5):1043-1065,
       1996.

    Examples
    --------
    >>> from ecgclf.recordings import rhythm_report
    >>> sample = [0, 100, 200, 260, 400, 500, 560, 620, 680, 1000]
    >>> report = rhythm_report(sample, list("NNNSNNVVVN"), fs=100)
    >>> report
    RhythmReport(10 beats, N=6, S=1, V=3, F=0, Q=0)
    >>> report.episodes[["kind", "label", "beats", "time_s", "rate"]]
        kind label  beats  time_s   rate
    0    run     V      3     5.6  100.0
    1  pause            0     6.8    NaN
    """
    sample, label = np.asarray(sample, dtype=np.int64), np.asarray(label, dtype=np.str_)
    check_same_length(sample, "label", label, "sample")
    stop = stop if stop is not None else int(sample[-1]) + 1 if len(sample) else start
    bad = np.asarray([] if unreadable is None else unreadable, dtype=np.int64).reshape(-1, 2)
    _check(sample, label, fs, start, stop)
    bad = bad.clip(start, stop)
    bad = bad[bad[:, 1] > bad[:, 0]]
    stretch = np.searchsorted(bad[:, 0], sample, side="right")
    is_readable = sample >= np.concatenate([[start], bad[:, 1]])[stretch]
    beats = _Beats(sample[is_readable], label[is_readable], fs, stretch[is_readable])
    readable = _Readable(start, stop, fs, bad)

    episodes = _find_episodes(beats)
    rates = _minute_rates(beats)
    rr = beats.rr
    past_hour = 0.0 if clock is None else 60.0 * clock.minute + clock.second
    summary = {
        "duration_s": (stop - start) / fs,
        "analysed_s": readable.total,
        "unreadable_s": (stop - start) / fs - readable.total,
        "beats": {
            "all": len(beats.sample),
            **{name: int(np.sum(beats.label == name)) for name in AAMI_CLASSES},
        },
        "heart_rate": {"mean": _rate(rr["rr_s"]), **_extremes(rates)},
        "pauses": _summarize_pauses(episodes),
        **{name: _summarize_class(name, beats, episodes, readable) for name in ECTOPIC},
        "hrv": _rr_variability(rr),
    }
    kept = np.flatnonzero(is_readable)
    places = {"first": kept[episodes["first"]], "last": kept[episodes["last"]]}
    return RhythmReport(
        summary=summary,
        episodes=episodes.assign(**places),
        hours=_hours(beats, rates, episodes, readable, past_hour),
        rr=rr.assign(first=kept[rr["first"]]),
    )


@dataclass(frozen=True, eq=False)
class _Beats:
    """Beats in readable signal; `stretch` numbers the readable stretches."""

    sample: NDArray[np.int64]
    label: NDArray[np.str_]
    fs: float
    stretch: NDArray[np.int64]

    @property
    def time(self) -> NDArray[np.float64]:
        return self.sample / self.fs

    @property
    def rr(self) -> pd.DataFrame:
        same = self.stretch[1:] == self.stretch[:-1]
        is_n = self.label == "N"
        table = pd.DataFrame(
            {
                "first": np.arange(len(same)),
                "rr_s": np.diff(self.time),
                "is_nn": is_n[1:] & is_n[:-1],
            }
        )
        return table[same].reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class _Readable:
    """Readable time of the analysed part."""

    start: int
    stop: int
    fs: float
    bad: NDArray[np.int64]

    @property
    def total(self) -> float:
        return float(self.between(np.array([self.start, self.stop]) / self.fs)[0])

    def between(self, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the readable seconds between successive times."""
        at = np.array([self.start, *self.bad.ravel(), self.stop])
        is_good = np.arange(len(at) - 1) % 2 == 0
        good = np.concatenate([[0], np.cumsum(np.diff(at) * is_good)])
        return np.diff(np.interp(edges * self.fs, at, good)) / self.fs


def _check(
    sample: NDArray[np.int64], label: NDArray[np.str_], fs: float, start: int, stop: int
) -> None:
    if not fs > 0:
        raise ValueError(f"fs={fs!r}: expected a positive number of Hz")
    if len(sample) and (np.any(np.diff(sample) <= 0) or sample[0] < start or sample[-1] >= stop):
        raise ValueError(
            f"sample must hold increasing positions from start={start} to stop={stop}; sort the "
            "beats in order of time, each once"
        )
    unknown = sorted(set(label.tolist()) - set(AAMI_CLASSES))
    if unknown:
        raise ValueError(f"label has {unknown}; expected the classes {', '.join(AAMI_CLASSES)}")


def _rate(rr: pd.Series) -> float | None:
    """Return the number of intervals per minute."""
    return float(60 / rr.mean()) if len(rr) else None


def _minute_rates(beats: _Beats) -> pd.DataFrame:
    """Compute the heart rate over the minute before each beat, where intervals cover it."""
    rr = beats.rr
    end = beats.time[rr["first"] + 1]
    total = np.concatenate([[0.0], np.cumsum(rr["rr_s"])])
    # An interval counts if it lies in the minute wholly.
    low = np.searchsorted(end - rr["rr_s"], end - _MINUTE - 1e-9)
    here = np.arange(1, len(rr) + 1)
    covered = total[here] - total[low]
    rates = pd.DataFrame({"time_s": end, "rate": 60 * (here - low) / covered})
    return rates[covered >= _COVERED * _MINUTE]


def _extremes(rates: pd.DataFrame) -> dict[str, float | None]:
    """Return the lowest and highest rate and the ends of their minutes."""
    if rates.empty:
        return dict.fromkeys(("lowest", "lowest_s", "highest", "highest_s"))
    time, rate = rates["time_s"].to_numpy(), rates["rate"].to_numpy().round(6)
    low, high = rate.argmin(), rate.argmax()
    return {
        "lowest": float(rate[low]),
        "lowest_s": float(time[low]),
        "highest": float(rate[high]),
        "highest_s": float(time[high]),
    }


def _find_episodes(beats: _Beats) -> pd.DataFrame:
    """Find pauses, and groups and patterns of ectopic beats."""
    rr = beats.rr
    pauses = rr.loc[rr["rr_s"] > PAUSE, "first"].to_numpy()
    parts = [_episodes(beats, "pause", "", pauses, pauses + 1, 0)]
    for name in ECTOPIC:
        first, last = _groups(beats, name)
        n_beats = last - first + 1
        for kind, chosen in (("couplet", n_beats == 2), ("run", n_beats >= 3)):
            parts.append(
                _episodes(beats, kind, name, first[chosen], last[chosen], n_beats[chosen])
            )
        single = first[n_beats == 1]
        for kind, period in (("bigeminy", 2), ("trigeminy", 3)):
            first, last = _regular(beats, single, period)
            parts.append(_episodes(beats, kind, name, first, last, (last - first) // period + 1))
    return pd.concat(parts).sort_values("first", kind="stable", ignore_index=True)


def _groups(beats: _Beats, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the first and last beats of consecutive beats of a class."""
    same = beats.label == name
    joined = same[1:] & same[:-1] & (beats.stretch[1:] == beats.stretch[:-1])
    starts = same & ~np.concatenate([[False], joined])[: len(same)]
    ends = same & ~np.concatenate([joined, [False]])[: len(same)]
    return np.flatnonzero(starts), np.flatnonzero(ends)


def _regular(
    beats: _Beats, single: NDArray[np.int64], period: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find series of single beats with ``period - 1`` N beats in each interval."""
    n_before = np.concatenate([[0], np.cumsum(beats.label == "N")])
    regular = (
        (np.diff(single) == period)
        & (np.diff(n_before[single]) == period - 1)
        & (np.diff(beats.stretch[single]) == 0)
    )
    edges = np.flatnonzero(np.diff(regular, prepend=False, append=False)).reshape(-1, 2)
    edges = edges[edges[:, 1] - edges[:, 0] >= _FEWEST - 1]
    return single[edges[:, 0]], single[edges[:, 1]]


def _episodes(
    beats: _Beats,
    kind: str,
    name: str,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    n_beats: NDArray[np.int64] | int,
) -> pd.DataFrame:
    """Make rows of the table of episodes."""
    duration = beats.time[last] - beats.time[first]
    has_rate = kind in ("couplet", "run")
    return pd.DataFrame(
        {
            "kind": np.full(len(first), kind),
            "label": np.full(len(first), name),
            "beats": np.broadcast_to(n_beats, len(first)),
            "first": first,
            "last": last,
            "time_s": beats.time[first],
            "duration_s": duration,
            "rate": 60 * (n_beats - 1) / duration if has_rate else np.full(len(first), np.nan),
        }
    )


def _summarize_pauses(episodes: pd.DataFrame) -> dict[str, Any]:
    pauses = episodes.loc[episodes["kind"] == "pause"].nlargest(10, "duration_s")
    return {
        "count": int(np.sum(episodes["kind"] == "pause")),
        "longest": pauses[["time_s", "duration_s"]].to_dict("records"),
    }


def _summarize_class(
    name: str, beats: _Beats, episodes: pd.DataFrame, readable: _Readable
) -> dict[str, Any]:
    """Count the ectopic beats of a class and their episodes."""
    count, of_class = int(np.sum(beats.label == name)), episodes[episodes["label"] == name]
    number = of_class["kind"].value_counts()
    runs = of_class[of_class["kind"] == "run"]
    n_couplets, in_runs = int(number.get("couplet", 0)), int(runs["beats"].sum())
    return {
        "count": count,
        "burden_percent": 100 * count / len(beats.label) if len(beats.label) else None,
        "per_hour": _HOUR * count / readable.total if readable.total else None,
        "singles": count - 2 * n_couplets - in_runs,
        "couplets": n_couplets,
        "runs": len(runs),
        "beats_in_runs": in_runs,
        "longest_run": int(runs["beats"].max()) if len(runs) else 0,
        "fastest_run": float(runs["rate"].max()) if len(runs) else None,
        "bigeminy": int(number.get("bigeminy", 0)),
        "trigeminy": int(number.get("trigeminy", 0)),
    }


def _rr_variability(rr: pd.DataFrame) -> dict[str, Any]:
    """Compute SDNN, RMSSD and pNN50 of the intervals between N beats."""
    nn = rr[rr["is_nn"]]
    follows = np.diff(nn["first"]) == 1
    change = np.diff(nn["rr_s"])[follows]
    return {
        "nn_intervals": len(nn),
        "sdnn_ms": 1000 * float(nn["rr_s"].std()) if len(nn) > 1 else None,
        "rmssd_ms": 1000 * float(np.sqrt(np.mean(change**2))) if len(change) else None,
        # Positions are whole samples, so a difference of 50 ms may be a little more as a float.
        "pnn50_percent": 100 * float(np.sum(np.abs(change) > _NN50 + 1e-9)) / len(nn)
        if len(change)
        else None,
    }


def _hours(
    beats: _Beats,
    rates: pd.DataFrame,
    episodes: pd.DataFrame,
    readable: _Readable,
    past_hour: float,
) -> pd.DataFrame:
    """Count what happens in each hour; sample 0 is `past_hour` seconds after a full hour."""
    begin, end = readable.start / beats.fs, readable.stop / beats.fs
    first = (begin + past_hour) // _HOUR
    n_hours = max(int(np.ceil((end + past_hour) / _HOUR - first)), 1)
    edges = ((first + np.arange(n_hours + 1)) * _HOUR - past_hour).clip(begin, end)

    def place(time: ArrayLike) -> NDArray[np.int64]:
        return np.searchsorted(edges[1:-1], time, side="right")

    def count(time: ArrayLike) -> NDArray[np.int64]:
        return np.bincount(place(time), minlength=n_hours)

    rr = beats.rr
    in_hour = rr["rr_s"].groupby(place(beats.time[rr["first"] + 1]))
    minute = rates["rate"].groupby(place(rates["time_s"]))
    kind = episodes["label"] + episodes["kind"]
    table = pd.DataFrame(
        {
            "analysed_s": readable.between(edges),
            "beats": count(beats.time),
            "heart_rate": 60 / in_hour.mean().reindex(range(n_hours)),
            "lowest": minute.min().reindex(range(n_hours)),
            "highest": minute.max().reindex(range(n_hours)),
            "pauses": count(episodes.loc[kind == "pause", "time_s"]),
            **{name: count(beats.time[beats.label == name]) for name in ECTOPIC},
            **{f"{c}_runs": count(episodes.loc[kind == f"{c}run", "time_s"]) for c in ECTOPIC},
        }
    )
    return table.set_axis(pd.Index(edges[:-1], name="start_s"))
