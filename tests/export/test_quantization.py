"""Graphs of 8 and 16 bits."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import make_beats
from ecgclf.export import export_onnx, halve_onnx, quantize_onnx


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Trained network and its graph."""
    X, y = make_beats(n_beats=400, n_leads=2, random_state=0, return_X_y=True)
    model = ECGCNNClassifier(max_epochs=6, batch_size=32, verbose=0, random_state=0).fit(X, y)
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    export_onnx(model, path, fs=120)
    return model, path


@pytest.fixture(scope="module")
def other_beats():
    return make_beats(n_beats=300, n_leads=2, random_state=1)


def compare(model, beats, run_graph, path):
    """Compute the loss of accuracy, and the largest difference of each beat's probabilities."""
    flat = beats.data.reshape(len(beats.data), -1)
    label, probabilities = run_graph(path, flat)
    lost = model.score(beats.data, beats.target) - np.mean(label == beats.target)
    return lost, np.abs(probabilities - model.predict_proba(beats.data)).max(axis=1)


def test_float16(trained, other_beats, tmp_path, run_graph):
    model, full = trained
    halve_onnx(full, tmp_path / "half.onnx")
    lost, difference = compare(model, other_beats, run_graph, tmp_path / "half.onnx")
    assert abs(lost) <= 0.01
    assert 0 < difference.max() < 0.02
    assert (tmp_path / "half.onnx").stat().st_size < 0.55 * full.stat().st_size


def test_int8(trained, other_beats, tmp_path, run_graph):
    model, full = trained
    calibration = make_beats(n_beats=300, n_leads=2, random_state=2).data
    quantize_onnx(full, tmp_path / "int8.onnx", calibration)
    lost, difference = compare(model, other_beats, run_graph, tmp_path / "int8.onnx")
    assert abs(lost) <= 0.02
    # Single beats between two classes may change more.
    assert 0 < difference.mean() < 0.03
    assert (tmp_path / "int8.onnx").stat().st_size < 0.4 * full.stat().st_size
    weights = onnx.load(tmp_path / "int8.onnx").graph.initializer
    assert onnx.TensorProto.INT8 in {weight.data_type for weight in weights}


@pytest.mark.parametrize("make", [halve_onnx, quantize_onnx])
def test_description_is_kept(make, trained, tmp_path):
    _, full = trained
    beats = [make_beats(n_beats=60, n_leads=2, random_state=2).data]
    make(full, tmp_path / "small.onnx", *(beats if make is quantize_onnx else []))
    described = {entry.key: entry.value for entry in onnx.load(full).metadata_props}
    kept = onnx.load(tmp_path / "small.onnx").metadata_props
    assert {entry.key: entry.value for entry in kept}["ecgclf"] == described["ecgclf"]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((0, 168)), "at least one beat"),
        (np.zeros((4, 84)), r"shape \(4, 84\), but the graph takes \(n_beats, 168\)"),
        (np.full((4, 168), np.nan), "NaN"),
    ],
)
def test_bad_calibration_beats(X, message, trained, tmp_path):
    with pytest.raises(ValueError, match=message):
        quantize_onnx(trained[1], tmp_path / "int8.onnx", X)
    assert not (tmp_path / "int8.onnx").exists()
