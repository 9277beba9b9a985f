"""``ecgclf train``."""

from __future__ import annotations

import argparse
import ast
import sys
from typing import Any

import ecgclf
from ecgclf.cli._beats import read_labelled
from ecgclf.cli._contract import asked_cut
from ecgclf.cli._output import check_output, counted


def run(options: argparse.Namespace) -> None:
    """Train a network and save it."""
    check_output(options.model_file)
    model = _make_model(options.model, options.settings, options.seed)
    beats = read_labelled(options, asked_cut(options))
    if options.unit and beats.unit:
        raise ValueError(f"--unit cannot be used here: these beats are {beats.unit!r}")
    print(counted(beats.target), file=sys.stderr)
    model.fit(beats.data, beats.target, groups=beats.groups)
    model.save(
        options.model_file,
        fs=beats.cut.fs,
        unit=options.unit or beats.unit,
        window=beats.cut.window,
    )
    loss = model.history_["train_loss"].iloc[-1]
    print(f"{options.model_file}: {model.n_iter_} epochs, training loss {loss:.4f}")


def _make_model(name: str, settings: list[str], seed: int | None) -> Any:
    """Make an estimator from words like ``lr=1e-3``."""
    model = getattr(ecgclf, name)(random_state=seed)
    known = model.get_params(deep=False)
    for setting in settings:
        key, is_given, text = setting.partition("=")
        if not is_given or key not in known:
            raise ValueError(
                f"--set {setting}: expected NAME=VALUE with a parameter of {name}, one of "
                f"{', '.join(sorted(known))}"
            )
        model.set_params(**{key: _value(text)})
    model._validate_params()  # before the beats are read, which takes longer
    return model


def _value(text: str) -> Any:
    """Read a value as Python does, or else as a string, which then needs no quotes."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
