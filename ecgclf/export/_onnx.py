"""Export of a fitted classifier to an ONNX file."""

from __future__ import annotations

import copy
import json
import os
from typing import Any

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from ecgclf._docstrings import parameters_from
from ecgclf._extras import import_extra
from ecgclf._files import check_writable, replacing
from ecgclf._version import __version__
from ecgclf.estimators import BeatClassifier, input_contract
from ecgclf.export._graph import INPUT, PROBABILITIES, ExportError, add_label, trace
from ecgclf.export._steps import layer_of
from ecgclf.transforms import FourierFeatures

#: Largest allowed difference of a probability between the graph and torch.
_TOLERANCE = 1e-4


@parameters_from(BeatClassifier.save)
def export_onnx(
    model: Any,
    path: str | os.PathLike[str],
    *,
    fs: float | None = None,
    unit: str | None = None,
    window: tuple[float, float] | None = None,
) -> None:
    """Export a fitted classifier, with the preprocessing in its pipeline, as one ONNX graph.

    The input of the graph is ``X``, float32 of shape (n_beats, n_columns) for any number of
    beats: the samples of each lead in turn, then the per-beat features. The outputs are
    ``label`` of shape (n_beats,), with the type of ``classes_``, and ``probabilities``, float32
    of shape (n_beats, n_classes), with the columns in the order of ``classes_``. Of a classifier
    with several labels a beat, ``label`` is an indicator matrix, int64.

    The metadata have one entry, ``ecgclf``: JSON with ``version``, ``classifier``, ``classes``,
    ``steps`` (the names of the steps before the network) and ``input_contract``, with `fs`,
    `unit` and `window`, by default those of the file that the model was loaded from.

    Parameters
    ----------
    model : fitted classifier of ecgclf, or Pipeline that ends with one
        The steps before the classifier can be `BeatScaler <ecgclf.transforms.BeatScaler>`,
        `FourierFeatures <ecgclf.transforms.FourierFeatures>`, and scikit-learn's
        ``StandardScaler``, ``MinMaxScaler``, ``MaxAbsScaler`` and ``RobustScaler``. Samplers
        of imbalanced-learn are skipped, because they do nothing in prediction.
    path : str or path-like
        File to write, usually with the suffix ``.onnx``.

    Raises
    ------
    ExportError
        If ONNX cannot express a step, the labels or the network.
    NotFittedError
        If the model is not fitted.
    ValueError
        If `fs`, `unit` or `window` is invalid.
    ImportError
        If onnx, onnxscript or onnxruntime is not installed.
    OSError
        If the file cannot be written.

    Notes
    -----
    `torch.onnx.export` traces the network in float32. Before it is written, the graph runs on
    random beats; the export fails if a probability differs by more than 1e-4 from torch. The
    usual difference is about 1e-6. Simple recurrent cells (``cell="rnn"``) have no ONNX operator
    in torch, so every step becomes part of the graph; with hundreds of steps the graph is large
    and the export takes a minute.

    Examples
    --------
    >>> import tempfile
    >>> import onnxruntime
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.export import export_onnx
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> model = ECGMLPClassifier(max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_onnx(model, f"{folder}/model.onnx", fs=120, unit="mV")
    ...     session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
    >>> label, probabilities = session.run(None, {"X": X})
    >>> bool((label == model.predict(X)).all()), probabilities.shape
    (True, (100, 5))
    """
    check_writable(path)
    steps, classifier = _split_pipeline(model)
    contract = input_contract(classifier, fs=fs, unit=unit, window=window)
    # The beats at the input of the graph; of all steps, only this one changes their shape.
    first = next((step for _, step in steps if isinstance(step, FourierFeatures)), classifier)
    contract |= {"n_leads": first.n_leads_, "n_samples": first.n_samples_}
    network = _Classification(steps, classifier)
    graph = trace(network, first.n_features_in_)
    add_label(graph, classifier.classes_, multilabel=classifier.multilabel_)
    description = {
        "version": __version__,
        "classifier": type(classifier).__name__,
        "classes": classifier.classes_.tolist(),
        "steps": [name for name, _ in steps],
        "input_contract": contract,
    }
    graph.metadata_props.add(key="ecgclf", value=json.dumps(description))
    content = graph.SerializeToString()
    _check(content, network, first.n_features_in_)
    with replacing(path) as part:
        part.write_bytes(content)


def _split_pipeline(model: Any) -> tuple[list[tuple[str, Any]], BeatClassifier]:
    """Split a pipeline into the steps that act in prediction and the classifier."""
    steps: list[tuple[str, Any]] = []
    name = None
    while isinstance(model, Pipeline):
        for key, step in model.steps[:-1]:
            # A sampler does nothing in prediction.
            if hasattr(step, "transform") or not hasattr(step, "fit_resample"):
                steps.append((key, step))
        name, model = model.steps[-1]
    if not isinstance(model, BeatClassifier):
        found = "The model" if name is None else f"The last step of the pipeline, {name!r},"
        raise ExportError(
            f"{found} is a {type(model).__name__}, expected a classifier of ecgclf, alone or at "
            "the end of a Pipeline. To export the result of a search, pass best_estimator_."
        )
    if not model._takes_rows:
        raise ExportError(
            f"{type(model).__name__} classifies a beat by its neighbours too, so its input is "
            "not a row of X. Export a network for single beats, such as ECGCNNClassifier."
        )
    check_is_fitted(model)
    return steps, model


class _Classification(nn.Module):
    """Preprocessing, network, and softmax or sigmoid: from rows to logits and probabilities."""

    def __init__(self, steps: list[tuple[str, Any]], classifier: BeatClassifier) -> None:
        super().__init__()
        self.steps = nn.Sequential(*(layer_of(name, step) for name, step in steps))
        network = copy.deepcopy(classifier.net_.module_).cpu()
        self.network = network.requires_grad_(False)
        self.multilabel = classifier.multilabel_
        self.eval()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Classify beats of shape (batch, n_columns)."""
        logits = self.network(self.steps(x))
        return logits, logits.sigmoid() if self.multilabel else logits.softmax(dim=1)


def _check(content: bytes, network: _Classification, n_columns: int) -> None:
    """Run the graph on random beats and compare the probabilities with torch."""
    session = import_extra("onnxruntime", "export to ONNX").InferenceSession(content)
    X = np.random.default_rng(0).normal(size=(5, n_columns)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(X))[1].numpy()
    difference = np.abs(session.run([PROBABILITIES], {INPUT: X})[0] - expected).max()
    if not difference <= _TOLERANCE:
        raise ExportError(
            f"The probabilities of the graph differ from torch by up to {difference:.2g}, so it "
            "was not written. Try other versions of torch, onnxscript and onnxruntime."
        )
