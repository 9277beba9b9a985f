"""Exported graphs, compared with the estimators."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_resampled
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import ecgclf
from ecgclf import (
    ECGAutoencoder,
    ECGCNNClassifier,
    ECGContextClassifier,
    ECGMLPClassifier,
    ECGRNNClassifier,
    ECGTransferClassifier,
)
from ecgclf.datasets import make_beats
from ecgclf.estimators import BeatClassifier
from ecgclf.export import ExportError, export_onnx
from ecgclf.modules import Encoder

#: The classifiers of the common tests.
CLASSIFIERS = runpy.run_path(
    str(Path(__file__).parents[1] / "estimators" / "test_common.py"), run_name="table"
)["CLASSIFIERS"]

MLP = ECGMLPClassifier(dense=(8,), max_epochs=2, batch_size=64, verbose=0, random_state=0)


@pytest.mark.parametrize(
    "classifier",
    [c for c in CLASSIFIERS if not isinstance(c, ECGContextClassifier)],  # needs neighbours
    ids=lambda model: type(model).__name__,
)
def test_graph_equals_classifier(classifier, beats, tmp_path, run_graph):
    model = clone(classifier)
    if isinstance(model, ECGTransferClassifier):
        model.set_params(source=clone(MLP).fit(beats.data, beats.target))
    model.fit(beats.data, beats.target)
    export_onnx(model, tmp_path / "model.onnx")
    for n_beats in (1, 2, 33, len(beats.data)):
        X = beats.data[:n_beats]
        label, probabilities = run_graph(tmp_path / "model.onnx", X)
        np.testing.assert_allclose(probabilities, model.predict_proba(X), rtol=0, atol=1e-5)
        np.testing.assert_array_equal(label, model.predict(X))


@pytest.mark.parametrize(
    ("cell", "pool"), [("lstm", "mean"), ("gru", "max"), ("rnn", "last"), ("lstm", None)]
)
def test_recurrent_cells_and_poolings(cell, pool, beats, tmp_path, run_graph):
    model = ECGRNNClassifier(
        units=(4,),
        cell=cell,
        step_pool=pool,
        step_size=28,
        max_epochs=1,
        verbose=0,
        random_state=0,
    )
    model.fit(beats.data, beats.target)
    export_onnx(model, tmp_path / "model.onnx")
    _, probabilities = run_graph(tmp_path / "model.onnx", beats.data)
    np.testing.assert_allclose(probabilities, model.predict_proba(beats.data), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["str", "object", "int", "float", "bool"])
def test_type_of_labels(kind, beats, tmp_path, run_graph):
    codes = np.searchsorted(np.unique(beats.target), beats.target)
    y = {
        "str": np.where(codes == 0, "Füsion", "N"),
        "object": beats.target.astype(object),
        "int": codes * 10 - 20,
        "float": codes * 2.0,
        "bool": codes > 2,
    }[kind]
    model = clone(MLP).fit(beats.data, y)
    export_onnx(model, tmp_path / "model.onnx")
    label, _ = run_graph(tmp_path / "model.onnx", beats.data)
    expected = model.predict(beats.data)
    assert label.dtype.kind == ("O" if kind in ("str", "object") else expected.dtype.kind)
    assert label.tolist() == expected.tolist()


def test_several_labels(beats, tmp_path, run_graph):
    y = np.column_stack([beats.target == "N", beats.data[:, 0] > 0])
    model = clone(MLP).fit(beats.data, y)
    export_onnx(model, tmp_path / "model.onnx")
    labels, probabilities = run_graph(tmp_path / "model.onnx", beats.data)
    np.testing.assert_allclose(probabilities, model.predict_proba(beats.data), rtol=0, atol=1e-5)
    np.testing.assert_array_equal(labels, model.predict(beats.data))


def test_several_leads_and_tabular_features(tmp_path, run_graph):
    beats = make_beats(n_beats=100, n_leads=2, random_state=0)
    features = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    X = np.column_stack([beats.data.reshape(100, -1), features])
    model = ECGCNNClassifier(
        filters=(8,), stride=2, n_leads=2, n_tabular=3, max_epochs=1, verbose=0, random_state=0
    ).fit(X, beats.target)
    export_onnx(model, tmp_path / "model.onnx")
    _, probabilities = run_graph(tmp_path / "model.onnx", X)
    np.testing.assert_allclose(probabilities, model.predict_proba(X), rtol=0, atol=1e-5)


def test_graph_has_no_dropout(beats, tmp_path):
    model = clone(MLP).set_params(dense_dropout=0.5).fit(beats.data, beats.target)
    export_onnx(model, tmp_path / "model.onnx")
    operators = {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node}
    assert "Gemm" in operators
    assert not operators & {"Dropout", "Bernoulli", "RandomUniformLike"}


def test_metadata(beats, tmp_path):
    scaled = make_pipeline(StandardScaler(), clone(MLP)).fit(beats.data, beats.target)
    export_onnx(scaled, tmp_path / "model.onnx", fs=120, unit="mV", window=(0.25, 0.45))
    graph = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(graph, full_check=True)
    (entry,) = graph.metadata_props
    assert entry.key == "ecgclf"
    assert json.loads(entry.value) == {
        "version": ecgclf.__version__,
        "classifier": "ECGMLPClassifier",
        "classes": ["F", "N", "Q", "S", "V"],
        "steps": ["standardscaler"],
        "input_contract": {
            "n_leads": 1,
            "n_samples": beats.data.shape[1],
            "n_tabular": 0,
            "fs": 120.0,
            "unit": "mV",
            "window": [0.25, 0.45],
        },
    }
    # No paths of this machine.
    assert str(Path(ecgclf.__file__).parent).encode() not in graph.SerializeToString()


def test_contract_of_a_loaded_model(beats, tmp_path):
    clone(MLP).fit(beats.data, beats.target).save(tmp_path / "model.ecgclf", fs=120)
    export_onnx(ecgclf.load(tmp_path / "model.ecgclf"), tmp_path / "model.onnx", unit="mV")
    (entry,) = onnx.load(tmp_path / "model.onnx").metadata_props
    contract = json.loads(entry.value)["input_contract"]
    assert (contract["fs"], contract["unit"], contract["window"]) == (120.0, "mV", None)


def test_model_is_unchanged(beats, tmp_path):
    model = clone(CLASSIFIERS[0]).fit(beats.data, beats.target)
    expected = model.predict_proba(beats.data)
    export_onnx(model, tmp_path / "model.onnx")
    np.testing.assert_array_equal(model.predict_proba(beats.data), expected)
    assert all(weight.requires_grad for weight in model.net_.module_.parameters())
    model.partial_fit(beats.data, beats.target)


def test_samplers_are_skipped(beats, tmp_path, run_graph):
    sampled = make_resampled(RandomOverSampler(random_state=0), StandardScaler(), clone(MLP))
    sampled.fit(beats.data, beats.target)
    export_onnx(sampled, tmp_path / "model.onnx")
    _, probabilities = run_graph(tmp_path / "model.onnx", beats.data)
    np.testing.assert_allclose(
        probabilities, sampled.predict_proba(beats.data), rtol=0, atol=1e-5
    )


class _FixedSizeEncoder(Encoder):
    def __init__(self):
        super().__init__()
        self.out_features = 1
        self.scale = nn.Linear(1, 1)

    def forward(self, x):
        return self.scale(x.mean(dim=(1, 2)).reshape(len(x), 1))


class _FixedSizeClassifier(BeatClassifier):
    def _make_encoder(self, n_leads, n_samples):
        return _FixedSizeEncoder()


class _BranchingEncoder(_FixedSizeEncoder):
    def forward(self, x):
        return super().forward(x) if x.sum() > 0 else super().forward(-x)


class _BranchingClassifier(BeatClassifier):
    def _make_encoder(self, n_leads, n_samples):
        return _BranchingEncoder()


def test_fixed_number_of_beats_is_an_error(beats, tmp_path):
    model = _FixedSizeClassifier(max_epochs=1, verbose=0).fit(beats.data, beats.target)
    with pytest.raises(ExportError, match=r"batches of exactly 3 beats.*Use x\.shape"):
        export_onnx(model, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_data_dependent_control_flow_is_an_error(beats, tmp_path):
    model = _BranchingClassifier(max_epochs=1, verbose=0).fit(beats.data, beats.target)
    with pytest.raises(ExportError, match="cannot export this network to ONNX"):
        export_onnx(model, tmp_path / "model.onnx")


def test_other_models_are_an_error(beats, tmp_path):
    path = tmp_path / "model.onnx"
    coder = ECGAutoencoder(max_epochs=1, verbose=0).fit(beats.data)
    with pytest.raises(ExportError, match="The model is a ECGAutoencoder, expected a classifier"):
        export_onnx(coder, path)
    foreign = make_pipeline(StandardScaler(), LogisticRegression())
    with pytest.raises(ExportError, match="last step of the pipeline, 'logisticregression'"):
        export_onnx(foreign, path)
    with pytest.raises(NotFittedError):
        export_onnx(clone(MLP), path)
    with pytest.raises(ValueError, match="fs=-1"):
        export_onnx(clone(MLP).fit(beats.data, beats.target), path, fs=-1)
    assert not path.exists()


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_missing_package(package, beats, tmp_path, monkeypatch):
    model = clone(MLP).fit(beats.data, beats.target)
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    message = rf"export to ONNX needs {package}, .* pip install 'ecgclf\[onnx\]'"
    with pytest.raises(ImportError, match=message):
        export_onnx(model, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
