"""Devices, and transfer of models between machines."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import warnings
from functools import partial

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone

from ecgclf import ECGCNNClassifier
from ecgclf.training import resolve_device
from tests.networks import small_cnn

needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a CUDA device: torch sees none here"
)
without_cuda = pytest.mark.skipif(
    torch.cuda.is_available(), reason="is about a machine without CUDA"
)


quick = partial(small_cnn, max_epochs=3)


# --- names ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("tpu", "device='tpu' is not a device: give 'auto', 'cpu', 'cuda'"),
        ("", "device='' is not a device"),
        ("CUDA", "device='CUDA' is not a device"),
        ("cuda:", "device='cuda:' is not a device"),
        ("cuda:-1", "device='cuda:-1' is not a device"),
        ("meta", "device='meta' is not supported: give 'auto'"),
        ("cuda:99", r"device='cuda:99' is not available: torch .* finds \d+ CUDA device"),
        ("cpu:3", "device='cpu:3' is not available"),
    ],
)
def test_invalid_device(name, match):
    with pytest.raises(ValueError, match=match):
        resolve_device(name)


@without_cuda
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:1"])
def test_a_missing_gpu_is_an_error_at_fit(name, beats):
    model = quick(device=name)  # no error before fit
    match = f"device='{name}' is not available.*finds 0 CUDA.*device='cpu'"
    with pytest.raises(ValueError, match=match):
        model.fit(beats.data, beats.target)
    with pytest.raises(ValueError, match=match):
        model.partial_fit(beats.data, beats.target, classes=list("FNQSV"))


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="is about a machine without MPS")
def test_missing_mps():
    with pytest.raises(ValueError, match=r"device='mps' is not available: torch .* finds 0 MPS"):
        resolve_device("mps")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_selects_the_best_available_device(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto") == torch.device(expected)


@pytest.mark.parametrize(("count", "name", "there"), [(1, "cuda:1", False), (2, "cuda:1", True)])
def test_the_index_of_a_cuda_device_is_checked(monkeypatch, count, name, there):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    if there:
        assert resolve_device(name) == torch.device(name)
    else:
        with pytest.raises(ValueError, match=r"device='cuda:1' is not available.*finds 1 CUDA"):
            resolve_device(name)


@without_cuda
@pytest.mark.skipif(torch.backends.mps.is_available(), reason="is about a machine without MPS")
def test_auto_is_the_cpu_without_a_gpu(beats):
    auto, cpu = (quick(device=d).fit(beats.data, beats.target) for d in ("auto", "cpu"))
    assert auto.net_.device == "cpu"
    np.testing.assert_array_equal(auto.predict_proba(beats.data), cpu.predict_proba(beats.data))


# --- models trained on a GPU, loaded without one ----------------------------------------------


def pickled_as_if_on(device: str, model: ECGCNNClassifier, monkeypatch) -> bytes:
    """Pickle a model as if its tensors were on `device`.

    torch stores the location of every tensor; the patched function determines it.
    """
    net = model.net_
    with monkeypatch.context() as patch:
        patch.setattr(net, "device", device)
        patch.setattr(torch.serialization, "location_tag", lambda storage: device)
        return pickle.dumps(model)


@without_cuda
def test_torch_cannot_load_a_gpu_tensor_without_a_gpu(monkeypatch):
    """Verifies that the following tests can fail."""
    with monkeypatch.context() as patch:
        patch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
        written = pickle.dumps(torch.zeros(3))
    with pytest.raises(RuntimeError, match="deserialize object on a CUDA device"):
        pickle.loads(written)


@without_cuda
@pytest.mark.parametrize("device", ["cuda:0", "cuda:1", "mps"])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"lr_schedule": "cosine", "optimizer": "sgd"},
        {"lr_schedule": "plateau", "optimizer": "adam"},
        {"early_stopping": True, "conv_dropout": 0.1},
    ],
    ids=["one_cycle", "cosine", "plateau", "early_stopping"],
)
def test_a_gpu_model_predicts_without_a_gpu(beats, monkeypatch, device, params):
    fitted = quick(**params).fit(beats.data, beats.target)
    expected = fitted.predict_proba(beats.data)
    written = pickled_as_if_on(device, fitted, monkeypatch)
    with pytest.warns(UserWarning, match=f"trained on device='{device}'.*loaded onto the CPU"):
        loaded = pickle.loads(written)
    np.testing.assert_array_equal(loaded.predict_proba(beats.data), expected)
    assert {str(p.device) for p in loaded.net_.module_.parameters()} == {"cpu"}


@without_cuda
def test_a_gpu_model_continues_training_without_a_gpu(beats, monkeypatch):
    fitted = quick().partial_fit(beats.data, beats.target, classes=list("FNQSV"))
    written = pickled_as_if_on("cuda:0", fitted, monkeypatch)
    with pytest.warns(UserWarning, match="loaded onto the CPU"):
        loaded = pickle.loads(written)
    for model in (fitted, loaded):
        model.partial_fit(beats.data, beats.target)
    np.testing.assert_array_equal(
        loaded.predict_proba(beats.data), fitted.predict_proba(beats.data)
    )
    # The parameter is kept, and so is the error of a new fit.
    with pytest.raises(ValueError, match="device='cuda' is not available"):
        clone(loaded).set_params(device="cuda").fit(beats.data, beats.target)


@without_cuda
def test_a_gpu_model_in_a_new_process(beats, monkeypatch, tmp_path):
    fitted = quick(device="auto").fit(beats.data, beats.target)
    (tmp_path / "model.pickle").write_bytes(pickled_as_if_on("cuda:0", fitted, monkeypatch))
    np.save(tmp_path / "X.npy", beats.data)
    program = """
