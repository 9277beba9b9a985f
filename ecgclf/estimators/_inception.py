"""Inception classifier."""

from __future__ import annotations

from ecgclf._parameters import PositiveInt
from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._per_layer import WidthsNotEmpty
from ecgclf.modules import GlobalPool, InceptionEncoder


class ECGInceptionClassifier(BeatClassifier):
    """Inception network for heartbeats and recordings.

    Modules of parallel convolutions with kernels of several lengths; shortcuts; a global pooling;
    dense layers; softmax. The defaults are InceptionTime [1]_, which Strodthoff et al. [2]_ apply
    to recordings of 12 leads.

    Parameters
    ----------
    filters : int, default=32
        Number of filters of each branch of a module.
    kernel_sizes : sequence of int, default=(39, 19, 9)
        Length of the kernels of each convolution in a module, in samples.
    bottleneck : int, default=32
        Number of channels before these convolutions.
    n_modules : int, default=6
        Number of modules; a shortcut bridges each three.
    global_pool : {"avg", "max", "avg_max"} or None, default="avg"
        Pooling of each filter over time. "avg_max" concatenates mean and maximum; None flattens
        instead of pooling.

    References
    ----------
    .. [1] H. Ismail Fawaz et al., "InceptionTime: finding AlexNet for time series
       classification", Data Mining and Knowledge Discovery 34, 2020, arXiv:1909.04939.
    .. [2] N. Strodthoff, P. Wagner, T. Schaeffter and W. Samek, "Deep learning for ECG analysis:
       benchmarks and insights from PTB-XL", IEEE J Biomed Health Inform 25(5), 2021,
       arXiv:2004.13701.

    Examples
    --------
    >>> from ecgclf import ECGInceptionClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    >>> model = ECGInceptionClassifier(filters=4, n_modules=3, max_epochs=2, random_state=0)
    >>> model.fit(X, y).predict(X[:3]).shape
    (3,)
    """

    filters: PositiveInt = 32
    kernel_sizes: WidthsNotEmpty = (39, 19, 9)
    bottleneck: PositiveInt = 32
    n_modules: PositiveInt = 6
    global_pool: GlobalPool = "avg"

    def _make_encoder(self, n_leads: int, n_samples: int) -> InceptionEncoder:
        return InceptionEncoder(
            n_leads,
            n_samples,
            filters=self.filters,
            kernel_sizes=self.kernel_sizes,
            bottleneck=self.bottleneck,
            n_modules=self.n_modules,
            global_pool=self.global_pool,
        )
