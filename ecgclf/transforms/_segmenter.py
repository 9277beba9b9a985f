"""Segmentation of recordings into beats."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import KW_ONLY
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgclf._parameters import Parameterized
from ecgclf._sklearn import BaseEstimator
from ecgclf._validation import is_number, to_array
from ecgclf.datasets import (
    AnnotatedSignal,
    Beats,
    BeatWindow,
    as_window,
    check_leads_first,
    check_positions,
    convert,
    cut_beats,
    describe_rows,
)

#: Number of positions in a warning.
_N_NAMED = 5


class BeatSegmenter(Parameterized, BaseEstimator):
    """Segmenter that cuts a recording into beats at its R peaks.

    The loaders use the same code. With the same `fs` and `window`, the beats of your own
    recording are comparable with those of `ecgclf.datasets.load_mitbih`.
    `ecgclf.datasets.detect_r_peaks` finds the R peaks.

    Parameters
    ----------
    fs : float
        Sampling rate of the beats in Hz. A recording at another rate is resampled as a whole,
        with an anti-aliasing filter, before it is cut.
    window : tuple (before, after), "kaggle" or BeatWindow, default=(0.25, 0.45)
        Seconds before and after the R peak, short for `ecgclf.datasets.FixedWindow`; or
        another window, such as `ecgclf.datasets.RRWindow`. ``"kaggle"`` is short for
        `ecgclf.datasets.KaggleWindow`.
    rhythm : bool, default=True
        Whether to add the features of `ecgclf.datasets.rhythm_features`, computed over all R
        peaks.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.transforms import BeatSegmenter
    >>> signal = np.random.default_rng(0).normal(size=3600)
    >>> segmenter = BeatSegmenter(fs=120)
    >>> beats = segmenter.segment(signal, [400, 760, 1110], list("NNV"), fs_record=360)
    >>> beats.data.shape, beats.target.tolist(), beats.sample.tolist()
    ((3, 84), ['N', 'N', 'V'], [400, 760, 1110])
    """

    fs: float
    _: KW_ONLY
    window: tuple[float, float] | Literal["kaggle"] | BeatWindow = (0.25, 0.45)
    rhythm: bool = True

    def segment(
        self,
        signal: ArrayLike,
        r_peaks: ArrayLike,
        labels: ArrayLike | None = None,
        *,
        fs_record: float | None = None,
        record: str | None = None,
        groups: Any = None,
        leads: str | Sequence[str] | None = None,
        as_frame: bool = False,
    ) -> Beats:
        """Cut the beats of one recording.

        Parameters
        ----------
        signal : array-like of shape (n_samples,) or (n_leads, n_samples)
            Signal in mV, with NaN where samples are missing.
        r_peaks : array-like of int, shape (n_beats,)
            Positions of all beats of the recording, in samples of `signal`, in ascending order.
        labels : array-like of shape (n_beats,), optional
            Class of each beat.
        fs_record : float, optional
            Sampling rate of `signal` in Hz; by default `fs`.
        record : str, optional
            Name of the recording.
        groups : object, optional
            Patient: one value, which every beat gets.
        leads : str or sequence of str, optional
            Names of the leads.
        as_frame : bool, default=False
            Whether to return ``data``, ``rhythm`` and ``target`` as pandas objects and to add
            ``frame``.

        Returns
        -------
        Beats
            ``data`` is float32 of shape (n_beats, n_samples) or, with several leads,
            (n_beats, n_leads, n_samples); fields that were not given are None. The recording
            is extended by its first and last value, so every R peak gives a beat, except the
            last one with the Kaggle window and those with missing samples in their window.

        Raises
        ------
        ValueError
            If a parameter is invalid, or R peaks do not increase or lie outside the signal.

        Warns
        -----
        UserWarning
            If the signal is constant in the whole window of a beat, or beats are left out
            because of missing samples.
        """
        window = as_window(self.window)
        recorded = self.fs if fs_record is None else fs_record
        if not is_number(recorded) or recorded <= 0:
            name = "fs" if fs_record is None else "fs_record"
            raise ValueError(f"{name}={recorded!r}: expected a positive sampling rate in Hz.")
        fs_beats = window.rate(recorded, self.fs)
        samples = _check_signal(signal)
        peaks = _check_peaks(r_peaks, samples.shape[1])
        names = [leads] if isinstance(leads, str) else leads
        if names is not None and (
            len(names) != len(samples) or not all(isinstance(name, str) for name in names)
        ):
            raise ValueError(
                f"leads={leads!r}: the signal of shape {np.shape(signal)} has {len(samples)} "
                "leads. Give one name per lead, in order."
            )
        target = None if labels is None else to_array(labels, "labels")
        if target is not None and target.shape != peaks.shape:
            raise ValueError(
                f"labels have the shape {target.shape}, but there are {len(peaks):,} r_peaks. "
                "Give one label per R peak."
            )
        beats = cut_beats(
            AnnotatedSignal(record, samples, float(recorded), positions=peaks, marks=peaks),
            window,
            fs=self.fs,
            target=target,
            target_names=() if target is None else tuple(np.unique(target).tolist()),
            group=groups,
            leads=names,
            rhythm=self.rhythm,
        )
        _warn_of_flat_beats(beats)
        rows = describe_rows(window, beats.data.shape[-1], fs_beats, float(recorded))
        source = "a recording" if record is None else f"recording {record}"
        beats.DESCR = (
            f"{len(beats.data):,} beats cut from {source} by ecgclf.transforms.BeatSegmenter.\n\n"
            f"Windows : {rows}\n"
            f"Rhythm  : {', '.join(beats.rhythm_names) or 'none'}\n"
        )
        return convert(beats, return_X_y=False, as_frame=as_frame)


def _check_signal(signal: ArrayLike) -> NDArray:
    """Check a signal and return it in 2-D."""
    leads = check_leads_first(signal)
    if not leads.size:
        raise ValueError(f"signal has the shape {np.shape(signal)}, which contains no samples.")
    infinite = np.isinf(leads)
    if infinite.any():
        lead, at = (int(place) for place in np.argwhere(infinite)[0])
        raise ValueError(
            f"signal has {int(infinite.sum()):,} infinite values, the first in lead {lead} at "
            f"sample {at:,}. Mark missing samples by NaN."
        )
    return leads if leads.dtype.kind == "f" else leads.astype(np.float64)


def _check_peaks(r_peaks: ArrayLike, n_samples: int) -> NDArray[np.int64]:
    """Check the positions of R peaks in a signal of `n_samples` samples."""
    given = to_array(r_peaks, "r_peaks")
    if given.ndim != 1 or not len(given):
        raise ValueError(
            f"r_peaks have the shape {given.shape}; expected (n_beats,) with at least one beat. "
            "If no beat was detected, plot the signal or try another lead."
        )
    if given.dtype.kind not in "iuf" or not np.array_equal(given, np.rint(given)):
        raise ValueError(
            "r_peaks are not whole numbers; expected samples of the signal. Multiply times in "
            "seconds by the sampling rate and round."
        )
    outside = np.flatnonzero((given < 0) | (given >= n_samples))
    if len(outside):
        at = int(outside[0])
        raise ValueError(
            f"{len(outside):,} of {len(given):,} r_peaks lie outside the signal, the first is "
            f"beat {at} at sample {given[at]:,.0f} of {n_samples:,}. Pass the R peaks of this "
            "signal, at its sampling rate."
        )
    check_positions(given.astype(np.float64))
    return given.astype(np.int64)


def _warn_of_flat_beats(beats: Beats) -> None:
    """Warn of beats with a constant lead."""
    rows = beats.data if beats.data.ndim == 3 else beats.data[:, np.newaxis]
    is_flat = np.ptp(rows, axis=2) == 0
    flat = np.flatnonzero(is_flat.any(axis=1))
    if not len(flat):
        return
    leads = np.flatnonzero(is_flat.any(axis=0))
    named = [str(lead) if beats.lead is None else str(beats.lead[0, lead]) for lead in leads]
    places = ", ".join(f"{sample:,}" for sample in beats.sample[flat[:_N_NAMED]])
    of_record = "" if beats.record is None else f" of record {beats.record[0]}"
    warnings.warn(
        f"{len(flat):,} of {len(rows):,} beats{of_record} ({len(flat) / len(rows):.1%}) are flat "
        f"in lead {', '.join(named)}: the signal is constant around sample {places}"
        f"{', ...' if len(flat) > _N_NAMED else ''}. The lead may be off; SignalQuality finds "
        "such beats.",
        UserWarning,
        stacklevel=3,
    )
