"""Layers that several networks share: dropout, convolution, pooling.

Convolutions treat a signal as an image of height 1 in channels-last memory. On a CPU they then
train about a third faster than ``Conv1d``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Pooling over all samples at the end of an encoder: mean, maximum, both, or none (flatten).
GlobalPool = Literal["avg", "max", "avg_max"] | None


class Dropout(nn.Module):
    """Dropout with its own random generator.

    `torch.nn.Dropout` always draws from the global generator, so two networks that train in
    two threads would not be reproducible.

    Parameters
    ----------
    p : float
        Probability that an element is set to zero. The other elements are divided by
        ``1 - p``.

    Notes
    -----
    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
    JMLR 15, 2014.

    On a CPU, `p` is rounded to a multiple of 2^-16 and is at least 2^-16. Each element then
    needs 16 random bits, and masks take an eighth of the time of `torch.nn.Dropout`; in a small
    network, masks otherwise take most of an epoch.

    Examples
    --------
    >>> import torch
    >>> from ecgclf.modules import Dropout
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
        """Drop elements of `x`, of any shape, in training mode."""
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
        # The generator belongs to a training run, not to the network.
        return {**self.__dict__, "generator": None}


def _mask(x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
    """Draw the factors of the elements of `x`, with its shape, dtype and memory layout.

    ``bernoulli_`` draws a double for each element; here 64 bits serve four elements.
    """
    n_kept = min(max(round((1.0 - p) * 2**16), 1), 2**16 - 1)
    words = torch.empty(-(-x.numel() // 4), dtype=torch.int64)
    words.random_(-(2**63), None, generator=generator)
    mask = torch.empty_like(x)
    # The layout of `x` makes the comparison one pass over memory.
    drawn = words.view(torch.int16).as_strided(mask.shape, mask.stride())
    torch.lt(drawn, n_kept - 2**15, out=mask)
    return mask.mul_(2**16 / n_kept)


def set_generator(module: nn.Module, generator: torch.Generator | None) -> None:
    """Set the generator of every `Dropout` inside a module; None is torch's global generator."""
    for part in module.modules():
        if isinstance(part, Dropout):
            part.generator = generator


def as_image(x: Tensor) -> Tensor:
    """Convert signals (batch, channels, samples) to images (batch, channels, 1, samples)."""
    return x.unsqueeze(2).contiguous(memory_format=torch.channels_last)


def channels_last(module: nn.Module) -> None:
    """Convert the weights of a module to channels-last memory, in place."""
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def convolution(
    in_channels: int,
    filters: int,
    kernel_size: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    padding: str = "same",
    bias: bool = True,
) -> list[nn.Module]:
    """Build a convolution over the time axis of an image of height 1.

    "same" pads with zeros to ``ceil(length / stride)`` samples, the smaller half in front;
    "valid" does not pad.
    """
    reach = dilation * (kernel_size - 1) if padding == "same" else 0
    before, after = reach // 2, reach - reach // 2
    modules: list[nn.Module] = []
    if before != after:  # a convolution can only pad both sides equally
        modules.append(nn.ZeroPad2d((before, after, 0, 0)))
        before = 0
    modules.append(
        nn.Conv2d(
            in_channels,
            filters,
            (1, kernel_size),
            stride=(1, stride),
            padding=(0, before),
            dilation=(1, dilation),
            bias=bias,
        )
    )
    return modules


def max_pooling(size: int, stride: int, *, padding: str = "same") -> list[nn.Module]:
    """Build a max pooling over the time axis of an image of height 1, padded as a convolution.

    For use after a ReLU: zeros do not change the maximum of non-negative values.
    """
    same = padding == "same"
    modules: list[nn.Module] = []
    overlap = size - stride
    if same and overlap > 0:
        modules.append(nn.ZeroPad2d((overlap // 2, overlap - overlap // 2, 0, 0)))
    modules.append(MaxPool(size, stride, ceil_mode=same))
    return modules


def pool_globally(x: Tensor, how: GlobalPool) -> Tensor:
    """Pool images (batch, channels, height, width) to (batch, features)."""
    if how is None:
        return x.flatten(1)
    pooled = []
    # ``mean`` and ``amax`` over the last two axes give the same values, but their gradients are
    # several times slower and are not in channels-last memory.
    if how != "max":
        pooled.append(x.permute(0, 2, 3, 1).flatten(1, 2).mean(dim=1))
    if how != "avg":
        pooled.append(F.adaptive_max_pool2d(x, 1).flatten(1))
    return pooled[0] if len(pooled) == 1 else torch.cat(pooled, dim=1)


def pooled_width(how: GlobalPool, length: int) -> int:
    """Count the features that `pool_globally` computes from a channel of `length` samples."""
    return {"avg": 1, "max": 1, "avg_max": 2, None: length}[how]


class ImageLayers(nn.Sequential):
    """Sequence of layers that folds batch norms into convolutions in prediction.

    In evaluation mode and without gradients, a batch norm is a factor and an offset for each
    channel, which can be applied to the weights and bias of the preceding convolution. This
    saves a pass over memory, and small networks on a CPU are limited by memory. The output is the
    same up to rounding; the stored weights do not change. Hooks on a folded batch norm or its
    convolution are not called.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply all layers to images of shape (batch, channels, height, width)."""
        if self.training or torch.is_grad_enabled():
            return super().forward(input)
        waiting: nn.Conv2d | None = None
        for layer in self._active():
            if waiting is not None:
                if isinstance(layer, nn.BatchNorm2d) and not layer.training:
                    input, waiting = _convolve_and_norm(input, waiting, layer), None
                    continue
                input, waiting = waiting(input), None
            if isinstance(layer, nn.Conv2d):
                waiting = layer
            else:
                input = layer(input)
        return input if waiting is None else waiting(input)

    def _active(self) -> Iterator[nn.Module]:
        """Iterate over the layers that have an effect, with ReLU after max pooling.

        The two can be swapped because ReLU is monotonic; after the pooling it has fewer values
        to process.
        """
        relu: nn.Module | None = None
        for layer in self:
            if isinstance(layer, Dropout) and not layer.training:
                continue
            if relu is not None and not isinstance(layer, MaxPool):
                yield relu
                relu = None
            if isinstance(layer, nn.ReLU) and relu is None:
                relu = layer
            else:
                yield layer
        if relu is not None:
            yield relu


def _convolve_and_norm(x: Tensor, convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> Tensor:
    """Apply a convolution and the batch norm after it in one step."""
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None or norm.weight is None:
        return norm(convolution(x))
    factor = norm.weight * torch.rsqrt(variance + norm.eps)
    before = -mean if convolution.bias is None else convolution.bias - mean
    return F.conv2d(
        x,
        convolution.weight * factor[:, None, None, None],
        norm.bias + before * factor,
        convolution.stride,
        convolution.padding,
        convolution.dilation,
        convolution.groups,
    )


class MaxPool(nn.MaxPool2d):
    """Max pooling over the time axis of an image of height 1.

    Without gradients it avoids the index of each maximum, eight bytes a value, that torch's
    own layer writes.
    """

    def __init__(self, size: int, stride: int, *, ceil_mode: bool = False) -> None:
        super().__init__((1, size), stride=(1, stride), ceil_mode=ceil_mode)
        self.size = size
        self.step = stride

    def forward(self, input: Tensor) -> Tensor:
        """Pool images of shape (batch, channels, 1, samples)."""
        length = input.shape[3]
        if not 1 < self.size <= length or (torch.is_grad_enabled() and input.requires_grad):
            return super().forward(input)
        n_whole = (length - self.size) // self.step + 1
        reach = (n_whole - 1) * self.step + 1
        highest = input[..., : reach : self.step]
        for start in range(1, self.size):
            highest = torch.maximum(highest, input[..., start : start + reach : self.step])
        rest = input[..., n_whole * self.step :]
        if self.ceil_mode and rest.shape[3] and (length - self.size) % self.step:
            highest = torch.cat([highest, rest.amax(dim=3, keepdim=True)], dim=3)
        return highest
