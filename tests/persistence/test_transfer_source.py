"""Saving of transfers, and transfer from saved models."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import ecgclf
from ecgclf import ECGAutoencoder, ECGTransferClassifier
from ecgclf.datasets import make_beats
from ecgclf.persistence import PersistenceError

QUICK = {"dense": (4,), "max_epochs": 2, "batch_size": 64, "verbose": 0, "random_state": 0}


@pytest.fixture
def source_path(fitted, tmp_path) -> Path:
    fitted.save(tmp_path / "source.ecgclf")
    return tmp_path / "source.ecgclf"


@pytest.mark.parametrize("strategy", ["frozen", "finetune", "gradual"])
@pytest.mark.parametrize("kind", [str, Path, "model"])
def test_saved_and_loaded(fitted, beats, source_path, path, strategy, kind):
    source = fitted if kind == "model" else kind(source_path)
    model = ECGTransferClassifier(source=source, strategy=strategy, **QUICK)
    model.fit(beats.data, beats.target)
    model.save(path)
    source_path.unlink()
    loaded = ecgclf.load(path)
    np.testing.assert_array_equal(
        loaded.predict_proba(beats.data), model.predict_proba(beats.data)
    )
    assert loaded.parameter_table().equals(model.parameter_table())
    assert type(loaded.source) is type(source)
    assert (loaded.source is loaded.source_) is (kind == "model")
    np.testing.assert_array_equal(
        loaded.source_.predict_proba(beats.data), fitted.predict_proba(beats.data)
    )
    loaded.set_params(warm_start=True).fit(beats.data, beats.target)
    assert loaded.n_iter_ == 4
    if kind != "model":
        assert loaded.source == source
        with pytest.raises(FileNotFoundError, match=r"no file '.*source\.ecgclf'"):
            clone(loaded).set_params(warm_start=False).fit(beats.data, beats.target)


def test_a_gradual_transfer_with_frozen_layers(fitted, beats, path):
    model = ECGTransferClassifier(source=fitted, strategy="gradual", **QUICK)
    model.partial_fit(beats.data, beats.target, classes=np.unique(beats.target))
    assert model.net_.module_.encoder.n_frozen > 0
    model.save(path)
    loaded = ecgclf.load(path)
    assert loaded.parameter_table().equals(model.parameter_table())
    assert loaded.net_.module_.encoder.n_frozen == model.net_.module_.encoder.n_frozen


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_equals_the_model(fitted, beats, source_path, kind):
    y = beats.target == "V"
    from_path = ECGTransferClassifier(source=kind(source_path), **QUICK).fit(beats.data, y)
    from_model = ECGTransferClassifier(source=fitted, **QUICK).fit(beats.data, y)
    np.testing.assert_array_equal(
        from_path.predict_proba(beats.data), from_model.predict_proba(beats.data)
    )
    assert from_path.source == from_path.get_params()["source"] == kind(source_path)
    assert clone(from_path).source == kind(source_path)
    assert not hasattr(clone(from_path), "source_")
    assert repr(source_path)[1:-1] in repr(from_path) or str(source_path) in repr(from_path)
    source_path.unlink()
    again = pickle.loads(pickle.dumps(from_path))
    np.testing.assert_array_equal(
        again.predict_proba(beats.data), from_model.predict_proba(beats.data)
    )


def test_grid_search_over_sources(fitted, quick, beats, source_path, tmp_path):
    quick(filters=(4,), stride=2).fit(beats.data, beats.target).save(tmp_path / "other.ecgclf")
    paths = [str(source_path), str(tmp_path / "other.ecgclf")]
    search = GridSearchCV(ECGTransferClassifier(**QUICK), {"source": paths}, cv=2)
    search.fit(beats.data, beats.target)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_params_["source"] in paths


def test_a_chain_of_transfers(fitted, path):
    two_leads = make_beats(n_beats=100, n_leads=2, random_state=1)
    X = two_leads.data[:, :, :60]
    middle = ECGTransferClassifier(source=fitted, **QUICK).fit(X, two_leads.target)
    last = ECGTransferClassifier(source=middle, strategy="finetune", **QUICK)
    last.fit(X, two_leads.target == "N").save(path)
    loaded = ecgclf.load(path)
    np.testing.assert_array_equal(loaded.predict_proba(X), last.predict_proba(X))
    assert loaded.parameter_table().equals(last.parameter_table())
    assert loaded.source.source.get_params() == fitted.get_params()


def test_an_autoencoder_as_the_source(beats, path, tmp_path):
    source = ECGAutoencoder(n_codes=4, filters=(8,), max_epochs=1, verbose=0, random_state=0)
    source.fit(beats.data).save(tmp_path / "source.ecgclf")
    model = ECGTransferClassifier(source=tmp_path / "source.ecgclf", **QUICK)
    model.fit(beats.data, beats.target).save(path)
    loaded = ecgclf.load(path)
    np.testing.assert_array_equal(
        loaded.predict_proba(beats.data), model.predict_proba(beats.data)
    )
    np.testing.assert_array_equal(
        loaded.source_.transform(beats.data), source.transform(beats.data)
    )


def test_errors_name_the_source(quick, beats, path, source_path):
    odd = quick(augment=lambda signals, generator: signals).fit(beats.data, beats.target)
    model = ECGTransferClassifier(source=odd, **QUICK).fit(beats.data, beats.target)
    with pytest.raises(PersistenceError, match=r"source\.augment=<function"):
        model.save(path)
    broken = source_path.with_name("broken.ecgclf")
    shutil.copy(source_path, broken)
    broken.write_bytes(broken.read_bytes()[:-1])
    model = ECGTransferClassifier(source=broken, **QUICK)
    with pytest.raises(PersistenceError, match=r"broken\.ecgclf' is damaged"):
        model.fit(beats.data, beats.target)
    assert not hasattr(model, "source_")
