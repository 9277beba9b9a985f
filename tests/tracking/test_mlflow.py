"""What MLflow has in its database, read back through MLflow."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

import ecgclf
from ecgclf.tracking import MLflowTracker

mlflow = pytest.importorskip("mlflow", reason="needs MLflow, which is not installed")
png = pytest.importorskip("matplotlib.image")


@pytest.fixture(scope="module", autouse=True)
def _database(tmp_path_factory):
    """A database in a file, with the artifacts beside it."""
    folder = tmp_path_factory.mktemp("mlflow")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'runs.db'}")
    mlflow.create_experiment("beats", (folder / "artifacts").as_uri())
    mlflow.set_experiment("beats")
    yield
    mlflow.set_tracking_uri(before)


@pytest.fixture(scope="module")
def done(run_experiment, beats, _database):
    with mlflow.start_run(run_name="mlp"):
        tracker = MLflowTracker()
        done = run_experiment(tracker)
        done.uri = tracker.log_model(done.model, example=beats.data[:5], fs=beats.fs, unit="mV")
    done.run = mlflow.get_run(tracker.run_id)
    return done


def artifact(done, name):
    return mlflow.artifacts.download_artifacts(run_id=done.run.info.run_id, artifact_path=name)


def test_parameters(done):
    kept = done.run.data.params
    assert kept["estimator"] == "ECGMLPClassifier"
    expected = {name: str(value) for name, value in done.model.get_params().items()}
    del expected["callbacks"]
    assert {name: kept[name] for name in expected} == expected


def test_epochs(done, assert_curves):
    client = mlflow.MlflowClient()
    curves = {}
    for name in ("train_loss", "valid_loss", "valid_score", "lr", "time"):
        points = client.get_metric_history(done.run.info.run_id, name)
        assert [point.step for point in points] == [1, 2, 3]
        curves[name] = [point.value for point in points]
    assert_curves(curves, done.model)


def test_reports(done):
    metrics = done.run.data.metrics
    assert metrics["ec57/gross/V/f1"] == done.ec57.gross.loc["V", "f1"]
    assert metrics["ec57/average/V/sensitivity"] == done.ec57.average.loc["V", "sensitivity"]
    assert metrics["test/macro_f1"] == done.per_class.macro_f1
    assert metrics["test/N/support"] == done.per_class.per_class.loc["N", "support"]
    assert np.isfinite(list(metrics.values())).all()
    with open(artifact(done, "ec57.txt"), encoding="utf-8") as file:
        assert file.read() == f"{done.ec57}\n"
    table = pd.read_csv(artifact(done, "ec57.csv"), index_col=0, header=[0, 1])
    expected = pd.read_csv(io.StringIO(done.ec57.to_frame().to_csv()), index_col=0, header=[0, 1])
    pd.testing.assert_frame_equal(table, expected)


def test_the_picture_is_that_of_the_confusion_matrix(done, tmp_path):
    from ecgclf.plots import ConfusionDisplay

    matrix, labels = done.ec57.confusion_matrix, done.ec57.labels
    display = ConfusionDisplay(matrix, display_labels=labels).plot()
    display.figure_.savefig(tmp_path / "expected.png")
    kept = png.imread(artifact(done, "ec57_confusion_matrix.png"))
    np.testing.assert_array_equal(kept, png.imread(tmp_path / "expected.png"))


def test_the_model_predicts(done, beats):
    loaded = mlflow.pyfunc.load_model(done.uri)
    np.testing.assert_array_equal(loaded.predict(beats.data), done.model.predict(beats.data))
    assert loaded.metadata.run_id == done.run.info.run_id
    with pytest.raises(mlflow.MlflowException, match="shape"):
        loaded.predict(beats.data[:, :-1])
    folder = mlflow.artifacts.download_artifacts(done.uri)
    ours = ecgclf.load(f"{folder}/data/model.ecgclf")
    np.testing.assert_array_equal(
        ours.predict_proba(beats.data), done.model.predict_proba(beats.data)
    )
    assert (ours.input_contract_["fs"], ours.input_contract_["unit"]) == (beats.fs, "mV")
    with open(f"{folder}/requirements.txt", encoding="utf-8") as file:
        assert f"ecgclf=={ecgclf.__version__}" in file.read().split()


def test_what_is_logged_late_goes_to_the_run_of_the_tracker(done, beats):
    with mlflow.start_run() as first:
        tracker = MLflowTracker()
    with mlflow.start_run() as second:
        tracker.log_params(done.model)
        with pytest.raises(RuntimeError, match="is not active"):
            tracker.log_model(done.model)
    assert mlflow.get_run(first.info.run_id).data.params["dense"] == "(8,)"
    assert mlflow.get_run(second.info.run_id).data.params == {}
    with pytest.raises(RuntimeError, match=r"inside `with mlflow.start_run\(\)"):
        MLflowTracker()
