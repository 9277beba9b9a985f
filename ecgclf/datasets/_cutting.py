"""From a recording and the positions of its beats to `Beats`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgclf.datasets._beat_windows import BeatWindow, Recording
from ecgclf.datasets._beats import PER_BEAT, Beats
from ecgclf.datasets._rhythm import rhythm_features


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


def segment(
    recording: Recording,
    window: BeatWindow,
    *,
    fs: float | None,
    target: NDArray | None,
    group: Any,
    leads: Sequence[str] | None,
    rhythm: bool,
) -> Beats:
    """Cut the beats of one recording, and put them together with what is known of them.

    Parameters
    ----------
    recording : Recording
    window : BeatWindow
    fs : float or None
        Rate of the rows in Hz; None is that of the recording.
    target : ndarray of shape (n_beats,) or None
        For the positions of the recording.
    group : object
        The patient; None if it is not known.
    leads : sequence of str or None
        Names of the leads.
    rhythm : bool
        Add rhythm features. They are computed over all positions, also those without a row.

    Returns
    -------
    Beats
        Without what several records share; one lead gives 2-D data.
    """
    data = window.cut(recording, fs).astype(np.float32, copy=False)
    n_rows = len(data)

    def repeated(value: Any) -> NDArray | None:
        return None if value is None else np.full(n_rows, value)

    features = rhythm_features(recording.positions, recording.fs) if rhythm else None
    return Beats(
        data=data[:, 0] if data.shape[1] == 1 else data,
        target=None if target is None else target[:n_rows],
        groups=repeated(group),
        record=repeated(recording.name),
        sample=recording.positions[:n_rows],
        lead=None if leads is None else np.tile(np.array(leads), (n_rows, 1)),
        rhythm=None if features is None else features[:n_rows],
    )


def join(parts: Sequence[Beats], **shared: Any) -> Beats:
    """Put the beats of several records one after another and add what they share."""
    fields = {
        name: None if parts[0][name] is None else np.concatenate([p[name] for p in parts])
        for name in PER_BEAT
    }
    return Beats(**fields, **shared)
