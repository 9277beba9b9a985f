"""Saving and loading of estimators that a user has written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

import ecgclf
from ecgclf import ECGCNNClassifier, ECGTransferClassifier
from ecgclf._model_file import pack, unpack
from ecgclf.estimators import BeatClassifier
from ecgclf.modules import FlatEncoder
from ecgclf.persistence import PersistenceError, read_document
from tests.networks import QUICK


@dataclass(kw_only=True, eq=False, repr=False)
class FlatClassifier(BeatClassifier):
    """A network without an encoder."""

    gain: float = 1.0

    def _make_encoder(self, n_leads, n_samples):
        return FlatEncoder(n_leads, n_samples)


@pytest.fixture
def flat(beats) -> FlatClassifier:
    return FlatClassifier(gain=2.0, **QUICK).fit(beats.data, beats.target)


def test_a_trusted_class_is_loaded(flat, beats, path):
    flat.save(path, fs=120)
    loaded = ecgclf.load(path, trusted=[FlatClassifier])
    assert type(loaded) is FlatClassifier
    assert loaded.get_params() == flat.get_params()
    assert loaded.input_contract_["fs"] == 120
    np.testing.assert_array_equal(
        loaded.predict_proba(beats.data), flat.predict_proba(beats.data)
    )
    again = clone(loaded).fit(beats.data, beats.target)
    np.testing.assert_array_equal(again.predict_proba(beats.data), flat.predict_proba(beats.data))
    assert read_document(path)["class"] == "FlatClassifier"


def test_the_error_says_what_to_pass(flat, path):
    flat.save(path)
    message = (
        rf"'{re.escape(str(path))}' contains a model of the class FlatClassifier \(module "
        rf"{re.escape(__name__)}\).*ecgclf\.load\(path, trusted=\[FlatClassifier\]\)"
    )
    for trusted in ([], [BeatClassifier, ECGCNNClassifier]):
        with pytest.raises(PersistenceError, match=message):
            ecgclf.load(path, trusted=trusted)


def test_the_example_of_the_documentation_can_be_saved(beats, path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "docs"))
    from new_network import FlatClassifier as Example

    model = Example(units=8, **QUICK).fit(beats.data, beats.target)
    model.save(path)
    loaded = ecgclf.load(path, trusted=[Example])
    np.testing.assert_array_equal(
        loaded.predict_proba(beats.data), model.predict_proba(beats.data)
    )


def test_a_class_with_the_name_of_one_of_ecgclf(beats, path):
    ours = type("ECGCNNClassifier", (FlatClassifier,), {"__module__": "mine"})
    model = ours(**QUICK).fit(beats.data, beats.target)
    model.save(path)
    with pytest.raises(PersistenceError, match=r"ECGCNNClassifier \(module mine\)"):
        ecgclf.load(path)
    assert type(ecgclf.load(path, trusted=[ours])) is ours


def test_a_class_that_has_moved_to_another_module(flat, beats, path):
    flat.save(path)
    moved = type("FlatClassifier", (FlatClassifier,), {"__module__": "new_place"})
    assert type(ecgclf.load(path, trusted=[moved])) is moved
    assert type(ecgclf.load(path, trusted=[moved, FlatClassifier])) is FlatClassifier


def test_a_source_of_a_transfer(flat, beats, path, tmp_path):
    flat.save(tmp_path / "source.ecgclf")
    model = ECGTransferClassifier(source=flat, dense=(), **QUICK).fit(beats.data, beats.target)
    model.save(path)
    with pytest.raises(PersistenceError, match=r"trusted=\[FlatClassifier\]"):
        ecgclf.load(path)
    loaded = ecgclf.load(path, trusted=[FlatClassifier])
    np.testing.assert_array_equal(
        loaded.predict_proba(beats.data), model.predict_proba(beats.data)
    )
    from_path = clone(model).set_params(source=tmp_path / "source.ecgclf")
    with pytest.raises(PersistenceError, match=r"source\.ecgclf' contains a model of the class"):
        from_path.fit(beats.data, beats.target)


@pytest.mark.parametrize("wrong", [LogisticRegression, "FlatClassifier", FlatClassifier()])
def test_only_classes_of_estimators_can_be_trusted(flat, path, wrong):
    flat.save(path)
    with pytest.raises(TypeError, match="give classes that derive from BeatClassifier"):
        ecgclf.load(path, trusted=[FlatClassifier, wrong])


def test_other_classes_stay_forbidden(flat, path):
    """A manipulated file cannot name other classes, nor use this one as a parameter."""
    flat.save(path)
    document, arrays = unpack(path.read_bytes())
    document = {key: value for key, value in document.items() if key not in ("format", "sha256")}
    path.write_bytes(pack({**document, "class": "system", "module": "os"}, arrays))
    with pytest.raises(PersistenceError, match=r"class system \(module os\)"):
        ecgclf.load(path, trusted=[FlatClassifier])
    document["parameters"]["augment"] = {"object": ["FlatClassifier", {}]}
    path.write_bytes(pack(document, arrays))
    with pytest.raises(PersistenceError, match="'FlatClassifier' is none of"):
        ecgclf.load(path, trusted=[FlatClassifier])
