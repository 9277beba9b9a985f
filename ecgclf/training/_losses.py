"""Losses: weighted cross-entropy, focal loss and reconstruction error."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class WeightedLoss(nn.Module, ABC):
    """Base class of losses that are weighted means over a batch.

    The weights have mean 1 over the training set, so that the loss of each batch is an unbiased
    estimate of the weighted loss of the set.
    """

    def forward(self, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Compute the weighted mean of the loss."""
        return (self.per_beat(output, target) * weight).mean()

    @abstractmethod
    def per_beat(self, output: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of each beat, or of each beat and label."""


class CrossEntropyLoss(WeightedLoss):
    """Cross-entropy of logits and class codes, or binary cross-entropy with an indicator matrix.

    Label smoothing is section 7 of Szegedy et al., "Rethinking the Inception architecture for
    computer vision", CVPR 2016 (arXiv:1512.00567).
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def per_beat(self, output: Tensor, target: Tensor) -> Tensor:
        if target.ndim == 2:
            smooth = target * (1 - self.label_smoothing) + self.label_smoothing / 2
            return F.binary_cross_entropy_with_logits(output, smooth, reduction="none")
        return F.cross_entropy(
            output, target, reduction="none", label_smoothing=self.label_smoothing
        )


class FocalLoss(CrossEntropyLoss):
    r"""Focal loss, :math:`-(1 - p_t)^\gamma \log p_t` with :math:`p_t` of the true class.

    Equation 4 of Lin et al., "Focal loss for dense object detection", ICCV 2017
    (arXiv:1708.02002). The class factor alpha of the paper is part of the weights.
    """

    def __init__(self, gamma: float = 2.0) -> None:
        super().__init__()
        self.gamma = gamma

    def per_beat(self, output: Tensor, target: Tensor) -> Tensor:
        cross_entropy = super().per_beat(output, target)
        # 1 - p, but not 0, where a power below 1 has no derivative.
        doubt = (-torch.expm1(-cross_entropy)).clamp_min(torch.finfo(output.dtype).tiny)
        return doubt**self.gamma * cross_entropy


class ReconstructionLoss(WeightedLoss):
    """Mean squared error over the columns of each beat."""

    def per_beat(self, output: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(output, target, reduction="none").mean(dim=1)
