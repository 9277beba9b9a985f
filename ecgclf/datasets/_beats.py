"""Container of labelled heartbeats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch

from ecgclf.datasets._rhythm import rhythm_features
from ecgclf.datasets._windows import AnnotatedSignal, BeatWindow

#: The fields of `Beats` that hold one entry per beat.
PER_BEAT = ("data", "target", "groups", "record", "sample", "lead", "rhythm")


class Beats(Bunch):
    """Heartbeats with their labels and where they come from.

    A `sklearn.utils.Bunch`: every field is both a key and an attribute.

    Attributes
    ----------
    data : ndarray of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        The signal, float32. One lead gives 2-D data, several leads 3-D.
        With ``as_frame=True`` a DataFrame of shape (n_beats, n_leads * n_samples); from
        `load_beats` a memory map or a Zarr array.
    target : ndarray of shape (n_beats,) or None
        The label of each beat; None if it is not known.
    groups : ndarray of shape (n_beats,) or None
        The patient (subject) each beat belongs to; None if the source does not tell.
    record : ndarray of shape (n_beats,) or None
        Name of the record each beat was cut from.
    sample : ndarray of shape (n_beats,) or None
        Position of the beat in its record, in samples at ``fs_record``.
    lead : ndarray of shape (n_beats, n_leads) or None
        Name of the lead in each channel of each beat.
    rhythm : ndarray of shape (n_beats, n_rhythm) or None
        Rhythm features, float32; their names are in ``rhythm_names``.
    rhythm_names : tuple of str
    fs : float or None
        Sampling rate of ``data`` in Hz; None if each beat was stretched by itself.
    fs_record : float or None
        Sampling rate of the records in Hz, the unit of ``sample``.
    target_names : tuple of str
        The classes that the source may hold, in their usual order.
    DESCR : str
        What the data is, how it was made and whom to cite.
    frame : DataFrame
        Only with ``as_frame=True``: ``record``, ``sample``, ``data``, ``rhythm`` and
        ``target`` side by side, as far as they are known.

    Examples
    --------
    >>> from ecgclf.datasets import make_beats
    >>> beats = make_beats(n_beats=60, random_state=0)
    >>> beats.data.shape[0] == beats.target.shape[0] == 60
    True
    >>> beats.select(beats.target == "V").target.tolist()[:2]
    ['V', 'V']
    """

    def select(self, rows: ArrayLike | slice) -> Beats:
        """Take some of the beats.

        Parameters
        ----------
        rows : array-like or slice
            A boolean mask of shape (n_beats,), integer positions, or a slice.

        Returns
        -------
        Beats
            The same kind of container, with every per-beat field reduced to `rows`.
        """
        if isinstance(rows, slice):
            rows = np.arange(self.data.shape[0])[rows]
        rows = np.asarray(rows)
        picked: dict[str, Any] = dict(self)
        for name in (*PER_BEAT, "frame"):
            value = picked.get(name)
            if isinstance(value, (pd.DataFrame, pd.Series)):
                picked[name] = value[rows] if rows.dtype == bool else value.iloc[rows]
            elif value is not None:
                # What Zarr takes as a whole row for each position has a name of its own.
                picked[name] = getattr(value, "oindex", value)[rows]
        return Beats(**picked)


def finish(beats: Beats, *, return_X_y: bool, as_frame: bool) -> Any:
    """Give a loader's result the form its caller asked for.

    Parameters
    ----------
    beats : Beats
        With numpy fields.
    return_X_y : bool
        Return ``(data, target)`` instead of the container.
    as_frame : bool
        Turn ``data``, ``rhythm`` and ``target`` into pandas objects and add ``frame``.

    Returns
    -------
    Beats or tuple (data, target)
    """
    if as_frame:
        beats = _framed(beats)
    return (beats.data, beats.target) if return_X_y else beats


def _framed(beats: Beats) -> Beats:
    """Return `beats` with pandas fields; leads stand one after another in the columns."""
    data = beats.data
    if data.ndim == 2:
        columns = [f"sample_{i:03d}" for i in range(data.shape[1])]
    else:
        columns = [
            f"lead_{lead}_sample_{i:03d}"
            for lead in range(data.shape[1])
            for i in range(data.shape[2])
        ]
    framed = Beats(**beats)
    framed.data = pd.DataFrame(data.reshape(len(data), -1), columns=columns)
    known = {name: beats.get(name) for name in ("record", "sample")}
    parts = [pd.DataFrame({name: v for name, v in known.items() if v is not None}), framed.data]
    if beats.get("rhythm") is not None:
        framed.rhythm = pd.DataFrame(beats.rhythm, columns=list(beats.rhythm_names))
        parts.append(framed.rhythm)
    if beats.target is not None:
        framed.target = pd.Series(beats.target, name="target")
        parts.append(framed.target)
    framed.frame = pd.concat([part for part in parts if part.size], axis=1)
    return framed


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
    recording: AnnotatedSignal,
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
    recording : AnnotatedSignal
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