import pickle, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
with open("model.pickle", "rb") as file:
    model = pickle.load(file)
np.save("probabilities.npy", model.predict_proba(np.load("X.npy")))
"""
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=120)
    np.testing.assert_array_equal(
        np.load(tmp_path / "probabilities.npy"), fitted.predict_proba(beats.data)
    )


def test_a_cpu_model_loads_without_a_warning(beats, tmp_path):
    fitted = quick(device="cpu").fit(beats.data, beats.target)
    expected = fitted.predict_proba(beats.data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        joblib.dump(fitted, tmp_path / "model.joblib")
        for other in (joblib.load(tmp_path / "model.joblib"), copy.deepcopy(fitted)):
            np.testing.assert_array_equal(other.predict_proba(beats.data), expected)


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "plateau"])
def test_a_pickle_contains_parameters_and_moments_once(beats, schedule):
    """A schedule that was pickled with its optimizer would add a second copy."""
    model = quick(filters=(64, 64), lr_schedule=schedule).fit(beats.data, beats.target)
    n_parameters = sum(p.numel() for p in model.net_.module_.parameters())
    with_moments = 3 * 4 * n_parameters  # AdamW: each parameter and two moments, 4 bytes each
    assert with_moments < len(pickle.dumps(model)) < 1.2 * with_moments


# --- on a GPU ------------------------------------------------------------------------------


@needs_cuda
def test_cuda_and_cpu_agree(beats):
    cuda, cpu = (
        quick(device=d, optimizer="sgd", lr=1e-3).fit(beats.data, beats.target)
        for d in ("cuda", "cpu")
    )
    assert {p.device.type for p in cuda.net_.module_.parameters()} == {"cuda"}
    np.testing.assert_allclose(
        cuda.predict_proba(beats.data), cpu.predict_proba(beats.data), atol=1e-3
    )


@needs_cuda
def test_the_same_seed_on_cuda(beats):
    """Sums on a GPU are rounded in varying order."""
    first, second = (
        quick(device="cuda", conv_dropout=0.2, early_stopping=True)
        .fit(beats.data, beats.target)
        .predict_proba(beats.data)
        for _ in range(2)
    )
    np.testing.assert_allclose(first, second, atol=1e-3)
    other = quick(device="cuda", conv_dropout=0.2, random_state=1).fit(beats.data, beats.target)
    assert np.abs(other.predict_proba(beats.data) - first).max() > 1e-2


@needs_cuda
def test_the_global_cuda_generator_is_not_changed(beats):
    torch.cuda.manual_seed(5)
    before = torch.cuda.get_rng_state()
    quick(device="cuda", conv_dropout=0.2).fit(beats.data, beats.target).predict(beats.data)
    assert torch.equal(torch.cuda.get_rng_state(), before)


@needs_cuda
def test_a_cuda_model_in_a_process_without_cuda(beats, tmp_path):
    fitted = quick(device="cuda").fit(beats.data, beats.target)
    expected = fitted.predict_proba(beats.data)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(fitted)).predict_proba(beats.data), expected
    )
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(fitted))
    np.save(tmp_path / "X.npy", beats.data)
    program = """
import pickle
import numpy as np
with open("model.pickle", "rb") as file:
    model = pickle.load(file)
np.save("probabilities.npy", model.predict_proba(np.load("X.npy")))
"""
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        check=True,
        timeout=120,
        env={"CUDA_VISIBLE_DEVICES": "", "PATH": ""},
    )
    np.testing.assert_allclose(np.load(tmp_path / "probabilities.npy"), expected, atol=1e-4)
