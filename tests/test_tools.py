"""The package as type checkers and editors see it."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import jedi
import pytest

import ecgclf

REPOSITORY = Path(__file__).resolve().parents[1]

USER_SCRIPT = """\
import ecgclf
from ecgclf import ECGCNNClassifier
from ecgclf.augmentation import TimeShift
from ecgclf.datasets import load_mitbih, load_ptbxl, make_beats
from ecgclf.transforms import BandpassFilter

reveal_type(ECGCNNClassifier())
reveal_type(ecgclf.ECGMLPClassifier(lr=0.01).fit([[0.0]], [0]))
reveal_type(load_mitbih("folder"))
reveal_type(make_beats())
reveal_type(make_beats(return_X_y=True))
reveal_type(load_ptbxl("folder", task="mi", leads=[0, "II"]))
reveal_type(load_ptbxl("folder", return_X_y=True))
ECGCNNClassifier(max_epoch=3)
ECGCNNClassifier(max_epochs="three")
ecgclf.ECGCNN
BandpassFilter(360, 0.5, 40.0, 2, 3)
TimeShift(5)
BandpassFilter(360, low=1.0, n_pad=None)
"""


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    """Lines that mypy prints on the script of a user."""
    folder = tmp_path_factory.mktemp("mypy")
    (folder / "script.py").write_text(USER_SCRIPT)
    (folder / "mypy.ini").write_text(
        f"[mypy]\nmypy_path = {REPOSITORY}\ncache_dir = {folder / 'cache'}\n"
        # The tests are about the types of the package. To analyse torch takes 10 seconds.
        "ignore_missing_imports = True\nfollow_imports = skip\n"
        "[mypy-ecgclf.*]\nfollow_imports = silent\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "script.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (7, 'Revealed type is "ecgclf.estimators._cnn.ECGCNNClassifier"'),
        (8, 'Revealed type is "ecgclf.estimators._mlp.ECGMLPClassifier"'),
        (9, 'Revealed type is "ecgclf.datasets._beats.Beats"'),
        (10, 'Revealed type is "ecgclf.datasets._beats.Beats"'),
        (11, 'Revealed type is "tuple['),
        (12, 'Revealed type is "ecgclf.datasets._ptbxl.RecordingSet"'),
        (13, 'Revealed type is "tuple['),
        (14, 'Unexpected keyword argument "max_epoch" for "ECGCNNClassifier"'),
        (15, 'Argument "max_epochs" to "ECGCNNClassifier" has incompatible type "str"'),
        (16, 'Module has no attribute "ECGCNN"'),
        (17, 'Too many positional arguments for "BandpassFilter"'),
        (18, 'Too many positional arguments for "TimeShift"'),
    ],
)
def test_mypy_on_the_script_of_a_user(messages, line, expected):
    on_line = [text for text in messages.splitlines() if text.startswith(f"script.py:{line}:")]
    assert any(expected in text for text in on_line), messages


def jedi_script(code: str) -> jedi.Script:
    return jedi.Script(code, project=jedi.Project(REPOSITORY))


def test_mypy_accepts_valid_parameters(messages):
    assert "script.py:19:" not in messages


def test_jedi_completes_every_public_name():
    completed = {name.name for name in jedi_script("import ecgclf\necgclf.").complete()}
    assert set(ecgclf.__all__) <= completed


def test_jedi_shows_signature_and_methods():
    imported = "from ecgclf import ECGCNNClassifier\n"
    (signature,) = jedi_script(f"{imported}ECGCNNClassifier(").get_signatures()
    parameters = {parameter.name for parameter in signature.params}
    assert set(ecgclf.ECGCNNClassifier().get_params()) == parameters
    methods = jedi_script(f"{imported}model = ECGCNNClassifier()\nmodel.predict").complete()
    assert {"predict", "predict_proba"} <= {name.name for name in methods}


@pytest.mark.parametrize(
    "name",
    [
        "augmentation.TimeShift",
        "estimators.ConformalClassifier",
        "estimators.ECGAutoencoder",
        "sampling.BeatOverSampler",
        "search.OptunaSearchCV",
        "transforms.BandpassFilter",
        "transforms.RhythmFeatures",
        "transforms.SignalResampler",
    ],
)
def test_jedi_shows_the_parameters_of_other_classes(name):
    package, _, kind = name.partition(".")
    code = f"from ecgclf.{package} import {kind}\n{kind}("
    (signature,) = jedi_script(code).get_signatures()
    shown = {parameter.name for parameter in signature.params} - {"_"}  # of type KW_ONLY
    cls = getattr(importlib.import_module(f"ecgclf.{package}"), kind)
    assert shown == set(inspect.signature(cls).parameters)
