"""A pipeline of filter, resampler, spectrogram and network on real records, by patients."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline

from ecgclf import ECGSpectrogramClassifier
from ecgclf.datasets import load_mitbih
from ecgclf.transforms import BandpassFilter, SignalResampler, Spectrogram

#: Each with normal and ventricular beats.
RECORDS = ["106", "119", "200", "208", "221", "233"]


@pytest.fixture(scope="module")
def beats(mitdb_dir):
    """One beat in ten of two classes."""
    every = load_mitbih(mitdb_dir, records=RECORDS)
    chosen = np.isin(every.target, ["N", "V"]) & (np.arange(len(every.target)) % 10 == 0)
    return every.select(chosen)


def test_a_grid_search_by_patients(beats):
    pipeline = Pipeline(
        [
            ("filter", BandpassFilter(fs=360)),
            ("resampler", SignalResampler(fs_in=360, fs_out=120)),
            ("spectrogram", Spectrogram(fs=120, frame=24, hop=4)),
            (
                "network",
                ECGSpectrogramClassifier(
                    filters=(8, 16), batch_size=32, max_epochs=2, verbose=0, random_state=0
                ),
            ),
        ]
    )
    search = GridSearchCV(
        pipeline,
        {"filter__low": [0.5, None], "spectrogram__high": [30, None]},
        scoring="balanced_accuracy",
        cv=StratifiedGroupKFold(2),
        error_score="raise",
    )
    search.fit(beats.data, beats.target, groups=beats.groups)
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 4
    # Balanced accuracy is one half for a network that has learned nothing.
    assert search.best_score_ > 0.7
    predicted = search.predict(beats.data)
    assert set(predicted) == {"N", "V"}
