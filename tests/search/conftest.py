"""Beats of a few patients for searches, and what W&B has written."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ecgclf.datasets import make_beats


@pytest.fixture(scope="session")
def beats():
    return make_beats(n_beats=160, n_patients=8, random_state=0)


@pytest.fixture
def read_offline_run(read_wandb_records):
    """Read the one offline run below a folder: its configuration and history."""

    def name_of(item: Any) -> str:
        return item.key or ".".join(item.nested_key)

    def read(folder: Path) -> SimpleNamespace:
        run = SimpleNamespace(config={}, history=[], project=None, exit_code=None)
        for record in read_wandb_records(folder):
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
