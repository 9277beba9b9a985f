"""Layers that need fewer passes over the memory where no gradient is asked for.

On a CPU the memory, not the arithmetic, is what most layers of a small network wait for.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ecgclf.modules._dropout import Dropout


class ImageLayers(nn.Sequential):
    """Layers one after another; a batch norm joins the convolution before it, if it can.

    With the gradient switched off and in evaluation, a batch norm is a factor and a summand for
    each channel, which the convolution before it takes into its weights and bias. The output is
    the same but for rounding. Weights are left as they are, and so is the ``state_dict``.

    Parameters
    ----------
    *layers : Module

    Notes
    -----
    Hooks on a batch norm or on a convolution before one are only called where a gradient may be
    asked for.

    Examples
    --------
    >>> layers = ImageLayers(nn.Conv2d(1, 8, (1, 5)), nn.BatchNorm2d(8), nn.ReLU()).eval()
    >>> with torch.no_grad():
    ...     layers(torch.zeros(3, 1, 1, 187)).shape
    torch.Size([3, 8, 1, 183])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Pass images of shape (batch, channels, height, width) through all layers."""
        if self.training or torch.is_grad_enabled():
            return super().forward(input)
        waiting: nn.Conv2d | None = None
        for layer in self._acting():
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

    def _acting(self) -> Iterator[nn.Module]:
        """Yield the layers that change something; a ReLU after a pooling before it.

        The two may change places, since a ReLU never decreases, and a pooling leaves it less
        to do.
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
    """Apply a convolution and the batch norm behind it in one step."""
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
    """Max pooling over the time of an image of height 1.

    torch's own also notes where each maximum was found, in eight bytes; only a gradient needs
    that.

    Parameters
    ----------
    size, stride : int
    ceil_mode : bool, default=False
        Whether a window that reaches beyond the end counts.

    Examples
    --------
    >>> with torch.no_grad():
    ...     MaxPool(2, 2)(torch.tensor([[[[1.0, 3.0, 2.0, 0.0]]]]))
    tensor([[[[3., 2.]]]])
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
