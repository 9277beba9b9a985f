"""The same beats as imbalanced-learn's own samplers give, to the last bit."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE, BorderlineSMOTE, RandomOverSampler
from imblearn.under_sampling import EditedNearestNeighbours, NearMiss, RandomUnderSampler

from ecgclf.sampling import BeatOverSampler, BeatSampler, BeatSMOTE, BeatUnderSampler


def some_more(y):
    """For a class whose size is not that of the largest: ten beats more."""
    return {label: n + 10 for label, n in Counter(y).items() if n < 100}


def some_less(y):
    return {label: n - 10 for label, n in Counter(y).items()}


OVER = ["auto", "minority", "not minority", "all", {"S": 50, "F": 20}, some_more]
UNDER = ["auto", "majority", "not majority", "all", {"N": 50, "V": 20}, some_less]

PAIRS = [
    *((BeatOverSampler, RandomOverSampler, strategy) for strategy in OVER),
    *((BeatUnderSampler, RandomUnderSampler, strategy) for strategy in UNDER),
    *((BeatSMOTE, SMOTE, strategy) for strategy in OVER),
]


def named(value):
    return getattr(value, "__name__", str(value))


def flat(X):
    return X.reshape(len(X), -1)


@pytest.mark.parametrize(("ours", "theirs", "strategy"), PAIRS, ids=named)
@pytest.mark.parametrize("seed", [0, np.random.RandomState], ids=["int", "RandomState"])
def test_every_strategy(ours, theirs, strategy, seed, beats):
    first, second = (seed if seed == 0 else seed(3) for _ in range(2))
    sampler = ours(sampling_strategy=strategy, random_state=first)
    X, y = sampler.fit_resample(beats.data, beats.target)
    reference = theirs(sampling_strategy=strategy, random_state=second)
    expected_X, expected_y = reference.fit_resample(flat(beats.data), beats.target)
    np.testing.assert_array_equal(flat(X), expected_X)
    np.testing.assert_array_equal(y, expected_y)
    assert sampler.sampling_strategy_ == reference.sampling_strategy_
    if ours is not BeatSMOTE:
        np.testing.assert_array_equal(sampler.sample_indices_, reference.sample_indices_)


@pytest.mark.parametrize(("ours", "theirs"), sorted({pair[:2] for pair in PAIRS}, key=str))
@pytest.mark.parametrize("ratio", [0.5, 0.75, 1.0])
def test_a_ratio_of_two_classes(ours, theirs, ratio, beats):
    few = np.isin(beats.target, ["N", "S"])
    data, target = beats.data[few], beats.target[few]
    X, y = ours(sampling_strategy=ratio, random_state=1).fit_resample(data, target)
    expected = theirs(sampling_strategy=ratio, random_state=1).fit_resample(flat(data), target)
    counts = Counter(y)
    assert counts["S"] / counts["N"] == pytest.approx(ratio)
    np.testing.assert_array_equal(flat(X), expected[0])
    np.testing.assert_array_equal(y, expected[1])


def test_a_ratio_is_for_two_classes(beats):
    with pytest.raises(ValueError, match="only when the type of target is binary"):
        BeatOverSampler(sampling_strategy=0.5).fit_resample(beats.data, beats.target)


def test_drawing_with_replacement(beats):
    sampler = BeatUnderSampler(sampling_strategy={"F": 15}, replacement=True, random_state=0)
    reference = RandomUnderSampler(**sampler.get_params())
    X, _ = sampler.fit_resample(beats.data, beats.target)
    np.testing.assert_array_equal(
        flat(X), reference.fit_resample(flat(beats.data), beats.target)[0]
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: SMOTEENN(random_state=0),
        lambda: SMOTEENN(smote=BeatSMOTE(random_state=0)),
        lambda: BorderlineSMOTE(random_state=0),
        lambda: NearMiss(version=2),
        lambda: EditedNearestNeighbours(),
        lambda: RandomOverSampler(shrinkage=0.5, random_state=0),
    ],
)
def test_the_adapter_passes_on_what_the_sampler_does(make, beats):
    X, y = BeatSampler(make()).fit_resample(beats.data, beats.target)
    expected_X, expected_y = make().fit_resample(flat(beats.data), beats.target)
    np.testing.assert_array_equal(flat(X), expected_X)
    np.testing.assert_array_equal(y, expected_y)
    assert 0 < len(X) != len(beats.data)


def test_the_adapter_leaves_its_sampler_as_it_is_and_reaches_its_parameters(beats):
    inner = SMOTE(random_state=0)
    sampler = BeatSampler(inner).set_params(sampler__k_neighbors=2)
    sampler.fit_resample(beats.data, beats.target)
    assert not hasattr(inner, "sampling_strategy_")
    assert sampler.sampler_.k_neighbors == inner.k_neighbors == 2
    with pytest.raises(ValueError, match="'k_neighbors' parameter of SMOTE"):
        sampler.set_params(sampler__k_neighbors=0).fit_resample(beats.data, beats.target)
