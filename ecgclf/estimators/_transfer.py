"""Transfer classifier."""

from __future__ import annotations

import copy
import os
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from ecgclf import training
from ecgclf._model_file import read_model
from ecgclf.estimators._classifier import BeatClassifier
from ecgclf.estimators._estimator import BeatEstimator
from ecgclf.estimators._per_layer import Widths
from ecgclf.estimators._saving import CLASSES
from ecgclf.modules import PretrainedEncoder


class ECGTransferClassifier(BeatClassifier):
    """Classifier on the encoder of a trained network, with new dense layers.

    Parameters
    ----------
    source : fitted estimator of ecgclf, str or path-like
        A classifier or an autoencoder, or the path of a saved one, which `fit` loads. Its
        encoder is copied; `source` is never changed, and `sklearn.base.clone` does not clone
        it.
    strategy : {"frozen", "finetune", "gradual"}, default="frozen"
        Which layers are trained. "frozen" trains only the new layers. "finetune" trains the
        whole network. "gradual" first trains the new layers, then unfreezes the layers of the
        encoder one by one, starting from the last [1]_; in the last epoch all layers are
        trained. In `partial_fit`, which has no last epoch, "gradual" means "frozen".
    combine_leads : {"mix", "pool", "concatenate"}, default="mix"
        What happens if the beats have another number of leads than those of `source`. "mix": a
        linear layer maps them to the leads of the source. The others apply the encoder of a
        source with one lead to each lead, with the same weights; "pool" takes the mean and the
        maximum of the features over the leads, and "concatenate" joins them, so that the new
        layers know the lead.

    Attributes
    ----------
    source_ : fitted estimator of ecgclf
        The parameter `source`, or the model loaded from that file.

    Notes
    -----
    The beats may differ from those of `source` in their classes, in the number of leads and, if
    the encoder ends in a global pooling, in length. They should have the same sampling rate and
    scaling. The defaults are those of Kachuee et al. [2]_.

    References
    ----------
    .. [1] J. Howard and S. Ruder, "Universal language model fine-tuning for text
       classification", ACL 2018, arXiv:1801.06146 (gradual unfreezing).
    .. [2] M. Kachuee, S. Fazeli and M. Sarrafzadeh, "ECG heartbeat classification: a deep
       transferable representation", IEEE ICHI 2018, arXiv:1805.00794.

    Examples
    --------
    >>> from ecgclf import ECGCNNClassifier, ECGTransferClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=300, random_state=0, return_X_y=True)
    >>> source = ECGCNNClassifier(max_epochs=5, batch_size=32, random_state=0).fit(X, y)
    >>> model = ECGTransferClassifier(source=source, dense=(16,), max_epochs=5, random_state=0)
    >>> model.fit(X, y != "N").predict(X[:2]).dtype
    dtype('bool')
    >>> int(model.parameter_table().query("trains")["size"].sum()) < 3000
    True
    """

    source: Annotated[Any, BeatEstimator, str, os.PathLike] = None
    strategy: Literal["frozen", "finetune", "gradual"] = "frozen"
    combine_leads: Literal["mix", "pool", "concatenate"] = "mix"
    dense: Widths = (256, 128)

    def parameter_table(self) -> pd.DataFrame:
        """List the parameters of the network and whether they are trained.

        Returns
        -------
        DataFrame
            Indexed by name, with the columns ``shape``, ``size`` (number of weights) and
            ``trains`` (whether it was trained in the last epoch).
        """
        check_is_fitted(self)
        return pd.DataFrame(
            {
                name: (tuple(parameter.shape), parameter.numel(), parameter.requires_grad)
                for name, parameter in self.net_.module_.named_parameters()
            },
            index=["shape", "size", "trains"],
        ).T.infer_objects()

    def _begin(self, seed: int | None = None) -> None:
        """Load the source once, before the first network is built."""
        is_model = isinstance(self.source, BeatEstimator)
        self.source_: Any = self.source if is_model else read_model(self.source, CLASSES)
        super()._begin(seed)

    def _make_encoder(self, n_leads: int, n_samples: int) -> PretrainedEncoder:
        check_is_fitted(self.source_)
        if not getattr(self.source_, "_takes_rows", True):
            raise ValueError(
                f"source is an {type(self.source_).__name__}, whose encoder takes a beat and its "
                "references. Give a network that takes single beats."
            )
        encoder = PretrainedEncoder(
            copy.deepcopy(self.source_.net_.module_.encoder).cpu(),
            n_leads,
            self.source_.n_leads_,
            self.combine_leads,
        )
        self._check_length(encoder)
        if self.strategy != "finetune":
            encoder.freeze(encoder.n_layers)
        return encoder

    def _check_length(self, encoder: PretrainedEncoder) -> None:
        """Check that the encoder takes beats of the new length."""
        if self.n_samples_ == self.source_.n_samples_:
            return
        beat = torch.zeros(2, self.n_leads_, self.n_samples_)
        try:
            with torch.no_grad():
                fits = encoder.eval()(beat).shape[1] == encoder.out_features
        except RuntimeError:
            fits = False
        if not fits:
            raise ValueError(
                f"The beats have {self.n_samples_} samples, but the encoder of source was made "
                f"for {self.source_.n_samples_} and takes no other length. Cut the beats to that "
                "length, or use a source with a global pooling."
            )

    def _fit_callbacks(self, n_batches: int) -> list[training.Callback]:
        callbacks = super()._fit_callbacks(n_batches)
        if self.strategy == "gradual":
            callbacks.append(training.GradualUnfreezing(self.max_epochs))
        return callbacks

    def _get_fitted(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        values, arrays = super()._get_fitted()
        return {**values, "n_frozen": self.net_.module_.encoder.n_frozen}, arrays

    def _set_fitted(self, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        super()._set_fitted(values, arrays)
        encoder = self.net_.module_.encoder
        if values["n_frozen"] != encoder.n_frozen:  # layers were unfrozen in training
            encoder.freeze(values["n_frozen"])

    def __sklearn_clone__(self) -> ECGTransferClassifier:
        # clone() would replace the source by an unfitted copy.
        parameters = self.get_params(deep=False)
        return type(self)(
            **{
                name: value if name == "source" else clone(value, safe=False)
                for name, value in parameters.items()
            }
        )
