"""Features of beats relative to their record."""

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ecgclf.datasets import Beats
from ecgclf.transforms import RecordRelative, RhythmFeatures


def compare_with_record(beats: Beats) -> pd.DataFrame:
    """Compute the difference from the mean beat of the record, and rhythm features."""
    keys, signal = ["record", "sample"], list(beats.data.columns)
    difference = RecordRelative(n_beats=None, relation=np.subtract)
    bounded = FunctionTransformer(np.arctan, feature_names_out="one-to-one")
    prepare = ColumnTransformer(
        [
            ("difference", difference, [*keys, *signal]),
            ("rhythm", make_pipeline(RhythmFeatures(), bounded), keys),
        ],
        verbose_feature_names_out=False,
    )
    return prepare.set_output(transform="pandas").fit_transform(beats.frame)
