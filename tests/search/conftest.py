"""Beats of a few patients for searches, and what W&B has written."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ecgclf.datasets import make_beats


@pytest.fixture(scope="session")
def beats():
    return make_beats(n_beats=160, n_patients=8, random_state=0)


def records_of(file: Path) -> Iterator[bytes]:
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


@pytest.fixture
def read_offline_run():
    """Read the one offline run below a folder: its configuration and history."""
    messages = pytest.importorskip(
        "wandb.proto.wandb_internal_pb2", reason="needs wandb, which is not installed"
    )

    def name_of(item: Any) -> str:
        return item.key or ".".join(item.nested_key)

    def read(folder: Path) -> SimpleNamespace:
        (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
        run = SimpleNamespace(config={}, history=[], project=None, exit_code=None)
        for content in records_of(file):
            record = messages.Record()
            record.ParseFromString(content)
            kind = record.WhichOneof("record_type")
            if kind == "run":
                run.project = record.run.project
                run.config |= {
                    name_of(item): json.loads(item.value_json)
                    for item in record.run.config.update
                }
            elif kind == "history":
                run.history.append(
                    {name_of(item): json.loads(item.value_json) for item in record.history.item}
                )
            elif kind == "exit":
                run.exit_code = record.exit.exit_code
        return run

    return read
