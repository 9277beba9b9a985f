"""What every sampler must do; one table of instances drives it."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from imblearn.base import is_sampler
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE
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

from ecgclf.augmentation import GaussianNoise
from ecgclf.sampling import BeatOverSampler, BeatSampler, BeatSMOTE, BeatUnderSampler

#: Every sampler, and the adapter around one that picks and one that makes.
SAMPLERS = [
    BeatOverSampler(random_state=0),
    BeatOverSampler(augment=GaussianNoise(), random_state=0),
    BeatUnderSampler(random_state=0),
    BeatSMOTE(random_state=0),
    BeatSampler(EditedNearestNeighbours()),
    BeatSampler(SMOTEENN(random_state=0)),
]

UNDER = (BeatUnderSampler, EditedNearestNeighbours)

every_sampler = pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
every_that_tells = pytest.mark.parametrize("sampler", SAMPLERS[:5], ids=repr)


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


@every_sampler
def test_leads_are_only_another_form(sampler, beats):
    sampler = clone(sampler)
    if "n_leads" in sampler.get_params():
        sampler.set_params(n_leads=2)
    rows, labels = clone(sampler).fit_resample(beats.data.reshape(300, -1), beats.target)
    X, y = sampler.fit_resample(beats.data, beats.target)
    assert X.shape == (len(rows), *beats.data.shape[1:])
    assert sampler.n_leads_in_ == 2
    assert sampler.n_features_in_ == rows.shape[1]
    np.testing.assert_array_equal(X.reshape(rows.shape), rows)
    np.testing.assert_array_equal(y, labels)


@every_sampler
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_and_the_given_beats_stay(sampler, dtype, beats):
    given = beats.data.astype(dtype)
    before = given.copy()
    X, y = clone(sampler).fit_resample(given, beats.target)
    assert X.dtype == dtype
    assert y.dtype == beats.target.dtype
    np.testing.assert_array_equal(given, before)
    X[:] = 0
    np.testing.assert_array_equal(given, before)


@every_sampler
def test_lists_of_leads_come_back_as_lists(sampler, beats):
    X, y = clone(sampler).fit_resample(beats.data, beats.target)
    lists, labels = clone(sampler).fit_resample(beats.data.tolist(), beats.target.tolist())
    assert isinstance(lists, list)
    assert isinstance(labels, list)
    assert labels == y.tolist()
    np.testing.assert_allclose(lists, X, atol=1e-5)


@every_sampler
def test_frames_keep_the_names_of_their_columns(sampler, beats):
    columns = [f"sample_{i}" for i in range(84)]
    frame = pd.DataFrame(beats.data[:, 0], columns=columns)
    X, y = clone(sampler).fit_resample(frame, pd.Series(beats.target, name="label"))
    expected = clone(sampler).fit_resample(beats.data[:, 0], beats.target)
    assert X.columns.tolist() == columns
    assert (X.dtypes == np.float32).all()
    assert y.name == "label"
    np.testing.assert_array_equal(X, expected[0])
    np.testing.assert_array_equal(y, expected[1])


@every_sampler
def test_one_seed_one_result_without_the_global_generators(sampler, beats):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, _ = clone(sampler).fit_resample(beats.data, beats.target)
    again, _ = pickle.loads(pickle.dumps(sampler)).fit_resample(beats.data, beats.target)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize(
    "sampler",
    [
        BeatOverSampler(),
        BeatOverSampler(augment=GaussianNoise()),
        BeatUnderSampler(),
        BeatSMOTE(),
        BeatSampler(SMOTEENN()),
        BeatSampler(SMOTEENN(smote=SMOTE())),
    ],
    ids=repr,
)
def test_without_a_seed_the_global_generator_is_not_used(sampler, beats):
    before = np.random.get_state()  # noqa: NPY002
    fitted = clone(sampler)
    drawn = [fitted.fit_resample(beats.data, beats.target)[0] for _ in range(2)]
    after = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(after[1], before[1])
    assert after[2] == before[2]
    assert not np.array_equal(*drawn)
    assert repr(fitted) == repr(sampler)  # random_state is None again


@every_sampler
def test_seen_as_a_sampler_of_leads(sampler):
    tags = sampler.__sklearn_tags__().input_tags
    assert is_sampler(sampler)
    assert (tags.two_d_array, tags.three_d_array) == (True, True)
    assert (tags.sparse, tags.string, tags.allow_nan) == (False, False, False)


@every_sampler
def test_fit_counts_and_resamples_nothing(sampler, beats):
    fitted = clone(sampler).fit(beats.data, beats.target)
    removes = isinstance(getattr(sampler, "sampler", sampler), UNDER)
    # Of N, S, V, F and Q there are 180, 30, 45, 15 and 30: what to keep, or to add.
    kept, added = {"N": 15, "S": 15, "V": 15, "Q": 15}, {"S": 150, "V": 135, "F": 165, "Q": 150}
    assert fitted.sampling_strategy_ == (kept if removes else added)
    assert fitted.n_beats_in_ == 300
    with pytest.raises(ValueError, match="has no sample_indices_: call fit_resample first"):
        fitted.carry(beats.groups)


@every_that_tells
def test_other_arrays_follow_the_beats(sampler, beats):
    sampler = clone(sampler)
    X, y = sampler.fit_resample(beats.data, beats.target)
    label, rhythm, names = sampler.carry(
        beats.target, pd.DataFrame(beats.rhythm), beats.record.tolist()
    )
    np.testing.assert_array_equal(label, y)
    assert len(rhythm) == len(names) == len(X)
    np.testing.assert_array_equal(rhythm, beats.rhythm[sampler.sample_indices_])
    assert names == beats.record[sampler.sample_indices_].tolist()
    position = sampler.carry(np.arange(300))
    if getattr(sampler, "augment", None) is None and not isinstance(sampler, BeatSMOTE):
        np.testing.assert_array_equal(X, beats.data[position])
    else:
        np.testing.assert_array_equal(X[:300], beats.data)
        np.testing.assert_array_equal(position[:300], np.arange(300))


def test_nobody_knows_what_beats_between_beats_were_made_from(beats):
    sampler = BeatSampler(EditedNearestNeighbours())
    sampler.fit_resample(beats.data, beats.target)
    sampler.set_params(sampler=SMOTEENN(random_state=0))
    sampler.fit_resample(beats.data, beats.target)
    with pytest.raises(ValueError, match="such as SMOTEENN, never have them"):
        sampler.carry(beats.groups)


@every_that_tells
@pytest.mark.parametrize("length", [299, 301])
def test_arrays_of_another_length_do_not_follow(sampler, length, beats):
    sampler = clone(sampler)
    sampler.fit_resample(beats.data, beats.target)
    with pytest.raises(ValueError, match=f"array 1 has {length} entries, expected 300"):
        sampler.carry(beats.groups, np.ones(length))
