"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

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


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Two test processes share two cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def files_of_at_most() -> Callable[[int], AbstractContextManager[None]]:
    """Let this process write files up to a size, as on a full disk."""
    resource = pytest.importorskip("resource", reason="needs limits of POSIX systems")

    @contextmanager
    def limit(n_bytes: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit


@pytest.fixture(scope="session")
def mitdb_dir() -> Path:
    """The MIT-BIH Arrhythmia Database."""
    return _data_folder("mitdb", "RECORDS")


@pytest.fixture(scope="session")
def svdb_dir() -> Path:
    """Most records of the MIT-BIH Supraventricular Arrhythmia Database."""
    return _data_folder("svdb", "RECORDS")


@pytest.fixture(scope="session")
def ptbxl_dir() -> Path:
    """A part of PTB-XL."""
    return _data_folder("ptbxl", "ptbxl_database.csv")


@pytest.fixture(scope="session")
def formats_dir() -> Path:
    """Small files of many formats."""
    return _data_folder("formats", "wfdb/binformats.hea")


@pytest.fixture(scope="session")
def ptbdb_dir() -> Path:
    """A few records of the PTB Diagnostic ECG Database."""
    return _data_folder("ptbdb_sample", "s0010_re.hea")


def _records_of(file: Path) -> Iterator[bytes]:
    """The records of a file in the log format of LevelDB, behind W&B's header of 7 bytes.

    Blocks of 32 KiB hold pieces with a header of 7 bytes: checksum, length and kind, where 1
    is a whole record, 2 its first piece, 3 one in the middle and 4 the last.
    """
    content, at, record = file.read_bytes(), 7, b""
    assert content[:4] == b":W&B"
    while at + 7 <= len(content):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        record += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield record
            record = b""


@pytest.fixture(scope="session")
def read_wandb_records() -> Callable[[Path], list[Any]]:
    """Read the messages that W&B has written, offline, of the one run below a folder."""
    messages = pytest.importorskip(
        "wandb.proto.wandb_internal_pb2", reason="needs wandb, which is not installed"
    )

    def read(folder: Path) -> list[Any]:
        (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
        return [messages.Record.FromString(content) for content in _records_of(file)]

    return read
