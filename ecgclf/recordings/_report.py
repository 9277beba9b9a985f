"""Report of a recording as one HTML file."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgclf._version import __version__
from ecgclf.datasets import AAMI_CLASSES, Recording
from ecgclf.recordings import _drawings as drawings
from ecgclf.recordings._rhythm import ECTOPIC, RhythmReport

#: Row of a table.
Row: TypeAlias = dict[Hashable, Any]

#: Names of the classes.
CLASS_NAMES = {
    "N": "normal",
    "S": "supraventricular",
    "V": "ventricular",
    "F": "fusion",
    "Q": "unknown or paced",
}

#: Length of a strip in s, which fits A4 paper at 25 mm/s, and number of strips of each kind.
_STRIP, _N_STRIPS = 7.0, 10

#: Window of the mean beats in s, and the number of beats that each is computed from.
_BEAT, _N_MEAN = (0.3, 0.5), 400

#: Columns a second and units a mV of the full disclosure; a column has a minimum and a maximum.
_COLUMNS, _UNITS, _MISSING = 25, 50, -128

#: Distances of the ticks of a time axis in s, and the largest number of ticks.
_TICKS, _N_TICKS = (60, 300, 600, 1800, 3600, 7200, 14400, 86400), 13

#: Most rows of a table of episodes or stretches.
_N_ROWS = 10


@dataclass(frozen=True)
class ReportData:
    """What a report shows; `recording` has the leads to draw, `card` the facts of the model."""

    recording: Recording
    beats: pd.DataFrame
    rhythm: RhythmReport
    start: int
    stop: int
    unreadable: NDArray[np.int64]
    model: str
    card: dict[str, Any] | None

    @property
    def fs(self) -> float:
        """Sampling rate in Hz."""
        return self.recording.fs

    def clock(self, seconds: float) -> str:
        """Format a time of day, or the time from the start if that is unknown."""
        passed, start = timedelta(seconds=round(seconds)), self.recording.start
        if start is None:
            return str(passed)
        time = start + passed
        days = (time.date() - start.date()).days
        return f"{time:%H:%M:%S}" + (f" (day {days + 1})" if days else "")


def render_report(data: ReportData, *, full_disclosure: bool = False) -> str:
    """Write the report as HTML that refers to no other files."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ecgclf.recordings"),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": data.clock, "duration": duration, "figure": figure}
    return environment.get_template("report.html").render(
        data=data,
        summary=data.rhythm.summary,
        trend=_trend(data),
        hours=data.rhythm.hours.reset_index().to_dict("records"),
        rr=drawings.draw_rr_intervals(data.rhythm.rr),
        runs=_longest_runs(data.rhythm.episodes),
        stretches=_stretches(data),
        mean_beats=list(_mean_beats(data)),
        events=list(_event_strips(data)),
        strips={name: _class_strips(data, name) for name in ECTOPIC},
        disclosure=_disclosure(data) if full_disclosure else None,
        paper={"speed": drawings.SPEED, "gain": drawings.GAIN, "units": drawings.TRACE_UNITS},
        names=CLASS_NAMES,
        ectopic=ECTOPIC,
        version=__version__,
    )


