"""Hold out a part of the training rows for early stopping."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit

#: Draws of which the best is taken.
N_DRAWS = 50


def hold_out(
    y: np.ndarray, fraction: float, seed: int, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Split the rows into a training and a validation part.

    Parameters
    ----------
    y : ndarray of shape (n_beats,)
        Class codes. All are left to train on, and both parts hold them in equal shares, as
        far as that can be.
    fraction : float
        Share of the rows, or of the patients, for validation.
    seed : int
    groups : ndarray of shape (n_beats,), optional
        Patient of each beat; no patient is then on both sides.

    Returns
    -------
    train, valid : ndarray of int
        Positions of the rows.

    Raises
    ------
    ValueError
        If there are too few beats or patients to hold any out and still train on two
        classes.

    Examples
    --------
    >>> y, patients = np.array([0, 1, 0, 1, 0, 1]), np.array([7, 7, 8, 8, 9, 9])
    >>> train, valid = hold_out(y, 0.3, seed=0, groups=patients)
    >>> set(patients[train]) & set(patients[valid])
    set()
    """
    if groups is not None:
        n_patients = len(np.unique(groups))
        if n_patients < 2:
            raise ValueError(
                f"early_stopping=True with groups needs at least 2 patients, got {n_patients}: "
                "give more patients, or set early_stopping=False."
            )
        if np.ceil(fraction * n_patients) >= n_patients:
            raise ValueError(
                f"early_stopping=True needs patients to train on: validation_fraction={fraction} "
                f"of {n_patients} patients leaves none."
            )
        splitter = GroupShuffleSplit(N_DRAWS, test_size=fraction, random_state=seed)
        draws = splitter.split(y, y, groups)
    else:
        counts = np.bincount(y)
        n_valid = int(np.ceil(fraction * len(y)))
        if n_valid >= len(y):
            raise ValueError(
                f"early_stopping=True needs rows to train on: validation_fraction={fraction} of "
                f"{len(y)} beats leaves none."
            )
        n_classes = np.count_nonzero(counts)
        if counts[counts > 0].min() > 1 and n_classes <= min(n_valid, len(y) - n_valid):
            splitter = StratifiedShuffleSplit(1, test_size=n_valid, random_state=seed)
        else:
            splitter = ShuffleSplit(N_DRAWS, test_size=n_valid, random_state=seed)
        draws = splitter.split(y, y)
    train, valid = min(draws, key=lambda parts: _badness(y, parts[1], fraction))
    if len(np.unique(y[train])) == 1 < len(np.unique(y)):
        raise ValueError(
            "early_stopping=True leaves beats of only one class to train on: lower "
            f"validation_fraction={fraction}, give more beats or patients, or set "
            "early_stopping=False."
        )
    return train, valid


def _badness(y: np.ndarray, valid: np.ndarray, fraction: float) -> tuple[int, float]:
    """Count the classes that could not be learned; then how uneven the shares are."""
    counts = np.bincount(y)
    held_out = np.bincount(y[valid], minlength=len(counts))
    present = counts > 0
    share = held_out[present] / counts[present]
    return int(np.sum(share == 1)), float(np.abs(share - fraction).sum())
