"""Saving and loading of fitted models."""

from __future__ import annotations

import copy
import hashlib
import importlib.metadata
import pickle

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import sklearn
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import ecgclf
from ecgclf import ECGAutoencoder, ECGCNNClassifier
from ecgclf.datasets import make_beats
from ecgclf.persistence import PersistenceError, read_document


def saved_and_loaded(model, path):
    model.save(path)
    return ecgclf.load(path)


@pytest.mark.parametrize("kind", ["dense", "conv", "recurrent"])
@pytest.mark.parametrize("in_3d", [False, True])
def test_the_autoencoder(kind, in_3d, path):
    X = make_beats(n_beats=100, n_leads=2, random_state=0).data
    X = X if in_3d else X.reshape(len(X), -1)
    model = ECGAutoencoder(
        kind=kind, n_codes=3, n_leads=2, dense=(8,), filters=(8,), units=(8,), max_epochs=2,
        verbose=0, random_state=0,
    ).fit(X)  # fmt: skip
    loaded = saved_and_loaded(model, path)
    for method in ("transform", "reconstruct", "score_samples", "decision_function", "predict"):
        np.testing.assert_array_equal(getattr(loaded, method)(X), getattr(model, method)(X))
    codes = model.transform(X)
    assert loaded.inverse_transform(codes).shape == X.shape
    np.testing.assert_array_equal(loaded.inverse_transform(codes), model.inverse_transform(codes))
    assert loaded.offset_ == model.offset_
    assert list(loaded.get_feature_names_out()) == list(model.get_feature_names_out())
    assert loaded.get_params() == model.get_params()


def test_pickle_copy_and_another_save(fitted, beats, path):
    expected = fitted.predict_proba(beats.data)
    loaded = saved_and_loaded(fitted, path)
    others = [pickle.loads(pickle.dumps(loaded)), copy.deepcopy(loaded)]
    for other in [*others, saved_and_loaded(loaded, path)]:
        np.testing.assert_array_equal(other.predict_proba(beats.data), expected)


def test_equal_models_give_equal_files(fitted, path):
    fitted.save(path)
    first = path.read_bytes()
    ecgclf.load(path).save(path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_warm_start_of_a_loaded_model(quick, beats, optimizer, path):
    model = quick(warm_start=True, optimizer=optimizer, conv_dropout=0.1)
    model.fit(beats.data, beats.target)
    loaded = saved_and_loaded(model, path)
    for each in (model, loaded):
        each.fit(beats.data, beats.target)
    assert loaded.n_iter_ == model.n_iter_ == 4
    np.testing.assert_array_equal(
        loaded.predict_proba(beats.data), model.predict_proba(beats.data)
    )
    assert loaded.training_data_ == model.training_data_
    assert len(loaded.training_data_) == 2


def test_partial_fit_of_a_loaded_model_uses_a_new_optimizer(quick, beats, path):
    classes = np.unique(beats.target)
    model = quick(lr=1e-3).partial_fit(beats.data, beats.target, classes=classes)
    loaded = saved_and_loaded(model, path)
    # The first `partial_fit` after a `fit` uses a new optimizer.
    expected = copy.deepcopy(model)
    expected._streaming = False
    for each in (loaded, expected):
        each.partial_fit(beats.data, beats.target)
        each.partial_fit(beats.data, beats.target)
    assert list(loaded.history_["lr"]) == [1e-3] * 3
    np.testing.assert_array_equal(
        loaded.predict_proba(beats.data), expected.predict_proba(beats.data)
    )


def test_features_column_names_and_early_stopping(quick, beats, path):
    frame = pd.DataFrame(beats.data[:, :40]).add_prefix("sample ").assign(rr=0.8)
    model = quick(n_tabular=1, early_stopping=True, validation_fraction=0.2)
    model.fit(frame, beats.target)
    loaded = saved_and_loaded(model, path)
    np.testing.assert_array_equal(loaded.feature_names_in_, model.feature_names_in_)
    np.testing.assert_array_equal(loaded.predict_proba(frame), model.predict_proba(frame))
    assert "valid_loss" in loaded.history_
    pd.testing.assert_frame_equal(loaded.history_, model.history_)
    assert loaded.input_contract_["n_tabular"] == 1
    with pytest.raises(ValueError, match="feature names should match"):
        loaded.predict(frame.rename(columns={"rr": "RR"}))


@pytest.mark.parametrize("dtype", ["<U9", object, np.int8, np.float64])
def test_the_type_of_labels(quick, beats, dtype, path):
    codes = np.searchsorted(np.unique(beats.target), beats.target)
    y = (beats.target if dtype in ("<U9", object) else codes).astype(dtype)
    model = quick(max_epochs=1).fit(beats.data, y)
    loaded = saved_and_loaded(model, path)
    assert loaded.classes_.dtype == model.classes_.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(loaded.predict(beats.data), model.predict(beats.data))
    assert [type(label) for label in loaded.classes_] == [type(label) for label in model.classes_]


def test_input_contract(fitted, beats, path):
    fitted.save(path, fs=120, unit="mV", window=[0.25, 0.45])
    loaded = ecgclf.load(path)
    expected = {
        "n_leads": 1,
        "n_samples": beats.data.shape[1],
        "n_tabular": 0,
        "fs": 120.0,
        "unit": "mV",
        "window": (0.25, 0.45),
    }
    assert loaded.input_contract_ == expected
    loaded.save(path, fs=360)
    assert ecgclf.load(path).input_contract_ == {**expected, "fs": 360.0}
    assert not hasattr(fitted, "input_contract_")
    # Nothing was stated about the new training beats.
    assert not hasattr(loaded.fit(beats.data, beats.target), "input_contract_")


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"fs": 0}, "fs=0: give the sampling rate in Hz"),
        ({"fs": "120"}, "fs='120'"),
        ({"fs": float("nan")}, "fs=nan"),
        ({"unit": 1}, "unit=1: give the unit"),
        ({"window": 0.5}, "window=0.5: give two numbers"),
        ({"window": (0.1, 0.2, 0.3)}, "window=.*give two numbers"),
        ({"window": (0.1, "b")}, "window=.*give two numbers"),
    ],
)
def test_invalid_contract(fitted, path, wrong, match):
    with pytest.raises(ValueError, match=match):
        fitted.save(path, **wrong)
    assert not path.exists()


