"""The frame of every network: an encoder, per-beat features, a dense head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ecgclf.modules._dropout import Dropout


class Encoder(nn.Module):
    """Base of the signal part of a network.

    From a Tensor of shape (batch, n_leads, n_samples) to one of (batch, out_features).

    Attributes
    ----------
    out_features : int
        Width of the output.

    Examples
    --------
    >>> class Mean(Encoder):
    ...     def __init__(self, n_leads):
    ...         super().__init__()
    ...         self.out_features = n_leads
    ...
    ...     def forward(self, x):
    ...         return x.mean(dim=2)
    >>> Mean(n_leads=2)(torch.zeros(4, 2, 100)).shape
    torch.Size([4, 2])
    """

    out_features: int


class FlatEncoder(Encoder):
    """No encoder at all: the samples of all leads one after another.

    Parameters
    ----------
    n_leads, n_samples : int
        Shape of one beat.

    Examples
    --------
    >>> FlatEncoder(2, 100)(torch.zeros(4, 2, 100)).shape
    torch.Size([4, 200])
    """

    def __init__(self, n_leads: int, n_samples: int) -> None:
        super().__init__()
        self.out_features = n_leads * n_samples

    def forward(self, x: Tensor) -> Tensor:
        """Flatten beats of shape (batch, n_leads, n_samples)."""
        return x.flatten(1)


class DenseHead(nn.Sequential):
    """Fully connected layers that end in the logits.

    Parameters
    ----------
    in_features : int
    n_outputs : int
    dense : sequence of int, default=()
        Units of each hidden layer.
    dense_dropout : sequence of float, default=()
        Dropout after each hidden layer, one number a layer; none where it is empty.

    Examples
    --------
    >>> import torch
    >>> DenseHead(144, 5, dense=(64,), dense_dropout=(0.1,))(torch.zeros(2, 144)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        in_features: int,
        n_outputs: int,
        dense: Sequence[int] = (),
        dense_dropout: Sequence[float] = (),
    ) -> None:
        layers: list[nn.Module] = []
        for i, units in enumerate(dense):
            layers += [nn.Linear(in_features, units), nn.ReLU()]
            if dense_dropout and dense_dropout[i]:
                layers.append(Dropout(dense_dropout[i]))
            in_features = units
        super().__init__(*layers, nn.Linear(in_features, n_outputs))


class BeatNetwork(nn.Module):
    """Encode the signal, append the per-beat features, classify.

    Parameters
    ----------
    encoder : Encoder
    head : Module
        Takes ``(batch, encoder.out_features + n_tabular)``, gives ``(batch, n_outputs)``.
        For `features` its layers have to follow one another, as in `DenseHead`.
    n_leads, n_samples : int
        Shape of one beat.
    n_tabular : int, default=0
        Number of per-beat features that follow the signal in a row of the input.

    Examples
    --------
    >>> import torch
    >>> from ecgclf.modules import ConvEncoder
    >>> encoder = ConvEncoder(n_leads=2, n_samples=100, filters=(8,))
    >>> head = DenseHead(encoder.out_features + 3, 5)
    >>> network = BeatNetwork(encoder, head, n_leads=2, n_samples=100, n_tabular=3)
    >>> network(torch.zeros(4, 203)).shape
    torch.Size([4, 5])
    """

    def __init__(
        self,
        encoder: Encoder,
        head: nn.Module,
        n_leads: int,
        n_samples: int,
        n_tabular: int = 0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.n_leads = n_leads
        self.n_samples = n_samples
        self.n_tabular = n_tabular

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits.

        Parameters
        ----------
        x : Tensor of shape (batch, n_leads * n_samples + n_tabular)
            The leads of a beat one after another, then its features.

        Returns
        -------
        Tensor of shape (batch, n_outputs)
        """
        return self.head(self._encoded(x))

    def features(self, x: Tensor) -> Tensor:
        """Compute what the last layer makes the logits of.

        Parameters
        ----------
        x : Tensor of shape (batch, n_leads * n_samples + n_tabular)

        Returns
        -------
        Tensor of shape (batch, n_features)
        """
        x = self._encoded(x)
        for layer in list(self.head.children())[:-1]:
            x = layer(x)
        return x

    def _encoded(self, x: Tensor) -> Tensor:
        """Encode the signal and append the per-beat features."""
        width = self.n_leads * self.n_samples
        features = self.encoder(x[:, :width].reshape(-1, self.n_leads, self.n_samples))
        if self.n_tabular:
            features = torch.cat([features, x[:, width:]], dim=1)
        return features
