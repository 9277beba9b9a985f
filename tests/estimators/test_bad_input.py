"""Errors for invalid input."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.exceptions import DataConversionWarning, NotFittedError

from ecgclf import ECGCNNClassifier
from tests.networks import small_cnn

N_BEATS, N_COLUMNS = 20, 40
few = settings(max_examples=15, deadline=None)
# Warnings of numpy before the tested errors.
pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in (cast|reduce):RuntimeWarning")


quick = partial(small_cnn, filters=(4,), stride=1, max_epochs=1, batch_norm=False)


X = np.random.default_rng(0).normal(size=(N_BEATS, N_COLUMNS)).astype(np.float32)
X3 = X.reshape(N_BEATS, 2, -1)
y = np.array(["N", "V"] * (N_BEATS // 2))


@pytest.fixture(scope="module")
def fitted() -> ECGCNNClassifier:
    return quick().fit(X, y)


@pytest.fixture(scope="module")
def fitted_on_two_leads() -> ECGCNNClassifier:
    return quick().fit(X3, y)


def positions(*shape: int):
    return st.tuples(*(st.integers(0, n - 1) for n in shape))


# --- X -------------------------------------------------------------------------------------


@few
@given(where=positions(N_BEATS, N_COLUMNS), value=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_one_value_is_not_finite(fitted, fitted_on_two_leads, where, value):
    bad = X.copy()
    bad[where] = value
    match = "Input X contains " + ("NaN" if np.isnan(value) else "infinity")
    calls = [
        lambda: quick().fit(bad, y),
        lambda: quick().fit(bad.reshape(X3.shape), y),
        lambda: quick().fit(pd.DataFrame(bad), y),
        lambda: quick().partial_fit(bad, y, classes=["N", "V"]),
        lambda: fitted.predict(bad),
        lambda: fitted.predict_proba(bad.tolist()),
        lambda: fitted_on_two_leads.decision_function(bad.reshape(X3.shape)),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=match):
            call()


@few
@given(n_columns=st.integers(1, 100))
def test_wrong_length_at_predict(fitted, n_columns):
    assume(n_columns != N_COLUMNS)
    match = f"X has {n_columns} features.*expecting {N_COLUMNS}"
    with pytest.raises(ValueError, match=match):
        fitted.predict(np.zeros((3, n_columns)))
    with pytest.raises(ValueError, match=match):
        fitted.partial_fit(np.zeros((2, n_columns)), ["N", "V"])


@few
@given(n_leads=st.integers(1, 12), n_samples=st.integers(1, 50))
def test_wrong_lead_count_or_length_in_three_dimensions(fitted_on_two_leads, n_leads, n_samples):
    assume((n_leads, n_samples) != X3.shape[1:])
    shape = (3, n_leads, n_samples)
    what = "leads.*expecting 2" if n_leads != 2 else "samples a beat.*fitted on 20"
    with pytest.raises(ValueError, match=re.escape(f"X of shape {shape}") + f".*{what}"):
        fitted_on_two_leads.predict(np.zeros(shape))


def test_transposed_leads_and_samples(fitted_on_two_leads):
    with pytest.raises(ValueError, match=r"has 20 leads.*expecting 2"):
        fitted_on_two_leads.predict(X3.transpose(0, 2, 1))


def test_flattened_beats_give_the_same_prediction(fitted_on_two_leads):
    np.testing.assert_array_equal(
        fitted_on_two_leads.predict_proba(X), fitted_on_two_leads.predict_proba(X3)
    )


@few
@given(shape=st.lists(st.integers(0, 3), max_size=5).map(tuple))
def test_wrong_shapes(fitted, shape):
    assume(len(shape) not in (2, 3) or 0 in shape)
    what = r"2D array|0 sample|0 feature|0 leads|of 0 samples|\d dimensions"
    with pytest.raises(ValueError, match=what):
        quick().fit(np.zeros(shape), np.arange(shape[0] if shape else 1) % 2)
    with pytest.raises(ValueError, match=what):
        fitted.predict(np.zeros(shape))


@pytest.mark.parametrize("to_sparse", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_sparse(fitted, to_sparse):
    for call in (lambda: quick().fit(to_sparse(X), y), lambda: fitted.predict(to_sparse(X))):
        with pytest.raises(TypeError, match="Sparse data was passed for X, but dense"):
            call()


@pytest.mark.parametrize("given", [X, X3], ids=["2-D", "3-D"])
def test_complex(given):
    with pytest.raises(ValueError, match="Complex data not supported"):
        quick().fit(given * 1j, y)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ([[1.0, 2.0, 3.0], [1.0, 2.0]] * 10, "X is no array: it is inhomogeneous"),
        ([[[1.0, 2.0], [3.0]]] * 20, "inhomogeneous"),
        (np.full(X.shape, "flat"), "could not convert string to float: .*flat"),
        (np.full(X.shape, "flat", dtype=object), "could not convert string to float: 'flat'"),
        (pd.DataFrame(X).assign(lead="MLII").set_axis(list(map(str, range(41))), axis=1), "MLII"),
        (None, "2D array"),
        ("beats.csv", "could not convert string to float: 'beats.csv'"),
        (np.ma.masked_greater(X, 1.0), r"masked array with \d+ masked values"),
        (X.astype(float) * 1e300, "too large for dtype"),
    ],
    ids=["ragged", "ragged3", "str", "object", "frame", "None", "path", "masked", "float32"],
)
def test_not_an_array_of_numbers(given, match):
    with pytest.raises(ValueError, match=match):
        quick().fit(given, y)


def test_wrong_column_names(fitted):
    frame = pd.DataFrame(X).add_prefix("sample_")
    model = quick().fit(frame, y)
    with pytest.raises(ValueError, match=r"feature names should match.*\n.*\n- other_0"):
        model.predict(pd.DataFrame(X).add_prefix("other_"))
    with pytest.warns(UserWarning, match="fitted without feature names"):
        fitted.predict(frame)


def test_values_that_overflow_in_the_network(fitted):
    beats = X.copy()
    beats[7] *= 3e38 / np.abs(X[7]).max()
    with pytest.raises(ValueError, match=r"position 7 is not finite.*reach 3e\+38.*Scale"):
        fitted.predict_proba(beats)


def test_not_fitted():
    for name in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(quick(), name)(X)


# --- leads and features ----------------------------------------------------------------------


@few
@given(n_leads=st.integers(1, 60), n_tabular=st.integers(0, 60))
def test_columns_that_cannot_be_divided_among_leads(n_leads, n_tabular):
    width = N_COLUMNS - n_tabular
    assume(width < n_leads or width % n_leads)
    match = f"X has 40 columns.*n_tabular={n_tabular}.*other {width} cannot.*n_leads={n_leads}"
    with pytest.raises(ValueError, match=match):
        quick(n_leads=n_leads, n_tabular=n_tabular).fit(X, y)


def test_per_beat_features_need_2d_input():
    with pytest.raises(ValueError, match=r"no room for the n_tabular=3.*column_stack"):
        quick(n_tabular=3).fit(X3, y)
    with pytest.raises(ValueError, match=r"has 2 leads.*expecting 3"):
        quick(n_leads=3).fit(X3, y)


# --- y -------------------------------------------------------------------------------------


@few
@given(n_labels=st.integers(0, 50))
def test_wrong_number_of_labels(n_labels):
    assume(n_labels != N_BEATS)
    labels = np.resize(y, n_labels) if n_labels else np.array([])
    with pytest.raises(ValueError, match=f"X has 20 beats, but y has {n_labels} labels"):
        quick().fit(X, labels)


@few
@given(where=st.integers(0, N_BEATS - 1), missing=st.sampled_from([None, np.nan, pd.NA]))
def test_a_missing_label(where, missing):
    labels = y.astype(object)
    labels[where] = missing
    with pytest.raises(ValueError, match=f"y contains NaN: 1 labels.*position {where}"):
        quick().fit(X, labels)


@pytest.mark.parametrize(
    ("labels", "error", "match"),
    [
        (None, ValueError, "target y is None"),
        (["N"] * N_BEATS, ValueError, r"one class.*\['N'\].*at least 2 classes"),
        (np.zeros(N_BEATS), ValueError, r"one class.*\[0.0\].*at least 2 classes"),
        (np.linspace(0, 1, N_BEATS), ValueError, "continuous"),
        (2 * np.eye(2)[[0, 1] * 10], ValueError, r"\(20, 2\) holds \[0, 2\].*0 and 1"),
        (np.eye(3)[[0, 1] * 10] + [1, 2, 3], ValueError, r"1d array.*\(20, 3\)"),
        (1, ValueError, "1d array"),
        (np.array([1j, 2] * 10), ValueError, "Complex data not supported"),
        (np.array(["N", 1] * 10, dtype=object), TypeError, r"types \['int', 'str'\].*as str"),
        (np.array([b"N", b"V"] * 10), TypeError, "bytes is not supported"),
        ([[1, 2], [3]] * 10, ValueError, "inhomogeneous"),
        (np.array([1.0, np.inf] * 10), ValueError, "y contains infinity"),
    ],
)  # fmt: skip
def test_invalid_labels(labels, error, match):
    with pytest.raises(error, match=match):
        quick().fit(X, labels)


def test_a_column_vector_of_labels_warns():
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        model = quick().fit(X, y[:, None])
    np.testing.assert_array_equal(model.predict_proba(X), quick().fit(X, y).predict_proba(X))


@pytest.mark.parametrize(
    ("classes", "match"),
    [
        ([], r"classes=\[\] has only 0 class"),
        (["N"], r"classes=\['N'\] has only 1 class"),
        (["N", "N"], r"classes=\['N'\] has only 1 class"),
        ([["N", "V"]], r"shape \(1, 2\), expected a sequence"),
        (["N", None], "classes contains NaN.*position 1"),
        (["N", "S"], r"labels \['V'\].*not among the classes \['N', 'S'\]"),
        ([0, 1], r"labels \['N', 'V'\].*not among the classes \[0, 1\]"),
    ],
)
def test_invalid_classes(classes, match):
    with pytest.raises(ValueError, match=match):
        quick().partial_fit(X, y, classes=classes)


# --- weights and groups ----------------------------------------------------------------------


@few
@given(
    where=st.integers(0, N_BEATS - 1),
    value=st.one_of(st.sampled_from([np.nan, np.inf]), st.floats(-1e30, -1e-30)),
)
def test_one_invalid_weight(where, value):
    weight = np.ones(N_BEATS)
    weight[where] = value
    match = f"Negative.*at position {where}" if value < 0 else "sample_weight contains (NaN|inf)"
    with pytest.raises(ValueError, match=match):
        quick().fit(X, y, sample_weight=weight)
    with pytest.raises(ValueError, match=match):
        quick().partial_fit(X, y, ["N", "V"], weight)


@pytest.mark.parametrize(
    ("weight", "match"),
    [
        (np.zeros(N_BEATS), r"weight.* (non-zero|zero for every beat)"),
        (np.ones(N_BEATS - 1), r"\(19,\), expected \(20,\)"),
        (np.ones((N_BEATS, 1)), "1D array or scalar, got 2D"),
        (["heavy"] * N_BEATS, "could not convert string to float"),
        (np.full(N_BEATS, 1e308), "adds up to inf"),
        ((y == "N").astype(float), r"one class among the beats of positive weight, \['N'\]"),
    ],
)
def test_invalid_weights(weight, match):
    with pytest.raises(ValueError, match=match):
        quick().fit(X, y, sample_weight=weight)


@few
@given(scale=st.floats(1e-290, 1e290))
def test_the_scale_of_the_weights_does_not_matter(scale):
    weight = np.where(y == "N", 1.0, 3.0)
    expected = quick().fit(X, y, weight).predict_proba(X)
    np.testing.assert_allclose(quick().fit(X, y, weight * scale).predict_proba(X), expected, 1e-4)


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize(
    ("groups", "match"),
    [
        (np.r_[np.nan, np.arange(19)], "groups contains missing values"),
        ([None] + ["p1"] * 19, "groups contains missing values"),
        (np.arange(19), r"groups has the shape \(19,\), expected \(20,\)"),
        (np.ones((20, 2)), r"groups has the shape \(20, 2\), expected \(20,\)"),
        (3, r"groups has the shape \(\), expected \(20,\)"),
    ],
)
def test_invalid_groups(groups, match, early_stopping):
    with pytest.raises(ValueError, match=match):
        quick(early_stopping=early_stopping).fit(X, y, groups=groups)


def test_groups_of_numbers_and_strings():
    groups = np.array([100, "p1", 101, "p2"] * 5, dtype=object)
    model = quick(early_stopping=True).fit(X, np.repeat(["N", "V"], 10), groups=groups)
    assert model.history_["valid_loss"].notna().all()


@pytest.mark.parametrize(
    ("n_beats", "groups", "fraction", "match"),
    [
        (2, None, 0.5, "beats of only one class to train on"),
        (3, None, 0.9, "validation_fraction=0.9 of 3 beats leaves none"),
        (20, [1] * 20, 0.1, "at least 2 patients, got 1"),
        (20, [1, 2, 3, 4] * 5, 0.9, "validation_fraction=0.9 of 4 patients leaves none"),
        (20, [1, 2] * 10, 0.5, "beats of only one class to train on"),  # one class per patient
    ],
)
def test_too_little_to_hold_out(n_beats, groups, fraction, match):
    model = quick(early_stopping=True, validation_fraction=fraction)
    with pytest.raises(ValueError, match=match):
        model.fit(X[:n_beats], y[:n_beats], groups=groups)
