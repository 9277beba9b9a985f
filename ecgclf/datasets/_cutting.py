"""From a record and the positions of its beats to `Beats`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgclf.datasets._beats import PER_BEAT, Beats
from ecgclf.datasets._records import Record
from ecgclf.datasets._windows import fixed_windows, resample, resampling_ratio, window_samples


def check_leads(leads: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Bring the `leads` parameter of a loader to a tuple of names."""
    if leads is None:
        return None
    if isinstance(leads, str):
        leads = (leads,)
    names = tuple(leads) if isinstance(leads, Iterable) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"leads={leads!r}: expected the name of a lead such as 'MLII', a sequence of "
            "names, or None"
        )
    if len({name.lower() for name in names}) < len(names):
        raise ValueError(f"leads={leads!r} names a lead twice; name each once")
    return names


def cut_fixed(
    record: Record,
    positions: NDArray[np.integer],
    *,
    fs: float | None,
    window: tuple[float, float],
) -> NDArray[np.float32]:
    """Cut windows of `window` seconds, in mV, at `fs` Hz (None: as recorded).

    The whole record is brought to the new rate before it is cut, so that no window has an
    edge of its own.
    """
    fs_data = record.fs if fs is None else fs
    before, after = window_samples(window, fs_data)
    signal = record.millivolts()
    if fs is not None:
        ratio = resampling_ratio(record.fs, fs)
        signal = resample(signal, ratio)
        positions = np.rint(positions * float(ratio)).astype(np.int64)
    if before + after > signal.shape[1]:
        raise ValueError(
            f"window={window!r} is longer than record {record.name}, which lasts "
            f"{record.n_samples / record.fs:g} s; make it shorter"
        )
    return fixed_windows(signal, positions, before, after)


def beats_of_record(
    record: Record,
    data: NDArray[np.float32],
    sample: NDArray[np.integer],
    *,
    target: NDArray[np.str_],
    group: Any,
    rhythm: NDArray[np.float32] | None,
) -> Beats:
    """Put the beats of one record together; one lead gives 2-D data."""
    n_beats = len(sample)
    return Beats(
        data=data[:, 0] if data.shape[1] == 1 else data,
        target=target,
        groups=np.full(n_beats, group),
        record=np.full(n_beats, record.name),
        sample=sample,
        lead=np.tile(np.array(record.leads), (n_beats, 1)),
        rhythm=rhythm,
    )


def join(parts: Sequence[Beats], **shared: Any) -> Beats:
    """Put the beats of several records one after another and add what they share."""
    fields = {
        name: None if parts[0][name] is None else np.concatenate([p[name] for p in parts])
        for name in PER_BEAT
    }
    return Beats(**fields, **shared)
