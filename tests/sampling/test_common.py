"""What every sampler must do; one table of instances drives it."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import ADASYN
from imblearn.under_sampling import EditedNearestNeighbours
from imblearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
)
from imblearn.utils.estimator_checks import (
    parametrize_with_checks as parametrize_with_imblearn_checks,
)
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from ecgclf.sampling import BeatOverSampler, BeatSampler, BeatSMOTE, BeatUnderSampler
from ecgclf.transforms import GaussianNoise

#: Every sampler, and the adapter around those that pick, make and do both.
SAMPLERS = [
    BeatOverSampler(random_state=0),
    BeatOverSampler(augment=GaussianNoise(), random_state=0),
    BeatUnderSampler(random_state=0),
    BeatSMOTE(random_state=0),
    BeatSampler(EditedNearestNeighbours()),
    BeatSampler(ADASYN(random_state=0)),
    BeatSampler(SMOTEENN(random_state=0)),
]

every_sampler = pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)


@parametrize_with_checks(SAMPLERS)
def test_scikit_learn_finds_nothing_wrong(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore")
@parametrize_with_imblearn_checks(SAMPLERS)
def test_imbalanced_learn_finds_nothing_wrong(estimator, check):
    check(estimator)


@every_sampler
def test_parameters_and_names_as_in_imbalanced_learn(sampler):
    check_param_validation(type(sampler).__name__, sampler)
    check_dataframe_column_names_consistency(type(sampler).__name__, sampler)
