"""Beats of a recording without labels."""

from __future__ import annotations

from pathlib import Path

from ecgclf.datasets import Beats, detect_r_peaks
from ecgclf.datasets._records import Record, read_record
from ecgclf.transforms import BeatSegmenter


def read_recording(path: Path, leads: list[str] | None, n_leads: int) -> Record:
    """Read the leads of a record that a model takes.

    Parameters
    ----------
    path : Path
        Of the record, without an ending or with that of its header.
    leads : list of str or None
        None takes MLII where one lead is wanted and there is one, else the first leads.
    n_leads : int
        How many the model takes.

    Raises
    ------
    FileNotFoundError
        If there is no such record.
    ValueError
        If it has not these leads, or is damaged.
    """
    path = path.expanduser()
    name = path.stem if path.suffix in (".hea", ".dat") else path.name
    record = read_record(path.parent, name, annotator=None)
    return record.pick(_choose(record, leads, n_leads))


def cut_recording(record: Record, fs: float, window: tuple[float, float]) -> Beats:
    """Detect the R peaks in the first lead of a record and cut a beat at each.

    Raises
    ------
    ValueError
        If there are no R peaks.
    """
    signal = record.millivolts()
    peaks = detect_r_peaks(signal[0], record.fs)
    if not len(peaks):
        raise ValueError(
            f"no R peak was found in lead {record.leads[0]} of record {record.name}: look at the "
            "signal, or choose another lead with --lead"
        )
    segmenter = BeatSegmenter(fs, window=window, rhythm=False)
    return segmenter.segment(
        signal, peaks, fs_record=record.fs, record=record.name, leads=record.leads
    )


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
