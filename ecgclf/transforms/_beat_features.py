"""What the transformers share that make a few figures of each lead of a beat."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from ecgclf.transforms._transformer import BeatTransformer


class BeatFeatures(BeatTransformer):
    """Base of the transformers from beats to features: the same ones of each lead."""

    _gives_signals = False

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray:
        """Name the columns that `transform` gives.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str
            With several leads each name begins with its lead, as in ``lead_0_kurtosis``.
        """
        check_is_fitted(self, "n_leads_")
        leads = [""] if self.n_leads_ == 1 else [f"lead_{i}_" for i in range(self.n_leads_)]
        return np.array([lead + name for lead in leads for name in self._names()], dtype=object)

    def _change(self, signals: NDArray) -> NDArray:
        values = self._measure(signals)
        return values.reshape(len(values), -1).astype(signals.dtype, copy=False)

    @abstractmethod
    def _measure(self, signals: NDArray) -> NDArray:
        """Measure beats of (n_beats, n_leads, n_samples); give (n_beats, n_leads, n_names)."""

    @abstractmethod
    def _names(self) -> Sequence[str]:
        """Name the features of one lead."""
