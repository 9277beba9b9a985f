"""Encoders and decoders that mirror each other, and the autoencoders they make."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ecgclf.modules._autoencoder import Autoencoder
from ecgclf.modules._convolutional import ConvEncoder, ConvLayer
from ecgclf.modules._image import channels_last, convolution
from ecgclf.modules._recurrent import RecurrentEncoder


class DenseDecoder(nn.Module):
    """Fully connected layers from a code to a beat.

    Parameters
    ----------
    n_codes, n_leads, n_samples : int
    dense : sequence of int, default=()
        Units of each layer with a ReLU before the last, linear one.

    Examples
    --------
    >>> import torch
    >>> DenseDecoder(8, n_leads=2, n_samples=30, dense=(16,))(torch.zeros(4, 8)).shape
    torch.Size([4, 2, 30])
    """

    def __init__(
        self, n_codes: int, n_leads: int, n_samples: int, dense: Sequence[int] = ()
    ) -> None:
        super().__init__()
        widths = [n_codes, *dense]
        self.layers = nn.Sequential(
            *_rectified(widths), nn.Linear(widths[-1], n_leads * n_samples)
        )
        self.shape = (n_leads, n_samples)

    def forward(self, codes: Tensor) -> Tensor:
        """Decode (batch, n_codes) to (batch, n_leads, n_samples)."""
        return self.layers(codes).unflatten(1, self.shape)


class ConvDecoder(nn.Module):
    """The mirror image of convolutions with strides: stretch, then convolve.

    Parameters
    ----------
    n_codes, n_leads, n_samples : int
    filters : sequence of int
        Of the encoder's layers, so in reverse order here.
    kernel_size : int, default=5
    stride : int, default=2
        By how much each layer stretches the signal.

    Notes
    -----
    Each sample is repeated `stride` times before a convolution. A transposed convolution
    would give its outputs unequal numbers of inputs, which shows as a regular pattern: Odena,
    Dumoulin and Olah, "Deconvolution and checkerboard artifacts", Distill 2016.

    Examples
    --------
    >>> import torch
    >>> ConvDecoder(8, n_leads=2, n_samples=187, filters=(16, 32))(torch.zeros(4, 8)).shape
    torch.Size([4, 2, 187])
    """

    def __init__(
        self,
        n_codes: int,
        n_leads: int,
        n_samples: int,
        filters: Sequence[int],
        kernel_size: int = 5,
        stride: int = 2,
    ) -> None:
        super().__init__()
        lengths = [n_samples]
        for _ in filters:
            lengths.append(math.ceil(lengths[-1] / stride))
        self.start = nn.Linear(n_codes, filters[-1] * lengths[-1])
        self.first_shape = (filters[-1], 1, lengths[-1])
        widths = [n_leads, *filters]
        self.layers = nn.ModuleList(
            nn.Sequential(*convolution(widths[i + 1], widths[i], kernel_size))
            for i in reversed(range(len(filters)))
        )
        self.lengths = lengths[-2::-1]
        self.stride = stride
        channels_last(self.layers)

    def forward(self, codes: Tensor) -> Tensor:
        """Decode (batch, n_codes) to (batch, n_leads, n_samples)."""
        x = self.start(codes).unflatten(1, self.first_shape)
        x = x.contiguous(memory_format=torch.channels_last)
        for layer, length in zip(self.layers, self.lengths):
            stretched = F.interpolate(F.relu(x), scale_factor=(1, self.stride))
            x = layer(stretched[..., :length])
        return x.squeeze(2)


class RecurrentDecoder(nn.Module):
    """LSTM layers that write a beat step by step.

    At every step they are shown the code, moved by a vector that is learned for this step:
    without it, they would have to count the steps to know where in the beat they are.

    Parameters
    ----------
    n_codes, n_leads, n_samples : int
    units : sequence of int
        Of the encoder's layers, so in reverse order here.
    step_size : int, default=8
        Samples of each lead in one step.

    Notes
    -----
    The autoencoder of Srivastava, Mansimov and Salakhutdinov, "Unsupervised learning of video
    representations using LSTMs", ICML 2015 (arXiv:1502.04681), but for the code, which is the
    whole state there, and the vectors.

    Examples
    --------
    >>> import torch
    >>> RecurrentDecoder(8, n_leads=2, n_samples=187, units=(16,))(torch.zeros(4, 8)).shape
    torch.Size([4, 2, 187])
    """

    def __init__(
        self,
        n_codes: int,
        n_leads: int,
        n_samples: int,
        units: Sequence[int],
        step_size: int = 8,
    ) -> None:
        super().__init__()
        widths = [n_codes, *reversed(units)]
        self.position = nn.Parameter(torch.randn(math.ceil(n_samples / step_size), n_codes))
        self.layers = nn.ModuleList(
            nn.LSTM(before, after, batch_first=True) for before, after in pairwise(widths)
        )
        self.write = nn.Linear(widths[-1], n_leads * step_size)
        self.n_samples = n_samples
        self.step_shape = (n_leads, step_size)

    def forward(self, codes: Tensor) -> Tensor:
        """Decode (batch, n_codes) to (batch, n_leads, n_samples)."""
        steps = codes.unsqueeze(1) + self.position
        for layer in self.layers:
            steps, _ = layer(steps)
        written = self.write(steps).unflatten(2, self.step_shape)
        return written.transpose(1, 2).flatten(2)[..., : self.n_samples]


def dense_autoencoder(
    n_codes: int, n_leads: int, n_samples: int, n_tabular: int = 0, *, dense: Sequence[int]
) -> Autoencoder:
    """Build an autoencoder of fully connected layers.

    Parameters
    ----------
    n_codes, n_leads, n_samples, n_tabular : int
    dense : sequence of int
        Units of each layer with a ReLU on the way to the code; the decoder mirrors them.
        Without any, the network is linear, and at its best as good as the first `n_codes`
        principal components: Baldi and Hornik, Neural Networks 2, 1989.

    Returns
    -------
    Autoencoder

    Examples
    --------
    >>> import torch
    >>> network = dense_autoencoder(8, n_leads=1, n_samples=187, dense=(64,))
    >>> network(torch.zeros(2, 187)).shape
    torch.Size([2, 187])
    """
    widths = [n_leads * n_samples, *dense]
    encoder = nn.Sequential(nn.Flatten(), *_rectified(widths))
    decoder = DenseDecoder(n_codes, n_leads, n_samples, tuple(reversed(dense)))
    return Autoencoder(encoder, widths[-1], decoder, n_codes, n_leads, n_samples, n_tabular)


def conv_autoencoder(
    n_codes: int,
    n_leads: int,
    n_samples: int,
    n_tabular: int = 0,
    *,
    filters: Sequence[int],
    kernel_size: int = 5,
    stride: int = 2,
) -> Autoencoder:
    """Build an autoencoder of convolutions.

    Parameters
    ----------
    n_codes, n_leads, n_samples, n_tabular : int
    filters : sequence of int
        Filters of each convolution of the encoder; the decoder mirrors them.
    kernel_size, stride : int
        Of all convolutions.

    Returns
    -------
    Autoencoder

    Examples
    --------
    >>> import torch
    >>> network = conv_autoencoder(8, n_leads=1, n_samples=187, filters=(8, 16))
    >>> network(torch.zeros(2, 187)).shape
    torch.Size([2, 187])
    """
    layers = [ConvLayer(n, kernel_size, stride) for n in filters]
    encoder = ConvEncoder(n_leads, n_samples, layers, batch_norm=False, global_pool=None)
    decoder = ConvDecoder(n_codes, n_leads, n_samples, filters, kernel_size, stride)
    return Autoencoder(
        encoder, encoder.out_features, decoder, n_codes, n_leads, n_samples, n_tabular
    )


def recurrent_autoencoder(
    n_codes: int,
    n_leads: int,
    n_samples: int,
    n_tabular: int = 0,
    *,
    units: Sequence[int],
    step_size: int = 8,
) -> Autoencoder:
    """Build an autoencoder of LSTM layers.

    Parameters
    ----------
    n_codes, n_leads, n_samples, n_tabular : int
    units : sequence of int
        Units of each layer of the encoder; the decoder mirrors them.
    step_size : int, default=8
        Samples of each lead in one step.

    Returns
    -------
    Autoencoder

    Examples
    --------
    >>> import torch
    >>> network = recurrent_autoencoder(8, n_leads=1, n_samples=187, units=(16,))
    >>> network(torch.zeros(2, 187)).shape
    torch.Size([2, 187])
    """
    encoder = RecurrentEncoder(n_leads, n_samples, units, step_size=step_size, mask_zeros=False)
    decoder = RecurrentDecoder(n_codes, n_leads, n_samples, units, step_size)
    return Autoencoder(
        encoder, encoder.out_features, decoder, n_codes, n_leads, n_samples, n_tabular
    )


def _rectified(widths: Sequence[int]) -> list[nn.Module]:
    """Build linear layers from each width to the next, with a ReLU after each."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return layers
