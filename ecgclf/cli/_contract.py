"""What beats a model takes: stated in its file, or on the command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Cut:
    """How beats are cut out of a record.

    Attributes
    ----------
    fs : float or None
        Sampling rate of the beats in Hz.
    window : tuple (before, after) or None
        In seconds around the R peak.
    """

    fs: float | None
    window: tuple[float, float] | None

    def require(self, model_file: Any) -> Cut:
        """Refuse to guess what is not known.

        Raises
        ------
        ValueError
            If the rate or the window is neither in the model's file nor given.
        """
        missing = [
            words
            for words, value in (("--fs HZ", self.fs), ("--window BEFORE AFTER", self.window))
            if value is None
        ]
        if missing:
            raise ValueError(
                f"{model_file} does not say how its beats were cut: give {' and '.join(missing)} "
                "as in training"
            )
        return self


def asked_cut(options: argparse.Namespace) -> Cut:
    """Take the cut from the command line."""
    return Cut(options.fs, None if options.window is None else tuple(options.window))


def agreed_cut(model: Any, options: argparse.Namespace) -> Cut:
    """Take the cut from a loaded model, and from the command line where that is silent.

    Raises
    ------
    ValueError
        If the two contradict each other.
    """
    contract = getattr(model, "input_contract_", {})
    agreed = {}
    for name, asked in vars(asked_cut(options)).items():
        stated = contract.get(name)
        if asked is not None and stated is not None and not np.allclose(asked, stated):
            raise ValueError(
                f"--{name} {_words(asked)} contradicts {options.model_file}, which was trained "
                f"with {_words(stated)}: leave it out"
            )
        agreed[name] = stated if asked is None else asked
    return Cut(**agreed)


def check_unit(model: Any, unit: str | None, options: argparse.Namespace) -> None:
    """Refuse beats whose amplitude is known to be of another kind than in training.

    Raises
    ------
    ValueError
        If the model's file states another unit.
    """
    stated = getattr(model, "input_contract_", {}).get("unit")
    if None not in (unit, stated) and unit != stated:
        raise ValueError(
            f"{options.model_file} takes beats whose amplitude is {stated!r}, but these are "
            f"{unit!r}: bring them to that yourself and give them as .npz"
        )


def _words(value: Any) -> str:
    return " ".join(f"{number:g}" for number in np.atleast_1d(value))
