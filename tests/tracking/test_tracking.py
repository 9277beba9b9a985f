"""Experiments in MLflow, W&B and TensorBoard, read back from their files."""

from __future__ import annotations

import json
import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import MlflowLogger, TensorBoard, WandbLogger

import ecgclf
from ecgclf import ECGMLPClassifier
from ecgclf.augmentation import Compose, TimeShift
from ecgclf.datasets import make_beats
from ecgclf.evaluation import beat_report, ec57_report
from ecgclf.tracking import flat_metrics, flat_params, log_model

CURVES = ("train_loss", "valid_loss", "valid_score", "lr", "dur")


@pytest.fixture(scope="module")
def beats():
    return make_beats(n_beats=300, n_patients=5, random_state=0)


@pytest.fixture(scope="module")
def reports(beats):
    predicted = quick(early_stopping=False).fit(beats.data, beats.target).predict(beats.data)
    ec57 = ec57_report(beats.target, predicted, beats.groups)
    return SimpleNamespace(ec57=ec57, by_class=beat_report(beats.target, predicted))


def quick(**params) -> ECGMLPClassifier:
    defaults = {"dense": (8,), "max_epochs": 3, "early_stopping": True, "verbose": 0}
    return ECGMLPClassifier(**{**defaults, "random_state": 0, **params})


def check_curves(curves: dict[str, list], model: ECGMLPClassifier) -> None:
    """Compare logged curves with the history of the model."""
    history = model.history_.rename(columns={"time": "dur"})
    for name in CURVES:
        assert curves[name] == pytest.approx(history[name].tolist(), rel=1e-6)


# --- parameters and metrics --------------------------------------------------------------------


def test_parameters_of_a_network():
    model = quick(callbacks=[TensorBoard])
    expected = {**model.get_params(), "estimator": "ECGMLPClassifier", "dense": "(8,)"}
    del expected["callbacks"]
    assert flat_params(model) == expected


def test_parameters_of_a_pipeline_and_of_nested_objects():
    network = quick(augment=Compose([TimeShift(max_shift=3)]), callbacks=[TensorBoard])
    params = flat_params(make_pipeline(StandardScaler(), network))
    assert params["estimator"] == "Pipeline"
    assert params["ecgmlpclassifier"] == "ECGMLPClassifier"
    assert params["ecgmlpclassifier__dense"] == "(8,)"
    assert params["ecgmlpclassifier__augment"] == "Compose"
    assert params["standardscaler__with_mean"] is True
    assert not [name for name in params if "callbacks" in name]
    assert all(isinstance(v, (bool, int, float, str, type(None))) for v in params.values())


def test_metrics_of_reports(reports):
    metrics = flat_metrics(reports.ec57, "ec57/")
    assert metrics["ec57/gross/V/f1"] == reports.ec57.gross.loc["V", "f1"]
    assert metrics["ec57/average/V/sensitivity"] == reports.ec57.average.loc["V", "sensitivity"]
    metrics = flat_metrics(reports.by_class)
    assert metrics["macro_f1"] == reports.by_class.macro_f1
    assert metrics["accuracy"] == reports.by_class.accuracy
    assert metrics["N/support"] == reports.by_class.per_class.loc["N", "support"]


def test_undefined_metrics_are_omitted():
    metrics = flat_metrics(beat_report(list("NNV"), list("NNN"), labels=list("NVF")), "test/")
    assert metrics["test/V/sensitivity"] == 0
    assert "test/F/sensitivity" not in metrics
    assert np.isfinite(list(metrics.values())).all()


def test_other_reports_are_rejected():
    with pytest.raises(TypeError, match="report is a dict, expected the result of ec57_report"):
        flat_metrics({"f1": 1.0})


# --- MLflow ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    """MLflow with a database in a temporary folder."""
    mlflow = pytest.importorskip("mlflow", reason="needs MLflow, which is not installed")
    folder = tmp_path_factory.mktemp("mlflow")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'runs.db'}")
    mlflow.create_experiment("beats", (folder / "artifacts").as_uri())
    mlflow.set_experiment("beats")
    yield mlflow
    mlflow.set_tracking_uri(before)


def mlflow_curves(mlflow, run_id: str) -> dict[str, list]:
    client = mlflow.MlflowClient()
    points = {name: client.get_metric_history(run_id, name) for name in CURVES}
    for name in CURVES:
        assert [point.step for point in points[name]] == [1, 2, 3]
    return {name: [point.value for point in points[name]] for name in CURVES}


@pytest.fixture(scope="module")
def logged(mlflow, beats, reports):
    """Fit a network and log all of it to a run."""
    logger = MlflowLogger(create_artifact=False, terminate_after_train=False)
    with mlflow.start_run() as run:
        model = quick(callbacks=[logger]).fit(beats.data, beats.target, groups=beats.groups)
        mlflow.log_params(flat_params(model))
        mlflow.log_metrics(flat_metrics(reports.ec57, "ec57/"))
        uri = log_model(model, example=beats.data[:5], fs=beats.fs, unit="mV")
    return SimpleNamespace(model=model, uri=uri, run=mlflow.get_run(run.info.run_id))


