"""What is refused, and that the message says why."""

from __future__ import annotations

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from scipy import sparse

from ecgclf.sampling import BeatOverSampler, BeatSampler, BeatSMOTE, BeatUnderSampler

every_sampler = pytest.mark.parametrize(
    "sampler",
    [
        BeatOverSampler(),
        BeatUnderSampler(),
        BeatSMOTE(k_neighbors=1),
        # Alone it takes missing values.
        BeatSampler(RandomOverSampler()),
    ],
    ids=repr,
)
every_form = pytest.mark.parametrize("shape", [(10, 12), (10, 2, 6)], ids=["2-D", "3-D"])

Y = np.array(["N"] * 7 + ["V"] * 3)


def with_value(shape, value):
    X = np.zeros(shape)
    X[3, ..., 1] = value
    return X


@every_sampler
@every_form
@pytest.mark.parametrize(("value", "message"), [(np.nan, "NaN"), (np.inf, "infinity")])
@pytest.mark.parametrize("method", ["fit", "fit_resample"])
def test_values_that_are_none(sampler, shape, value, message, method):
    with pytest.raises(ValueError, match=rf"Input X contains {message}"):
        getattr(sampler, method)(with_value(shape, value), Y)


@every_sampler
@pytest.mark.parametrize("shape", [(), (10,), (10, 2, 6, 1)])
@pytest.mark.parametrize("method", ["fit", "fit_resample"])
def test_other_numbers_of_dimensions(sampler, shape, method):
    message = rf"X has {len(shape)} dimension\(s\), expected the shape \(n_beats, n_columns\) or"
    with pytest.raises(ValueError, match=message):
        getattr(sampler, method)(np.zeros(shape), Y)


@every_sampler
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((0, 12), "0 sample"),
        ((0, 2, 6), "0 sample"),
        ((10, 0), "0 feature"),
        ((10, 0, 6), "0 feature"),
        ((10, 2, 0), "0 feature"),
    ],
)
def test_nothing(sampler, shape, message):
    with pytest.raises(ValueError, match=message):
        sampler.fit_resample(np.zeros(shape), Y[: shape[0]] if shape[0] else Y)


@every_sampler
@every_form
@pytest.mark.parametrize("length", [9, 11])
def test_labels_of_another_length(sampler, shape, length):
    with pytest.raises(ValueError, match=rf"inconsistent numbers of samples: \[10, {length}\]"):
        sampler.fit_resample(np.zeros(shape), np.resize(Y, length))


@every_sampler
@every_form
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["N"] * 10, "needs to have more than 1 class|has only one class"),
        (np.linspace(0, 1, 10), "Unknown label type"),
        (np.array([*"NNNNNNVVV", None], dtype=object), "y contains 1 missing labels"),
        (np.array([*"NNNNNNVVV", np.nan], dtype=object), "y contains 1 missing labels"),
        ([0.0] * 6 + [1.0] * 3 + [np.nan], "y contains 1 missing labels"),
    ],
    ids=["one class", "continuous", "None", "NaN", "NaN among numbers"],
)
def test_labels_that_are_none(sampler, shape, y, message):
    with pytest.raises(ValueError, match=message):
        sampler.fit_resample(np.zeros(shape), y)


@every_sampler
@every_form
def test_masked_values(sampler, shape):
    X = np.ma.masked_greater(with_value(shape, 5.0), 4)
    with pytest.raises(ValueError, match=r"masked array with \d masked values"):
        sampler.fit_resample(X, Y)


@every_sampler
def test_other_kinds_of_values(sampler):
    with pytest.raises(ValueError, match="not compatible with arrays of bytes/strings"):
        sampler.fit_resample(np.full((10, 12), "a"), Y)
    with pytest.raises(ValueError, match="Complex data not supported"):
        sampler.fit_resample(np.full((10, 2, 6), 1j), Y)
    with pytest.raises(TypeError, match="dense data is required"):
        sampler.fit_resample(sparse.csr_matrix(np.eye(10)), Y)


@every_form
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.zeros(9), r"groups has the shape \(9,\), expected \(10,\)"),
        (np.zeros(11), r"groups has the shape \(11,\), expected \(10,\)"),
        (np.zeros((10, 1)), r"groups has the shape \(10, 1\), expected \(10,\)"),
        ([0.0] * 9 + [np.nan], r"groups contains missing values: the patient of 1 of 10 beats"),
        (["a"] * 8 + [None, None], r"groups contains missing values: the patient of 2 of 10"),
    ],
)
def test_patients_that_do_not_fit(shape, groups, message):
    with pytest.raises(ValueError, match=message):
        BeatSMOTE(k_neighbors=1).fit_resample(np.zeros(shape), Y, groups=groups)


@pytest.mark.parametrize("Sampler", [BeatOverSampler, BeatUnderSampler, BeatSMOTE])
@pytest.mark.parametrize("strategy", ["most", 0.0, 1.5, ["N"], None])
def test_strategies_that_imblearn_does_not_know(Sampler, strategy):
    with pytest.raises(ValueError, match="'sampling_strategy' parameter of Beat"):
        Sampler(sampling_strategy=strategy).fit_resample(np.zeros((10, 2, 6)), Y)


def test_a_class_that_does_not_occur():
    with pytest.raises(ValueError, match=r"target class.* not present in the data"):
        BeatOverSampler(sampling_strategy={"F": 5}).fit_resample(np.zeros((10, 2, 6)), Y)


def test_the_adapter_takes_samplers_that_keep_the_length_of_beats():
    class Halving(RandomOverSampler):
        def fit_resample(self, X, y):
            return X[:, ::2], y

    with pytest.raises(ValueError, match=r"returned beats of 6 values, expected 12"):
        BeatSampler(Halving()).fit_resample(np.zeros((10, 2, 6)), Y)
    with pytest.raises(ValueError, match="'sampler' parameter of BeatSampler"):
        BeatSampler("SMOTE").fit_resample(np.zeros((10, 2, 6)), Y)
