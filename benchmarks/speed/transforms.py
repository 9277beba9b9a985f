"""Transformers compared with scipy in a loop over beats."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import signal

from benchmarks.common.data import some_beats
from benchmarks.common.timing import compare, rows_of
from ecgclf.transforms import BandpassFilter, NotchFilter, Spectrogram

FS = 120.0
AGAINST = "scipy, beat by beat"


def spectrogram_loop(X: np.ndarray) -> np.ndarray:
    """Compute the spectrogram of each beat in decibels."""
    pictures = []
    for beat in X:
        _, _, power = signal.spectrogram(
            beat, FS, window="hann", nperseg=32, noverlap=28, detrend="constant"
        )
        pictures.append(10 * np.log10(power + 1e-8))
    return np.array(pictures)


def filter_loop(X: np.ndarray, sections: np.ndarray, n_pad: int) -> np.ndarray:
    """Filter each beat forwards and backwards."""
    return np.array([signal.sosfiltfilt(sections, x, padtype="even", padlen=n_pad) for x in X])


def transforms(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Filter beats and compute their spectrograms."""
    X, _ = some_beats(options, options.beats)
    X = X.astype(np.float64)
    band = signal.butter(2, [0.5, 40.0], "bandpass", fs=FS, output="sos")
    notch = signal.tf2sos(*signal.iirnotch(50.0, 30.0, fs=FS))
    n_pad = X.shape[1] - 1  # both filters ring longer than a beat
    cases: dict[str, tuple[Any, Callable[[np.ndarray], np.ndarray]]] = {
        "Spectrogram": (Spectrogram(FS), spectrogram_loop),
        "BandpassFilter": (BandpassFilter(FS), lambda X: filter_loop(X, band, n_pad)),
        "NotchFilter": (
            NotchFilter(FS, frequency=50.0, n_pad=n_pad),
            lambda X: filter_loop(X, notch, n_pad),
        ),
    }
    for name, (transformer, loop) in cases.items():
        few = X[:50]
        np.testing.assert_allclose(transformer.fit_transform(few), loop(few), atol=1e-6)
        summary = compare(
            lambda t=transformer: t.transform(X), {AGAINST: lambda f=loop: f(X)}, options.repeats
        )
        yield from rows_of(f"{name} of {len(X):,} beats", summary, {AGAINST: 0.2})
