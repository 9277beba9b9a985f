"""Matching of detected beats to annotated beats."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecgclf._validation import check_same_length, to_array
from ecgclf.evaluation._checks import check_beats
from ecgclf.evaluation._count_metrics import NO_BEAT


def match_beats(
    sample_true: ArrayLike,
    y_true: ArrayLike,
    sample_pred: ArrayLike,
    y_pred: ArrayLike,
    *,
    fs: float,
    window_ms: float = 150.0,
) -> pd.DataFrame:
    """Pair the detected beats of one record with the annotated ones.

    A detection and an annotation are paired if they are within the window of each other and
    neither is closer to the next beat of the other list. This is the rule of the beat-by-beat
    comparison of ANSI/AAMI EC57, as implemented by the reference program ``bxb`` [1]_. Beats
    without a partner are paired with ``"O"``, no beat.

    Parameters
    ----------
    sample_true, sample_pred : array-like of shape (n_annotated,) and (n_detected,)
        Positions of the annotated and the detected beats in samples, increasing.
    y_true, y_pred : array-like of shape (n_annotated,) and (n_detected,)
        Their labels.
    fs : float
        Sampling rate of the positions in Hz.
    window_ms : float, default=150
        Maximum distance of a pair in ms.

    Returns
    -------
    DataFrame of n_pairs rows
        In order of time, with the columns ``y_true`` and ``y_pred`` (labels, ``"O"`` without a
        partner), ``true`` and ``pred`` (indices into the arguments, -1 without a partner). The
        labels are input for `ec57_report`.

    Raises
    ------
    ValueError
        If positions do not increase, are negative or differ in number from the labels; or if
        `fs` or `window_ms` is not positive.

    Notes
    -----
    ``bxb`` leaves out the first five minutes of a record, episodes of ventricular flutter, and
    signal loss. To compare with its results, remove these from both lists first.

    References
    ----------
    .. [1] G. B. Moody, "Evaluating ECG analyzers", in: WFDB Applications Guide,
       PhysioNet.

    Examples
    --------
    >>> from ecgclf.evaluation import match_beats
    >>> pairs = match_beats([100, 400, 700], list("NVN"), [103, 250, 702], list("NNV"), fs=360)
    >>> pairs[["y_true", "y_pred"]].agg("".join, axis=1).tolist()
    ['NN', 'ON', 'VO', 'NV']
    """
    if not fs > 0 or not window_ms > 0:
        raise ValueError(f"fs is {fs} and window_ms is {window_ms}; both must be positive.")
    true, true_labels = _check_positions(sample_true, y_true, "sample_true", "y_true")
    pred, pred_labels = _check_positions(sample_pred, y_pred, "sample_pred", "y_pred")
    pairs = _pairs(true, pred, window_ms * fs / 1000)
    i, j = np.array(pairs, dtype=int).reshape(-1, 2).T
    return pd.DataFrame(
        {
            "y_true": [true_labels[at] if at >= 0 else NO_BEAT for at in i],
            "y_pred": [pred_labels[at] if at >= 0 else NO_BEAT for at in j],
            "true": i,
            "pred": j,
        }
    )


def _pairs(true: np.ndarray, pred: np.ndarray, window: float) -> list[tuple[int, int]]:
    """Traverse both lists, and decide for the earlier beat of the two."""
    # A last beat at infinity has no neighbours.
    t, p = [*true.tolist(), np.inf], [*pred.tolist(), np.inf]
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(true) or j < len(pred):
        if i == len(true) or (j < len(pred) and p[j] < t[i]):
            near = t[i] - p[j]
            taken = near <= window and near < abs(t[i] - p[j + 1])
            pairs.append((i, j) if taken else (-1, j))
            i, j = i + taken, j + 1
        else:
            near = p[j] - t[i]
            taken = near <= window and near < abs(p[j] - t[i + 1])
            pairs.append((i, j) if taken else (i, -1))
            i, j = i + 1, j + taken
    return pairs


def _check_positions(
    sample: ArrayLike, labels: ArrayLike, name: str, of_labels: str
) -> tuple[np.ndarray, list[str]]:
    """Check positions and labels; both may be empty."""
    positions = to_array(sample, name)
    if positions.ndim != 1:
        raise ValueError(f"{name} must be 1-D; got shape {positions.shape}.")
    if not len(positions) and not len(np.asarray(labels)):
        return positions.astype(float), []
    if positions.dtype.kind not in "iuf" or not np.isfinite(positions).all():
        raise ValueError(f"{name} must hold positions in samples; got {positions[:3]}.")
    if positions[0] < 0 or (np.diff(positions) <= 0).any():
        raise ValueError(
            f"{name} must hold increasing positions from 0. Sort them with their labels."
        )
    checked = check_beats(labels, of_labels)
    check_same_length(checked, name, positions, of_labels)
    return positions, checked.tolist()
