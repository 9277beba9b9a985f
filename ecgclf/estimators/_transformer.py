"""Transformer classifier."""

from __future__ import annotations

from typing import Literal

from ecgclf._parameters import PositiveFloat, PositiveInt, Share
from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.modules import TransformerEncoder


class ECGTransformerClassifier(BeatClassifier):
    """Transformer for heartbeats.

    The beat is cut into patches, which are embedded with sinusoidal positions and pass through
    blocks of self-attention and fully connected layers. The mean of the patches, or a class
    token, is classified.

    Parameters
    ----------
    patch_size : int, default=8
        Number of samples in a patch.
    width : int, default=64
        Length of the embedding of a patch; even, and divisible by `n_heads`.
    n_heads : int, default=4
        Number of attention heads.
    n_layers : int, default=3
        Number of transformer blocks.
    block_dense : int, default=128
        Units of the fully connected hidden layer in each block.
    block_dropout : float, default=0.0
        Dropout rate after the attention and after the fully connected layers of each block.
    pool : {"mean", "token"}, default="mean"
        Input of the classification: the mean of the patches, or an additional learned token.
    lr : float, default=4e-3
        Highest learning rate. It is lower than for the other networks, because higher rates
        make attention diverge.

    Notes
    -----
    Vaswani et al., "Attention is all you need", NeurIPS 2017 (arXiv:1706.03762); patches as in
    Dosovitskiy et al., ICLR 2021 (arXiv:2010.11929); layer norms first as in Xiong et al., ICML
    2020 (arXiv:2002.04745).

    Examples
    --------
    >>> from ecgclf import ECGTransformerClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> ECGTransformerClassifier(width=16, random_state=0).fit(X, y).predict(X[:3]).shape
    (3,)
    """

    patch_size: PositiveInt = 8
    width: PositiveInt = 64
    n_heads: PositiveInt = 4
    n_layers: PositiveInt = 3
    block_dense: PositiveInt = 128
    block_dropout: Share = 0.0
    pool: Literal["mean", "token"] = "mean"
    lr: PositiveFloat = 4e-3

    def _make_encoder(self, n_leads: int, n_samples: int) -> TransformerEncoder:
        if self.width % self.n_heads or self.width % 2:
            raise ValueError(
                f"width={self.width} must be even and divisible by n_heads={self.n_heads}: "
                "change one of them."
            )
        return TransformerEncoder(
            n_leads,
            n_samples,
            patch_size=self.patch_size,
            width=self.width,
            n_heads=self.n_heads,
            n_layers=self.n_layers,
            dense=self.block_dense,
            dropout=self.block_dropout,
            pool=self.pool,
        )
