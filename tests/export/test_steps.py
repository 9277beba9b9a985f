"""Layers of pipeline steps, compared with the transformers."""

from __future__ import annotations

import itertools
import json

import numpy as np
import onnx
import pytest
import torch
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from ecgclf import ECGCNNClassifier, ECGMLPClassifier
from ecgclf.datasets import make_beats
from ecgclf.export import ExportError, export_onnx
from ecgclf.export._steps import layer_of
from ecgclf.transforms import BandpassFilter, BeatScaler, FourierFeatures

SCALERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    MinMaxScaler((-1, 3)),
    MinMaxScaler(clip=True),
    MaxAbsScaler(),
    RobustScaler(quantile_range=(10, 90)),
    RobustScaler(with_centering=False),
    RobustScaler(with_scaling=False),
    *(
        BeatScaler(method, per, keep_padding)
        for method in ("minmax", "standard", "robust")
        for per in ("lead", "beat", "dataset")
        for keep_padding in (True, False)
    ),
]


@pytest.fixture
def odd_beats(beats) -> np.ndarray:
    """Beats of different lengths, with constant beats and a beat of zeros."""
    X = beats.data.copy()
    X[3] = 0
    X[5] = 0.3
    X[7, 10:] = 0
    X[9, 1:] = 0
    return X


@pytest.mark.parametrize("scaler", SCALERS, ids=str)
def test_layer_equals_scaler(scaler, odd_beats):
    scaler.fit(odd_beats[::2])
    layer = layer_of("scaler", scaler)
    scaled = layer(torch.from_numpy(odd_beats)).numpy()
    np.testing.assert_allclose(scaled, scaler.transform(odd_beats), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("method", ["minmax", "standard", "robust"])
@pytest.mark.parametrize("per", ["lead", "beat", "dataset"])
def test_beats_of_two_leads(method, per):
    X = make_beats(n_beats=50, n_leads=2, random_state=0).data
    X[:, 1] *= 3
    X[::2, :, 60:] = 0
    scaler = BeatScaler(method, per).fit(X)
    flat = torch.from_numpy(X.reshape(50, -1))
    scaled = layer_of("scaler", scaler)(flat).numpy().reshape(X.shape)
    np.testing.assert_allclose(scaled, scaler.transform(X), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize(
    "scaler",
    [
        StandardScaler(),
        MinMaxScaler(clip=True),
        "passthrough",
        BeatScaler("robust"),
        make_pipeline(BeatScaler("robust", "dataset"), MaxAbsScaler()),
    ],
    ids=str,
)
def test_graph_equals_pipeline(scaler, beats, tmp_path, run_graph):
    network = ECGMLPClassifier(dense=(8,), max_epochs=2, verbose=0, random_state=0)
    scaled = Pipeline([("scale", scaler), ("network", network)])
    if isinstance(scaler, Pipeline):  # nested pipeline
        steps = [*scaler.steps, ("network", network)]
        scaled = Pipeline([("first", "passthrough"), ("rest", Pipeline(steps))])
    scaled.fit(beats.data, beats.target)
    export_onnx(scaled, tmp_path / "model.onnx")
    for n_beats in (1, 33):
        X = beats.data[:n_beats]
        _, probabilities = run_graph(tmp_path / "model.onnx", X)
        np.testing.assert_allclose(probabilities, scaled.predict_proba(X), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("n_leads", "n_samples"), [(1, 1), *itertools.product([1, 2], [2, 187, 188])]
)
def test_fourier_layer(n_leads, n_samples):
    X = np.random.default_rng(0).normal(size=(4, n_leads, n_samples)).astype(np.float32)
    transformer = FourierFeatures().fit(X)
    rows = layer_of("fourier", transformer)(torch.from_numpy(X.reshape(4, -1)))
    expected = transformer.transform(X).reshape(4, -1)
    np.testing.assert_allclose(rows.numpy(), expected, atol=1e-4)


def test_graph_of_the_fourier_network(tmp_path, run_graph):
    """The input of the graph is the beat, not its transform."""
    X, y = make_beats(n_beats=100, n_leads=2, random_state=0, return_X_y=True)
    network = ECGCNNClassifier(filters=(8,), stride=2, max_epochs=1, verbose=0, random_state=0)
    model = make_pipeline(FourierFeatures(), network).fit(X, y)
    export_onnx(model, tmp_path / "model.onnx")
    _, probabilities = run_graph(tmp_path / "model.onnx", X.reshape(100, -1))
    np.testing.assert_allclose(probabilities, model.predict_proba(X), rtol=0, atol=1e-4)
    (entry,) = onnx.load(tmp_path / "model.onnx").metadata_props
    contract = json.loads(entry.value)["input_contract"]
    assert (contract["n_leads"], contract["n_samples"]) == X.shape[1:]


class _OwnScaler(StandardScaler):
    def transform(self, X, copy=None):
        return super().transform(X, copy) ** 2


@pytest.mark.parametrize(
    "step", [BandpassFilter(120.0), FunctionTransformer(np.tanh), _OwnScaler()]
)
def test_unsupported_step(step, beats, tmp_path):
    network = ECGMLPClassifier(dense=(8,), max_epochs=1, verbose=0)
    model = Pipeline([("before", step), ("network", network)]).fit(beats.data, beats.target)
    with pytest.raises(ExportError, match=f"'before' of the pipeline is a {type(step).__name__}"):
        export_onnx(model, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
