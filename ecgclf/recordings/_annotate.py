"""Detection and classification of the beats of a recording."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax
from tqdm.auto import tqdm

from ecgclf.datasets import AAMI_CLASSES, Recording, read_recording
from ecgclf.recordings._annotated import AnnotatedRecording
from ecgclf.recordings._model_input import ModelInput, find_model

#: Leads that come first if a recording has many, in this order.
_PREFERRED = ("MLII", "II")

#: Recordings with more leads are classified in one.
_FEW_LEADS = 3

#: Smallest probability in a logarithm.
_TINY = 1e-12

#: Seconds of a day.
_DAY = 86_400.0


def annotate_recording(
    recording: str | os.PathLike[str] | Recording,
    model: Any = "holter",
    *,
    leads: Sequence[str | int] | None = None,
    start: str | float | None = None,
    end: str | float | None = None,
    min_confidence: float = 0.0,
    uncertain: Literal["Q", "mark"] = "Q",
    fs: float | None = None,
    window: tuple[float, float] | None = None,
    verbose: int = 0,
) -> AnnotatedRecording:
    r"""Detect and classify all beats of a recording.

    R peaks are detected in all leads together. A model of one lead classifies each lead, and
    the logarithms of the probabilities are averaged over the leads whose quality at the beat is
    above 0.

    Parameters
    ----------
    recording : str, path-like or Recording
        A recording, or a file as for `ecgclf.datasets.read_recording`.
    model : str, path-like or estimator, default="holter"
        Name of a pretrained model, model file, or fitted classifier of beats.
    leads : sequence of str or int, optional
        Leads to use, by name or number from 0. Default: all if the recording has at most three,
        otherwise lead II, or the first one if there is no lead II; a model of several leads
        needs them named unless the recording has just as many.
    start, end : str or float, optional
        Part to analyse, as a clock time such as "22:00" if the time of the recording is known,
        and otherwise as time from its start. An `end` before `start` is on the next day. Numbers
        are seconds from the start of the recording. Default: the whole recording.
    min_confidence : float, default=0.0
        Beats whose highest probability is below it are uncertain, and those that no lead shows
        completely.
    uncertain : {"Q", "mark"}, default="Q"
        Whether uncertain beats are labelled "Q", unclassifiable, or keep their label and are
        only marked.
    fs : float, optional
        Sampling rate of the beats in Hz, for a model that does not state it.
    window : tuple (before, after), optional
        Seconds around the R peak, for a model that does not state them.
    verbose : int, default=0
        Whether to show a progress bar.

    Returns
    -------
    AnnotatedRecording

    Raises
    ------
    FileNotFoundError
        If there is no such recording or model.
    RecordError
        If the recording cannot be read.
    ValueError
        If a parameter is invalid, or the model does not fit the recording.

    Warns
    -----
    UserWarning
        If stretches are unreadable.

    Notes
    -----
    The quality of a beat is :math:`1 - 5 \sigma / h`, limited to 0 and 1, in its best lead,
    where :math:`h` is the range of the signal in the window and :math:`\sigma` the standard
    deviation of the noise [1]_. It is near 0 for white noise, and 0 without signal.

    References
    ----------
    .. [1] Stoehr F et al. DER_SNR: a simple and general spectroscopic signal-to-noise
       measurement algorithm. Astronomical Data Analysis Software and Systems XVII, 2008.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf import annotate_recording
    >>> from ecgclf.datasets import make_record
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = make_record(folder, duration=30, random_state=0)
    ...     annotated = annotate_recording(path, "mitbih-small")
    >>> annotated.beats.columns[:4].tolist()
    ['time', 'sample', 'label', 'N']
    """
    estimator, name = find_model(model)
    model_input = ModelInput.of(estimator, fs, window)
    if not isinstance(recording, Recording):
        recording = read_recording(recording, leads)
    elif leads is not None:
        recording = recording.pick(leads)
    part = find_part(recording, start, end)
    groups = _group_leads(recording, estimator.n_leads_, is_chosen=leads is not None)
    analysed = recording.crop(*part)
    with tqdm(
        total=1 + len(groups), disable=not verbose, desc=recording.name, leave=False
    ) as progress:
        peaks, unreadable = analysed.detect_r_peaks()
        progress.update()
        parts = []
        for group in groups if len(peaks) else []:
            rows, of_leads = model_input.cut(analysed.pick(group), peaks)
            parts.append((model_input.predict_proba(rows, peaks), of_leads))
            progress.update()
    none = np.empty((0, len(estimator.classes_))), np.empty(0)
    probabilities, quality = combine_leads(parts) if parts else none
    sample = peaks + part[0]
    beats = pd.DataFrame({"time": sample / recording.fs, "sample": sample})
    table = label_beats(
        probabilities,
        quality,
        estimator.classes_,
        min_confidence=min_confidence,
        uncertain=uncertain,
    )
    return AnnotatedRecording(
        recording,
        pd.concat([beats, table], axis=1),
        unreadable + part[0],
        *part,
        leads=tuple(recording.leads[lead] for group in groups for lead in group),
        model=name,
        classes=tuple(table.columns[1:-2]),
    )


def combine_leads(
    parts: Iterable[tuple[NDArray[np.float64], NDArray[np.float32]]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average the log-probabilities of the beats over the leads that are readable.

    Each part has the probabilities, of shape (n_beats, n_classes), and the quality, of shape
    (n_beats, n_leads), of leads that the model sees together.
    """
    logs: Any = 0.0
    total: Any = 0.0
    quality: Any = 0.0
    for probabilities, of_leads in parts:
        worst = of_leads.min(axis=1)
        weight = np.where(worst > 0, 1.0, _TINY)[:, np.newaxis]
        logs = logs + weight * np.log(probabilities.clip(_TINY))
        total = total + weight
        quality = np.maximum(quality, worst)
    return softmax(logs / total, axis=1), np.asarray(quality, dtype=np.float64)


