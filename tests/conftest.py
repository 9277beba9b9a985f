"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def _data_folder(name: str, needed: str) -> Path:
    """Folder of a real database, or skip the test that asked for it."""
    places = [REPOSITORY.parent / "shared" / "data"]
    if os.environ.get("ECGCLF_DATA"):
        places.insert(0, Path(os.environ["ECGCLF_DATA"]))
    for place in places:
        if (place / name / needed).exists():
            return place / name
    pytest.skip(
        f"needs real records: {name}/{needed} is in none of {[str(p) for p in places]}; "
        "set ECGCLF_DATA to the folder that holds it"
    )


@pytest.fixture(scope="session")
def mitdb_dir() -> Path:
    """The MIT-BIH Arrhythmia Database."""
    return _data_folder("mitdb", "RECORDS")


@pytest.fixture(scope="session")
def ptbdb_dir() -> Path:
    """A few records of the PTB Diagnostic ECG Database."""
    return _data_folder("ptbdb_sample", "s0010_re.hea")
