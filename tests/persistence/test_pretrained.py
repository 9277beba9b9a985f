"""Pretrained models of the package."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ecgclf
from ecgclf import datasets
from ecgclf.persistence import _load, list_pretrained, load_pretrained, model_card

FOLDER = Path(ecgclf.__file__).parent / "persistence" / "pretrained"
ENDINGS = (".ecgclf", ".json", ".md")
every_model = pytest.mark.parametrize("name", list_pretrained())


def facts_of(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def random_beats(model, n_beats: int) -> np.ndarray | pd.DataFrame:
    X = np.random.default_rng(0).random((n_beats, model.n_features_in_))
    columns = getattr(model, "feature_names_in_", None)
    return X if columns is None else pd.DataFrame(X, columns=columns)


# --- the models ----------------------------------------------------------------------------


@every_model
def test_loads_without_a_connection(name, monkeypatch):
    def no_network(*args, **kwargs):
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket, "socket", no_network)
    model = ecgclf.load_pretrained(name)
    facts = facts_of(name)
    X = random_beats(model, 4)
    probability = model.predict_proba(X)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    assert set(model.predict(X)) <= set(facts["every_tenth_test_beat"]["labels"])
    assert sum(p.numel() for p in model.net_.module_.parameters()) == facts["parameters"]
    if name == "mitbih-small":
        assert facts["parameters"] <= 100_000


@every_model
def test_input_contract(name):
    model, given = load_pretrained(name), facts_of(name)["input"]
    contract = model.input_contract_
    for key in ("fs", "n_leads", "n_samples"):
        assert contract[key] == given[key]
    assert contract["unit"] == (None if given["unit"] == "any" else given["unit"])
    assert contract["n_tabular"] == 0


@every_model
def test_weights_card_and_facts_agree(name):
    weights, facts, card = FOLDER / f"{name}.ecgclf", facts_of(name), model_card(name)
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == facts["sha256"]
    assert facts["sha256"] in card
    (entry,) = load_pretrained(name).training_data_
    beats = {label: n for label, n in facts["train"]["beats"].items() if n}
    assert {label: n for label, n in entry["class_counts"].items() if n} == beats
    for row in facts["figures"]:
        if row["estimate"] is not None:
            assert 0 <= row["low"] <= row["high"] <= 1
            assert f"| {row['figure']} | {row['estimate']:.4f} |" in card
    for said in ("Not a medical device", "95% interval", facts["command"]):
        assert said in card
    # The model was trained with the full data and the default number of epochs.
    assert facts["fraction"] == 1
    assert "--epochs" not in facts["command"]


@every_model
def test_the_code_of_the_card_reproduces_its_figures(name, mitdb_dir, monkeypatch):
    """Every tenth test beat is predicted from the records."""
    facts = facts_of(name)
    monkeypatch.setattr(datasets, "fetch_mitbih", lambda: mitdb_dir)
    (code,) = re.findall(r"```python\n(import ecgclf\n.*?)```", model_card(name), flags=re.DOTALL)
    given: dict = {}
    exec(code, given)
    beats = given["beats"]
    counts = {label: int((beats.target == label).sum()) for label in beats.target_names}
    assert counts == facts["test"]["beats"]
    expected = facts["every_tenth_test_beat"]
    target, labels = np.asarray(beats.target)[::10], given["labels"][::10]
    found = pd.crosstab(target, labels).reindex(
        index=expected["labels"], columns=expected["labels"], fill_value=0
    )
    # Another processor may classify a beat near the decision boundary differently.
    moved = np.abs(found.to_numpy() - np.array(expected["confusion_matrix"])).sum() / 2
    assert moved <= 2e-3 * len(target)
    # These beats have about the same accuracy as all test beats.
    correct = np.trace(expected["confusion_matrix"]) / len(target)
    (whole,) = (row for row in facts["figures"] if row["figure"] == "accuracy")
    assert correct == pytest.approx(whole["estimate"], abs=0.01)


def test_size_of_the_files():
    sizes = {file.name: file.stat().st_size for file in FOLDER.iterdir()}
    assert sizes
    assert sum(sizes.values()) < 5e6
    named = {"README.md", *(f"{name}{end}" for name in list_pretrained() for end in ENDINGS)}
    assert set(sizes) == named


# --- the functions -------------------------------------------------------------------------


@pytest.fixture
def one_model(fitted, tmp_path, monkeypatch):
    """Replace the folder of the package by one with a single model."""
    fitted.save(tmp_path / "tiny.ecgclf", fs=120)
    (tmp_path / "tiny.md").write_text("# tiny\n", encoding="utf-8")
    shutil.copy(FOLDER / "README.md", tmp_path)
    monkeypatch.setattr(_load, "_FOLDER", tmp_path)
    return fitted


def test_load_by_name(one_model, beats):
    assert list_pretrained() == ["tiny"]
    loaded = ecgclf.load_pretrained("tiny")
    assert (loaded.predict_proba(beats.data) == one_model.predict_proba(beats.data)).all()
    assert loaded.input_contract_["fs"] == 120
    assert model_card("tiny") == "# tiny\n"


@pytest.mark.parametrize("ask", [load_pretrained, model_card])
@pytest.mark.parametrize("name", ["README", "tiny.ecgclf", "../tiny", "", None])
def test_unknown_name(ask, name, one_model):
    with pytest.raises(ValueError, match=r"no pretrained model .* one of \['tiny'\]"):
        ask(name)
