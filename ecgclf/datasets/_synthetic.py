"""Synthetic beats and records, for trials and tests without real data."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from ecgclf.datasets._beats import Beats, finish
from ecgclf.datasets._labels import AAMI_CLASSES
from ecgclf.datasets._patients import LEADS, draw_labels, draw_patient, simulate
from ecgclf.datasets._rhythm import RHYTHM_NAMES, rhythm_features
from ecgclf.datasets._windows import fixed_windows, window_samples

#: Annotation symbol that `make_record` writes for each class.
SYMBOLS = dict(zip(AAMI_CLASSES, "NAVF/"))

#: As in the MIT-BIH Arrhythmia Database: 11 bits over 10 mV.
_GAIN, _BASELINE, _ADC_MAX = 200, 1024, 2047

#: Normal beats before the first and after the last one of a patient, which give those
#: their neighbours in `make_beats` and are not returned.
_EDGE = 2

_DESCR = """\
Synthetic heartbeats, made by ecgclf.datasets.make_beats with the dynamical model of
P. E. McSharry, G. D. Clifford, L. Tarassenko and L. A. Smith, "A dynamical model for
generating synthetic electrocardiogram signals", IEEE Trans. Biomed. Eng. 50(3):289-294,
2003. Classes after ANSI/AAMI EC57. Shapes and timing of the ectopic, fusion and paced
beats are drawn after textbook descriptions. For trials and tests only: no figure measured
on these beats says anything about patients.
"""

_COMMON: dict[str, list[Any]] = {
    "fs": [Interval(Real, 20, None, closed="left")],
    "weights": ["array-like", None],
    "noise": [Interval(Real, 0, None, closed="left")],
    "baseline_wander": [Interval(Real, 0, None, closed="left")],
    "random_state": ["random_state"],
}


@overload
def make_beats(
    n_beats: int = ...,
    *,
    n_leads: int = ...,
    fs: float = ...,
    window: tuple[float, float] = ...,
    n_patients: int = ...,
    weights: Sequence[float] | None = ...,
    noise: float = ...,
    baseline_wander: float = ...,
    random_state: int | np.random.RandomState | None = ...,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> Beats: ...


@overload
def make_beats(
    n_beats: int = ...,
    *,
    n_leads: int = ...,
    fs: float = ...,
    window: tuple[float, float] = ...,
    n_patients: int = ...,
    weights: Sequence[float] | None = ...,
    noise: float = ...,
    baseline_wander: float = ...,
    random_state: int | np.random.RandomState | None = ...,
    return_X_y: Literal[True],
    as_frame: Literal[False] = ...,
) -> tuple[NDArray[np.float32], NDArray[np.str_]]: ...


@overload
def make_beats(
    n_beats: int = ...,
    *,
    n_leads: int = ...,
    fs: float = ...,
    window: tuple[float, float] = ...,
    n_patients: int = ...,
    weights: Sequence[float] | None = ...,
    noise: float = ...,
    baseline_wander: float = ...,
    random_state: int | np.random.RandomState | None = ...,
    return_X_y: Literal[True],
    as_frame: Literal[True],
) -> tuple[pd.DataFrame, pd.Series]: ...


@validate_params(
    {
        **_COMMON,
        "n_beats": [Interval(Integral, 1, None, closed="left")],
        "n_leads": [Interval(Integral, 1, len(LEADS) - 1, closed="both")],
        "window": ["array-like"],
        "n_patients": [Interval(Integral, 1, None, closed="left")],
        "return_X_y": ["boolean"],
        "as_frame": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def make_beats(
    n_beats: int = 1000,
    *,
    n_leads: int = 1,
    fs: float = 120.0,
    window: tuple[float, float] = (0.25, 0.45),
    n_patients: int = 10,
    weights: Sequence[float] | None = None,
    noise: float = 0.05,
    baseline_wander: float = 0.1,
    random_state: int | np.random.RandomState | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Beats | tuple[Any, Any]:
    """Make synthetic heartbeats of the five AAMI classes.

    Each patient's heart beats by the dynamical model of McSharry et al. [1]_: Gaussian
    waves on a limit cycle, a heart rate with Mayer waves and respiratory sinus arrhythmia,
    and a baseline that wanders with the breath. The classes differ in shape and timing:

    ===== ================================================================================
    N     P, Q, R, S and T waves of the paper's Table I
    S     early, another P wave, the usual QRS; the sinus rhythm starts anew after it
    V     early, no P wave, a wide QRS and a T wave opposite to it, a full pause after it
    F     an N and a V beat of the patient at once, in shares that vary
    Q     paced: a spike before a wide QRS, no P wave
    ===== ================================================================================

    Patients differ in heart rate, axis, focus of the V beats, sizes and widths of the
    waves. A wave that points up in one may point down in another, so that a linear model on
    the samples makes clearly more errors than a nonlinear one.

    Parameters
    ----------
    n_beats : int, default=1000
        Rows to return, of all patients together.
    n_leads : int, default=1
        1 to 12: MLII, V1, V5, V2, V4, V3, V6, I, III, aVR, aVL, aVF in this order.
    fs : float, default=120.0
        Sampling rate in Hz, at least 20.
    window : tuple of two floats, default=(0.25, 0.45)
        Seconds to take before and after the R peak.
    n_patients : int, default=10
        At most `n_beats`. Each has as many beats as the others, or one less.
    weights : sequence of 5 floats, optional
        Proportions of N, S, V, F and Q; they need not add up to one. The counts follow them
        as closely as whole numbers can, and **every class of positive weight is present**
        when `n_beats` is at least the number of such classes. Default:
        (0.6, 0.1, 0.15, 0.05, 0.1).
    noise : float, default=0.05
        Standard deviation of the white noise, in mV.
    baseline_wander : float, default=0.1
        Amplitude A of the model's resting level z0(t) = A sin(2 pi f t), in mV, where f is
        the patient's breathing frequency. The signal follows z0 with a lag of one second,
        so about half of it is seen.
    random_state : int, RandomState or None, default=None
        The same integer gives the same beats. numpy's global state is neither read nor
        changed.
    return_X_y : bool, default=False
        Return ``(data, target)`` only.
    as_frame : bool, default=False
        Return pandas objects; see `Beats`.

    Returns
    -------
    Beats or tuple (data, target)
        ``data`` of shape (n_beats, n_samples) for one lead, else (n_beats, n_leads,
        n_samples), float32 in mV; patient after patient, in the order of time.
        ``groups`` numbers the patients from 0, ``record`` names them "p00", "p01", ...,
        ``sample`` is the R peak in samples at `fs`,
        ``rhythm`` as by `rhythm_features` from all the patient's beats.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or `n_patients` exceeds `n_beats`.

    References
    ----------
    .. [1] P. E. McSharry, G. D. Clifford, L. Tarassenko and L. A. Smith, "A dynamical model
       for generating synthetic electrocardiogram signals", IEEE Trans. Biomed. Eng.
       50(3):289-294, 2003.

    Examples
    --------
    >>> from ecgclf.datasets import make_beats
    >>> beats = make_beats(n_beats=200, n_leads=2, n_patients=4, random_state=0)
    >>> beats.data.shape, beats.lead[0].tolist()
    ((200, 2, 84), ['MLII', 'V1'])
    >>> {name: int((beats.target == name).sum()) for name in beats.target_names}
    {'N': 120, 'S': 20, 'V': 30, 'F': 10, 'Q': 20}
    """
    if n_patients > n_beats:
        raise ValueError(
            f"n_patients={n_patients} exceeds n_beats={n_beats}: each patient needs a "
            "beat. Lower n_patients or raise n_beats."
        )
    before, after = window_samples(window, fs)
    leads = tuple(LEADS)[:n_leads]
    rng = _random_state(random_state)
    labels = draw_labels(n_beats, weights, rng)
    margin = (before / fs + 1.0, after / fs + 1.0)
    parts = []
    for number, target in enumerate(np.array_split(labels, n_patients)):
        patient = draw_patient(rng)
        signal, peaks = simulate(
            patient,
            np.pad(target, _EDGE, constant_values="N"),
            leads,
            fs=fs,
            noise=noise,
            baseline_wander=baseline_wander,
            margin=margin,
            rng=rng,
        )
        inner = slice(_EDGE, -_EDGE)
        parts.append(
            {
                "data": fixed_windows(signal, peaks[inner], before, after),
                "target": target,
                "groups": np.full(len(target), number),
                "record": np.full(len(target), f"p{number:02d}"),
                "sample": peaks[inner],
                "rhythm": rhythm_features(peaks, fs)[inner],
            }
        )
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    data = joined.pop("data").astype(np.float32)
    beats = Beats(
        data=data[:, 0] if n_leads == 1 else data,
        **joined,
        lead=np.tile(np.array(leads), (n_beats, 1)),
        rhythm_names=RHYTHM_NAMES,
        fs=float(fs),
        fs_record=float(fs),
        target_names=AAMI_CLASSES,
        DESCR=_DESCR,
    )
    return finish(beats, return_X_y=return_X_y, as_frame=as_frame)


@validate_params(
    {
        **_COMMON,
        "path": [str, os.PathLike],
        "name": [str],
        "duration": [Interval(Real, 2, None, closed="left")],
        "leads": ["array-like"],
    },
    prefer_skip_nested_validation=True,
)
def make_record(
    path: str | os.PathLike[str],
    name: str = "synthetic",
    *,
    duration: float = 60.0,
    fs: float = 360.0,
    leads: Sequence[str] = ("MLII", "V1"),
    weights: Sequence[float] | None = None,
    noise: float = 0.05,
    baseline_wander: float = 0.1,
    random_state: int | np.random.RandomState | None = None,
) -> Path:
    """Write a synthetic record of one patient in WFDB format.

    The files are of the form of the MIT-BIH Arrhythmia Database: ``name.hea``, ``name.dat``
    in format 212 with 200 ADU/mV and baseline 1024, and ``name.atr`` with a rhythm
    annotation ("+", "(N") at the start and a beat annotation at every R peak. The symbols
    are N, A, V, F and / for the AAMI classes N, S, V, F and Q. For the model see
    `make_beats`.

    Parameters
    ----------
    path : str or path-like
        Folder to write into; made if it is missing.
    name : str, default="synthetic"
        Name of the record: letters, digits, hyphens and underscores.
    duration : float, default=60.0
        In seconds, at least 2.
    fs : float, default=360.0
        Sampling rate in Hz, at least 20.
    leads : sequence of str, default=("MLII", "V1")
        Out of MLII, V1 to V6, I, II, III, aVR, aVL and aVF.
    weights : sequence of 5 floats, optional
        Proportions of N, S, V, F and Q, as in `make_beats`.
    noise, baseline_wander : float
        In mV, as in `make_beats`.
    random_state : int, RandomState or None, default=None

    Returns
    -------
    pathlib.Path
        The record's path without a suffix, as ``wfdb.rdrecord(str(...))`` wants it.

    Raises
    ------
    ValueError
        If a parameter is out of its range or a lead is unknown.

    Examples
    --------
    >>> import tempfile, wfdb
    >>> from ecgclf.datasets import make_record
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     record = make_record(folder, duration=10, random_state=0)
    ...     header = wfdb.rdheader(str(record))
    >>> header.sig_name, header.fs, header.sig_len
    (['MLII', 'V1'], 360, 3600)
    """
    if not re.fullmatch(r"[\w-]+", name, flags=re.ASCII):
        raise ValueError(f"name={name!r}: expected letters, digits, hyphens and underscores only")
    leads = tuple(leads)
    unknown = [lead for lead in leads if lead not in LEADS]
    if unknown or not leads or len(set(leads)) < len(leads):
        raise ValueError(
            f"leads={list(leads)!r}: expected one or more different names out of "
            f"{', '.join(LEADS)}" + (f"; unknown: {unknown}" if unknown else "")
        )
    rng = _random_state(random_state)
    patient = draw_patient(rng)
    margin = (0.6, 0.7)
    n_beats = round((duration - sum(margin)) / patient.rr_mean) + 1
    target = draw_labels(n_beats, weights, rng)
    signal, peaks = simulate(
        patient,
        target,
        leads,
        fs=fs,
        noise=noise,
        baseline_wander=baseline_wander,
        margin=margin,
        duration=duration,
        rng=rng,
    )
    import wfdb

    digital = np.rint(signal.T * _GAIN + _BASELINE).clip(0, _ADC_MAX).astype(np.int64)
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    wfdb.wrsamp(
        name,
        fs=fs,
        units=["mV"] * len(leads),
        sig_name=list(leads),
        d_signal=digital,
        fmt=["212"] * len(leads),
        adc_gain=[_GAIN] * len(leads),
        baseline=[_BASELINE] * len(leads),
        comments=["Synthetic ECG, no patient: model of McSharry et al. 2003"],
        write_dir=str(folder),
    )
    wfdb.wrann(
        name,
        "atr",
        sample=np.concatenate([[peaks[0] // 2], peaks]),
        symbol=["+", *(SYMBOLS[label] for label in target)],
        aux_note=["(N", *[""] * n_beats],
        write_dir=str(folder),
    )
    return folder / name


def _random_state(seed: int | np.random.RandomState | None) -> np.random.RandomState:
    """Like `check_random_state`, which for None would give numpy's global state."""
    return np.random.RandomState() if seed is None else check_random_state(seed)