def label_beats(
    probabilities: NDArray[np.float64],
    quality: NDArray[np.float64],
    classes: NDArray,
    *,
    min_confidence: float,
    uncertain: str,
) -> pd.DataFrame:
    """Choose the labels; the columns are `label`, the classes, `quality` and `uncertain`."""
    table = pd.DataFrame(probabilities, columns=[str(label) for label in classes])
    if set(table) <= set(AAMI_CLASSES):
        table = table.reindex(columns=list(AAMI_CLASSES), fill_value=0.0)
    is_uncertain = (table.max(axis=1) < min_confidence) | (quality == 0)
    label = table.idxmax(axis=1) if len(table) else pd.Series(dtype=str)
    if uncertain == "Q":
        label = label.mask(is_uncertain, "Q")
    table.insert(0, "label", label)
    return table.assign(quality=quality, uncertain=is_uncertain)


def _group_leads(recording: Recording, n_leads: int, *, is_chosen: bool) -> list[list[int]]:
    """Choose the leads that the model sees together, by number."""
    numbers = list(range(len(recording.leads)))
    if n_leads > 1:
        if len(numbers) != n_leads:
            raise ValueError(
                f"The model takes {n_leads} leads, but record {recording.name} has "
                f"{len(numbers)}: {', '.join(recording.leads)}. Name the leads in leads."
            )
        return [numbers]
    if not is_chosen and len(numbers) > _FEW_LEADS:
        preferred = [
            recording.leads.index(name) for name in _PREFERRED if name in recording.leads
        ]
        numbers = [*preferred, 0][:1]
    return [[number] for number in numbers]


def find_part(
    recording: Recording, start: str | float | None, end: str | float | None
) -> tuple[int, int]:
    """Convert the start and the end of the analysed part to samples."""
    duration = recording.n_samples / recording.fs
    first = 0.0 if start is None else _seconds("start", start, recording, 0.0)
    last = duration if end is None else _seconds("end", end, recording, first)
    if not 0 <= first < min(last, duration):
        began = "" if recording.start is None else f" from {recording.start:%H:%M:%S}"
        raise ValueError(
            f"There is nothing between start={start!r} and end={end!r}: record {recording.name} "
            f"lasts {timedelta(seconds=round(duration))}{began}."
        )
    return round(first * recording.fs), min(round(last * recording.fs), recording.n_samples)


def _seconds(name: str, time: str | float, recording: Recording, after: float) -> float:
    """Convert a time to seconds from the start of the recording."""
    text = str(time)
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = re.fullmatch(r"(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?", text)
    if parts is None:
        raise ValueError(f"{name}={time!r}: expected a time such as '22:00', or seconds.")
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    asked = 3600 * hours + 60 * minutes + seconds
    if recording.start is None:
        return asked
    midnight = recording.start.replace(hour=0, minute=0, second=0, microsecond=0)
    from_start = (asked - (recording.start - midnight).total_seconds()) % _DAY
    return from_start if from_start > after or name == "start" else from_start + _DAY
