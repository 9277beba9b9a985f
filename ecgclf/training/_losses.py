"""Losses: output, target and weights in, one number out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CrossEntropyLoss(nn.Module):
    """Weighted cross-entropy.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of the target that is spread evenly over all classes.

    Notes
    -----
    Label smoothing is section 7 of Szegedy et al., "Rethinking the Inception architecture for
    computer vision", CVPR 2016 (arXiv:1512.00567).

    Examples
    --------
    >>> import torch
    >>> logits, codes = torch.zeros(4, 5), torch.tensor([0, 1, 2, 3])
    >>> round(CrossEntropyLoss()(logits, codes, torch.ones(4)).exp().item(), 4)
    5.0
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, codes: Tensor, weight: Tensor) -> Tensor:
        """Average the weighted loss over the batch.

        Parameters
        ----------
        logits : Tensor of shape (batch, n_classes)
        codes : Tensor of shape (batch,), int64
        weight : Tensor of shape (batch,)
            Of mean 1 over the whole training set, so that every batch is an unbiased
            estimate of the weighted loss of the set.

        Returns
        -------
        Tensor, a scalar
        """
        return (self.per_beat(logits, codes) * weight).mean()

    def per_beat(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Loss of each beat, of shape (batch,)."""
        return F.cross_entropy(
            logits, codes, reduction="none", label_smoothing=self.label_smoothing
        )


class FocalLoss(CrossEntropyLoss):
    r"""Focal loss, :math:`-(1 - p_t)^\gamma \log p_t` for the true class's :math:`p_t`.

    Parameters
    ----------
    gamma : float, default=2.0
        0 is the cross-entropy; the larger, the less an easy beat counts.

    Notes
    -----
    Equation 4 of Lin et al., "Focal loss for dense object detection", ICCV 2017
    (arXiv:1708.02002). The factor alpha that the paper gives each class belongs to the weights.

    Examples
    --------
    >>> import torch
    >>> logits, codes = torch.zeros(1, 2), torch.tensor([0])
    >>> round(FocalLoss(gamma=2.0)(logits, codes, torch.ones(1)).item(), 4)  # 0.25 * ln 2
    0.1733
    """

    def __init__(self, gamma: float = 2.0) -> None:
        super().__init__()
        self.gamma = gamma

    def per_beat(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Loss of each beat, of shape (batch,)."""
        cross_entropy = super().per_beat(logits, codes)
        # 1 - p, never quite 0: there a power below 1 has no derivative.
        doubt = (-torch.expm1(-cross_entropy)).clamp_min(torch.finfo(logits.dtype).tiny)
        return doubt**self.gamma * cross_entropy


class ReconstructionLoss(nn.Module):
    """Weighted mean squared error between a network's input and its output.

    Examples
    --------
    >>> import torch
    >>> ReconstructionLoss()(torch.zeros(1, 2), torch.tensor([[1.0, 3.0]]), torch.ones(1))
    tensor(5.)
    """

    def forward(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Average the weighted loss over the batch.

        Parameters
        ----------
        output, target : Tensor of shape (batch, n_columns)
        weight : Tensor of shape (batch,)
            Of mean 1 over the whole training set.

        Returns
        -------
        Tensor, a scalar
        """
        return (self.per_beat(output, target) * weight).mean()

    def per_beat(self, output: Tensor, target: Tensor) -> Tensor:
        """Loss of each beat, of shape (batch,)."""
        return F.mse_loss(output, target, reduction="none").mean(dim=1)
