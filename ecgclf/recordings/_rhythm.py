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
    if not fs > 0:
        raise ValueError(f"fs={fs!r}: expected a positive number of Hz")
    if len(sample) and (np.any(np.diff(sample) <= 0) or sample[0] < start or sample[-1] >= stop):
        raise ValueError(
            f"sample must hold increasing positions from start={start} to stop={stop}; sort the "
            "beats in order of time, each once"
        )
    if unknown := sorted(set(label.tolist()) - set(AAMI_CLASSES)):
        raise ValueError(f"label has {unknown}; expected the classes {', '.join(AAMI_CLASSES)}")
    bad = bad.clip(start, stop)
    bad = bad[bad[:, 1] > bad[:, 0]]
    # Starts and ends of readable stretches in turn; the stretches are numbered from 0.
    limits = np.array([start, *bad.ravel(), stop])
    stretch = np.searchsorted(bad[:, 0], sample, side="right")
    kept = np.flatnonzero(sample >= limits[2 * stretch])
    beats = pd.DataFrame({"time_s": sample / fs, "label": label, "stretch": stretch}).iloc[kept]
    beats = beats.reset_index(drop=True)

    rr = _rr_intervals(beats)
    episodes = _find_episodes(beats, rr)
    rates = _minute_rates(beats, rr)
    (analysed,) = _readable_seconds(limits[[0, -1]] / fs, limits, fs)
    pauses = episodes[episodes["kind"] == "pause"]
    past_hour = 0.0 if clock is None else 60.0 * clock.minute + clock.second
    summary = {
        "duration_s": (stop - start) / fs,
        "analysed_s": float(analysed),
        "unreadable_s": float((stop - start) / fs - analysed),
        "beats": {
            "all": len(beats),
            **{name: int(np.sum(beats["label"] == name)) for name in AAMI_CLASSES},
        },
        "heart_rate": {
            "mean": float(60 / rr["rr_s"].mean()) if len(rr) else None,
            **_extremes(rates),
        },
        "pauses": {
            "count": len(pauses),
            "longest": pauses.nlargest(10, "duration_s")[["time_s", "duration_s"]].to_dict(
                "records"
            ),
        },
        **{name: _summarize_class(name, beats, episodes, float(analysed)) for name in ECTOPIC},
        "hrv": _rr_variability(rr),
    }
    return RhythmReport(
        summary=summary,
        episodes=episodes.assign(first=kept[episodes["first"]], last=kept[episodes["last"]]),
        hours=_hours(beats, rr, rates, episodes, limits, fs, past_hour),
        rr=rr.assign(first=kept[rr["first"]]),
    )


def _rr_intervals(beats: pd.DataFrame) -> pd.DataFrame:
    """List the intervals between beats of the same readable stretch."""
    is_n = beats["label"] == "N"
    rr = pd.DataFrame(
        {
            "first": np.arange(len(beats)) - 1,
            "rr_s": beats["time_s"].diff(),
            "is_nn": is_n & is_n.shift(fill_value=False),
        }
    )
    return rr[beats["stretch"].diff() == 0].reset_index(drop=True)


def _ends(beats: pd.DataFrame, rr: pd.DataFrame) -> NDArray[np.float64]:
    return beats["time_s"].to_numpy()[rr["first"] + 1]


def _readable_seconds(
    edges: NDArray[np.float64], limits: NDArray[np.int64], fs: float
) -> NDArray[np.float64]:
    """Return the readable seconds between successive times."""
    is_good = np.arange(len(limits) - 1) % 2 == 0
    good = np.concatenate([[0], np.cumsum(np.diff(limits) * is_good)])
    return np.diff(np.interp(edges * fs, limits, good)) / fs


def _minute_rates(beats: pd.DataFrame, rr: pd.DataFrame) -> pd.DataFrame:
    """Compute the heart rate over the minute before each beat, where intervals cover it."""
    end = _ends(beats, rr)
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
    time, rate = rates["time_s"], rates["rate"].round(6)
    return {
        "lowest": float(rate.min()),
        "lowest_s": float(time.iloc[rate.argmin()]),
        "highest": float(rate.max()),
        "highest_s": float(time.iloc[rate.argmax()]),
    }


