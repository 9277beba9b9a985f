"""Train a network to give back its input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ecgclf.training._net import BeatNet
from ecgclf.training._rows import Rows


class ReconstructionNet(BeatNet):
    """Compare the output with the input, after the network has measured its scale.

    Before its first epoch it puts the mean beat of the training rows, and the root of the
    mean square of what deviates from it, into the module's ``standardize``. The loss is that
    of output and input both divided by this root: 1 for a network that always gives the mean
    beat, whatever the unit of the input.

    Parameters
    ----------
    module : Autoencoder
    criterion : Module
        Called with output, input and weights.
    **kwargs
        Parameters of `BeatNet`.

    Examples
    --------
    >>> from ecgclf.modules import dense_autoencoder
    >>> from ecgclf.training import LearningRate, ReconstructionLoss
    >>> module = dense_autoencoder(n_codes=2, n_leads=1, n_samples=3, dense=())
    >>> net = ReconstructionNet(module, ReconstructionLoss())
    >>> rows = Rows(np.array([[1, 5, 0], [3, 5, 0]], dtype=np.float32))
    >>> interrupted = net.train(rows, 1, callbacks=[LearningRate()])
    >>> module.standardize.mean
    tensor([[2., 5., 0.]])
    """

    def train(self, rows: Rows, epochs: int, **kwargs: Any) -> bool:
        """Train as a `BeatNet` does."""
        if not self.initialized_:
            standardize = self.module.standardize
            mean, scale = mean_and_scale(rows, standardize.mean.numel())
            standardize.set(torch.from_numpy(mean).reshape(standardize.mean.shape), scale)
        return super().train(rows, epochs, **kwargs)

    def get_loss(
        self, y_pred: Tensor, y_true: Tensor, X: Any = None, training: bool = False
    ) -> Tensor:
        """Compute the weighted loss of one batch."""
        scale = self.module_.standardize.scale
        return self.criterion_(y_pred / scale, X["x"] / scale, X["weight"])


def mean_and_scale(rows: Rows, width: int) -> tuple[np.ndarray, float]:
    """Measure the first columns of rows.

    Parameters
    ----------
    rows : Rows
    width : int
        Number of columns.

    Returns
    -------
    mean : ndarray of shape (width,), float32
        The weighted mean row.
    scale : float
        Root of the weighted mean square of the deviations from it, over rows and columns;
        1 if there are none.

    Examples
    --------
    >>> rows = Rows(np.array([[1, 5], [4, 5]], dtype=np.float32), weight=np.array([2, 1]))
    >>> mean_and_scale(rows, 2)
    (array([2., 5.], dtype=float32), 1.0)
    """
    weight = rows.weight / rows.weight.sum()
    mean = np.zeros(width)
    for X, part in _weighted_blocks(rows, weight, width):
        mean += np.einsum("i,ij->j", part, X, dtype=np.float64)
    mean = mean.astype(np.float32)
    variance = 0.0
    for X, part in _weighted_blocks(rows, weight, width):
        deviations = X - mean
        variance += np.einsum("i,ij,ij->", part, deviations, deviations, dtype=np.float64) / width
    return mean, float(np.sqrt(variance)) or 1.0


def _weighted_blocks(
    rows: Rows, weight: np.ndarray, width: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Read the first columns of all rows in turn, each block with its weights."""
    start = 0
    for block in rows.view.blocks():
        yield block[:, :width], weight[start : start + len(block)]
        start += len(block)
