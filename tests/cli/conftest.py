"""Input files of the command line, and a fixture that runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from ecgclf import ECGMLPClassifier
from ecgclf.cli import main
from ecgclf.datasets import Beats, make_beats, make_record


class Outcome(NamedTuple):
    """Exit code of a command, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def ecgclf(capsys, work, monkeypatch) -> Callable[[str], Outcome]:
    """Run commands in the folder of the input files."""
    monkeypatch.chdir(work)

    def run(words: str) -> Outcome:
        capsys.readouterr()
        try:
            code = main(words.split())
        except SystemExit as leaving:  # argparse
            code = leaving.code
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def beats() -> Beats:
    return make_beats(n_beats=300, random_state=0)


@pytest.fixture(scope="session")
def model(beats) -> ECGMLPClassifier:
    """A briefly trained network."""
    model = ECGMLPClassifier(
        dense=(16,), max_epochs=4, batch_size=32, verbose=0, device="cpu", random_state=0
    )
    return model.fit(beats.data, beats.target)


@pytest.fixture(scope="session")
def work(tmp_path_factory, beats, model) -> Path:
    """A folder with beats, records, a model, and one without rate, window and unit."""
    folder = tmp_path_factory.mktemp("work")
    model.save(folder / "model.ecgclf", fs=120, unit="mV", window=(0.25, 0.45))
    model.save(folder / "silent.ecgclf")
    labelled = {"data": beats.data, "target": beats.target}
    cut = {"fs": beats.fs, "window": (0.25, 0.45)}
    np.savez(folder / "beats.npz", **labelled, groups=beats.groups, **cut)
    np.savez(folder / "plain.npz", **labelled)
    for name, seed in (("100", 0), ("101", 1), ("own", 2)):
        make_record(folder / "records", name, duration=30, random_state=seed)
    return folder