def _find_episodes(beats: pd.DataFrame, rr: pd.DataFrame) -> pd.DataFrame:
    """Find pauses, and groups and patterns of ectopic beats."""
    pauses = rr.loc[rr["rr_s"] > PAUSE, "first"].to_numpy()
    found: list[tuple[str, str, Any, NDArray, NDArray]] = [("pause", "", 0, pauses, pauses + 1)]
    # Groups of successive beats of one class.
    group = beats[["label", "stretch"]]
    start = np.flatnonzero((group != group.shift()).any(axis=1))
    end = np.append(start, len(beats))[1:] - 1
    for name in ECTOPIC:
        of_class = (beats["label"] == name).to_numpy()[start]
        first, last = start[of_class], end[of_class]
        size = last - first + 1
        for kind, chosen in (("couplet", size == 2), ("run", size >= 3)):
            found.append((kind, name, size[chosen], first[chosen], last[chosen]))
        single = first[size == 1]
        for kind, period in (("bigeminy", 2), ("trigeminy", 3)):
            first, last = _regular(beats, single, period)
            found.append((kind, name, (last - first) // period + 1, first, last))
    columns = ["kind", "label", "beats", "first", "last"]
    episodes = pd.concat([pd.DataFrame(dict(zip(columns, row))) for row in found])
    episodes = episodes.sort_values("first", kind="stable", ignore_index=True)
    time = beats["time_s"].to_numpy()
    begin, duration = time[episodes["first"]], time[episodes["last"]] - time[episodes["first"]]
    rate = (60 * (episodes["beats"] - 1) / duration).where(
        episodes["kind"].isin(["couplet", "run"])
    )
    return episodes.assign(time_s=begin, duration_s=duration, rate=rate)


def _regular(
    beats: pd.DataFrame, single: NDArray[np.int64], period: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find series of single beats with ``period - 1`` N beats in each interval."""
    n_before = np.concatenate([[0], np.cumsum(beats["label"] == "N")])
    regular = (
        (np.diff(single) == period)
        & (np.diff(n_before[single]) == period - 1)
        & (np.diff(beats["stretch"].to_numpy()[single]) == 0)
    )
    edges = np.flatnonzero(np.diff(regular, prepend=False, append=False)).reshape(-1, 2)
    edges = edges[edges[:, 1] - edges[:, 0] >= _FEWEST - 1]
    return single[edges[:, 0]], single[edges[:, 1]]


def _summarize_class(
    name: str, beats: pd.DataFrame, episodes: pd.DataFrame, analysed: float
) -> dict[str, Any]:
    """Count the ectopic beats of a class and their episodes."""
    count, of_class = int(np.sum(beats["label"] == name)), episodes[episodes["label"] == name]
    number = {
        kind: int(np.sum(of_class["kind"] == kind))
        for kind in ("couplet", "bigeminy", "trigeminy")
    }
    runs = of_class[of_class["kind"] == "run"]
    in_runs = int(runs["beats"].sum())
    return {
        "count": count,
        "burden_percent": 100 * count / len(beats) if len(beats) else None,
        "per_hour": _HOUR * count / analysed if analysed else None,
        "singles": count - 2 * number["couplet"] - in_runs,
        "couplets": number["couplet"],
        "runs": len(runs),
        "beats_in_runs": in_runs,
        "longest_run": int(runs["beats"].max()) if len(runs) else 0,
        "fastest_run": float(runs["rate"].max()) if len(runs) else None,
        "bigeminy": number["bigeminy"],
        "trigeminy": number["trigeminy"],
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
    beats: pd.DataFrame,
    rr: pd.DataFrame,
    rates: pd.DataFrame,
    episodes: pd.DataFrame,
    limits: NDArray[np.int64],
    fs: float,
    past_hour: float,
) -> pd.DataFrame:
    """Count what happens in each hour; sample 0 is `past_hour` seconds after a full hour."""
    begin, end = limits[[0, -1]] / fs
    first = (begin + past_hour) // _HOUR
    n_hours = max(int(np.ceil((end + past_hour) / _HOUR - first)), 1)
    edges = ((first + np.arange(n_hours + 1)) * _HOUR - past_hour).clip(begin, end)

    def place(time: ArrayLike) -> NDArray[np.int64]:
        return np.searchsorted(edges[1:-1], time, side="right")

    def count(time: ArrayLike) -> NDArray[np.int64]:
        return np.bincount(place(time), minlength=n_hours)

    in_hour = rr["rr_s"].groupby(place(_ends(beats, rr)))
    minute = rates["rate"].groupby(place(rates["time_s"]))
    kind = episodes["label"] + episodes["kind"]
    table = pd.DataFrame(
        {
            "analysed_s": _readable_seconds(edges, limits, fs),
            "beats": count(beats["time_s"]),
            "heart_rate": 60 / in_hour.mean().reindex(range(n_hours)),
            "lowest": minute.min().reindex(range(n_hours)),
            "highest": minute.max().reindex(range(n_hours)),
            "pauses": count(episodes.loc[kind == "pause", "time_s"]),
            **{name: count(beats.loc[beats["label"] == name, "time_s"]) for name in ECTOPIC},
            **{f"{c}_runs": count(episodes.loc[kind == f"{c}run", "time_s"]) for c in ECTOPIC},
        }
    )
    return table.set_axis(pd.Index(edges[:-1], name="start_s"))
