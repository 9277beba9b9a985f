"""Beats and recordings that a command line names."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecgclf import datasets
from ecgclf.recordings import find_cut

#: Unit of the rows of the Kaggle set, each of which is scaled separately.
_SCALED = "scaled to [0, 1]"

#: Default of the loaders. It is saved with the model like a window from the command line.
_WINDOW = (0.25, 0.45)


@dataclass(frozen=True)
class Labelled:
    """Beats with labels and, if known, patients, rate, window and unit of the amplitude."""

    data: np.ndarray
    target: np.ndarray
    groups: np.ndarray | None
    fs: float | None
    window: tuple[float, float] | None
    unit: str | None


def read_labelled(
    options: argparse.Namespace, fs: float | None, window: tuple[float, float] | None
) -> Labelled:
    """Read the labelled beats that a command line names; None is the default of the loaders."""
    path: Path = options.data.expanduser()
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {path}.")
    if path.is_file():
        refuse(
            options,
            ("records", "database", "kaggle", "lead"),
            f"{path.name} contains beats, not records",
        )
        return _from_npz(path, fs, window)
    if options.kaggle:
        unused = ("records", "database", "lead", "window", "fs")
        refuse(options, unused, "--kaggle fixes the rows and how they are cut")
        beats = datasets.load_kaggle_heartbeat(path, options.kaggle)
        return Labelled(beats.data, beats.target, beats.groups, beats.fs, None, _SCALED)
    return _from_records(path, options, fs, window or _WINDOW)


def read_for(model: Any, options: argparse.Namespace) -> Labelled:
    """Read labelled beats for a model, cut as in its training."""
    from_records = not options.kaggle and options.data.expanduser().is_dir()
    fs, window = find_cut(model, options.fs, options.window, required=from_records)
    beats = read_labelled(options, fs, window)
    model.check_contract(fs=beats.fs, unit=beats.unit, window=beats.window)
    n_samples = beats.data.shape[-1]
    if from_records and n_samples != model.n_samples_:
        raise ValueError(
            f"These beats have {n_samples} samples, but {options.model_file} takes "
            f"{model.n_samples_}. Give the --fs and --window of its training."
        )
    return beats


def read_unlabelled(model: Any, options: argparse.Namespace) -> np.ndarray:
    """Read the beats of an .npz file for a model, which must be cut as in its training."""
    path = options.recording
    refuse(options, ("lead",), f"{path} contains beats")
    arrays = _read_npz(path.expanduser())
    fs, window = find_cut(model, options.fs, options.window, required=False)
    _cut_of_npz(path, arrays, fs, window)
    return arrays["data"]


def read_recording(model: Any, options: argparse.Namespace) -> datasets.Recording:
    """Read the leads of a record that a model needs.

    Without --lead, a model of one lead gets MLII if the record has it, and otherwise the first
    lead.
    """
    recording = datasets.read_recording(options.recording, options.lead)
    if options.lead is None and model.n_leads_ == 1:
        recording = recording.pick(["MLII" if "MLII" in recording.leads else 0])
    if len(recording.leads) != model.n_leads_:
        of_record = f"record {recording.name} ({', '.join(recording.leads)}) has"
        raise ValueError(
            f"{'--lead names' if options.lead else of_record} {len(recording.leads)} leads, but "
            f"the model takes {model.n_leads_}. Name {model.n_leads_} with --lead."
        )
    return recording


def refuse(options: argparse.Namespace, names: tuple[str, ...], why: str) -> None:
    """Raise a ValueError if options were given that would have no effect."""
    given = [f"--{name}" for name in names if getattr(options, name)]
    if given:
        raise ValueError(f"{' and '.join(given)} cannot be used here: {why}.")


def _from_npz(path: Path, fs: float | None, window: tuple[float, float] | None) -> Labelled:
    arrays = _read_npz(path)
    if "target" not in arrays:
        raise ValueError(f'{path} has no array "target" with the label of each beat.')
    if len(arrays["target"]) != len(arrays["data"]):
        raise ValueError(
            f'{path}: "data" has {len(arrays["data"])} beats, "target" {len(arrays["target"])}.'
        )
    fs, window = _cut_of_npz(path, arrays, fs, window)
    return Labelled(arrays["data"], arrays["target"], arrays.get("groups"), fs, window, None)


def _from_records(
    path: Path, options: argparse.Namespace, fs: float | None, window: tuple[float, float]
) -> Labelled:
    records = options.records or ["all"]
    beats = datasets.load_wfdb(
        path,
        database=options.database or _guess_database(path, records),
        records=records[0] if records[0] in ("all", "ds1", "ds2") else records,
        leads=options.lead,
        fs=fs,
        window=window,
        rhythm=False,
    )
    return Labelled(beats.data, beats.target, beats.groups, beats.fs, window, "mV")


def _guess_database(path: Path, records: list[str]) -> str | None:
    """Return "mitdb" if all records have names of the MIT-BIH Arrhythmia Database."""
    names = {file.stem for file in path.rglob("*.atr")} if records == ["all"] else set(records)
    return "mitdb" if names <= {*datasets.MITBIH_RECORDS, "ds1", "ds2"} else None


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file, one of which is "data"."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except OSError:
        raise
    except Exception as error:
        # A damaged file can raise any error, and numpy's own suggests reading it as a pickle.
        raise ValueError(
            f"{path} is not an .npz file of numbers and strings. Write one with "
            "numpy.savez(path, data=..., target=...), with labels of one type."
        ) from error
    if "data" not in arrays:
        raise ValueError(
            f'{path} has no array "data", only {sorted(arrays)}. Write it with '
            "numpy.savez(path, data=..., target=...)."
        )
    return arrays


def _cut_of_npz(
    path: Path,
    arrays: dict[str, np.ndarray],
    fs: float | None,
    window: tuple[float, float] | None,
) -> tuple[Any, Any]:
    """Combine rate and window stated in an .npz file with those that are already known."""
    cut: dict[str, Any] = {"fs": fs, "window": window}
    for name, known in cut.items():
        if name not in arrays:
            continue
        stated, shape = arrays[name], () if name == "fs" else (2,)
        if stated.shape != shape or stated.dtype.kind not in "iuf":
            raise ValueError(
                f'{path}: "{name}" has the shape {stated.shape} and type {stated.dtype}, '
                f"expected {'one number' if shape == () else 'two numbers'}."
            )
        if known is not None and not np.allclose(stated, known):
            raise ValueError(
                f"{path} contains beats of {name} {_as_words(stated)}, but the command line or "
                f"the model requires {_as_words(known)}. Cut them as in training."
            )
        cut[name] = stated.astype(float).tolist()
    return cut["fs"], cut["window"]


def _as_words(value: Any) -> str:
    """Write one or several numbers as on a command line."""
    return " ".join(f"{number:g}" for number in np.atleast_1d(value))
