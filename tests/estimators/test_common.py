"""Common tests of all classifiers."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
import torch
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

import ecgclf
from ecgclf import (
    ECGCNNClassifier,
    ECGContextClassifier,
    ECGCRNNClassifier,
    ECGInceptionClassifier,
    ECGLSTMClassifier,
    ECGMLPClassifier,
    ECGResNetClassifier,
    ECGRNNClassifier,
    ECGSpectrogramClassifier,
    ECGTransferClassifier,
    ECGTransformerClassifier,
)
from ecgclf.datasets import Beats, make_beats
from tests.networks import QUICK

SMALL = {**QUICK, "max_epochs": 3}

#: Every classifier, with parameters that make it small.
CLASSIFIERS = [
    ECGCNNClassifier(filters=(8, 16), stride=2, **SMALL),
    ECGContextClassifier(filters=(8, 16), kernel_size=5, stride=2, width=16, units=8, **SMALL),
    ECGCRNNClassifier(filters=(8, 16), units=(8,), **SMALL),
    ECGInceptionClassifier(filters=4, kernel_sizes=(9, 5), n_modules=3, bottleneck=8, **SMALL),
    ECGLSTMClassifier(units=(8,), step_size=12, **SMALL),
    ECGMLPClassifier(dense=(16,), **SMALL),
    ECGRNNClassifier(units=(8,), step_size=12, step_pool="attention", **SMALL),
    ECGResNetClassifier(filters=(8, 16), stem_filters=8, squeeze_excite=True, **SMALL),
    ECGSpectrogramClassifier(filters=(8, 16), **SMALL),
    ECGTransferClassifier(source=None, strategy="finetune", dense=(16,), **SMALL),
    ECGTransformerClassifier(width=16, n_layers=2, block_dense=32, pool="token", **SMALL),
]

#: A classifier that takes the record and the position of a beat from the first two columns.
IN_CONTEXT = clone(CLASSIFIERS[1]).set_params(record=0, sample=1, context=16)

#: Those whose default parameters are tested too.
AT_DEFAULTS = [
    *(type(c)(verbose=0) for c in CLASSIFIERS if not isinstance(c, ECGTransferClassifier)),
    ECGTransferClassifier(source="source.ecgclf", verbose=0),  # saved by `source_folder`
]


def name_of(estimator) -> str:
    return type(estimator).__name__


@pytest.fixture(scope="module")
def source() -> ECGCNNClassifier:
    """The network that the transfer starts from."""
    X, y = make_beats(n_beats=200, random_state=0, return_X_y=True)
    return ECGCNNClassifier(filters=(16, 32), stride=1, **SMALL).fit(X, y)


@pytest.fixture(scope="module")
def source_folder(source, tmp_path_factory) -> Path:
    """Folder with the saved source."""
    folder = tmp_path_factory.mktemp("source")
    source.save(folder / "source.ecgclf")
    return folder


def id_of(estimator) -> str:
    return f"{name_of(estimator)}{'-in-context' * (estimator is IN_CONTEXT)}"


@pytest.fixture
def beats(classifier, beats):
    """Half of the beats, with their record and position where these are needed."""
    beats = beats.select(slice(None, None, 2))
    if getattr(classifier, "record", None) is None:
        return beats
    record = pd.factorize(beats.record)[0]
    data = np.column_stack([record, beats.sample, beats.data]).astype(np.float32)
    return Beats(**{**beats, "data": data})


@pytest.fixture(params=CLASSIFIERS, ids=name_of)
def single_beats(request):
    """Each classifier in turn, not fitted, that takes beats without their record."""
    return _unfitted(request)


@pytest.fixture(params=[*CLASSIFIERS, IN_CONTEXT], ids=id_of)
def classifier(request):
    """Each classifier in turn, not fitted, for `beats`."""
    return _unfitted(request)


def _unfitted(request):
    model = clone(request.param)
    if isinstance(model, ECGTransferClassifier):
        model.set_params(source=request.getfixturevalue("source"))
    return model


@pytest.fixture(scope="module")
def fitted_models() -> dict:
    """Models that are fitted once for all tests."""
    return {}


@pytest.fixture
def fitted(classifier, beats, fitted_models):
    """A copy of the classifier after a fit to `beats`."""
    name = f"{name_of(classifier)} {getattr(classifier, 'record', None)}"
    if name not in fitted_models:
        fitted_models[name] = clone(classifier).fit(beats.data, beats.target)
    return copy.deepcopy(fitted_models[name])


#: Checks of the accuracy after training. The others need only a short one.
CHECKS_OF_ACCURACY = {"check_classifiers_train", "check_class_weight_classifiers"}


@parametrize_with_checks(AT_DEFAULTS)
def test_scikit_learn_finds_nothing_wrong(estimator, check, source_folder, monkeypatch):
    monkeypatch.chdir(source_folder)
    if check.func.__name__ not in CHECKS_OF_ACCURACY:
        estimator = clone(estimator).set_params(max_epochs=2)
    check(estimator)


def test_pickle_and_joblib_round_trip(fitted, beats, tmp_path):
    expected = fitted.predict_proba(beats.data)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(fitted)).predict_proba(beats.data), expected
    )
    joblib.dump(fitted, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(again.predict_proba(beats.data), expected)
    pd.testing.assert_frame_equal(again.history_, fitted.history_)


def test_skops_round_trip(fitted, beats):
    content = skops.io.dumps(fitted)
    named = skops.io.get_untrusted_types(data=content)
    assert f"{type(fitted).__module__}.{type(fitted).__name__}" in named
    again = skops.io.loads(content, trusted=named)
    np.testing.assert_array_equal(
        again.predict_proba(beats.data), fitted.predict_proba(beats.data)
    )
    pd.testing.assert_frame_equal(again.history_, fitted.history_)


@pytest.mark.parametrize("kind", ["str", "int", "bool"])
def test_saved_and_loaded(classifier, beats, kind, tmp_path):
    is_normal = beats.target == "N"
    y = {"str": beats.target, "int": is_normal * 10 - 20, "bool": is_normal}[kind]
    fitted = clone(classifier).set_params(max_epochs=1).fit(beats.data, y)
    fitted.save(tmp_path / "model.ecgclf")
    loaded = ecgclf.load(tmp_path / "model.ecgclf")
    assert type(loaded) is type(fitted)
    for method in ("predict_proba", "decision_function", "predict"):
        ours, theirs = (getattr(model, method)(beats.data) for model in (loaded, fitted))
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype
    params, expected = loaded.get_params(), fitted.get_params()
    # The source is another object; all other parameters are compared.
    assert type(params.pop("source", None)) is type(expected.pop("source", None))
    assert params == expected
    np.testing.assert_array_equal(loaded.classes_, fitted.classes_)
    assert loaded.classes_.dtype == fitted.classes_.dtype
    pd.testing.assert_frame_equal(loaded.history_, fitted.history_)
    for again in (loaded, clone(loaded)):
        again.fit(beats.data, y)
        np.testing.assert_array_equal(
            again.predict_proba(beats.data), fitted.predict_proba(beats.data)
        )


def test_a_copy_has_the_same_hash(fitted, beats):
    """A Pipeline with `memory` relies on it."""
    expected = joblib.hash(fitted)
    assert joblib.hash(copy.deepcopy(fitted)) == expected
    fitted.partial_fit(beats.data, beats.target)
    assert joblib.hash(fitted) != expected


def test_a_clone_is_untrained(fitted):
    unfitted = clone(fitted)
    assert not hasattr(unfitted, "net_")
    assert unfitted.get_params() == fitted.get_params()


@pytest.mark.parametrize("kind", ["str", "int", "bool", "object"])
def test_labels_of_any_kind(classifier, beats, kind):
    is_normal = beats.target == "N"
    y = {
        "str": beats.target,
        "int": np.searchsorted(np.unique(beats.target), beats.target) * 10 - 20,
        "bool": is_normal,
        "object": np.where(is_normal, "normal", "abnormal").astype(object),
    }[kind]
    fitted = clone(classifier).fit(beats.data, y)
    np.testing.assert_array_equal(fitted.classes_, np.unique(y))
    assert set(fitted.predict(beats.data)) <= set(y)
    assert fitted.predict(beats.data).dtype == np.unique(y).dtype


def test_renaming_the_labels_does_not_change_the_model(fitted, classifier, beats):
    codes = np.searchsorted(np.unique(beats.target), beats.target)
    by_code = clone(classifier).fit(beats.data, codes)
    np.testing.assert_array_equal(
        fitted.predict_proba(beats.data), by_code.predict_proba(beats.data)
    )


@pytest.mark.parametrize("kind", ["float64", "fortran", "frame", "memmap", "list", "view"])
def test_input_of_any_kind(fitted, classifier, beats, kind, tmp_path):
    X = beats.data
    if kind == "memmap":
        X.tofile(tmp_path / "X")
        given = np.memmap(tmp_path / "X", np.float32, "r", shape=X.shape)
    else:
        given = {
            "float64": X.astype(np.float64),
            "fortran": np.asfortranarray(X),
            "frame": pd.DataFrame(X),
            "list": X.tolist(),
            "view": np.repeat(X, 2, axis=1)[:, ::2],
        }[kind]
    again = clone(classifier).fit(given, beats.target)
    np.testing.assert_array_equal(again.predict_proba(given), fitted.predict_proba(X))


def test_two_leads_in_three_or_two_dimensions(single_beats, two_leads):
    X, y = two_leads.data, two_leads.target
    assert X.shape[1] == 2
    in_3d = clone(single_beats).fit(X, y)
    flat = clone(single_beats).set_params(n_leads=2).fit(X.reshape(len(X), -1), y)
    expected = in_3d.predict_proba(X)
    np.testing.assert_array_equal(flat.predict_proba(X.reshape(len(X), -1)), expected)
    np.testing.assert_array_equal(flat.predict_proba(X), expected)
    assert (in_3d.n_leads_, in_3d.n_samples_) == X.shape[1:]
    changes = np.abs(in_3d.predict_proba(X[:, ::-1]) - expected).max()
    assert changes < 1e-6 if isinstance(in_3d, ECGContextClassifier) else changes > 1e-3


def test_per_beat_features_are_used(single_beats, rng):
    # The five signals are independent of the class, so the network cannot overfit them.
    signal = rng.normal(size=(5, 40)).astype(np.float32)[rng.integers(5, size=300)]
    y = rng.random(300) > 0.5
    feature = (y[:, None] * 4.0 - 2.0 + rng.normal(size=(300, 1))).astype(np.float32)
    X = np.hstack([signal, feature])
    model = clone(single_beats).set_params(max_epochs=30)
    beside = clone(model).set_params(n_tabular=1).fit(X[:200], y[:200])
    assert beside.n_samples_ == 40
    without = model.fit(signal[:200], y[:200])
    assert without.score(signal[200:], y[200:]) < 0.65
    assert beside.score(X[200:], y[200:]) > 0.8


def test_one_step_changes_every_parameter(classifier, beats):
    model = clone(classifier).set_params(max_epochs=1, batch_size=len(beats.data))
    model.set_params(lr_schedule="constant", weight_decay=0.0)
    untrained = clone(model).set_params(lr=1e-30).fit(beats.data, beats.target)
    trained = model.fit(beats.data, beats.target)
    before = dict(untrained.net_.module_.named_parameters())
    alone = getattr(classifier, "record", 0) is None
    for name, after in trained.net_.module_.named_parameters():
        # A beat alone has no RR intervals, and no neighbours for the recurrent weights.
        unused = alone and name.startswith(("recurrent.weight_hh", "rhythm.0.weight"))
        assert torch.equal(before[name], after) == unused, name


def test_overfits_four_beats(single_beats, rng):
    X = rng.normal(size=(4, 60))
    y = ["N", "S", "V", "F"]
    model = clone(single_beats).set_params(max_epochs=60, batch_size=4).fit(X, y)
    assert model.score(X, y) == 1.0


@pytest.mark.parametrize("n_samples", [30, 187, 5000])
@pytest.mark.parametrize("n_leads", [1, 12])
def test_beats_of_any_size(single_beats, rng, n_samples, n_leads):
    X = rng.normal(size=(6, n_leads, n_samples)).astype(np.float32)
    y = np.arange(6) % 3
    model = clone(single_beats).set_params(max_epochs=1).fit(X, y)
    assert model.predict_proba(X).shape == (6, 3)


def test_the_same_seed_gives_the_same_model_in_threads_and_processes(fitted, classifier, beats):
    expected = fitted.predict_proba(beats.data)
    for backend in ("threading", "loky"):
        again = joblib.Parallel(n_jobs=2, backend=backend)(
            joblib.delayed(_probabilities)(clone(classifier), beats.data, beats.target)
            for _ in range(2)
        )
        for probabilities in again:
            np.testing.assert_array_equal(probabilities, expected)


def _probabilities(classifier, X, y):
    return classifier.fit(X, y).predict_proba(X)


def test_grid_search_over_the_architecture(classifier, beats):
    search = GridSearchCV(clone(classifier), {"dense": [(), (8,)]}, cv=2)
    search.fit(beats.data, beats.target)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_params_["dense"] in [(), (8,)]


@pytest.fixture(scope="module")
def new_patients():
    """Training beats, and test beats of other patients."""
    return (
        make_beats(n_beats=2000, n_patients=20, random_state=0),
        make_beats(n_beats=1000, n_patients=20, random_state=1),
    )


@pytest.fixture(scope="module")
def score_of_linear_model(new_patients) -> float:
    """Accuracy of a linear model, which exceeds that of the most frequent class."""
    train, test = new_patients
    linear, dummy = (
        model.fit(train.data, train.target).score(test.data, test.target)
        for model in (LogisticRegression(max_iter=300), DummyClassifier())
    )
    assert linear > dummy
    return linear


@pytest.mark.parametrize(
    "classifier",
    # A transfer depends on its source, and spectrograms are not beats.
    [
        c
        for c in AT_DEFAULTS
        if not isinstance(c, (ECGTransferClassifier, ECGSpectrogramClassifier))
    ],
    ids=name_of,
)
def test_defaults_beat_a_linear_model(classifier, new_patients, score_of_linear_model):
    train, test = new_patients
    network = clone(classifier).set_params(batch_size=64, random_state=0)
    network.fit(train.data, train.target)
    assert network.score(test.data, test.target) > score_of_linear_model + 0.03
