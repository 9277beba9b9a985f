"""Labelled beats of a command line: from an .npz file, records or CSVs."""

from __future__ import annotations

import argparse
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecgclf import datasets
from ecgclf.cli._contract import Cut, agreed_cut, check_length, check_unit, in_words

#: Unit of the rows of the Kaggle set, which are scaled one by one.
_SCALED = "scaled to [0, 1]"

#: The loader's default, which is saved with the model as one that is asked for.
_WINDOW = (0.25, 0.45)


@dataclass(frozen=True)
class Labelled:
    """Beats with their labels.

    Attributes
    ----------
    data : ndarray
    target : ndarray of shape (n_beats,)
    groups : ndarray of shape (n_beats,) or None
        Patients.
    cut : Cut
        As far as it is known.
    unit : str or None
    """

    data: np.ndarray
    target: np.ndarray
    groups: np.ndarray | None
    cut: Cut
    unit: str | None


def read_labelled(options: argparse.Namespace, cut: Cut) -> Labelled:
    """Read the labelled beats that a command line names.

    Parameters
    ----------
    options : Namespace
        With ``data``, ``records``, ``kaggle`` and ``lead``.
    cut : Cut
        How to cut records. What is None is the loader's default.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    ValueError
        If words do not go with each other or with the data.
    """
    path: Path = options.data.expanduser()
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}")
    if path.is_file():
        refuse(options, ("records", "kaggle", "lead"), f"{path.name} holds beats, not records")
        return _from_npz(path, cut)
    if options.kaggle:
        refuse(options, ("records", "lead", "window", "fs"), "--kaggle says it all")
        return _kaggle(path, options.kaggle, cut)
    return _from_records(path, options, cut)


def read_for(model: Any, options: argparse.Namespace) -> Labelled:
    """Read labelled beats for a loaded model, cut as those that it was trained on.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_labelled`; also if the beats are known not to be such as the model takes, or
        it is not known how to cut a record.
    """
    cut = agreed_cut(model, options)
    from_records = not options.kaggle and options.data.expanduser().is_dir()
    if from_records:
        cut.require(options.model_file)
    beats = read_labelled(options, cut)
    check_unit(model, beats.unit, options)
    if from_records:
        check_length(model, beats.data, beats.cut, options)
    return beats


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file, of which one is "data".

    Raises
    ------
    ValueError
        If it is no such file, or has no "data".
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, ValueError, EOFError, AttributeError, TypeError) as error:
        # numpy's own message advises to read the file as a pickle.
        raise ValueError(
            f"{path} is no .npz file of numbers and strings: write one with numpy.savez(path, "
            "data=..., target=...), labels of one type"
        ) from error
    if "data" not in arrays:
        raise ValueError(
            f'{path} has no array "data", only {sorted(arrays)}: write it with '
            "numpy.savez(path, data=..., target=...)"
        )
    return arrays


def npz_cut(path: Path, arrays: dict[str, np.ndarray], cut: Cut) -> Cut:
    """Join what an .npz file says of its beats with what is known already.

    Raises
    ------
    ValueError
        If the two contradict each other.
    """
    found: dict[str, Any] = {}
    for name, shape in (("fs", ()), ("window", (2,))):
        known = getattr(cut, name)
        if name not in arrays:
            found[name] = known
            continue
        stated = arrays[name]
        if stated.shape != shape or stated.dtype.kind not in "iuf":
            raise ValueError(
                f'{path}: "{name}" is of shape {stated.shape} and type {stated.dtype}, expected '
                f"{'a number' if shape == () else 'two numbers'}"
            )
        if known is not None and not np.allclose(stated, known):
            raise ValueError(
                f"{path} holds beats of {name} {in_words(stated)}, but {in_words(known)} is "
                "asked for, by the command line or the model: cut them as it was trained"
            )
        found[name] = float(stated) if shape == () else tuple(map(float, stated))
    return Cut(**found)


def _from_npz(path: Path, cut: Cut) -> Labelled:
    arrays = read_npz(path)
    if "target" not in arrays:
        raise ValueError(f'{path} has no array "target" with the label of each beat')
    if len(arrays["target"]) != len(arrays["data"]):
        raise ValueError(
            f'{path}: "data" has {len(arrays["data"])} beats, "target" {len(arrays["target"])}'
        )
    cut = npz_cut(path, arrays, cut)
    return Labelled(arrays["data"], arrays["target"], arrays.get("groups"), cut, None)


def _kaggle(path: Path, subset: Any, cut: Cut) -> Labelled:
    beats = datasets.load_kaggle_heartbeat(path, subset)
    if (cut.fs is not None and cut.fs != beats.fs) or cut.window is not None:
        raise ValueError(
            f"the model takes beats of fs {cut.fs} and window {cut.window}, but the rows of the "
            f"Kaggle set are at {beats.fs:g} Hz and have windows of their own"
        )
    return Labelled(beats.data, beats.target, beats.groups, Cut(beats.fs, None), _SCALED)


def _from_records(path: Path, options: argparse.Namespace, cut: Cut) -> Labelled:
    records = options.records or ["all"]
    window = cut.window or _WINDOW
    beats = datasets.load_mitbih(
        path,
        records=records[0] if records[0] in ("all", "ds1", "ds2") else records,
        leads=options.lead,
        fs=cut.fs,
        window=window,
        rhythm=False,
    )
    return Labelled(beats.data, beats.target, beats.groups, Cut(beats.fs, window), "mV")


def refuse(options: argparse.Namespace, names: tuple[str, ...], why: str) -> None:
    """Refuse words that would have no effect."""
    given = [f"--{name}" for name in names if getattr(options, name)]
    if given:
        raise ValueError(f"{' and '.join(given)} cannot be used here: {why}")
