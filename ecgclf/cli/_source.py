"""Beats and recordings that a command line names."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecgclf import datasets

#: Unit of the rows of the Kaggle set, each of which is scaled separately.
_SCALED = "scaled to [0, 1]"

#: Default of the loaders. It is saved with the model like a window from the command line.
_WINDOW = (0.25, 0.45)


@dataclass(frozen=True)
class Cut:
    """Sampling rate in Hz and window in s of beats; None if unknown."""

    fs: float | None
    window: tuple[float, float] | None

    @classmethod
    def of_options(cls, options: argparse.Namespace) -> Cut:
        """Take the cut from the command line."""
        return cls(options.fs, None if options.window is None else tuple(options.window))

    @classmethod
    def of_model(cls, model: Any, options: argparse.Namespace) -> Cut:
        """Take the cut from a model, and from the command line what the model does not state."""
        contract = getattr(model, "input_contract_", {})
        agreed = {}
        for name, asked in vars(cls.of_options(options)).items():
            stated = contract.get(name)
            if asked is not None and stated is not None and not np.allclose(asked, stated):
                raise ValueError(
                    f"--{name} {_as_words(asked)} contradicts {options.model_file}, which was "
                    f"trained with {_as_words(stated)}. Leave it out."
                )
            agreed[name] = stated if asked is None else asked
        return cls(**agreed)


@dataclass(frozen=True)
class Labelled:
    """Beats with labels and, if known, patients and the unit of the amplitude."""

    data: np.ndarray
    target: np.ndarray
    groups: np.ndarray | None
    cut: Cut
    unit: str | None


def read_labelled(options: argparse.Namespace, cut: Cut) -> Labelled:
    """Read the labelled beats that a command line names, with defaults for what `cut` lacks."""
    path: Path = options.data.expanduser()
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder {path}.")
    if path.is_file():
        refuse(
            options,
            ("records", "database", "kaggle", "lead"),
            f"{path.name} contains beats, not records",
        )
        return _from_npz(path, cut)
    if options.kaggle:
        unused = ("records", "database", "lead", "window", "fs")
        refuse(options, unused, "--kaggle fixes the rows and how they are cut")
        return _from_kaggle(path, options.kaggle, cut)
    return _from_records(path, options, cut)


def read_for(model: Any, options: argparse.Namespace) -> Labelled:
    """Read labelled beats for a model, cut as in its training."""
    cut = Cut.of_model(model, options)
    from_records = not options.kaggle and options.data.expanduser().is_dir()
    missing = " and ".join(f"--{name}" for name, value in vars(cut).items() if value is None)
    if from_records and missing:
        raise ValueError(
            f"{options.model_file} does not state how its beats were cut. Give {missing} as in "
            "training."
        )
    beats = read_labelled(options, cut)
    unit = getattr(model, "input_contract_", {}).get("unit")
    if None not in (beats.unit, unit) and beats.unit != unit:
        raise ValueError(
            f"{options.model_file} takes beats with amplitudes in {unit!r}, but these are in "
            f"{beats.unit!r}. Convert them and give them as .npz."
        )
    n_samples = beats.data.shape[-1]
    if from_records and n_samples != model.n_samples_:
        raise ValueError(
            f"Beats of --window {_as_words(cut.window)} at --fs {_as_words(cut.fs)} have "
            f"{n_samples} samples, but {options.model_file} takes {model.n_samples_}. Give the "
            "rate and the window of its training."
        )
    return beats


def read_unlabelled(model: Any, options: argparse.Namespace) -> np.ndarray:
    """Read the beats of an .npz file for a model, which must be cut as in its training."""
    path = options.recording
    refuse(options, ("lead",), f"{path} contains beats")
    arrays = _read_npz(path.expanduser())
    _cut_of_npz(path, arrays, Cut.of_model(model, options))
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
        source = f"Record {recording.name} has" if options.lead is None else "--lead names"
        raise ValueError(
            f"{source} {len(recording.leads)} leads, but the model takes {model.n_leads_}: "
            f"choose from {', '.join(recording.leads)} with --lead."
        )
    return recording


def refuse(options: argparse.Namespace, names: tuple[str, ...], why: str) -> None:
    """Raise a ValueError if options were given that would have no effect."""
    given = [f"--{name}" for name in names if getattr(options, name)]
    if given:
        raise ValueError(f"{' and '.join(given)} cannot be used here: {why}.")


def _from_npz(path: Path, cut: Cut) -> Labelled:
    arrays = _read_npz(path)
    if "target" not in arrays:
        raise ValueError(f'{path} has no array "target" with the label of each beat.')
    if len(arrays["target"]) != len(arrays["data"]):
        raise ValueError(
            f'{path}: "data" has {len(arrays["data"])} beats, "target" {len(arrays["target"])}.'
        )
    cut = _cut_of_npz(path, arrays, cut)
    return Labelled(arrays["data"], arrays["target"], arrays.get("groups"), cut, None)


def _from_kaggle(path: Path, subset: Any, cut: Cut) -> Labelled:
    beats = datasets.load_kaggle_heartbeat(path, subset)
    if (cut.fs is not None and cut.fs != beats.fs) or cut.window is not None:
        raise ValueError(
            f"The model needs beats of fs {cut.fs} and window {cut.window}, but the rows of the "
            f"Kaggle set are sampled at {beats.fs:g} Hz and have windows of variable length."
        )
    return Labelled(beats.data, beats.target, beats.groups, Cut(beats.fs, None), _SCALED)


def _from_records(path: Path, options: argparse.Namespace, cut: Cut) -> Labelled:
    records = options.records or ["all"]
    window = cut.window or _WINDOW
    beats = datasets.load_wfdb(
        path,
        database=options.database or _guess_database(path, records),
        records=records[0] if records[0] in ("all", "ds1", "ds2") else records,
        leads=options.lead,
        fs=cut.fs,
        window=window,
        rhythm=False,
    )
    return Labelled(beats.data, beats.target, beats.groups, Cut(beats.fs, window), "mV")


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


def _cut_of_npz(path: Path, arrays: dict[str, np.ndarray], cut: Cut) -> Cut:
    """Combine the cut stated in an .npz file with the one that is already known."""
    found: dict[str, Any] = {}
    for name, shape in (("fs", ()), ("window", (2,))):
        known = getattr(cut, name)
        if name not in arrays:
            found[name] = known
            continue
        stated = arrays[name]
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
        found[name] = float(stated) if shape == () else tuple(map(float, stated))
    return Cut(**found)


def _as_words(value: Any) -> str:
    """Write one or several numbers as on a command line."""
    return " ".join(f"{number:g}" for number in np.atleast_1d(value))
