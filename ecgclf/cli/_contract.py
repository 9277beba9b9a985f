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

    def require(self, model_file: Any) -> tuple[float, tuple[float, float]]:
        """Refuse to guess what is not known.

        Raises
        ------
        ValueError
            If the rate or the window is neither in the model's file nor given.
        """
        if self.fs is None or self.window is None:
            words = {"--fs HZ": self.fs, "--window BEFORE AFTER": self.window}
            missing = " and ".join(word for word, value in words.items() if value is None)
            raise ValueError(
                f"{model_file} does not say how its beats were cut: give {missing} as in training"
            )
        return self.fs, self.window


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
                f"--{name} {in_words(asked)} contradicts {options.model_file}, which was trained "
                f"with {in_words(stated)}: leave it out"
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


def check_length(model: Any, data: np.ndarray, cut: Cut, options: argparse.Namespace) -> None:
    """Refuse beats of a record that are longer or shorter than those of training.

    Raises
    ------
    ValueError
        If they are.
    """
    if data.shape[-1] != model.n_samples_:
        raise ValueError(
            f"beats of --window {in_words(cut.window)} at --fs {in_words(cut.fs)} have "
            f"{data.shape[-1]} samples, but {options.model_file} takes {model.n_samples_}: give "
            "the rate and the window of its training"
        )


def in_words(value: Any) -> str:
    """Write a number, or several, as on a command line."""
    return " ".join(f"{number:g}" for number in np.atleast_1d(value))
