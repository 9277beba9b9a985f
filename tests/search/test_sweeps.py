"""Sweeps of Weights & Biases, from the space to what a run has logged."""

from __future__ import annotations

import itertools
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from ecgclf.search import (
    Choice,
    FloatRange,
    IntRange,
    SearchSpace,
    run_sweep_trial,
    sweep_params,
    to_sweep,
)

REPOSITORY = Path(__file__).resolve().parents[2]
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


def test_a_bayesian_sweep_takes_ranges_as_distributions():
    sweep = to_sweep(SPACE, method="bayes", program="train.py", arguments=["--fast"])
    assert sweep["method"] == "bayes"
    assert sweep["metric"] == {"name": "score", "goal": "maximize"}
    assert sweep["command"] == ["${env}", "${interpreter}", "${program}", "--fast", "${args}"]
    assert sweep["parameters"] == {
        "lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-2},
        "weight_decay": {"distribution": "uniform", "min": 0.0, "max": 0.1},
        "dropout": {"values": [0.0, 0.1, 0.2]},
        "max_epochs": {"distribution": "int_uniform", "min": 2, "max": 4},
        "batch_size": {"values": [32, 64, 96]},
        "filters": {"values": [[16, 32], [32, 64]]},
    }


def test_a_grid_sweep_lists_values():
    with pytest.raises(ValueError, match=r"'lr'.*n_points"):
        to_sweep(SPACE, method="grid", program="train.py")
    parameters = to_sweep(SPACE, method="grid", program="train.py", n_points=3)["parameters"]
    assert parameters["lr"] == {"values": [1e-4, 1e-3, 1e-2]}
    assert parameters["max_epochs"] == {"values": [2, 3, 4]}


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="method"):
        to_sweep(SPACE, method="hyperband", program="train.py")


def test_the_sweep_files_are_what_the_spaces_give():
    pytest.importorskip("yaml", reason="needs PyYAML, which is not installed")
    made = runpy.run_path(str(SWEEPS / "make_sweeps.py"))["sweeps"]()
    assert set(made) == {f"{n}_{m}.yaml" for n in ("cnn", "rnn") for m in ("bayes", "grid")}
    for name, text in made.items():
        assert (SWEEPS / name).read_text(encoding="utf-8") == text, f"run {SWEEPS}/make_sweeps.py"


def test_the_command_line_is_read_as_the_agent_writes_it():
    utils = pytest.importorskip(
        "wandb.sdk.launch.sweeps.utils", reason="needs wandb, which is not installed"
    )
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
    assert sweep_params(arguments) == given | {"filters": (16, 32)}


@pytest.mark.parametrize("argument", ["--lr", "lr=1", "--=1"])
def test_another_command_line_is_refused(argument):
    with pytest.raises(ValueError, match="expected --name=value"):
        sweep_params([argument])
    with pytest.raises(ValueError, match="--lr is given twice"):
        sweep_params(["--lr=1", "--lr=2"])


def expanded(sweep: dict, setting: dict) -> list[str]:
    """The command line that ``wandb agent`` makes of a sweep, by its documentation."""
    parts = {
        "${env}": ["/usr/bin/env"],
        "${interpreter}": [sys.executable],
        "${program}": [sweep["program"]],
        "${args}": [f"--{name}={value}" for name, value in setting.items()],
    }
    return list(itertools.chain.from_iterable(parts.get(p, [p]) for p in sweep["command"]))


@pytest.mark.skipif(os.name != "posix", reason="an agent leaves ${env} out on other systems")
@pytest.mark.parametrize("network", ["cnn", "rnn"])
def test_a_run_of_a_sweep_logs_what_it_did(network, tmp_path, read_offline_run):
    yaml = pytest.importorskip("yaml", reason="needs PyYAML, which is not installed")
    sweep = yaml.safe_load((SWEEPS / f"{network}_grid.yaml").read_text(encoding="utf-8"))
    setting = {name: said["values"][0] for name, said in sweep["parameters"].items()}
    # Nothing of the machine's own records or account takes part.
    environment = os.environ | {
        "WANDB_MODE": "offline",
        "WANDB_DIR": str(tmp_path),
        "WANDB_SILENT": "true",
        "ECGCLF_DATA": str(tmp_path),
        "ECGCLF_EPOCHS": "2",
        "PYTHONPATH": str(REPOSITORY),
    }
    done = subprocess.run(
        expanded(sweep, setting),
        cwd=SWEEPS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run = read_offline_run(tmp_path)
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


def test_without_wandb_a_trial_says_how_to_get_it(beats, monkeypatch):
    from ecgclf import ECGMLPClassifier

    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ImportError, match=r"run_sweep_trial needs wandb.*ecgclf\[wandb\]"):
        run_sweep_trial(ECGMLPClassifier(), {}, beats.data, beats.target)
