"""Loading of saved models."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ecgclf._docstrings import parameters_from
from ecgclf._model_file import read_file, read_model


def load(path: str | os.PathLike[str], *, trusted: Sequence[type] = ()) -> Any:
    """Load a model that was saved with ``model.save(path)``.

    Loading runs no code of the file. The file can only name estimators of ecgclf, their
    parameters, and the classes in `trusted`, so an untrusted file may be invalid, but cannot run
    code or ask for more memory than its weights need. The number of threads, `n_jobs`, is not
    taken from the file.

    Parameters
    ----------
    path : str or path-like
        File that ``model.save`` has written.
    trusted : sequence of classes, default=()
        Your own subclasses of the estimators of ecgclf that the file may contain. Loading calls
        them with the parameters in the file.

    Returns
    -------
    estimator
        The fitted model, of the class that was saved. It is on the device that its parameter
        `device` names, or on the CPU if this machine has no such device.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    PersistenceError
        If the file is damaged, incomplete, of a newer version of ecgclf or no model file, or
        contains a class that is neither of ecgclf nor in `trusted`.
    TypeError
        If `trusted` contains something else than subclasses of estimators of ecgclf.

    Warns
    -----
    UserWarning
        If this machine does not have the device.

    Examples
    --------
    >>> import tempfile
    >>> import ecgclf
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> model = ECGMLPClassifier(max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/model.ecgclf", fs=125, unit="mV")
    ...     loaded = ecgclf.load(f"{folder}/model.ecgclf")
    >>> loaded.input_contract_["n_samples"], loaded.input_contract_["fs"]
    (84, 125.0)
    """
    from ecgclf import estimators  # imports torch, which `model_card` does not need

    for kind in trusted:
        if not (isinstance(kind, type) and issubclass(kind, estimators.BeatEstimator)):
            raise TypeError(
                f"trusted contains {kind!r}: give classes that derive from BeatClassifier or "
                "another estimator of ecgclf."
            )
    return read_model(path, replace(estimators.CLASSES, trusted=trusted))


@parameters_from(load)
def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the description of a model from a file, without creating the model.

    Returns
    -------
    dict
        The keys are ``format, sha256, versions, class, number, parameters, fitted``. Values
        that JSON does not have, such as tuples, are dicts with one entry, for example
        ``{"tuple": [...]}``.

    Raises
    ------
    FileNotFoundError, PersistenceError
        As in `load`.

    Examples
    --------
    >>> from importlib.resources import files
    >>> from ecgclf.persistence import read_document
    >>> document = read_document(files("ecgclf.persistence") / "pretrained/mitbih-small.ecgclf")
    >>> document["class"], document["parameters"]["filters"]
    ('ECGCNNClassifier', {'tuple': [24, 24, 48, 48, 72, 72]})
    """
    return read_file(path)[0]
