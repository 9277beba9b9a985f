"""Beats of frequent classes left out."""

from __future__ import annotations

from imblearn.under_sampling import RandomUnderSampler

from ecgclf.sampling._beats import TakesBeats


class BeatUnderSampler(TakesBeats, RandomUnderSampler):
    """Leave out beats of the frequent classes at random.

    `imblearn.under_sampling.RandomUnderSampler` for beats of one lead and of several.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        How many beats of each class to keep, as in imbalanced-learn; "auto" keeps as many of
        every class as the rarest one has.
    random_state : int, RandomState or None, default=None
        None is numpy's global generator, as in imbalanced-learn.
    replacement : bool, default=False
        Draw with replacement, so that a beat may be kept more than once.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_new_beats,)
        Position in `X` of each beat that was kept.
    sampling_strategy_ : dict
        From class to the number of its beats to keep.
    n_leads_in_ : int or None
        Number of leads of a 3-D `X`.
    n_beats_in_ : int
        Number of beats in `X`.
    n_features_in_ : int
        Number of values of a beat.
    feature_names_in_ : ndarray of shape (n_columns,)
        Of a frame whose columns have names.

    See Also
    --------
    BeatOverSampler : Repeat beats of rare classes.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.sampling import BeatUnderSampler
    >>> beats = np.zeros((10, 2, 84), dtype=np.float32)  # 10 beats of 2 leads
    >>> labels = np.array(["N"] * 8 + ["V"] * 2)
    >>> sampler = BeatUnderSampler(random_state=0)
    >>> X, y = sampler.fit_resample(beats, labels)
    >>> X.shape, y
    ((4, 2, 84), array(['N', 'N', 'V', 'V'], dtype='<U1'))
    >>> sampler.carry(np.arange(10)).tolist()  # which ones
    [6, 2, 8, 9]
    """
