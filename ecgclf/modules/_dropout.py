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

    On a CPU, `p` is rounded to a multiple of 2^-16 (and is at least that): an element is then
    dropped by 16 random bits, and masks cost an eighth of the time that they take elsewhere,
    which in a small network is most of an epoch.

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
        if x.device.type == "cpu":
            return x * _mask(x, self.p, self.generator)
        keep = torch.empty_like(x).bernoulli_(1.0 - self.p, generator=self.generator)
        return x * keep.div_(1.0 - self.p)

    def extra_repr(self) -> str:
        """Show the probability."""
        return f"p={self.p}"

    def __getstate__(self) -> dict:
        # A generator is a resource of the training run, not a part of the network.
        return {**self.__dict__, "generator": None}


def _mask(x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
    """Draw what to multiply `x` with, of its shape, type and memory layout.

    ``bernoulli_`` draws a double for each element. Here 64 bits serve four of them.
    """
    n_kept = min(max(round((1.0 - p) * 2**16), 1), 2**16 - 1)
    words = torch.empty(-(-x.numel() // 4), dtype=torch.int64)
    words.random_(-(2**63), None, generator=generator)
    mask = torch.empty_like(x)
    # The order of elements in memory does not matter, so it is that of `x`, and all is one pass.
    drawn = words.view(torch.int16).as_strided(mask.shape, mask.stride())
    torch.lt(drawn, n_kept - 2**15, out=mask)
    return mask.mul_(2**16 / n_kept)


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
