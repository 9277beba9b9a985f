"""From a fitted classifier to a file of ONNX."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecgclf._extras import import_extra
from ecgclf._version import __version__
from ecgclf.estimators import BeatClassifier
from ecgclf.estimators._contract import input_contract
from ecgclf.export._errors import ExportError
from ecgclf.export._graph import INPUT, PROBABILITIES, add_label, describe, traced
from ecgclf.export._network import Classification, taken_apart

#: Largest difference of a probability between the graph and torch. Rounding stays far below.
_TOLERANCE = 1e-4


def export_onnx(
    model: Any,
    path: str | os.PathLike[str],
    *,
    fs: float | None = None,
    unit: str | None = None,
    window: tuple[float, float] | None = None,
) -> None:
    """Write a fitted classifier, with the scaling before it, as one graph of ONNX.

    The graph takes ``X``, float32 of shape (n_beats, n_columns), for any number of beats; the
    leads of a beat stand one after another, then its per-beat features. It gives ``label`` of
    shape (n_beats,), of the type of ``classes_``, and ``probabilities``, float32 of shape
    (n_beats, n_classes) with columns as in ``classes_``.

    Its metadata have one entry, ``ecgclf``: JSON with ``version``, ``classifier``, ``classes``,
    ``steps`` (the names of what stands before the network) and ``input_contract``.

    Parameters
    ----------
    model : fitted classifier of ecgclf, or Pipeline that ends in one
        Before it may stand `BeatScaler <ecgclf.transforms.BeatScaler>` and scikit-learn's
        ``StandardScaler``, ``MinMaxScaler``, ``MaxAbsScaler`` and ``RobustScaler``. Samplers
        of imbalanced-learn do nothing in prediction and are left out.
    path : str or path-like
        File to write; by custom its name ends in ``.onnx``.
    fs, unit, window
        What beats the model takes; see `BeatEstimator.save
        <ecgclf.estimators.BeatEstimator.save>`. What is not stated is taken from the file that
        the model was loaded from, if it was.

    Raises
    ------
    ExportError
        If a step, the labels or the network cannot be expressed.
    NotFittedError
        If the model is not fitted.
    ImportError
        If onnx, onnxscript or onnxruntime is not installed.
    ValueError
        If `fs`, `unit` or `window` is not as described.
    OSError
        If the file cannot be written.

    See Also
    --------
    quantize_onnx, halve_onnx : smaller files.

    Notes
    -----
    The network is traced by `torch.onnx.export`, in float32. The graph is run once on random
    beats before it is written, and is refused if a probability is further than 1e-4 from that of
    torch; as a rule the two differ by about 1e-6. Simple recurrent cells (``cell="rnn"``)
    have no operator that torch writes: each step becomes part of the graph, so it is large and
    takes a minute where a beat has hundreds of steps.

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
    steps, classifier = taken_apart(model)
    contract = input_contract(classifier, fs=fs, unit=unit, window=window)
    network = Classification(steps, classifier)
    graph = traced(network, classifier.n_features_in_)
    add_label(graph, classifier.classes_)
    description = {
        "version": __version__,
        "classifier": type(classifier).__name__,
        "classes": classifier.classes_.tolist(),
        "steps": [name for name, _ in steps],
        "input_contract": contract,
    }
    describe(graph, description)
    content = graph.SerializeToString()
    _check(content, network, classifier)
    Path(path).write_bytes(content)


def _check(content: bytes, network: Classification, classifier: BeatClassifier) -> None:
    """Run the graph on random beats and compare with torch."""
    session = import_extra("onnxruntime", "export to ONNX").InferenceSession(content)
    beats = np.random.default_rng(0).normal(size=(5, classifier.n_features_in_))
    X = beats.astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(X))[1].numpy()
    difference = np.abs(session.run([PROBABILITIES], {INPUT: X})[0] - expected).max()
    if not difference <= _TOLERANCE:
        raise ExportError(
            f"The graph gives other probabilities than torch, by up to {difference:.2g}, so it "
            "was not written. The network has an operation that torch.onnx.export or "
            "onnxruntime gets wrong: try other versions of torch, onnxscript and onnxruntime."
        )
