"""Know again what a model was trained on."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np


def fingerprint(X: np.ndarray, y: np.ndarray | None = None) -> dict[str, Any]:
    """Describe beats and labels so that others can be compared with them.

    Parameters
    ----------
    X : ndarray of shape (n_beats, n_columns), float32
    y : ndarray of shape (n_beats,), optional

    Returns
    -------
    dict
        ``n_beats, X_sha256`` and, with labels, ``class_counts, y_sha256``.

    Examples
    --------
    >>> fingerprint(np.zeros((2, 3), dtype=np.float32), np.array(["N", "V"]))["class_counts"]
    {'N': 1, 'V': 1}
    """
    found: dict[str, Any] = {
        "n_beats": len(X),
        "X_sha256": hashlib.sha256(np.ascontiguousarray(X).data).hexdigest(),
    }
    if y is not None:
        labels, counts = np.unique(y, return_counts=True)
        found["class_counts"] = dict(zip(labels.tolist(), counts.tolist()))
        lines = "".join(f"{label}\n" for label in y.tolist())
        found["y_sha256"] = hashlib.sha256(lines.encode()).hexdigest()
    return found
