"""The W&B sweeps of examples/sweeps, offline."""

from __future__ import annotations

import itertools
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from ecgclf.search import Choice, FloatRange, IntRange, SearchSpace

pytest.importorskip("wandb", reason="needs wandb, which is not installed")
yaml = pytest.importorskip("yaml", reason="needs PyYAML, which is not installed")

REPOSITORY = Path(__file__).resolve().parents[1]
SWEEPS = REPOSITORY / "examples" / "sweeps"
SPACE = SearchSpace(
    {
        "lr": FloatRange(1e-4, 1e-2, log=True),
        "weight_decay": FloatRange(0.0, 0.1),
        "dropout": FloatRange(0.0, 0.2, step=0.1),
        "max_epochs": IntRange(2, 4),
        "batch_size": IntRange(32, 96, step=32),
        "filters": Choice([[16, 32], [32, 64]]),
    }
)


@pytest.fixture(scope="module")
def program() -> dict:
    return runpy.run_path(str(SWEEPS / "make_sweeps.py"))


@pytest.fixture(scope="module")
def parse_params() -> Callable:
    return runpy.run_path(str(SWEEPS / "train.py"))["parse_params"]


# --- configurations ----------------------------------------------------------------------------


def test_a_bayesian_sweep_uses_distributions_for_ranges(program):
    sweep = program["make_sweep"](SPACE, "bayes", "ECGCNNClassifier")
    assert sweep["method"] == "bayes"
    assert sweep["metric"] == {"name": "score", "goal": "maximize"}
    assert sweep["command"] == [
        *("${env}", "${interpreter}", "${program}", "ECGCNNClassifier", "${args}")
    ]
    assert sweep["parameters"] == {
        "lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-2},
        "weight_decay": {"distribution": "uniform", "min": 0.0, "max": 0.1},
        "dropout": {"values": [0.0, 0.1, 0.2]},
        "max_epochs": {"distribution": "int_uniform", "min": 2, "max": 4},
        "batch_size": {"values": [32, 64, 96]},
        "filters": {"values": [[16, 32], [32, 64]]},
    }


def test_a_grid_sweep_lists_values(program):
    with pytest.raises(ValueError, match=r"'lr'.*n_points"):
        program["make_sweep"](SPACE, "grid", "ECGCNNClassifier")
    sweep = program["make_sweep"](SPACE, "grid", "ECGCNNClassifier", n_points=3)
    assert sweep["parameters"]["lr"] == {"values": [1e-4, 1e-3, 1e-2]}
    assert sweep["parameters"]["max_epochs"] == {"values": [2, 3, 4]}


def test_the_sweep_files_are_up_to_date(program):
    made = program["sweeps"]()
    assert set(made) == {f"{n}_{m}.yaml" for n in ("cnn", "rnn") for m in ("bayes", "grid")}
    for name, text in made.items():
        assert (SWEEPS / name).read_text(encoding="utf-8") == text, f"run {SWEEPS}/make_sweeps.py"


# --- trials ------------------------------------------------------------------------------------


def test_the_command_line_of_the_agent_is_parsed(parse_params):
    utils = pytest.importorskip("wandb.sdk.launch.sweeps.utils")
    given = {
        "lr": 1e-05,
        "batch_size": 64,
        "filters": [16, 32],
        "amp": False,
        "weight_decay": None,
        "optimizer": "adam",
    }
    command = {"args": {name: {"value": value} for name, value in given.items()}}
    arguments = utils.create_sweep_command_args(command)["args"]
    assert parse_params(arguments) == given | {"filters": (16, 32)}


@pytest.mark.parametrize("argument", ["--lr", "lr=1", "--=1"])
def test_an_invalid_command_line_is_rejected(argument, parse_params):
    with pytest.raises(ValueError, match="expected --name=value"):
        parse_params([argument])
    with pytest.raises(ValueError, match="--lr is given twice"):
        parse_params(["--lr=1", "--lr=2"])


def command_line(sweep: dict, setting: dict) -> list[str]:
    """Return the documented command line of ``wandb agent``."""
    parts = {
        "${env}": ["/usr/bin/env"],
        "${interpreter}": [sys.executable],
        "${program}": [sweep["program"]],
        "${args}": [f"--{name}={value}" for name, value in setting.items()],
    }
    return list(itertools.chain.from_iterable(parts.get(p, [p]) for p in sweep["command"]))


def by_name(items) -> dict:
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


def offline_run(records) -> SimpleNamespace:
    """Collect the configuration and history of an offline run."""
    run = SimpleNamespace(config={}, history=[], project=None, exit_code=None)
    for record in records:
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run.project = record.run.project
            run.config |= by_name(record.run.config.update)
        elif kind == "history":
            run.history.append(by_name(record.history.item))
        elif kind == "exit":
            run.exit_code = record.exit.exit_code
    return run


@pytest.mark.skipif(os.name != "posix", reason="agents omit ${env} on other systems")
@pytest.mark.parametrize("network", ["cnn", "rnn"])
def test_a_run_of_a_sweep_logs_parameters_epochs_and_scores(
    network, tmp_path, read_wandb_records
):
    sweep = yaml.safe_load((SWEEPS / f"{network}_grid.yaml").read_text(encoding="utf-8"))
    setting = {name: parameter["values"][0] for name, parameter in sweep["parameters"].items()}
    # The program uses neither records nor an account of this machine.
    environment = os.environ | {
        "WANDB_MODE": "offline",
        "WANDB_DIR": str(tmp_path),
        "WANDB_SILENT": "true",
        "ECGCLF_DATA": str(tmp_path),
        "ECGCLF_EPOCHS": "2",
        "PYTHONPATH": str(REPOSITORY),
    }
    done = subprocess.run(
        command_line(sweep, setting),
        cwd=SWEEPS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run = offline_run(read_wandb_records(tmp_path))
    assert run.project == "ecgclf"
    assert run.exit_code == 0
    assert {name: run.config[name] for name in setting} == setting
    epochs = [row for row in run.history if "epoch" in row]
    assert [row["epoch"] for row in epochs] == [1, 2]
    assert all({"train_loss", "lr", "epoch_score"} <= set(row) for row in epochs)
    folds = [row["fold_score"] for row in run.history if "fold" in row]
    assert len(folds) == 2
    score = run.history[-1]["score"]
    assert score == pytest.approx(sum(folds) / 2)
    assert f"{score:.3f}" in done.stdout