def test_mlflow_has_parameters_metrics_and_curves(mlflow, logged, reports):
    params = logged.run.data.params
    assert params == {name: str(value) for name, value in flat_params(logged.model).items()}
    expected = flat_metrics(reports.ec57, "ec57/")
    assert {name: logged.run.data.metrics[name] for name in expected} == expected
    check_curves(mlflow_curves(mlflow, logged.run.info.run_id), logged.model)


def test_the_logged_model_predicts(mlflow, logged, beats):
    loaded = mlflow.pyfunc.load_model(logged.uri)
    np.testing.assert_array_equal(loaded.predict(beats.data), logged.model.predict(beats.data))
    assert loaded.metadata.run_id == logged.run.info.run_id
    with pytest.raises(mlflow.MlflowException, match="shape"):
        loaded.predict(beats.data[:, :-1])
    folder = mlflow.artifacts.download_artifacts(logged.uri)
    ours = ecgclf.load(f"{folder}/data/model.ecgclf")
    np.testing.assert_array_equal(
        ours.predict_proba(beats.data), logged.model.predict_proba(beats.data)
    )
    assert (ours.input_contract_["fs"], ours.input_contract_["unit"]) == (beats.fs, "mV")
    with open(f"{folder}/requirements.txt", encoding="utf-8") as file:
        assert f"ecgclf=={ecgclf.__version__}" in file.read().split()


def test_log_model_rejects_a_pipeline(mlflow):
    with pytest.raises(TypeError, match="takes a network of ecgclf, got a Pipeline"):
        log_model(make_pipeline(quick()))


def test_missing_mlflow_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ImportError, match=r"log_model needs mlflow.*ecgclf\[mlflow\]"):
        log_model(quick())


def test_a_logger_neither_changes_the_fit_nor_prevents_copies(mlflow, logged, beats):
    alone = quick().fit(beats.data, beats.target, groups=beats.groups)
    expected = alone.predict_proba(beats.data)
    np.testing.assert_array_equal(logged.model.predict_proba(beats.data), expected)
    restored = pickle.loads(pickle.dumps(logged.model))
    np.testing.assert_array_equal(restored.predict_proba(beats.data), expected)
    # A clone, and a second fit of the same estimator, log to the run that is active then.
    for model in (clone(logged.model), logged.model):
        with mlflow.start_run() as run:
            model.fit(beats.data, beats.target, groups=beats.groups)
        assert run.info.run_id != logged.run.info.run_id
        check_curves(mlflow_curves(mlflow, run.info.run_id), model)


# --- Weights & Biases --------------------------------------------------------------------------


def by_name(items) -> dict:
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def test_wandb_has_parameters_metrics_curves_and_the_model(
    beats, reports, read_wandb_records, tmp_path, monkeypatch
):
    wandb = pytest.importorskip("wandb", reason="needs wandb, which is not installed")
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_SILENT", "true")
    with wandb.init(project="beats", mode="offline", dir=tmp_path) as run:
        model = quick(callbacks=[WandbLogger(run, save_model=False)])
        model = clone(model).fit(beats.data, beats.target, groups=beats.groups)
        run.config.update(flat_params(model))
        run.summary.update(flat_metrics(reports.ec57, "ec57/"))
        path = tmp_path / "model.ecgclf"
        model.set_params(callbacks=None).save(path, unit="mV")
        run.log_artifact(path, name="mlp", type="model")
    wandb.teardown()  # completes the file
    config, history, summary, artifacts = {}, [], {}, {}
    for record in read_wandb_records(tmp_path):
        config |= by_name(record.config.update)
        summary |= by_name(record.summary.update)
        if record.HasField("history"):
            history.append(by_name(record.history.item))
        if record.HasField("artifact"):
            artifacts[record.artifact.name] = record.artifact
    expected = flat_params(model)
    assert {name: config[name] for name in expected} == expected
    assert "callbacks" not in config
    assert summary["ec57/gross/V/f1"] == reports.ec57.gross.loc["V", "f1"]
    epochs = [row for row in history if "train_loss" in row]
    check_curves({name: [row[name] for row in epochs] for name in CURVES}, model)
    assert artifacts["mlp"].type == "model"
    (content,) = artifacts["mlp"].manifest.contents
    loaded = ecgclf.load(content.local_path)
    np.testing.assert_array_equal(
        loaded.predict_proba(beats.data), model.predict_proba(beats.data)
    )
    assert loaded.input_contract_["unit"] == "mV"


# --- TensorBoard -------------------------------------------------------------------------------


def test_tensorboard_has_curves_of_the_fit(beats, tmp_path):
    pytest.importorskip("tensorboard", reason="needs TensorBoard, which is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    callback = TensorBoard(SummaryWriter(tmp_path), key_mapper=str)
    model = quick(callbacks=[callback])
    model.fit(beats.data, beats.target, groups=beats.groups)
    events = EventAccumulator(str(tmp_path)).Reload()
    curves = {}
    for name in CURVES:
        points = events.Scalars(name)
        assert [point.step for point in points] == [1, 2, 3]
        curves[name] = [point.value for point in points]
    check_curves(curves, model)
    alone = quick().fit(beats.data, beats.target, groups=beats.groups)
    np.testing.assert_array_equal(
        model.predict_proba(beats.data), alone.predict_proba(beats.data)
    )