def duration(seconds: float) -> str:
    """Format a duration, such as 23 h 41 min, or 35 s."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    units = [(hours, "h"), (minute, "min"), (0 if hours else second, "s")]
    return " ".join(f"{number} {unit}" for number, unit in units if number) or "0 s"


def figure(value: float | None, digits: int = 0) -> str:
    """Format a number, with a dash if it is undefined."""
    return "\N{EN DASH}" if value is None or pd.isna(value) else f"{value:,.{digits}f}"


def _trend(data: ReportData) -> dict[str, Any]:
    """Draw the heart rate and the ectopic beats over the recording, with axes."""
    begin, end = data.start / data.fs, data.stop / data.fs
    scale = drawings.TREND_SIZE["width"] / (end - begin)
    step = next((s for s in _TICKS if (end - begin) / s <= _N_TICKS), _TICKS[-1])
    start = data.recording.start
    past = 0.0 if start is None else 3600.0 * start.hour + 60.0 * start.minute + start.second
    first = np.ceil((begin + past) / step) * step - past
    events = data.rhythm.episodes
    kinds = {
        "pauses": events["kind"] == "pause",
        **{f"runs {c}": (events["kind"] == "run") & (events["label"] == c) for c in ECTOPIC},
    }
    return {
        **drawings.TREND_SIZE,
        **drawings.draw_trend(data.beats, data.rhythm.rr, begin, end, ECTOPIC),
        "ticks": [
            ((at - begin) * scale, data.clock(at).partition(" ")[0][: 5 if start else None])
            for at in np.arange(first, end, step)
        ],
        "unreadable": [
            ((a / data.fs - begin) * scale, (b - a) / data.fs * scale) for a, b in data.unreadable
        ],
        "marks": {
            kind: "".join(
                f"M{(at - begin) * scale:.1f} 0v8" for at in events.loc[of_kind, "time_s"]
            )
            for kind, of_kind in kinds.items()
        },
    }


def _longest_runs(episodes: pd.DataFrame) -> list[Row]:
    runs = episodes[episodes["kind"] == "run"]
    return runs.nlargest(_N_ROWS, ["beats", "rate"]).to_dict("records")


def _stretches(data: ReportData) -> dict[str, Any]:
    """List the longest unreadable stretches in order of time, with the reason."""
    longest = np.sort(np.argsort(data.unreadable[:, 0] - data.unreadable[:, 1])[:_N_ROWS])
    rows = [
        {"start": a / data.fs, "seconds": (b - a) / data.fs, "why": _why(data.recording, a, b)}
        for a, b in data.unreadable[longest].tolist()
    ]
    return {"rows": rows, "count": len(data.unreadable)}


def _why(recording: Recording, start: int, stop: int) -> str:
    """Say why a stretch is unreadable, from its first minute."""
    signal = recording.read(start, min(stop, start + round(60 * recording.fs)))
    if np.isnan(signal).mean() > 0.5:
        return "no signal"
    flat = np.mean(np.diff(signal, axis=1) == 0, axis=1)
    if flat.max() > 0.8:
        return "flat line" if flat.min() > 0.8 else "flat line in one lead, noise in another"
    return "noise or clipped signal"


def _mean_beats(data: ReportData) -> Iterator[dict[str, Any]]:
    """Draw the mean beat of each class and one standard deviation around it."""
    before, after = (round(seconds * data.fs) for seconds in _BEAT)
    sample = data.beats["sample"].to_numpy()
    for name in AAMI_CLASSES:
        of_class = sample[(data.beats["label"] == name).to_numpy()]
        whole = of_class[(of_class >= before) & (of_class < data.recording.n_samples - after)]
        if not len(whole):
            continue
        some = whole[np.linspace(0, len(whole) - 1, min(len(whole), _N_MEAN)).astype(int)]
        rows = np.stack([data.recording.read(at - before, at + after) for at in some])
        rows = rows[np.isfinite(rows).all(axis=(1, 2))]
        if not len(rows):
            continue
        rows = rows - np.median(rows, axis=2, keepdims=True)
        mean, spread = rows.mean(axis=0), rows.std(axis=0)
        yield {
            "label": name,
            "count": len(of_class),
            "used": len(rows),
            "n_samples": before + after,
            "before": before,
            "leads": [
                {
                    "name": lead,
                    "path": drawings.trace_path(m),
                    "band": drawings.band_path(m - s, m + s),
                    "top": float(np.max(m + s)),
                    "bottom": float(np.min(m - s)),
                }
                for lead, m, s in zip(data.recording.leads, mean, spread)
            ],
        }


def _class_strips(data: ReportData, name: str) -> dict[str, list[dict[str, Any]]]:
    """Draw the most typical and the least certain beats of a class."""
    of_class = data.beats[data.beats["label"] == name].sort_values(name, kind="stable")
    strips = {}
    for kind, rows in (("typical", of_class[::-1]), ("uncertain", of_class)):
        strips[kind] = [
            _strip(data, row["time"] - _STRIP / 2, _title(row, name), [row["sample"]])
            for row in _apart(rows, _N_STRIPS)
        ]
    return strips


def _title(row: Row, name: str) -> str:
    """State the probability of the class, and of the next one."""
    others = {c: row[c] for c in AAMI_CLASSES if c != name and c in row}
    second = max(others, key=others.__getitem__)
    return f"{name} {row[name]:.2f}, {second} {others[second]:.2f}"


def _apart(rows: pd.DataFrame, n_rows: int) -> list[Row]:
    """Take the first beats that are not within the strip of another one."""
    chosen: list[Row] = []
    for i, time in enumerate(rows["time"]):
        if all(abs(time - other["time"]) >= _STRIP for other in chosen):
            chosen.append(rows.iloc[i].to_dict())
            if len(chosen) == n_rows:
                break
    return sorted(chosen, key=lambda row: row["time"])


def _event_strips(data: ReportData) -> Iterator[dict[str, Any]]:
    """Draw the longest runs and pause, and the minutes of extreme heart rate."""
    episodes, rate = data.rhythm.episodes, data.rhythm.summary["heart_rate"]
    sample = data.beats["sample"].tolist()
    found = [
        (f"Longest {name} run", _longest_runs(episodes[episodes["label"] == name])[:1])
        for name in ECTOPIC
    ]
    pauses = episodes[episodes["kind"] == "pause"]
    found.append(("Longest pause", pauses.nlargest(1, "duration_s").to_dict("records")))
    for title, rows in found:
        for row in rows:
            beats = (
                f"{row['beats']} beats, {row['rate']:.0f} per minute, " if row["beats"] else ""
            )
            lead_in = np.clip((_STRIP - row["duration_s"]) / 2, 0.5, 3.0)
            marked = sample[row["first"] : row["last"] + 1] if row["beats"] else ()
            detail = f"{beats}{row['duration_s']:.1f} s"
            yield _strip(data, row["time_s"] - lead_in, f"{title}: {detail}", marked)
    for name in ("lowest", "highest"):
        if rate[name] is not None:
            title = f"Middle of the minute of {name} heart rate, {rate[name]:.0f} per minute"
            yield _strip(data, rate[f"{name}_s"] - 30 - _STRIP / 2, title)


def _strip(
    data: ReportData, begin: float, title: str, marked: Collection[int] = ()
) -> dict[str, Any]:
    """Draw a strip on ECG paper with the labels of its beats."""
    n_samples = round(_STRIP * data.fs)
    start = max(min(round(begin * data.fs), data.recording.n_samples - n_samples), 0)
    top = 6.0
    signal = data.recording.read(start, start + n_samples)
    leads, height = drawings.stack_leads(signal, data.recording.leads, top)
    first, last = data.beats["sample"].searchsorted([start, start + n_samples])
    shown = data.beats.iloc[first:last]
    return {
        "title": title,
        "time": start / data.fs,
        "width": _STRIP * drawings.SPEED,
        "height": height,
        "leads": leads,
        "scale": drawings.SPEED / data.fs,
        "marks": [
            ((at - start) / data.fs * drawings.SPEED, label, at in marked)
            for at, label in zip(shown["sample"], shown["label"])
        ],
    }


def _disclosure(data: ReportData) -> dict[str, Any]:
    """Pack the first lead as extremes of short columns, with the beats.

    A column is a pair of bytes, packed with gzip and base64.
    """
    first, last = (round(at / data.fs * _COLUMNS) for at in (data.start, data.stop))
    parts = []
    minutes = range(first, last, 60 * _COLUMNS)
    lead = data.recording.pick([data.recording.leads[0]])
    for begin in minutes:
        edges = np.arange(begin, min(begin + 60 * _COLUMNS, last) + 1) / _COLUMNS * data.fs
        edges = np.rint(edges).astype(np.int64)
        signal = lead.read(edges[0], edges[-1])[0]
        known = np.isfinite(signal)
        centred = signal - (np.median(signal[known]) if known.any() else 0.0)
        at = edges[:-1] - edges[0]
        extremes = np.stack(
            [np.fmin.reduceat(centred, at), np.fmax.reduceat(centred, at)], axis=1
        )
        units = np.rint(extremes * _UNITS).clip(-127, 127)
        parts.append(np.nan_to_num(units, nan=_MISSING).astype(np.int8))
    columns = np.concatenate(parts) if parts else np.empty((0, 2), dtype=np.int8)
    at = np.rint(data.beats["time"] * _COLUMNS).astype(np.int64) - first
    return {
        "first": first / _COLUMNS,
        "columns": _COLUMNS,
        "units": _UNITS,
        "rows": [data.clock(begin / _COLUMNS) for begin in minutes],
        "unreadable": np.rint(data.unreadable / data.fs * _COLUMNS - first).astype(int).tolist(),
        "data": base64.b64encode(gzip.compress(columns.tobytes(), 6)).decode(),
        "beats": np.diff(at, prepend=0).tolist(),
        "labels": "".join(data.beats["label"]),
    }
