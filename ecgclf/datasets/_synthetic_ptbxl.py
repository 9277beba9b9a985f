"""Synthetic recordings in the layout of PTB-XL, for examples and tests without real data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils._param_validation import Options, validate_params

from ecgclf._validation import NOT_NEGATIVE, POSITIVE_INTEGER, new_random_state
from ecgclf.datasets._ptbxl import PTBXL_LEADS, SUPERCLASSES
from ecgclf.datasets._synthetic_patients import CONDUCTED, Patient, draw_patient, simulate

#: Statements that `make_ptbxl` writes, of each superclass and of the rhythm: superclass,
#: diagnostic subclass and description.
_STATEMENTS = {
    "NORM": ("NORM", "NORM", "normal ECG"),
    "IMI": ("MI", "IMI", "inferior myocardial infarction"),
    "NDT": ("STTC", "STTC", "non-diagnostic T abnormalities"),
    "CLBBB": ("CD", "CLBBB", "complete left bundle branch block"),
    "LVH": ("HYP", "LVH", "left ventricular hypertrophy"),
    "SR": (None, None, "sinus rhythm"),
}

_CLASSES = ("diagnostic_class", "diagnostic_subclass")

#: Factors of the widths and the amplitudes of Q, R, S and T of each superclass.
_WAVES = {
    "NORM": ((1, 1, 1, 1), (1, 1, 1, 1)),
    "MI": ((2, 1, 1, 1), (6, 0.6, 1, -0.7)),
    "STTC": ((1, 1, 1, 1.3), (1, 1, 1, -0.5)),
    "CD": ((1.5, 2.2, 2.2, 1.2), (0.2, 1, 1, -1)),
    "HYP": ((1, 1, 1, 1), (1, 2.2, 2.2, 1)),
}

#: ADC units per mV, and seconds of a recording of PTB-XL.
_GAIN, _DURATION = 1000, 10

#: Endings of file names by sampling rate.
_ENDINGS = {100: "lr", 500: "hr"}


@validate_params(
    {
        "path": [str, os.PathLike],
        "n_records": [POSITIVE_INTEGER],
        "fs": [Options(Real, {100, 500})],
        "noise": [NOT_NEGATIVE],
        "baseline_wander": [NOT_NEGATIVE],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_ptbxl(
    path: str | os.PathLike[str],
    n_records: int = 100,
    *,
    fs: Literal[100, 500] = 100,
    noise: float = 0.03,
    baseline_wander: float = 0.05,
    random_state: int | np.random.RandomState | None = None,
) -> Path:
    """Write synthetic twelve-lead recordings in the layout of PTB-XL.

    The patients are those of `make_beats`, in sinus rhythm. Their waves are changed according
    to the diagnostic superclasses: deep Q waves and inverted T waves (MI), low and inverted T
    waves (STTC), wide QRS complexes (CD) and high ones (HYP). Half of the recordings are
    normal, the others have one or two of these classes. Every fourth patient has two
    recordings.

    Parameters
    ----------
    path : str or path-like
        Folder to write to; created if necessary.
    n_records : int, default=100
        Number of recordings of 10 s.
    fs : {100, 500}, default=100
        Sampling rate in Hz, which also is that of the folder ``records100`` or ``records500``.
    noise : float, default=0.03
        Standard deviation of the white noise in mV.
    baseline_wander : float, default=0.05
        Amplitude of the baseline in mV, as in `make_beats`.
    random_state : int, RandomState or None, default=None
        Source of randomness, as in `make_beats`.

    Returns
    -------
    pathlib.Path
        The folder, for `load_ptbxl`.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf.datasets import load_ptbxl, make_ptbxl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recordings = load_ptbxl(make_ptbxl(folder, 20, random_state=0), task="mi")
    >>> recordings.target_names
    ('healthy', 'infarction')
    """
    rng = new_random_state(random_state)
    folder = Path(path)
    records = []
    for number in range(1, n_records + 1):
        owner = number - number // 5  # every fourth patient has two recordings
        classes = ["NORM"]
        if number % 2 == 0:
            classes = rng.choice(SUPERCLASSES[1:], rng.randint(1, 3), replace=False).tolist()
        patient = _with_diagnoses(draw_patient(rng), classes)
        signal, _ = simulate(
            patient,
            np.full(patient.count_beats(_DURATION), "N"),
            tuple("a" + lead[1:] if lead.startswith("AV") else lead for lead in PTBXL_LEADS),
            fs=fs,
            noise=noise,
            baseline_wander=baseline_wander,
            rng=rng,
            duration=_DURATION,
        )
        files = {
            f"filename_{ending}": f"records{rate}/00000/{number:05}_{ending}"
            for rate, ending in _ENDINGS.items()
        }
        _write_ptbxl_record(folder / files[f"filename_{_ENDINGS[fs]}"], signal, fs)
        codes = {s: 100.0 for s, (name, *_) in _STATEMENTS.items() if name in classes}
        records.append(
            {
                "ecg_id": number,
                "patient_id": float(owner),
                "age": float(rng.randint(20, 90)),
                "sex": rng.randint(2),
                "scp_codes": str({**codes, "SR": 0.0}),
                "strat_fold": (owner - 1) % 10 + 1,
                **files,
            }
        )
    pd.DataFrame(records).to_csv(folder / "ptbxl_database.csv", index=False)
    columns = ["description", "diagnostic", "form", "rhythm", *_CLASSES]
    statements = pd.DataFrame.from_dict(_STATEMENTS, "index", columns=[*_CLASSES, "description"])
    is_diagnosis = statements["diagnostic_class"].notna()
    statements.loc[is_diagnosis, "diagnostic"] = statements.loc[~is_diagnosis, "rhythm"] = 1.0
    statements.reindex(columns=columns).to_csv(folder / "scp_statements.csv")
    return folder


def _with_diagnoses(patient: Patient, classes: Sequence[str]) -> Patient:
    """Change the waves Q, R, S and T of a patient."""
    width, dipole = patient.width.copy(), patient.dipole.copy()
    for name in classes:
        of_width, of_height = _WAVES[name]
        width[CONDUCTED] *= of_width
        dipole[CONDUCTED] *= np.array(of_height)[:, np.newaxis]
    return replace(patient, width=width, dipole=dipole)


def _write_ptbxl_record(place: Path, signal: NDArray[np.float64], fs: int) -> None:
    """Write a record in format 16, in the form of PTB-XL."""
    place.parent.mkdir(parents=True, exist_ok=True)
    adc = np.rint(signal * _GAIN).clip(-(2**15) + 1, 2**15 - 1).astype("<i2")
    adc.T.tofile(place.with_suffix(".dat"))
    sums = adc.sum(axis=1, dtype=np.int64) & 0xFFFF
    lines = [f"{place.name} {len(adc)} {fs} {adc.shape[1]}"]
    for lead, samples, total in zip(PTBXL_LEADS, adc, sums):
        form = f"16 {_GAIN:.1f}(0)/mV 16 0 {samples[0]} {total} 0 {lead}"
        lines.append(f"{place.name}.dat {form}")
    place.with_suffix(".hea").write_text("\n".join(lines) + "\n", encoding="utf-8")
