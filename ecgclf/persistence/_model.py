"""Models to files and back."""

from __future__ import annotations

import os
import platform
import uuid
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ecgclf._version import __version__
from ecgclf.persistence._container import pack, unpack
from ecgclf.persistence._errors import PersistenceError
from ecgclf.persistence._reading import Reader
from ecgclf.persistence._replacing import replace_file
from ecgclf.persistence._writing import Savable, Writer

#: Packages whose versions are kept: what another one may compute differently.
_PACKAGES = ("numpy", "scikit-learn", "skorch", "torch")


def save(model: Savable, path: str | os.PathLike[str]) -> None:
    """Save a fitted model; ``model.save(path)`` is the same and can say more.

    Parameters
    ----------
    model : fitted estimator of ecgclf
    path : str or path-like
        File to write. One of that name is replaced, in one step: whoever reads it meanwhile,
        and whatever goes wrong, finds the old file or the new one.

    Raises
    ------
    PersistenceError
        If the model holds what cannot be kept without pickle, such as a callback, or does not
        belong to ecgclf.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> model = ECGMLPClassifier(max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, f"{folder}/model.ecgclf")
    ...     loaded = load(f"{folder}/model.ecgclf")
    >>> bool((loaded.predict_proba(X) == model.predict_proba(X)).all())
    True
    """
    writer = Writer()
    versions = {"ecgclf": __version__, "python": platform.python_version()}
    versions |= {name: version(name) for name in _PACKAGES}
    data = pack({"versions": versions, **writer.model(model)}, writer.arrays)
    replace_file(Path(path), data, f".{uuid.uuid4().hex}.ecgclf-part")


def load(path: str | os.PathLike[str]) -> Any:
    """Load a model that was saved with ``model.save(path)``.

    No code of the file is run, and it can name no class but those of ecgclf: a file from a
    stranger can be wrong, but do no harm beyond using up memory.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    estimator
        Fitted, of the class that was saved, and on the device that its parameter `device`
        names, or on the CPU if this machine has no such device.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    PersistenceError
        If the file is damaged, incomplete, of a newer version of ecgclf, or something else.

    Warns
    -----
    UserWarning
        If this machine does not have the device.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> model = ECGMLPClassifier(max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/model.ecgclf", fs=125, unit="mV")
    ...     loaded = load(f"{folder}/model.ecgclf")
    >>> loaded.input_contract_["n_samples"], loaded.input_contract_["fs"]
    (84, 125.0)
    """
    document, arrays = _read(path)
    try:
        return Reader(arrays).model(document)
    except Exception as error:  # there is no end to what can be wrong with a made-up document
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise PersistenceError(
            f"{os.fspath(path)!r} describes no model that this version of ecgclf, {__version__}, "
            f"can make ({reason}). It was saved by version {_saved_by(document)}: use that one, "
            "or save the model again."
        ) from error


def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what a file says of its model, without making it.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    dict
        As in the file: ``format, sha256, versions, class, number, parameters, fitted``. What
        JSON does not know, such as a tuple, is a dict with one entry, ``{"tuple": [...]}``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    PersistenceError
        As in `load`.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> model = ECGMLPClassifier(dense=(32,), max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/model.ecgclf")
    ...     document = read_document(f"{folder}/model.ecgclf")
    >>> document["class"], document["parameters"]["dense"]
    ('ECGMLPClassifier', {'tuple': [32]})
    """
    return _read(path)[0]


def _read(path: str | os.PathLike[str]) -> tuple[dict, dict]:
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"There is no file {os.fspath(path)!r} ({path.absolute()}): give the path of a model "
            "that model.save() has written."
        ) from error
    try:
        return unpack(data)
    except PersistenceError as error:
        raise PersistenceError(f"{os.fspath(path)!r} {error}") from error


def _saved_by(document: dict) -> str:
    versions = document.get("versions")
    return str(versions.get("ecgclf")) if isinstance(versions, dict) else "unknown"
