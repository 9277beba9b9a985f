"""Search spaces, their files, and their conversions for each library."""

from __future__ import annotations

import copy
import math
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import ParameterGrid, ParameterSampler

from ecgclf.search import (
    Choice,
    FloatRange,
    IntRange,
    SearchSpace,
    suggest,
    to_distributions,
    to_grid,
)

SPACE = SearchSpace(
    {
        "lr": FloatRange(1e-4, 1e-2, log=True),
        "weight_decay": FloatRange(0.0, 0.1),
        "dropout": FloatRange(0.0, 0.3, step=0.1),
        "max_epochs": IntRange(2, 4),
        "batch_size": IntRange(32, 96, step=32),
        "filters": Choice([[16, 32], [32, 64]]),
        "loss": Choice(["cross_entropy", "focal"]),
        "class_weight": Choice([None, "balanced"]),
        "amp": Choice([True, False, 1]),
    }
)

FILE = """
lr: {low: 1e-4, high: 1e-2, log: true}
weight_decay: {low: 0.0, high: 0.1}
dropout: {low: 0.0, high: 0.3, step: 0.1}
max_epochs: {low: 2, high: 4}
batch_size: {low: 32, high: 96, step: 32}
filters: [[16, 32], [32, 64]]
loss: [cross_entropy, focal]
class_weight: [null, balanced]
amp: [true, false, 1]
"""


@pytest.fixture
def read(tmp_path):
    pytest.importorskip("yaml", reason="needs PyYAML, which is not installed")

    def read(text):
        path = tmp_path / "space.yaml"
        path.write_text(text, encoding="utf-8")
        return SearchSpace.from_file(path)

    return read


def test_a_file_gives_the_same_space_as_the_classes(read):
    assert read(FILE) == SPACE
    assert read(FILE).as_dict() == SPACE.as_dict()


