"""Change the signals of a training batch and leave the features beside them alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: From signals of shape (batch, n_leads, n_samples) and a generator to such signals.
Augmentation = Callable[[Tensor, torch.Generator], Tensor]


class OnSignals:
    """Apply an augmentation to the signal part of rows.

    Parameters
    ----------
    augment : callable
        Called with a Tensor of shape (batch, n_leads, n_samples) and a generator on the
        device of the batch; returns a Tensor of the same shape.
    n_leads, n_samples : int
        Shape of one beat, whose leads stand one after another at the beginning of a row.

    Examples
    --------
    >>> def flip(signals, generator):
    ...     return -signals
    >>> OnSignals(flip, n_leads=1, n_samples=2)(torch.tensor([[1.0, 2.0, 3.0]]), None)
    tensor([[-1., -2.,  3.]])
    """

    def __init__(self, augment: Augmentation, n_leads: int, n_samples: int) -> None:
        self.augment = augment
        self.n_leads = n_leads
        self.n_samples = n_samples

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Augment a batch.

        Parameters
        ----------
        x : Tensor of shape (batch, n_columns)
        generator : Generator

        Returns
        -------
        Tensor of shape (batch, n_columns)

        Raises
        ------
        ValueError
            If the augmentation returns something else than signals of the same shape.
        """
        width = self.n_leads * self.n_samples
        signals = x[:, :width].reshape(-1, self.n_leads, self.n_samples)
        changed = self.augment(signals, generator)
        if not isinstance(changed, Tensor) or changed.shape != signals.shape:
            is_tensor = isinstance(changed, Tensor)
            found = tuple(changed.shape) if is_tensor else type(changed).__name__
            raise ValueError(
                f"augment returned {found}, expected a Tensor of the signals' shape "
                f"{tuple(signals.shape)}: batch, leads, samples."
            )
        return torch.cat([changed.flatten(1), x[:, width:]], dim=1)
