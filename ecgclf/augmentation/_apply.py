"""Augmentation of training batches and of numpy arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

#: From signals of shape (batch, n_leads, n_samples) and a generator to such signals.
Augmentation: TypeAlias = Callable[[Tensor, torch.Generator], Tensor]

#: Beats of an array that are augmented at a time, to limit memory.
_BATCH = 4096


@dataclass
class OnSignals:
    """Augmentation of the signals in rows of leads, one after another, and per-beat features."""

    augment: Augmentation
    n_leads: int
    n_samples: int

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Augment a batch of shape (batch, n_columns)."""
        width = self.n_leads * self.n_samples
        signals = x[:, :width].reshape(-1, self.n_leads, self.n_samples)
        changed = _augment(signals, self.augment, generator, may_crop=True)
        return torch.cat([changed.flatten(1), x[:, width:]], dim=1)


def augment_arrays(signals: np.ndarray, augment: Augmentation, seed: int) -> np.ndarray:
    """Augment beats of shape (n_beats, n_leads, n_samples), in batches of float32 Tensors."""
    generator = torch.Generator().manual_seed(seed)
    changed = np.empty(signals.shape, dtype=np.float32)
    for start in range(0, len(signals), _BATCH):
        part = slice(start, start + _BATCH)
        # A copy, because a user's augmentation may write into its argument.
        batch = torch.from_numpy(signals[part].astype(np.float32))
        result = _augment(batch, augment, generator)
        if not torch.isfinite(result).all():
            raise ValueError("augment returned NaN or infinite values, expected finite signals.")
        changed[part] = result.detach().numpy()
    return changed


def _augment(
    signals: Tensor, augment: Augmentation, generator: torch.Generator, *, may_crop: bool = False
) -> Tensor:
    """Augment a batch and check the shape of the result."""
    shape = tuple(signals.shape)  # the augmentation may change it in place
    changed = augment(signals, generator)
    found = tuple(changed.shape) if isinstance(changed, Tensor) else type(changed).__name__
    is_crop = isinstance(found, tuple) and found[:-1] == shape[:2] and 0 < found[-1] <= shape[2]
    if found != shape and not (may_crop and is_crop):
        raise ValueError(
            f"augment returned {found}, expected a Tensor of the signals' shape {shape}: batch, "
            f"leads, samples{' (or fewer samples)' * may_crop}."
        )
    return changed
