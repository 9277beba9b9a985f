"""Common tests of the samplers, driven by one table of instances."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from imblearn.base import is_sampler
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import EditedNearestNeighbours
from imblearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
)
from imblearn.utils.estimator_checks import (
    parametrize_with_checks as parametrize_with_imblearn_checks,
)
from scipy import sparse
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from ecgclf.augmentation import GaussianNoise
from ecgclf.sampling import BeatOverSampler, BeatSampler, BeatSMOTE, BeatUnderSampler

#: Every sampler, and the adapter of a sampler that selects and of one that generates beats.
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
every_with_indices = pytest.mark.parametrize("sampler", SAMPLERS[:5], ids=repr)


@parametrize_with_checks(SAMPLERS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore")
@parametrize_with_imblearn_checks(SAMPLERS)
def test_imbalanced_learn_checks(estimator, check):
    check(estimator)


@every_sampler
def test_imbalanced_learn_checks_of_parameters_and_names(sampler):
    check_param_validation(type(sampler).__name__, sampler)
    check_dataframe_column_names_consistency(type(sampler).__name__, sampler)


@every_sampler
def test_3d_beats_equal_flattened_beats(sampler, beats):
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
def test_dtypes_are_kept_and_input_is_not_modified(sampler, dtype, beats):
    given = beats.data.astype(dtype)
    before = given.copy()
    X, y = clone(sampler).fit_resample(given, beats.target)
    assert X.dtype == dtype
    assert y.dtype == beats.target.dtype
    np.testing.assert_array_equal(given, before)
    X[:] = 0
    np.testing.assert_array_equal(given, before)


@every_sampler
def test_nested_lists(sampler, beats):
    X, y = clone(sampler).fit_resample(beats.data, beats.target)
    lists, labels = clone(sampler).fit_resample(beats.data.tolist(), beats.target.tolist())
    assert isinstance(lists, list)
    assert isinstance(labels, list)
    assert labels == y.tolist()
    np.testing.assert_allclose(lists, X, atol=1e-5)


@every_sampler
def test_frames_keep_column_names(sampler, beats):
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
def test_same_seed_gives_the_same_result_without_the_global_generator(sampler, beats):
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
def test_tags(sampler):
    tags = sampler.__sklearn_tags__().input_tags
    assert is_sampler(sampler)
    assert (tags.two_d_array, tags.three_d_array) == (True, True)
    assert (tags.sparse, tags.string, tags.allow_nan) == (False, False, False)


@every_sampler
def test_fit_does_not_resample(sampler, beats):
    fitted = clone(sampler).fit(beats.data, beats.target)
    removes = isinstance(getattr(sampler, "sampler", sampler), UNDER)
    # There are 180 N, 30 S, 45 V, 15 F and 30 Q: numbers to keep or to add.
    kept, added = {"N": 15, "S": 15, "V": 15, "Q": 15}, {"S": 150, "V": 135, "F": 165, "Q": 150}
    assert fitted.sampling_strategy_ == (kept if removes else added)
    assert fitted.n_beats_in_ == 300
    with pytest.raises(ValueError, match="has no sample_indices_: call fit_resample first"):
        fitted.carry(beats.groups)


@every_with_indices
def test_carry(sampler, beats):
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


def test_carry_without_indices(beats):
    sampler = BeatSampler(EditedNearestNeighbours())
    sampler.fit_resample(beats.data, beats.target)
    sampler.set_params(sampler=SMOTEENN(random_state=0))
    sampler.fit_resample(beats.data, beats.target)
    with pytest.raises(ValueError, match="such as SMOTEENN, never have them"):
        sampler.carry(beats.groups)


@every_with_indices
@pytest.mark.parametrize("length", [299, 301])
def test_carry_of_another_length(sampler, length, beats):
    sampler = clone(sampler)
    sampler.fit_resample(beats.data, beats.target)
    with pytest.raises(ValueError, match=f"array 1 has {length} entries, expected 300"):
        sampler.carry(beats.groups, np.ones(length))


# --- invalid input -----------------------------------------------------------------------------

every_kind = pytest.mark.parametrize(
    "sampler",
    [
        BeatOverSampler(),
        BeatUnderSampler(),
        BeatSMOTE(k_neighbors=1),
        # Without the adapter it takes missing values.
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


@every_kind
@every_form
@pytest.mark.parametrize(("value", "message"), [(np.nan, "NaN"), (np.inf, "infinity")])
@pytest.mark.parametrize("method", ["fit", "fit_resample"])
def test_missing_and_infinite_values(sampler, shape, value, message, method):
    with pytest.raises(ValueError, match=rf"Input X contains {message}"):
        getattr(sampler, method)(with_value(shape, value), Y)


@every_kind
@pytest.mark.parametrize("shape", [(), (10,), (10, 2, 6, 1)])
@pytest.mark.parametrize("method", ["fit", "fit_resample"])
def test_invalid_number_of_dimensions(sampler, shape, method):
    message = rf"X has {len(shape)} dimension\(s\), expected the shape \(n_beats, n_columns\) or"
    with pytest.raises(ValueError, match=message):
        getattr(sampler, method)(np.zeros(shape), Y)


@every_kind
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
def test_empty_input(sampler, shape, message):
    with pytest.raises(ValueError, match=message):
        sampler.fit_resample(np.zeros(shape), Y[: shape[0]] if shape[0] else Y)


@every_kind
@every_form
@pytest.mark.parametrize("length", [9, 11])
def test_labels_of_another_length(sampler, shape, length):
    with pytest.raises(ValueError, match=rf"inconsistent numbers of samples: \[10, {length}\]"):
        sampler.fit_resample(np.zeros(shape), np.resize(Y, length))


@every_kind
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
def test_invalid_labels(sampler, shape, y, message):
    with pytest.raises(ValueError, match=message):
        sampler.fit_resample(np.zeros(shape), y)


@every_kind
@every_form
def test_masked_values(sampler, shape):
    X = np.ma.masked_greater(with_value(shape, 5.0), 4)
    with pytest.raises(ValueError, match=r"masked array with \d masked values"):
        sampler.fit_resample(X, Y)


@every_kind
def test_values_that_are_not_real_numbers(sampler):
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
def test_invalid_groups(shape, groups, message):
    with pytest.raises(ValueError, match=message):
        BeatSMOTE(k_neighbors=1).fit_resample(np.zeros(shape), Y, groups=groups)


@pytest.mark.parametrize("Sampler", [BeatOverSampler, BeatUnderSampler, BeatSMOTE])
@pytest.mark.parametrize("strategy", ["most", 0.0, 1.5, ["N"], None])
def test_invalid_strategies(Sampler, strategy):
    with pytest.raises(ValueError, match="'sampling_strategy' parameter of Beat"):
        Sampler(sampling_strategy=strategy).fit_resample(np.zeros((10, 2, 6)), Y)


def test_strategy_for_an_unknown_class():
    with pytest.raises(ValueError, match=r"target class.* not present in the data"):
        BeatOverSampler(sampling_strategy={"F": 5}).fit_resample(np.zeros((10, 2, 6)), Y)


def test_adapter_needs_samplers_that_keep_the_length_of_beats():
    class Halving(RandomOverSampler):
        def fit_resample(self, X, y):
            return X[:, ::2], y

    with pytest.raises(ValueError, match=r"returned beats of 6 values, expected 12"):
        BeatSampler(Halving()).fit_resample(np.zeros((10, 2, 6)), Y)
    with pytest.raises(ValueError, match="'sampler' parameter of BeatSampler"):
        BeatSampler("SMOTE").fit_resample(np.zeros((10, 2, 6)), Y)
