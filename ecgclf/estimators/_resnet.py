"""Residual classifier."""

from __future__ import annotations

from ecgclf._parameters import PositiveInt, Share
from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._per_layer import IntPerLayer, WidthsNotEmpty
from ecgclf.modules import Block, GlobalPool, ResidualEncoder, ResidualStage


class ECGResNetClassifier(BeatClassifier):
    """Residual network for heartbeats.

    A convolution; stages of residual blocks, each stage shorter and wider than the previous
    one; a global pooling; dense layers; softmax.

    Parameters
    ----------
    block : {"basic", "bottleneck", "xresnet", "pooled"}, default="basic"
        Type of the residual blocks. With the input ``x`` of a block, batch norm ``BN``, a
        convolution ``Ck`` with `kernel_size` and ``C1`` with kernel size 1, its output is

        - "basic": ``ReLU(BN(Ck(ReLU(BN(Ck(x))))) + x)`` [1]_,
        - "bottleneck": ``C1(r(Ck(r(C1(r(x)))))) + x`` with ``r(x) = ReLU(BN(x))`` [2]_,
        - "xresnet": ``ReLU(BN(C1(ReLU(BN(Ck(ReLU(BN(C1(x)))))))) + x)``, where the last batch
          norm starts at 0 [3]_,
        - "pooled": ``MP(ReLU(Ck(ReLU(Ck(x))) + x))`` with a max pooling ``MP`` [4]_.

        The first two convolutions of "bottleneck" and "xresnet" have a quarter of the filters.
        The first convolution has the stride, but in "xresnet" ``Ck`` and in "pooled" ``MP``.
        Where the shapes differ, a ``C1`` projects ``x``; in "basic" and "xresnet" it comes after
        an average pooling with the stride and before a batch norm [3]_.
    filters : sequence of int, default=(32, 64, 96, 128)
        Number of filters in each stage. Its length is the number of stages.
    n_blocks : int or sequence of int, default=1
        Number of blocks in each stage, one value for all stages or one for each.
    kernel_size : int or sequence of int, default=5
        Length of the kernels of each stage in samples.
    stride : int, sequence of int or None, default=None
        Factor by which the first block of each stage shortens the signal. None is 1 for the
        first stage and 2 for the others.
    stem_filters : int or sequence of int, default=32
        Number of filters of the convolution before the first stage, or of several such
        convolutions.
    stem_kernel_size : int, default=7
        Length of the kernels of these convolutions in samples.
    stem_stride : int, default=2
        Step of the first of these convolutions in samples.
    stem_pool_size : int or None, default=None
        Window in samples of a max pooling with stride 2 after these convolutions.
    pool_size : int, default=5
        Window of the max pooling in "pooled" blocks, in samples.
    squeeze_excite : bool, default=True
        Scale the channels of each block by factors computed from the whole beat (squeeze and
        excitation: Hu, Shen and Sun, CVPR 2018, arXiv:1709.01507).
    block_dropout : float, default=0.0
        Dropout rate before the last convolution of each block [5]_.
    global_pool : {"avg", "max", "avg_max"} or None, default="avg_max"
        Pooling of each filter over the remaining time. "avg_max" concatenates mean and
        maximum; None flattens instead of pooling.

    Notes
    -----
    The page "Published networks" of the documentation compares the default network, of 293,069
    parameters for one lead and five classes, with smaller ones. It and the page "Recordings of
    twelve leads" give the parameters of published residual networks.

    References
    ----------
    .. [1] He et al., "Deep residual learning for image recognition", CVPR 2016,
       arXiv:1512.03385.
    .. [2] He et al., "Identity mappings in deep residual networks", ECCV 2016,
       arXiv:1603.05027.
    .. [3] He et al., "Bag of tricks for image classification with convolutional neural
       networks", CVPR 2019, arXiv:1812.01187, "ResNet-D".
    .. [4] Kachuee, Fazeli and Sarrafzadeh, "ECG heartbeat classification: a deep transferable
       representation", ICHI 2018, arXiv:1805.00794, figure 2.
    .. [5] Zagoruyko and Komodakis, "Wide residual networks", BMVC 2016, arXiv:1605.07146.

    Examples
    --------
    >>> from ecgclf import ECGResNetClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=300, random_state=0, return_X_y=True)
    >>> ECGResNetClassifier(filters=(16, 32), random_state=0).fit(X, y).predict(X[:3]).shape
    (3,)
    """

    block: Block = "basic"
    filters: WidthsNotEmpty = (32, 64, 96, 128)
    n_blocks: IntPerLayer = 1
    kernel_size: IntPerLayer = 5
    stride: IntPerLayer | None = None
    stem_filters: PositiveInt | WidthsNotEmpty = 32
    stem_kernel_size: PositiveInt = 7
    stem_stride: PositiveInt = 2
    stem_pool_size: PositiveInt | None = None
    pool_size: PositiveInt = 5
    squeeze_excite: bool = True
    block_dropout: Share = 0.0
    global_pool: GlobalPool = "avg_max"

    def _make_encoder(self, n_leads: int, n_samples: int) -> ResidualEncoder:
        names = ("filters", "n_blocks", "kernel_size", "stride")
        columns = [self._per_layer(name, "filters") for name in names]
        if self.stride is None:
            columns[-1] = [1, *[2] * (len(self.filters) - 1)]
        return ResidualEncoder(
            n_leads,
            n_samples,
            [ResidualStage(*values) for values in zip(*columns)],
            block=self.block,
            stem_filters=self.stem_filters,
            stem_kernel_size=self.stem_kernel_size,
            stem_stride=self.stem_stride,
            stem_pool_size=self.stem_pool_size,
            pool_size=self.pool_size,
            squeeze_excite=self.squeeze_excite,
            block_dropout=self.block_dropout,
            global_pool=self.global_pool,
        )