def test_as_dict_can_be_written_and_read_again(read):
    import yaml

    assert read(yaml.safe_dump(SPACE.as_dict())) == SPACE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr: {low: 1.0}", r"space.yaml, line 1, parameter 'lr': high is missing"),
        (
            "a: [1]\nlr: {low: 2.0, high: 1.0}",
            r"line 2, parameter 'lr': low is 2.0 and high is 1.0",
        ),
        ("lr: {low: 1, high: 9, log: true}", "log needs floats"),
        ("lr: {low: 0.0, high: 1.0, log: true}", "with log it must be greater than 0"),
        ("lr: {low: 0.0, high: 1.0, log: maybe}", "log is 'maybe', expected true or false"),
        ("lr: {low: 0.1, high: 1.0, log: true, step: 0.1}", "log and step cannot be combined"),
        ("lr: {low: 0.1, high: 1.0, distribution: normal}", "unknown key 'distribution'"),
        ("n: {low: 1, high: 10, step: 4}", "steps of 4 from 1 do not reach 10"),
        ("n: {low: 1, high: 10, step: 0}", "step is 0, expected a number greater than 0"),
        ("n: {low: a, high: 10}", "low is 'a', expected a finite number"),
        ("n: {low: .nan, high: 1.0}", "low is nan, expected a finite number"),
        ("lr: 0.1", r"0.1 is neither a list of values nor bounds"),
        ("lr: []", "the list of values is empty"),
        ("lr: [1, 2, 1]", "1 is listed twice"),
        ("lr: [{a: 1}]", "{'a': 1} of type dict is not allowed"),
        ("lr: [0.1]\nlr: [0.2]", "line 2, 'lr': given twice"),
        ("lr: {low: 1, low: 2, high: 3}", "'low': given twice"),
        ("1: [0.1]", "line 1: '1' is not a name"),
        ("- lr", "contains no parameters"),
        ("", "contains no parameters"),
        ("a: [1]\nlr: [0.1, 0.2", r"line [23]: invalid YAML"),
    ],
)
def test_an_invalid_file_is_reported_with_its_line(read, text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


@pytest.mark.parametrize("wrong", [{"lr": [0.1]}, {1: Choice([1])}])
def test_names_and_parameters_are_checked(wrong):
    with pytest.raises(TypeError, match="expected names and FloatRange"):
        SearchSpace(wrong)
    with pytest.raises(ValueError, match="at least one parameter"):
        SearchSpace({})


def test_a_space_can_be_copied_and_is_immutable():
    assert copy.deepcopy(SPACE) == SPACE
    assert pickle.loads(pickle.dumps(SPACE)) == SPACE
    with pytest.raises(TypeError):
        SPACE.parameters["lr"] = Choice([1])


# --- grids -----------------------------------------------------------------------------------


def test_the_grid_lists_every_value():
    grid = to_grid(SPACE, n_points=3)
    assert grid["lr"] == pytest.approx([1e-4, 1e-3, 1e-2])
    assert grid["weight_decay"] == [0.0, 0.05, 0.1]
    assert grid["dropout"] == [0.0, 0.1, 0.2, 0.3]
    assert grid["max_epochs"] == [2, 3, 4]
    assert grid["batch_size"] == [32, 64, 96]
    assert grid["filters"] == [(16, 32), (32, 64)]
    assert len(ParameterGrid(grid)) == 3 * 3 * 4 * 3 * 3 * 2 * 2 * 2 * 3


def test_a_grid_of_a_range_needs_n_points():
    for n_points in (None, 1):
        with pytest.raises(ValueError, match=r"Parameter 'lr'.*n_points"):
            to_grid(SPACE, n_points)


@given(st.floats(1e-6, 1e3), st.floats(1.01, 1e3), st.integers(2, 30), st.booleans())
def test_a_grid_starts_and_ends_at_the_bounds(low, factor, n_points, log):
    space = SearchSpace({"lr": FloatRange(low, low * factor, log=log)})
    (values,) = to_grid(space, n_points).values()
    assert len(values) == n_points
    assert values[0] == pytest.approx(low, rel=1e-9)
    assert values[-1] == pytest.approx(low * factor, rel=1e-9)
    steps = np.diff(np.log(values) if log else values)
    assert steps == pytest.approx(np.full(n_points - 1, steps.mean()), rel=1e-4)


# --- samples ---------------------------------------------------------------------------------


def check_within(setting):
    assert set(setting) == set(SPACE.parameters)
    assert 1e-4 <= setting["lr"] <= 1e-2
    assert 0 <= setting["weight_decay"] <= 0.1
    for name in ("dropout", "max_epochs", "batch_size", "filters", "loss", "class_weight"):
        assert setting[name] in to_grid(SPACE, n_points=2)[name]
    assert any(setting["amp"] is value for value in (True, False, 1))


def test_samples_of_scikit_learn_cover_the_space():
    settings = list(ParameterSampler(to_distributions(SPACE), 300, random_state=0))
    for setting in settings:
        check_within(setting)
    assert {s["max_epochs"] for s in settings} == {2, 3, 4}
    # With log=True, half of the samples are below the geometric mean.
    below = np.mean([s["lr"] < 1e-3 for s in settings])
    assert below == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / 300))


def test_samples_of_optuna_cover_the_space():
    optuna = pytest.importorskip("optuna", reason="needs Optuna, which is not installed")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    settings = []
    for _ in range(200):
        trial = study.ask()
        settings.append(suggest(SPACE, trial))
        check_within(settings[-1])
    assert {s["max_epochs"] for s in settings} == {2, 3, 4}
    assert {s["batch_size"] for s in settings} == {32, 64, 96}
    below = np.mean([s["lr"] < 1e-3 for s in settings])
    assert below == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / 200))
    assert [suggest(SPACE, trial) for trial in study.trials] == settings


def test_a_missing_library_is_reported(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "yaml", None)
    path = tmp_path / "space.yaml"
    path.write_text("lr: [0.1]")
    with pytest.raises(ImportError, match=r"install it with: pip install 'ecgclf\[search\]'"):
        SearchSpace.from_file(path)
