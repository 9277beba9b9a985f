"""The transformer classifier."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar, Literal

from sklearn.utils._param_validation import Interval, StrOptions

from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.modules import TransformerEncoder

_COUNT = [Interval(Integral, 1, None, closed="left")]


@dataclass(kw_only=True, eq=False, repr=False)
class ECGTransformerClassifier(BeatClassifier):
    """Transformer for heartbeats.

    The beat is cut into patches; each is embedded, told its position by sines, and takes part
    in self-attention; the mean of what becomes of them, or a class token, is classified.

    Parameters
    ----------
    patch_size : int, default=8
        Samples in a patch.
    width : int, default=64
        Length of the embedding of a patch; even, and divisible by `n_heads`.
    n_heads : int, default=4
        Attention heads.
    n_layers : int, default=3
        Transformer blocks.
    block_dense : int, default=128
        Units of the fully connected layer in each block.
    block_dropout : float, default=0.0
        Dropout at the end of both parts of a block.
    pool : {"mean", "token"}, default="mean"
        "token" classifies a token that is learned.
    lr : float, default=4e-3
        Lower than that of the other networks: attention does not bear more.

    See Also
    --------
    ecgclf.estimators.BeatClassifier : the parameters shared by all networks, such as `dense`,
        `max_epochs`, `batch_size`, `class_weight`, `early_stopping`, `device` and
        `random_state`, and the fitted attributes.

    Notes
    -----
    Vaswani et al., "Attention is all you need", NeurIPS 2017 (arXiv:1706.03762); patches as in
    Dosovitskiy et al., ICLR 2021 (arXiv:2010.11929); norms in front as in Xiong et al., ICML
    2020 (arXiv:2002.04745).

    Examples
    --------
    >>> from ecgclf import ECGTransformerClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> model = ECGTransformerClassifier(width=16, batch_size=32, random_state=0).fit(X, y)
    >>> model.predict(X[:3]).shape
    (3,)
    """

    patch_size: int = 8
    width: int = 64
    n_heads: int = 4
    n_layers: int = 3
    block_dense: int = 128
    block_dropout: float = 0.0
    pool: Literal["mean", "token"] = "mean"
    lr: float = 4e-3

    _parameter_constraints: ClassVar[dict] = {
        **BeatClassifier._parameter_constraints,
        "patch_size": _COUNT,
        "width": _COUNT,
        "n_heads": _COUNT,
        "n_layers": _COUNT,
        "block_dense": _COUNT,
        "block_dropout": [Interval(Real, 0, 1, closed="left")],
        "pool": [StrOptions({"mean", "token"})],
    }

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
