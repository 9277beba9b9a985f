"""Beats of a recording without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgclf.cli._contract import Cut
from ecgclf.datasets import detect_r_peaks
from ecgclf.datasets._records import Record, read_record
from ecgclf.transforms import BeatSegmenter


def cut_recording(
    path: Path, cut: Cut, leads: list[str] | None, n_leads: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], float]:
    """Detect the R peaks of a record and cut a beat at each.

    Parameters
    ----------
    path : Path
        Of the record, without an ending or with that of its header.
    cut : Cut
        With rate and window.
    leads : list of str or None
        None takes MLII where one lead is wanted and there is one, else the first leads.
        R peaks are detected in the first lead taken.
    n_leads : int
        How many the model takes.

    Returns
    -------
    data : ndarray of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        In mV.
    sample : ndarray of int64, shape (n_beats,)
        The R peaks.
    fs : float
        Sampling rate of the record, the unit of `sample`.

    Raises
    ------
    FileNotFoundError
        If there is no such record.
    ValueError
        If it has not these leads, is damaged, or has no R peaks.
    """
    path = path.expanduser()
    name = path.stem if path.suffix in (".hea", ".dat") else path.name
    record = read_record(path.parent, name, annotator=None)
    record = record.pick(_choose(record, leads, n_leads))
    peaks = detect_r_peaks(record.pick(record.leads[:1]).millivolts()[0], record.fs)
    if not len(peaks):
        raise ValueError(
            f"no R peak was found in lead {record.leads[0]} of record {path}: choose another "
            "with --lead"
        )
    segmenter = BeatSegmenter(cut.fs or record.fs, window=cut.window or (0, 0), rhythm=False)
    beats = segmenter.segment(
        record.millivolts(), peaks, fs_record=record.fs, record=name, leads=record.leads
    )
    return beats.data, beats.sample, record.fs


def _choose(record: Record, leads: list[str] | None, n_leads: int) -> list[str]:
    """Name the leads to take."""
    if leads is not None and len(leads) != n_leads:
        raise ValueError(f"--lead names {len(leads)} leads, but the model takes {n_leads}")
    if leads is None and n_leads == 1 and "MLII" in record.leads:
        return ["MLII"]
    if leads is None and n_leads not in (1, len(record.leads)):
        raise ValueError(
            f"the model takes {n_leads} leads and record {record.name} has "
            f"{len(record.leads)}, {', '.join(record.leads)}: name those of the model with --lead"
        )
    return list(record.leads[:n_leads]) if leads is None else leads
