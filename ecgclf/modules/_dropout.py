"""Dropout whose randomness belongs to the network and not to the process."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Dropout that draws its masks from a generator of its own.

    `torch.nn.Dropout` can only draw from the global generator. Two networks that train in two
    threads would share it, and neither would be reproducible.

    Parameters
    ----------
    p : float
        Probability that an element is set to zero.

    Notes
    -----
    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
    JMLR 15, 2014. The kept elements are divided by ``1 - p``.

    Examples
    --------
    >>> import torch
    >>> layer = Dropout(0.5)
    >>> layer.generator = torch.Generator().manual_seed(0)
    >>> sorted(set(layer(torch.ones(100)).tolist()))
    [0.0, 2.0]
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = float(p)
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements of `x`, of any shape, while training."""
        if not self.training or self.p == 0.0:
            return x
        if self.p == 1.0:
            return torch.zeros_like(x)
        keep = torch.empty_like(x).bernoulli_(1.0 - self.p, generator=self.generator)
        return x * keep.div_(1.0 - self.p)

    def extra_repr(self) -> str:
        """Show the probability."""
        return f"p={self.p}"

    def __getstate__(self) -> dict:
        # A generator is a resource of the training run, not a part of the network.
        return {**self.__dict__, "generator": None}


def set_generator(module: nn.Module, generator: torch.Generator | None) -> None:
    """Let every `Dropout` inside `module` draw from `generator`.

    Parameters
    ----------
    module : Module
    generator : torch.Generator or None
        On the device of the module; None means the global generator of torch.

    Examples
    --------
    >>> import torch
    >>> network = nn.Sequential(nn.Linear(2, 8), Dropout(0.5))
    >>> set_generator(network, torch.Generator().manual_seed(0))
    >>> network[1].generator.initial_seed()
    0
    """
    for part in module.modules():
        if isinstance(part, Dropout):
            part.generator = generator
