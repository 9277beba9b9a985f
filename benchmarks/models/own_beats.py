"""Features of beats relative to the beats of the same patient in the first five minutes.

ANSI/AAMI EC57 lets an algorithm learn from the labels of these minutes; no other labels are used.
The signal and the times are used throughout, including later ones.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import wfdb

from ecgclf.datasets import load_mitbih
from ecgclf.transforms import QRSWidth

#: Sampling rate of the beats in Hz, and their window in s.
FS, WINDOW = 120.0, (0.3, 0.5)

#: Duration of the labelled part in s.
LEARNING_TIME = 300.0

R_PEAK = round(WINDOW[0] * FS)

#: Parts of a beat in s relative to the R peak.
PARTS = {"qrs": (-0.07, 0.1), "p": (-0.24, -0.08), "t": (0.14, 0.4), "beat": (-0.24, 0.4)}

#: Largest distance, also for classes without labelled beats and for missing values. All
#: features are clipped to twice this value.
FAR = 3.0

#: Number of neighbours that vote.
N_NEAREST = 5


@dataclass(frozen=True)
class LabelledRecords:
    """Beats of records with two leads, in order of time within each record."""

    signal: np.ndarray
    target: np.ndarray
    record: np.ndarray
    sample: np.ndarray
    rhythm: pd.DataFrame
    own: pd.DataFrame
    early: np.ndarray

    @cached_property
    def names(self) -> list[str]:
        """Names of the records."""
        return list(dict.fromkeys(self.record.tolist()))

    def select(self, rows: np.ndarray) -> LabelledRecords:
        """Select beats."""
        values = [getattr(self, field.name) for field in fields(self)]
        return LabelledRecords(*(getattr(value, "iloc", value)[rows] for value in values))


def load_records(folder: Path, names: tuple[str, ...]) -> LabelledRecords:
    """Load records, with MLII as the first lead if present, and compute the features."""
    parts = []
    for name in names:
        leads = sorted(
            wfdb.rdheader(str(folder / name)).sig_name, key=lambda lead: lead != "MLII"
        )
        beats = load_mitbih(folder, records=[name], leads=leads, fs=FS, window=WINDOW)
        early = beats.sample < LEARNING_TIME * beats.fs_record
        rhythm = pd.DataFrame(beats.rhythm, columns=list(beats.rhythm_names))
        time = beats.sample / beats.fs_record
        own = compare_with_own(beats.data, beats.target, time, early, rhythm)
        parts.append((beats.data, beats.target, beats.record, beats.sample, rhythm, own, early))
    joined = [
        pd.concat(part, ignore_index=True)
        if isinstance(part[0], pd.DataFrame)
        else np.concatenate(part)
        for part in zip(*parts)
    ]
    return LabelledRecords(*joined)


def compare_with_own(
    signal: np.ndarray,
    target: np.ndarray,
    time: np.ndarray,
    early: np.ndarray,
    rhythm: pd.DataFrame,
) -> pd.DataFrame:
    """Compare the beats of one record with its labelled beats.

    Parameters
    ----------
    signal : ndarray of shape (n_beats, n_leads, n_samples)
        Beats in mV.
    target : ndarray of shape (n_beats,)
        Labels. Only those of the early beats are used.
    time : ndarray of shape (n_beats,)
        Times of the beats in s.
    early : ndarray of bool of shape (n_beats,)
        Whether the label of a beat may be used.
    rhythm : DataFrame of shape (n_beats, n_rhythm)
        Rhythm features of the loader.

    Returns
    -------
    DataFrame of shape (n_beats, n_features), float32
    """
    normal = early & (target == "N")
    if normal.sum() < N_NEAREST:
        normal = early
    signal = signal - np.median(signal, axis=2, keepdims=True)
    usual = np.median(signal[normal], axis=0)
    # A constant prevents division by zero in a flat lead.
    height = np.ptp(usual, axis=1)[:, np.newaxis] + 0.05
    intervals = own_intervals(time, normal)
    ratios = rhythm.loc[:, rhythm.columns.str.contains("_over_")]
    labels = target[early]
    shares = {f"share_{c}": np.log10(np.mean(labels == c) + 1e-3) for c in "SVF"}
    shape = (signal / height)[:, :, part_of_beat("beat")].reshape(len(signal), -1)
    table = pd.concat(
        [
            ratios,
            intervals,
            shapes(signal, usual, height, normal),
            nearest(shape / np.sqrt(shape.shape[1]), intervals.iloc[:, :4], early, labels),
        ],
        axis="columns",
    )
    table = table.assign(**shares).fillna(FAR)
    return table.clip(-2 * FAR, 2 * FAR).astype(np.float32)


def own_intervals(time: np.ndarray, normal: np.ndarray) -> pd.DataFrame:
    """Compare RR intervals with those of normal beats of the patient, and of neighbouring beats.

    The running medians and one of the two irregularities use later beats as well.
    """
    rr = np.diff(time)
    previous, following = pd.Series(np.r_[rr[0], rr]), pd.Series(np.r_[rr, rr[-1]])
    own = previous[normal].median()
    around = previous.rolling(33, center=True, min_periods=1).median()
    last = previous.rolling(10, min_periods=1)
    both = previous.rolling(21, center=True, min_periods=1)
    return pd.DataFrame(
        {
            "prev_over_own": previous / own,
            "next_over_own": following / own,
            "prev_over_around": previous / around,
            "next_over_around": following / around,
            "prev_over_last": previous / last.median(),
            "next_over_last": following / last.median(),
            "prev_prev_over_around": previous.shift().fillna(previous) / around,
            "next_next_over_around": following.shift(-1).fillna(following) / around,
            "irregularity_last": (last.std() / last.mean()).fillna(0),
            "irregularity_around": both.std() / both.mean(),
        }
    )


def shapes(
    signal: np.ndarray, usual: np.ndarray, height: np.ndarray, normal: np.ndarray
) -> pd.DataFrame:
    """Compare beats with the median normal beat, in each lead and part of the beat."""
    table: dict[str, np.ndarray] = {}
    for part in PARTS:
        beat, other = signal[:, :, part_of_beat(part)], usual[:, part_of_beat(part)]
        error = np.sqrt(np.mean((beat - other) ** 2, axis=2)) / height[:, 0]
        power = [np.mean(part**2, axis=-1) + 1e-4 for part in (beat, other)]
        add(table, f"correlation_{part}", correlation(beat, other))
        add(table, f"difference_{part}", error)
        add(table, f"power_{part}", np.log(power[0] / power[1]))
    widths = QRSWidth()(signal, FS, R_PEAK)
    for name, width in zip(QRSWidth().names(), np.moveaxis(widths, 2, 0)):
        add(table, name, width)
        add(table, f"{name}_over_own", width / np.nanmedian(width[normal], axis=0))
    qrs = part_of_beat("qrs")
    for name, extreme in (("highest", np.max), ("lowest", np.min)):
        found = extreme(signal[:, :, qrs], axis=2) / height[:, 0]
        add(table, name, found)
        add(table, f"{name}_minus_own", found - extreme(usual[:, qrs], axis=1) / height[:, 0])
    return pd.DataFrame(table)


def nearest(
    shape: np.ndarray, intervals: pd.DataFrame, early: np.ndarray, labels: np.ndarray
) -> pd.DataFrame:
    """Compute the distance to the nearest other labelled beat of each class, and votes."""
    table: dict[str, np.ndarray] = {}
    by_shape, by_rhythm = distances(shape, early), distances(intervals.to_numpy() / 2, early)
    for name, distance in (
        ("shape", by_shape),
        ("rhythm", by_rhythm),
        ("both", 4 * by_shape + 2 * by_rhythm),
    ):
        for label in "NSVF":
            least = distance[:, labels == label].min(axis=1, initial=np.inf)
            table[f"{name}_to_{label}"] = np.minimum(np.sqrt(least), FAR)
        votes = labels[np.argpartition(distance, N_NEAREST, axis=1)[:, :N_NEAREST]]
        for label in "SV":
            table[f"{name}_votes_{label}"] = np.mean(votes == label, axis=1)
    return pd.DataFrame(table)


def distances(features: np.ndarray, early: np.ndarray) -> np.ndarray:
    """Compute squared distances of all beats to the labelled ones, infinite to themselves."""
    labelled = features[early]
    squares = np.sum(features**2, axis=1)
    result = squares[:, np.newaxis] + squares[early] - 2 * features @ labelled.T
    result[np.flatnonzero(early), np.arange(len(labelled))] = np.inf
    return np.maximum(result, 0)


def part_of_beat(name: str) -> slice:
    """Return the samples of a part of the beat."""
    first, last = (R_PEAK + round(edge * FS) for edge in PARTS[name])
    return slice(first, last + 1)


def correlation(beats: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Compute Pearson's correlation along the last axis. It is 0 for a constant."""
    beats, other = (part - part.mean(axis=-1, keepdims=True) for part in (beats, other))
    size = np.linalg.norm(beats, axis=-1) * np.linalg.norm(other, axis=-1)
    return np.sum(beats * other, axis=-1) / np.maximum(size, 1e-9)


def add(table: dict[str, np.ndarray], name: str, by_lead: np.ndarray) -> None:
    """Add one column per lead."""
    for lead, column in enumerate(by_lead.T):
        table[f"{name}_{lead}"] = column