def test_the_fingerprint_can_be_computed_by_hand(fitted, beats, path):
    (found,) = saved_and_loaded(fitted, path).training_data_
    X = beats.data.astype(np.float32)
    assert found == {
        "n_beats": 200,
        "X_sha256": hashlib.sha256(X.tobytes()).hexdigest(),
        "class_counts": {label: int((beats.target == label).sum()) for label in "FNQSV"},
        "y_sha256": hashlib.sha256("".join(f"{y}\n" for y in beats.target).encode()).hexdigest(),
    }
    changed = X.copy()
    changed[7, 3] = np.nextafter(changed[7, 3], np.float32(9))
    other = clone(fitted).fit(changed, beats.target).training_data_[0]
    assert other["X_sha256"] != found["X_sha256"]
    assert other["y_sha256"] == found["y_sha256"]


def test_requests_of_metadata(fitted, beats, path):
    with sklearn.config_context(enable_metadata_routing=True):
        fitted.set_fit_request(groups=True, sample_weight="weight")
        loaded = saved_and_loaded(fitted, path)
        asked = loaded.get_metadata_routing().fit.requests
        assert asked == fitted.get_metadata_routing().fit.requests
        assert asked["groups"] is True
        assert asked["sample_weight"] == "weight"


def test_other_readers_of_safetensors(fitted, path):
    fitted.save(path)
    weights = safetensors.numpy.load_file(path)
    expected = fitted.net_.module_.state_dict()
    assert set(weights) == set(expected)
    for name, weight in weights.items():
        np.testing.assert_array_equal(weight, expected[name].numpy())
    document = read_document(path)
    assert document["class"] == "ECGCNNClassifier"
    assert document["versions"]["torch"] == importlib.metadata.version("torch")
    assert document["fitted"]["attributes"]["dict"]["classes_"] == {
        "array": ["<U1", list("FNQSV")]
    }


def test_an_unfitted_model_cannot_be_saved(path):
    with pytest.raises(NotFittedError):
        ECGCNNClassifier().save(path)
    assert not path.exists()


def test_parameters_changed_since_the_fit(fitted, beats, path):
    for change in ({"filters": (8, 16)}, {"stride": 1}, {"global_pool": "max"}):
        changed = copy.deepcopy(fitted).set_params(**change)
        with pytest.raises(PersistenceError, match="not those that the network was created with"):
            changed.save(path)
    assert not path.exists()
    # Parameters of the training may change.
    loaded = saved_and_loaded(fitted.set_params(lr=0.5, batch_size=7), path)
    assert loaded.get_params() == fitted.get_params()
    np.testing.assert_array_equal(
        loaded.predict_proba(beats.data), fitted.predict_proba(beats.data)
    )


def test_global_generators_are_not_changed(fitted, path):
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    saved_and_loaded(fitted, path)
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_gpu_model_on_a_machine_without_a_gpu(fitted, beats, path):
    expected = fitted.predict_proba(beats.data)
    fitted.set_params(device="cuda:0").save(path)
    with pytest.warns(UserWarning, match="device='cuda:0'.*loaded onto the CPU"):
        loaded = ecgclf.load(path)
    assert loaded.device == "cuda:0"
    np.testing.assert_array_equal(loaded.predict_proba(beats.data), expected)
    with pytest.raises(ValueError, match="device='cuda:0' is not available"):
        loaded.fit(beats.data, beats.target)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_model_trained_on_a_gpu(quick, beats, path):
    model = quick(device="cuda").fit(beats.data, beats.target)
    loaded = saved_and_loaded(model, path)
    assert {p.device.type for p in loaded.net_.module_.parameters()} == {"cuda"}
    np.testing.assert_allclose(
        loaded.predict_proba(beats.data), model.predict_proba(beats.data), atol=1e-5
    )


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"fs": 360}, r"360 Hz.*trained at 120 Hz.*SignalResampler\(360, 120\)"),
        ({"unit": "uV"}, r"'uV'.*'mV'.*BeatScaler"),
        ({"window": (0.3, 0.3)}, r"0.3 s before.*\(0.25, 0.45\).*BeatSegmenter"),
        ({"fs": -1}, "number above 0"),
    ],
)
def test_check_contract(fitted, tmp_path, stated, message):
    path = tmp_path / "model.ecgclf"
    fitted.save(path, fs=120, unit="mV", window=(0.25, 0.45))
    loaded = ecgclf.load(path)
    loaded.check_contract(fs=120.0, unit="mV", window=[0.25, 0.45])
    loaded.check_contract(fs=120)
    with pytest.raises(ValueError, match=message):
        loaded.check_contract(**stated)


def test_properties_that_were_not_stated_are_not_compared(fitted):
    fitted.check_contract(fs=360, unit="uV")
    with pytest.raises(NotFittedError):
        clone(fitted).check_contract(fs=360)
