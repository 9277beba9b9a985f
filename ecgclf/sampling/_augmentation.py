"""Augmentations of torch applied to beats of numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Generator, Tensor

#: As many beats are changed at a time, so that memory does not grow with the beats.
_BATCH = 4096


def changed_signals(
    signals: np.ndarray, augment: Callable[[Tensor, Generator], Tensor], seed: int
) -> np.ndarray:
    """Change signals by an augmentation.

    Parameters
    ----------
    signals : ndarray of shape (n_beats, n_leads, n_samples)
    augment : callable
        Called with some of them as a float32 Tensor, and a generator.
    seed : int
        Of the generator.

    Returns
    -------
    ndarray of shape (n_beats, n_leads, n_samples), float32

    Raises
    ------
    ValueError
        If the augmentation returns something else than finite signals of the same shape.
    """
    import torch  # what is not augmented does without

    generator = torch.Generator().manual_seed(seed)
    changed = np.empty(signals.shape, dtype=np.float32)
    for start in range(0, len(signals), _BATCH):
        part = slice(start, start + _BATCH)
        # A copy, as an augmentation of a user's own may write into what it is given.
        batch = torch.from_numpy(signals[part].astype(np.float32))
        shape = tuple(batch.shape)
        result = augment(batch, generator)
        is_tensor = isinstance(result, torch.Tensor)
        if not is_tensor or tuple(result.shape) != shape:
            found = tuple(result.shape) if is_tensor else type(result).__name__
            raise ValueError(
                f"augment returned {found}, expected a Tensor of the signals' shape {shape}: "
                "batch, leads, samples."
            )
        if not torch.isfinite(result).all():
            raise ValueError("augment returned NaN or infinite values, expected finite signals.")
        changed[part] = result.detach().numpy()
    return changed
