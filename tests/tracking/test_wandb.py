"""What Weights & Biases has written without an account, read back from its files."""

from __future__ import annotations

import json

import numpy as np
import pytest

import ecgclf
from ecgclf.tracking import WandbTracker

wandb = pytest.importorskip("wandb", reason="needs wandb, which is not installed")


def by_name(items):
    """Values by name, from items of JSON."""
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


@pytest.fixture(scope="module")
def done(run_experiment, read_wandb_records, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wandb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_DATA_DIR", str(folder))
        patch.setenv("WANDB_SILENT", "true")
        with wandb.init(project="beats", mode="offline", dir=folder):
            tracker = WandbTracker()
            done = run_experiment(tracker)
            tracker.log_model(done.model, "mlp", unit="mV")
        wandb.teardown()  # the file is complete when the process that writes it has ended
    records = read_wandb_records(folder)
    done.config, done.history, done.summary = {}, [], {}
    done.artifacts = {r.artifact.name: r.artifact for r in records if r.HasField("artifact")}
    for record in records:
        done.config |= by_name(record.config.update)
        done.summary |= by_name(record.summary.update)
        if record.HasField("history"):
            done.history.append(by_name(record.history.item))
    done.folder = folder
    return done


def test_parameters(done):
    expected = {**done.model.get_params(), "estimator": "ECGMLPClassifier", "dense": "(8,)"}
    del expected["callbacks"]
    assert {name: done.config[name] for name in expected} == expected
    assert "callbacks" not in done.config


def test_epochs(done, assert_curves):
    epochs = [row for row in done.history if "epoch" in row]
    assert [row["epoch"] for row in epochs] == [1, 2, 3]
    assert_curves({name: [row[name] for row in epochs] for name in epochs[0]}, done.model)


def test_reports(done):
    assert done.summary["ec57/gross/V/f1"] == done.ec57.gross.loc["V", "f1"]
    assert done.summary["test/macro_f1"] == done.per_class.macro_f1
    (path,) = done.folder.glob("wandb/offline-run-*/files/media/table/ec57_table*.json")
    table = json.loads(path.read_text())
    expected = done.ec57.to_frame()
    assert table["columns"] == ["of", *("/".join(head) for head in expected.columns)]
    assert [row[0] for row in table["data"]] == [str(row) for row in expected.index]
    kept = np.array([row[1:] for row in table["data"]], dtype=float)
    np.testing.assert_array_equal(kept, expected.to_numpy(dtype=float))


def test_pictures(done):
    for name in ("ec57", "test"):
        pattern = f"wandb/offline-run-*/files/media/images/{name}_confusion_matrix*.png"
        (path,) = done.folder.glob(pattern)
        assert path.read_bytes()[:4] == b"\x89PNG"


def test_the_model_is_an_artifact(done, beats):
    artifact = done.artifacts["mlp"]
    assert artifact.type == "model"
    (content,) = artifact.manifest.contents
    assert content.path == "model.ecgclf"
    loaded = ecgclf.load(content.local_path)
    np.testing.assert_array_equal(
        loaded.predict_proba(beats.data), done.model.predict_proba(beats.data)
    )
    assert loaded.input_contract_["unit"] == "mV"


def test_without_a_run(done):
    with pytest.raises(RuntimeError, match=r"call wandb.init\(\) first"):
        WandbTracker()
