"""Know again what a model was trained on."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from ecgclf.training import RowView

#: Labels that are made into text at once.
_LABELS = 2**16


def fingerprint(X: RowView, y: np.ndarray | None = None) -> dict[str, Any]:
    """Describe beats and labels so that others can be compared with them.

    Parameters
    ----------
    X : RowView
    y : ndarray of shape (n_beats,), optional

    Returns
    -------
    dict
        ``n_beats, X_sha256`` and, with labels, ``class_counts, y_sha256``.

    Examples
    --------
    >>> fingerprint(RowView(np.zeros((2, 3))), np.array(["N", "V"]))["class_counts"]
    {'N': 1, 'V': 1}
    """
    of_beats = hashlib.sha256()
    for block in X.blocks():
        of_beats.update(np.ascontiguousarray(block).data)
    found: dict[str, Any] = {"n_beats": len(X), "X_sha256": of_beats.hexdigest()}
    if y is not None:
        labels, counts = np.unique(y, return_counts=True)
        found["class_counts"] = dict(zip(labels.tolist(), counts.tolist()))
        of_labels = hashlib.sha256()
        for start in range(0, len(y), _LABELS):
            part = y[start : start + _LABELS].tolist()
            of_labels.update("".join(f"{label}\n" for label in part).encode())
        found["y_sha256"] = of_labels.hexdigest()
    return found
