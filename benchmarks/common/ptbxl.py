"""PTB-XL in the published folds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.arguments import make_parser
from ecgclf.datasets import RecordingSet, get_data_home, load_ptbxl

_SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "ptbxl"

#: Recordings of the whole database.
N_PUBLISHED = 21_799


def make_ptbxl_parser(doc: str, *, output: str, only: str) -> argparse.ArgumentParser:
    """Make a parser that also takes ``--ptbxl``."""
    parser = make_parser(doc, output=output, seeds=[0, 1, 2], only=only)
    parser.add_argument("--ptbxl", type=Path, help="folder of PTB-XL")
    return parser


def load(given: Path | None, task: str) -> RecordingSet:
    """Load the recordings of a task, 12 leads at 100 Hz."""
    places = [given] if given else [get_data_home() / "ptbxl", _SHARED]
    for place in places:
        if (place / "ptbxl_database.csv").exists():
            return load_ptbxl(place, task=task)
    raise SystemExit(f"No PTB-XL in {', '.join(map(str, places))}: pass its folder as --ptbxl.")


def describe(recordings: RecordingSet) -> dict[str, Any]:
    """Return the numbers of recordings and patients, in total and in the test fold."""
    test = recordings.select(recordings.fold == 10)
    return {
        "recordings": len(recordings.data),
        "of_published": N_PUBLISHED,
        "patients": len(np.unique(recordings.groups)),
        "test_recordings": len(test.data),
        "test_patients": len(np.unique(test.groups)),
    }
