"""The residual classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._estimator import EachLayer, per_layer
from ecgclf.modules import Block, GlobalPool, ResidualEncoder, ResidualStage

_COUNT = Interval(Integral, 1, None, closed="left")
_COUNTS = EachLayer(Integral, 1, None, closed="left")


@dataclass(kw_only=True, eq=False, repr=False)
class ECGResNetClassifier(BeatClassifier):
    """Residual network for heartbeats.

    A convolution; stages of residual blocks, each stage shorter and wider than the one before;
    a pooling over the time that is left; dense layers; softmax. A parameter that belongs to a
    stage takes one value for all of them or a sequence with one for each.

    Parameters
    ----------
    block : {"basic", "bottleneck", "pooled"}, default="basic"
        "basic" is two convolutions, each with batch norm; "bottleneck" a convolution at a
        quarter of the width between two of kernel 1, batch norm and ReLU before each; "pooled"
        two convolutions without batch norm, then max pooling. `ResidualEncoder` has the
        formulas and the papers.
    filters : sequence of int, default=(32, 64, 96, 128)
        Filters of each stage; its length is the number of stages.
    n_blocks : int or sequence of int, default=1
        Blocks in each stage.
    kernel_size : int or sequence of int, default=5
    stride : int, sequence of int or None, default=None
        By what the first block of a stage divides the length. None is 1 for the first stage
        and 2 for all others.
    stem_filters : int, default=32
        Filters of the convolution before the first stage.
    stem_kernel_size : int, default=7
    stem_stride : int, default=2
    pool_size : int, default=5
        Window of the max pooling in "pooled" blocks; no other block pools.
    squeeze_excite : bool, default=True
        Let each block weigh its channels by what the whole beat looks like.
    block_dropout : float, default=0.0
        Dropout before the last convolution of each block.
    global_pool : {"avg", "max", "avg_max"} or None, default="avg_max"
        "avg_max" is both side by side; None flattens what is left.

    See Also
    --------
    ecgclf.estimators.BeatClassifier : the parameters shared by all networks, such as `dense`,
        `max_epochs`, `batch_size`, `lr`, `class_weight`, `early_stopping`, `device` and
        `random_state`, and the fitted attributes.
    ECGCNNClassifier : a network without shortcuts, at about half the cost.

    Notes
    -----
    The defaults have 293,069 parameters for one lead and five classes, and were chosen on a
    quarter of the Kaggle training rows held out, after 10 epochs on the others:

    =========================================  ==========  ========  ========
    network                                    parameters  accuracy  macro-F1
    =========================================  ==========  ========  ========
    the default                                   293,069    0.9900    0.9430
    without squeeze and excitation                285,029    0.9894    0.9377
    ... and ``lr=5e-3``                           285,029    0.9899    0.9413
    ... and ``filters=(32, 48, 64, 96)``          155,461    0.9895    0.9414
    ... and ``filters=(32, 64, 128)``             176,933    0.9890    0.9371
    =========================================  ==========  ========  ========

    These are single runs; a part of such small differences is chance.

    The network of Kachuee et al. is ``block="pooled", filters=(32,) * 5, stride=2,
    stem_kernel_size=5, stem_stride=1, squeeze_excite=False, global_pool=None, dense=(32,
    32)``. Their paper says nothing about padding; here all poolings pad, so 187 samples end as
    6, for 59,109 parameters.

    The pre-activation network of 398 layers is ``block="bottleneck", filters=(64, 128, 256),
    n_blocks=44, kernel_size=3, stem_filters=16, stem_stride=1, squeeze_excite=False,
    global_pool="avg"``. Its published count, 2,782,725, is as Keras counts: with the 59,168
    running means and variances of the batch norms. 2,723,557 parameters are learned.

    Examples
    --------
    >>> from ecgclf import ECGResNetClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=300, random_state=0, return_X_y=True)
    >>> model = ECGResNetClassifier(filters=(16, 32), batch_size=32, random_state=0).fit(X, y)
    >>> model.predict(X[:3]).shape
    (3,)
    """

    block: Block = "basic"
    filters: Sequence[int] = (32, 64, 96, 128)
    n_blocks: int | Sequence[int] = 1
    kernel_size: int | Sequence[int] = 5
    stride: int | Sequence[int] | None = None
    stem_filters: int = 32
    stem_kernel_size: int = 7
    stem_stride: int = 2
    pool_size: int = 5
    squeeze_excite: bool = True
    block_dropout: float = 0.0
    global_pool: GlobalPool = "avg_max"

    _parameter_constraints: ClassVar[dict] = {
        **BeatClassifier._parameter_constraints,
        "block": [StrOptions({"basic", "bottleneck", "pooled"})],
        "filters": [EachLayer(Integral, 1, None, closed="left", at_least=1)],
        "n_blocks": [_COUNT, _COUNTS],
        "kernel_size": [_COUNT, _COUNTS],
        "stride": [_COUNT, _COUNTS, None],
        "stem_filters": [_COUNT],
        "stem_kernel_size": [_COUNT],
        "stem_stride": [_COUNT],
        "pool_size": [_COUNT],
        "squeeze_excite": ["boolean"],
        "block_dropout": [Interval(Real, 0, 1, closed="left")],
        "global_pool": [StrOptions({"avg", "max", "avg_max"}), None],
    }

    def _make_encoder(self, n_leads: int, n_samples: int) -> ResidualEncoder:
        return ResidualEncoder(
            n_leads,
            n_samples,
            self._stages(),
            block=self.block,
            stem_filters=self.stem_filters,
            stem_kernel_size=self.stem_kernel_size,
            stem_stride=self.stem_stride,
            pool_size=self.pool_size,
            squeeze_excite=self.squeeze_excite,
            block_dropout=self.block_dropout,
            global_pool=self.global_pool,
        )

    def _stages(self) -> list[ResidualStage]:
        """Gather what belongs to each stage."""
        n_stages = len(self.filters)
        stride = (1, *[2] * (n_stages - 1)) if self.stride is None else self.stride
        columns = [
            per_layer(name, value, n_stages, "filters")
            for name, value in [
                ("filters", self.filters),
                ("n_blocks", self.n_blocks),
                ("kernel_size", self.kernel_size),
                ("stride", stride),
            ]
        ]
        return [ResidualStage(*values) for values in zip(*columns)]
