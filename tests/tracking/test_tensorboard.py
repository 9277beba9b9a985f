"""What is in TensorBoard's files, read back by TensorBoard."""

from __future__ import annotations

import pytest

from ecgclf.tracking import TensorBoardTracker

events = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator",
    reason="needs TensorBoard, which is not installed",
)


def read(folder):
    return events.EventAccumulator(str(folder)).Reload()


@pytest.fixture(scope="module")
def done(run_experiment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tensorboard") / "mlp"
    with TensorBoardTracker(folder) as tracker:
        done = run_experiment(tracker)
    done.kept = read(folder)
    return done


def text(done, name):
    (event,) = done.kept.Tensors(f"{name}/text_summary")
    return event.tensor_proto.string_val[0].decode()


def test_parameters(done):
    lines = text(done, "parameters").splitlines()
    expected = done.model.get_params()
    del expected["callbacks"]
    assert "| estimator | ECGMLPClassifier |" in lines
    for name, value in expected.items():
        assert f"| {name} | {value} |" in lines


def test_epochs(done, assert_curves):
    curves = {}
    for name in ("train_loss", "valid_loss", "valid_score", "lr", "time"):
        points = done.kept.Scalars(name)
        assert [point.step for point in points] == [1, 2, 3]
        curves[name] = [point.value for point in points]
    assert_curves(curves, done.model)


def test_reports(done):
    (point,) = done.kept.Scalars("ec57/gross/V/f1")
    assert point.value == pytest.approx(done.ec57.gross.loc["V", "f1"], rel=1e-6)
    (point,) = done.kept.Scalars("test/accuracy")
    assert point.value == pytest.approx(done.per_class.accuracy, rel=1e-6)
    lines = [line.removeprefix("    ") for line in text(done, "ec57").splitlines()]
    assert lines == str(done.ec57).splitlines()
    for name in ("ec57", "test"):
        (picture,) = done.kept.Images(f"{name}_confusion_matrix")
        assert picture.width > 200
        assert picture.encoded_image_string[:4] == b"\x89PNG"


def test_epochs_are_there_before_the_end(tmp_path):
    tracker = TensorBoardTracker(tmp_path)
    tracker._log_epoch(1, {"train_loss": 0.5})
    (point,) = read(tmp_path).Scalars("train_loss")
    assert (point.step, point.value) == (1, 0.5)
    tracker.close()
