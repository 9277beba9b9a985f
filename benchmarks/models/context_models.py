"""Beats of whole recordings, one row for each lead, and the networks that see their context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from ecgclf import ECGContextClassifier
from ecgclf.augmentation import (
    AtrialFibrillation,
    Compose,
    PrematureBeats,
    StretchScaling,
    StretchShift,
)
from ecgclf.datasets import Recording, load_mitbih, load_svdb, read_recording
from ecgclf.evaluation import match_beats
from ecgclf.transforms import BeatSegmenter

#: Sampling rate in Hz and window in s of the beats.
FS, WINDOW = 128, (0.375, 0.5)

_LOADERS = {"mitdb": load_mitbih, "svdb": load_svdb}

_PLACE = {"fs": FS, "r_peak": WINDOW[0]}

#: Network of one lead, chosen by cross-validation over the patients of DS1 and svdb.
NETWORK = ECGContextClassifier(
    record="record",
    sample="sample",
    augment_stretches=Compose(
        [
            PrematureBeats(**_PLACE, p=0.2),
            AtrialFibrillation(**_PLACE, p=0.15),
            StretchScaling(p=1.0),
            StretchShift(fs=FS, p=0.8),
        ]
    ),
    max_epochs=8,
    verbose=0,
)

#: The Kaggle rows with their neighbours: rate, window and network, chosen on training rows.
KAGGLE_FS, KAGGLE_WINDOW = 180, (0.4, 0.6)
KAGGLE = ECGContextClassifier(
    record="record",
    sample="sample",
    context=32,
    filters=(32, 48, 64, 64),
    kernel_size=(9, 7, 5, 5),
    width=96,
    units=96,
    max_epochs=24,
    batch_size=768,
    verbose=0,
)


@dataclass(frozen=True, eq=False)
class Leads:
    """Beats of recordings, with a row for each beat of each lead.

    Attributes
    ----------
    frame : DataFrame
        Columns ``record`` (name of the record and number of the lead), ``sample`` and the signal.
    target, patient, name : ndarray of shape (n_rows,)
        Label, patient and record of each beat.
    lead : ndarray of shape (n_rows,)
        Number of the lead.
    """

    frame: pd.DataFrame
    target: NDArray
    patient: NDArray
    name: NDArray
    lead: NDArray

    def select(self, rows: NDArray) -> Leads:
        """Select rows by a mask or by numbers."""
        parts = (self.target, self.patient, self.name, self.lead)
        return Leads(self.frame[rows], *(part[rows] for part in parts))

    @classmethod
    def concat(cls, parts: Sequence[Leads]) -> Leads:
        """Join rows."""
        arrays = [
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("target", "patient", "name", "lead")
        ]
        return cls(pd.concat([part.frame for part in parts], ignore_index=True), *arrays)


def cut(recording: Recording, peaks: NDArray, name: str) -> pd.DataFrame:
    """Cut the beats of a recording, as rows of one lead after the other."""
    inside = np.clip(peaks, 0, recording.n_samples - 1)
    segmenter = BeatSegmenter(FS, window=WINDOW, rhythm=False)
    data = segmenter.segment(recording.signal, inside, fs_record=recording.fs).data
    data = data.reshape(len(peaks), len(recording.leads), -1).swapaxes(0, 1)
    columns = [f"sample_{i:03d}" for i in range(data.shape[2])]
    frame = pd.DataFrame(data.reshape(-1, data.shape[2]), columns=columns)
    frame.insert(0, "sample", np.tile(peaks / recording.fs, len(data)))
    lead = np.repeat(np.arange(len(data)), len(peaks))
    frame.insert(0, "record", [f"{name}/{number}" for number in lead])
    return frame


def load_leads(folder: Path, names: Sequence[str]) -> Leads:
    """Load the annotated beats of records of mitdb or svdb, in both leads."""
    parts = []
    for name in names:
        recording = read_recording(folder / name)
        beats = _LOADERS[folder.name](folder, records=[name], rhythm=False)
        n_leads, n_beats = len(recording.leads), len(beats.target)
        parts.append(
            Leads(
                cut(recording, beats.sample, name),
                np.tile(beats.target, n_leads),
                np.tile(beats.groups.astype(str), n_leads),
                np.repeat(name, n_leads * n_beats),
                np.repeat(np.arange(n_leads), n_beats),
            )
        )
    return Leads.concat(parts)


@dataclass(frozen=True, eq=False)
class Compared:
    """True and predicted labels of beats, and their records and patients."""

    y_true: NDArray
    y_pred: NDArray
    name: NDArray
    patient: NDArray


def average_leads(logits: NDArray, lead: NDArray, leads: Sequence[int]) -> NDArray:
    """Average the log-probabilities of the leads of each beat."""
    return np.mean([logits[lead == number] for number in leads], axis=0)


def log_probabilities(model: ECGContextClassifier, frame: pd.DataFrame) -> NDArray:
    """Predict the logarithm of the probability of each class."""
    return np.log(model.predict_proba(frame) + 1e-12)


def compare_detected(
    folder: Path, names: Sequence[str], leads: Sequence[int], predict: Callable
) -> Compared:
    """Predict the beats found by the detector, and match them with the annotated ones.

    Missed beats and false detections have the other label "O".
    """
    pairs = []
    for name in names:
        recording = read_recording(folder / name).pick(leads)
        beats = _LOADERS[folder.name](folder, records=[name], rhythm=False)
        peaks, _ = recording.detect_r_peaks()
        frame = cut(recording, peaks, name)
        lead = np.repeat(np.arange(len(leads)), len(peaks))
        labels = predict(frame, lead)
        order = np.argsort(beats.sample, kind="stable")
        found = match_beats(
            beats.sample[order], beats.target[order], peaks, labels, fs=recording.fs
        )
        pairs.append(found[["y_true", "y_pred"]].assign(name=name, patient=str(beats.groups[0])))
    table = pd.concat(pairs)
    return Compared(
        *(table[column].to_numpy(str) for column in ("y_true", "y_pred", "name", "patient"))
    )


def make_network(seed: int, **changes: object) -> ECGContextClassifier:
    """Return the unfitted network."""
    return clone(NETWORK).set_params(random_state=seed, n_jobs=1, **changes)
