"""Annotation of a signal while it is recorded."""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ecgclf.datasets import Recording
from ecgclf.recordings._annotate import combine_leads, label_beats
from ecgclf.recordings._model_input import ModelInput, find_model

#: Signal before the first new beat in which R peaks are detected, in s.
_BEFORE = 20.0

#: Shortest time between two beats of two detections in s.
_REFRACTORY = 0.1


class BeatStream:
    """Labels of the beats of a signal that arrives in chunks.

    Every `step` seconds the beats that are at least `look_ahead` seconds old are labelled, with
    the beats before and after them as context. Labels of a model that compares the beats of a
    recording, such as "holter", differ a little from those of `annotate_recording`.

    Parameters
    ----------
    model : str, path-like or estimator, default="holter"
        As of `annotate_recording`.
    fs : float
        Sampling rate of the signal in Hz.
    n_leads : int, default=1
        Number of leads. A model of one lead classifies each lead, and the logarithms of the
        probabilities are averaged.
    look_ahead : float, default=10.0
        Signal after a beat in s that is awaited, more than two RR intervals.
    step : float, default=10.0
        Time between two classifications in s.
    memory : int, default=96
        Number of beats that the model sees at once.
    min_confidence, uncertain
        As of `annotate_recording`.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf.datasets import make_record, read_recording
    >>> from ecgclf.recordings import BeatStream
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recording = read_recording(make_record(folder, duration=60, random_state=0))
    >>> stream = BeatStream("mitbih-small", fs=360)
    >>> for start in range(0, recording.n_samples, 360):
    ...     beats = stream.push(recording.read(start, start + 360)[:1])
    >>> rest = stream.finish()
    >>> list(rest)[:3]
    ['time', 'sample', 'label']
    """

    def __init__(
        self,
        model: Any = "holter",
        fs: float = 250.0,
        *,
        n_leads: int = 1,
        look_ahead: float = 10.0,
        step: float = 10.0,
        memory: int = 96,
        min_confidence: float = 0.0,
        uncertain: str = "Q",
    ) -> None:
        self._input = ModelInput.of(find_model(model)[0])
        per_group = self._input.model.n_leads_
        if n_leads < 1 or (per_group > 1 and n_leads != per_group):
            raise ValueError(f"n_leads={n_leads!r}, but the model takes {per_group}.")
        self._groups = np.arange(n_leads).reshape(-1, per_group).tolist()
        self._fs = fs
        self._look_ahead, self._step = round(look_ahead * fs), round(step * fs)
        self._memory = memory
        self._rule: dict[str, Any] = {"min_confidence": min_confidence, "uncertain": uncertain}
        self._signal = np.empty((n_leads, 0), dtype=np.float32)
        self._first = 0  # position of the first sample in `_signal`
        self._done = 0  # end of the part whose beats were returned
        self._waiting = 0  # samples since the last classification
        self._past: list[Any] = []  # positions, then rows and quality of each group

    def push(self, chunk: ArrayLike) -> pd.DataFrame:
        """Add a chunk of the signal.

        Parameters
        ----------
        chunk : array-like of shape (n_samples,) or (n_leads, n_samples)
            The next samples of any number, in the unit of the model, with NaN where they are
            missing.

        Returns
        -------
        DataFrame
            The beats that can be labelled now, as `AnnotatedRecording.beats`; often none.

        Raises
        ------
        ValueError
            If the number of leads is another one.
        """
        samples = np.atleast_2d(np.asarray(chunk, dtype=np.float32))
        if len(samples) != len(self._signal):
            raise ValueError(
                f"chunk of shape {np.shape(chunk)}: expected ({len(self._signal)}, n_samples)."
            )
        found = []
        while samples.shape[1]:
            part = samples[:, : self._step - self._waiting]
            samples = samples[:, part.shape[1] :]
            self._signal = np.concatenate([self._signal, part], axis=1)
            self._waiting = (self._waiting + part.shape[1]) % self._step
            if self._waiting == 0:
                found.append(self._label(self._look_ahead))
        found = [beats for beats in found if len(beats)]
        return pd.concat(found, ignore_index=True) if found else self._empty.copy()

    def finish(self) -> pd.DataFrame:
        """Label the beats that are left at the end of the signal.

        Returns
        -------
        DataFrame
            As from `push`.
        """
        return self._label(0)

    @cached_property
    def _empty(self) -> pd.DataFrame:
        return self._table(np.empty(0, dtype=np.int64), np.empty((0, 0)), np.empty(0))

    def _label(self, look_ahead: int) -> pd.DataFrame:
        """Label the beats before the last `look_ahead` samples."""
        end = self._first + self._signal.shape[1] - look_ahead
        peaks = np.empty(0, dtype=np.int64)
        if self._signal.size:
            recording = Recording(self._signal, self._fs)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of unreadable stretches
                peaks, _ = recording.detect_r_peaks()
        last = self._past[0][-1] if self._past else -np.inf
        position = peaks + self._first
        is_new = (position >= self._done) & (position - last > _REFRACTORY * self._fs)
        is_done = is_new & (position < end)
        self._done = max(end, self._done)
        n_done = int(is_done.sum())
        # Drop the signal that is not needed any more.
        n_old = max(self._done - round(_BEFORE * self._fs) - self._first, 0)
        self._signal = self._signal[:, n_old:]
        self._first += n_old
        if not n_done:
            return self._empty.copy()
        parts: list[Any] = [position[is_new]]
        for group in self._groups:
            parts += (part[is_new] for part in self._input.cut(recording.pick(group), peaks))
        n_new = len(parts[0])
        if self._past:
            size = max(self._memory, n_new)
            parts = [np.concatenate(pair)[-size:] for pair in zip(self._past, parts)]
        # All groups of leads together, each as a recording.
        n_groups = len(self._groups)
        probabilities = self._input.predict_proba(
            np.concatenate(parts[1::2]),
            np.tile(parts[0], n_groups),
            np.repeat(np.arange(n_groups), len(parts[0])),
        )
        probabilities, quality = combine_leads(
            zip(np.split(probabilities, n_groups), parts[2::2])
        )
        end_of_past = len(parts[0]) - n_new
        now = slice(end_of_past, end_of_past + n_done)
        self._past = [part[: now.stop] for part in parts]
        return self._table(parts[0][now], probabilities[now], quality[now])

    def _table(
        self, sample: NDArray[np.int64], probabilities: NDArray, quality: NDArray
    ) -> pd.DataFrame:
        classes = self._input.model.classes_
        probabilities = probabilities.reshape(len(sample), len(classes))
        beats = pd.DataFrame({"time": sample / self._fs, "sample": sample})
        return pd.concat(
            [beats, label_beats(probabilities, quality, classes, **self._rule)], axis=1
        )
