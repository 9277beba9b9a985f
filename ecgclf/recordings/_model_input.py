"""Beats of a recording in the form that a model takes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgclf.datasets import (
    AnnotatedSignal,
    BeatWindow,
    FixedWindow,
    KaggleWindow,
    Recording,
    fill_gaps,
    resample,
    resampling_ratio,
)
from ecgclf.persistence import list_pretrained, load, load_pretrained

#: Sampling rate in Hz from which `KaggleWindow` makes the rows of the Kaggle set.
_KAGGLE_FS = 360.0

#: Unit of these rows in the files of models.
_SCALED = "scaled to [0, 1]"

#: Length of the stretches that are resampled and cut at a time, and of their overlap on both
#: sides, which is longer than every window, in s.
_STRETCH, _OVERLAP = 600.0, 10.0

#: Expected range of about a hundred Gaussian values, in standard deviations.
_NOISE_RANGE = 5.0

#: Largest share of missing samples in the window of a readable beat.
_MISSING = 0.01


def find_model(model: Any) -> tuple[Any, str]:
    """Load a model by the name of a pretrained one or by its path; return it with its name."""
    if not isinstance(model, (str, os.PathLike)):
        return model, type(model).__name__
    if str(model) in list_pretrained():
        return load_pretrained(str(model)), str(model)
    path = Path(model).expanduser()
    if not path.exists():
        raise FileNotFoundError(
            f"There is no file {os.fspath(model)!r} and no pretrained model of this name. Give "
            f"a model file or one of {', '.join(list_pretrained())}."
        )
    return load(path), path.name


def find_cut(model: Any, fs: Any, window: Any, *, required: bool = True) -> tuple[Any, Any]:
    """Return rate and window of the beats of a model; what is given must agree with the model."""
    contract = getattr(model, "input_contract_", {})
    cut = {"fs": fs, "window": window}
    for name, asked in cut.items():
        stated = contract.get(name)
        if asked is not None and stated is not None and not np.allclose(asked, stated):
            raise ValueError(
                f"{name}={asked!r} contradicts the model, which was trained with {stated!r}. "
                "Leave it out."
            )
        cut[name] = stated if asked is None else asked
    missing = " and ".join(name for name, value in cut.items() if value is None)
    if missing and required:
        raise ValueError(
            f"The model does not state how its beats were cut. Give {missing} as in training."
        )
    return cut["fs"], cut["window"]


@dataclass(frozen=True)
class ModelInput:
    """Fitted classifier, and how its beats are cut from recordings resampled to `fs`."""

    model: Any
    fs: float
    window: BeatWindow

    @classmethod
    def of(
        cls, model: Any, fs: float | None = None, window: tuple[float, float] | None = None
    ) -> ModelInput:
        """Read how the beats of a model are cut, and check that a recording can provide them."""
        contract = getattr(model, "input_contract_", {})
        if getattr(model, "multilabel_", False):
            raise ValueError(
                "The model predicts several labels at once, but an annotation has one label a "
                "beat. Use model.predict."
            )
        if getattr(model, "n_tabular", 0):
            raise ValueError(
                f"The model needs {model.n_tabular} features of each beat besides its signal, "
                "which a recording does not contain. Compute them and use model.predict."
            )
        if contract.get("unit") == _SCALED and contract.get("window") is None:
            return cls(model, _KAGGLE_FS, KaggleWindow())
        if contract.get("unit") not in (None, "mV"):
            raise ValueError(
                f"The model takes beats in {contract['unit']!r}, but recordings are in mV. "
                "Convert the beats and use model.predict."
            )
        rate, seconds = find_cut(model, fs, window)
        return cls(model, float(rate), FixedWindow(*seconds))

    def cut(
        self, recording: Recording, peaks: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Cut all beats, with missing samples interpolated, and measure their quality.

        The shapes are (n_beats, n_leads, n_samples) and (n_beats, n_leads). The quality is 0 if
        samples are missing around the beat.
        """
        n_samples = self.model.n_samples_
        rows = np.empty((len(peaks), len(recording.leads), n_samples), dtype=np.float32)
        quality = np.empty(rows.shape[:2], dtype=np.float32)
        ratio = resampling_ratio(recording.fs, self.fs)
        # Both rates have a sample at the start of a stretch.
        grid = ratio.denominator
        step, overlap = (
            max(1, round(seconds * recording.fs / grid)) * grid
            for seconds in (_STRETCH, _OVERLAP)
        )
        around = round(recording.fs * n_samples / self.fs)
        marks = np.append(peaks, recording.n_samples - 1)
        for start in range(0, recording.n_samples, step):
            first, end = np.searchsorted(peaks, [start, start + step])
            if first == end:
                continue
            low, high = max(start - overlap, 0), start + step + overlap
            signal = recording.read(low, high)
            missing = np.isnan(signal)
            if missing.any():
                signal = fill_gaps(signal)
            at_rate = resample(signal, ratio)
            at, beside = (
                np.rint((places - low) * float(ratio))
                .astype(np.int64)
                .clip(0, at_rate.shape[1] - 1)
                for places in (peaks[first:end], marks[first : end + 2])
            )
            cut = self.window.cut(AnnotatedSignal(recording.name, at_rate, self.fs, at, beside))
            if cut.shape[2] != n_samples:
                raise ValueError(
                    f"A beat has {cut.shape[2]} samples at {self.fs:g} Hz, but the model takes "
                    f"{n_samples}. Give the fs and the window of its training."
                )
            rows[first:end] = cut
            count = np.cumsum(missing, axis=1, dtype=np.int32)
            at = peaks[first:end] - low
            last = np.minimum(at + around, signal.shape[1] - 1)
            share = (count[:, last] - count[:, np.maximum(at - around, 0)]) / around
            quality[first:end] = (share <= _MISSING).T * measure_quality(rows[first:end])
        return rows, quality

    def predict_proba(
        self,
        rows: NDArray[np.float32],
        peaks: NDArray[np.int64],
        record: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Compute the probabilities of beats; `record` numbers the recordings if several."""
        flat = rows.reshape(len(rows), -1)
        if getattr(self.model, "record", None) is None:
            return self.model.predict_proba(flat if rows.shape[1] == 1 else rows)
        number = np.zeros(len(peaks), dtype=np.int64) if record is None else record
        places = {self.model.record: number, self.model.sample: peaks}
        if not hasattr(self.model, "feature_names_in_"):
            for column, values in sorted(places.items()):
                flat = np.insert(flat, column, values, axis=1)
            return self.model.predict_proba(flat)
        names = list(self.model.feature_names_in_)
        table = pd.DataFrame(flat, columns=[name for name in names if name not in places])
        return self.model.predict_proba(table.assign(**places)[names])


def measure_quality(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Measure the quality of each lead of each beat, as `annotate_recording` describes it."""
    differences = 2 * rows[..., 2:-2] - rows[..., :-4] - rows[..., 4:]
    noise = 1.482602 / np.sqrt(6) * np.median(np.abs(differences), axis=-1)
    height = np.ptp(rows, axis=-1)
    share = np.divide(noise, height, out=np.ones_like(noise), where=height > 0)
    return (1 - _NOISE_RANGE * share).clip(0, 1)
