"""Classifiers in meta-estimators of scikit-learn and imbalanced-learn."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    PredefinedSplit,
    StratifiedGroupKFold,
    cross_val_predict,
    cross_validate,
    learning_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import Beats, make_beats
from tests.networks import small_cnn

quick = partial(small_cnn, max_epochs=8, batch_size=32)


@pytest.fixture(scope="module")
def train() -> Beats:
    return make_beats(n_beats=300, n_patients=6, random_state=0)


@pytest.fixture(scope="module")
def test() -> Beats:
    return make_beats(n_beats=200, n_patients=6, random_state=1)


@pytest.fixture(scope="module")
def chance(test) -> float:
    """Accuracy of predicting the most frequent class."""
    return float((test.target == "N").mean())


COMPOSITES = {
    "pipeline": lambda: make_pipeline(StandardScaler(), quick()),
    "stacking": lambda: StackingClassifier(
        [("cnn", quick()), ("linear", LogisticRegression(max_iter=300))], cv=2
    ),
    "voting": lambda: VotingClassifier(
        [("a", quick()), ("b", quick(random_state=1))], voting="soft"
    ),
    "calibrated": lambda: CalibratedClassifierCV(quick(), cv=2),
    "one against rest": lambda: OneVsRestClassifier(quick()),
    "one against one": lambda: OneVsOneClassifier(quick(max_epochs=4)),
    "over-sampling": lambda: make_imblearn_pipeline(RandomOverSampler(random_state=0), quick()),
    "SMOTE": lambda: make_imblearn_pipeline(SMOTE(k_neighbors=2, random_state=0), quick()),
    "grid": lambda: GridSearchCV(quick(), {"kernel_size": [3, (5, 3)]}, cv=2),
}


@pytest.mark.filterwarnings("ignore:The least populated class:UserWarning")
@pytest.mark.parametrize("name", COMPOSITES)
def test_meta_estimator(name, train, test, chance):
    model = COMPOSITES[name]().fit(train.data, train.target)
    assert model.score(test.data, test.target) > chance + 0.02
    assert set(model.predict(test.data)) <= set(train.target)
    if hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(test.data)
        assert probabilities.shape == (200, 5)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)


def test_a_sampler_resamples_the_training_beats(train):
    model = COMPOSITES["over-sampling"]().fit(train.data, train.target)
    by_hand = quick().fit(
        *RandomOverSampler(random_state=0).fit_resample(train.data, train.target)
    )
    np.testing.assert_array_equal(
        model.predict_proba(train.data), by_hand.predict_proba(train.data)
    )


def test_soft_votes_are_the_mean(train, test):
    model = COMPOSITES["voting"]().fit(train.data, train.target)
    mean = sum(m.predict_proba(test.data) for m in model.estimators_) / 2
    np.testing.assert_allclose(model.predict_proba(test.data), mean)


def test_grid_search_in_two_processes(train):
    grid = {"filters": [(4,), (8, 8)], "stride": [2], "dense": [(), (8,)]}
    one, two = (
        GridSearchCV(quick(max_epochs=2), grid, cv=2, n_jobs=n_jobs, scoring="neg_log_loss")
        for n_jobs in (None, 2)
    )
    for search in (one, two):
        search.fit(train.data, train.target)
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )
    assert len(set(one.cv_results_["mean_test_score"])) == 4
    assert one.best_params_ == two.best_params_
    assert len(two.best_estimator_.net_.module_.head) == 1 + 2 * len(two.best_params_["dense"])


def test_cross_val_predict_by_hand(train):
    folds = PredefinedSplit(np.arange(300) % 3)
    given = cross_val_predict(
        quick(max_epochs=2), train.data, train.target, cv=folds, method="predict_proba"
    )
    for fit, out in folds.split():
        model = quick(max_epochs=2).fit(train.data[fit], train.target[fit])
        np.testing.assert_array_equal(given[out], model.predict_proba(train.data[out]))


@pytest.mark.parametrize("params", [{}, {"early_stopping": True}, {"class_weight": "balanced"}])
def test_a_class_absent_from_a_fold(train, params):
    """All beats of class F are in the test fold."""
    fold = np.where(train.target == "F", 0, np.arange(300) % 2)
    with pytest.warns(RuntimeWarning, match="Number of classes in training fold"):
        probabilities = cross_val_predict(
            quick(max_epochs=1, **params),
            train.data,
            train.target,
            cv=PredefinedSplit(fold),
            method="predict_proba",
        )
    of_f = probabilities[:, np.unique(train.target) == "F"].ravel()
    assert (of_f[fold == 0] == 0).all()
    assert (of_f[fold == 1] > 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)


# --- weights and groups through metadata routing ---------------------------------------------


class Record(Callback):
    """Record the training and validation rows, also of clones."""

    seen: list = []  # noqa: RUF012 - shared on purpose: GridSearchCV clones the callback

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.seen.append((dataset_train, dataset_valid))


@pytest.fixture
def seen():
    Record.seen.clear()
    yield Record.seen
    Record.seen.clear()


def routed(**params) -> ECGCNNClassifier:
    model = quick(max_epochs=1, early_stopping=True, validation_fraction=0.3, **params)
    return model.set_fit_request(sample_weight=True, groups=True)


def patients(rows, beats) -> set[int]:
    """Find the patients of some rows by their signals."""
    where = {signal.tobytes(): g for signal, g in zip(beats.data, beats.groups)}
    return {where[signal.tobytes()] for signal in rows.X}


def test_groups_reach_early_stopping_through_pipeline_and_grid(train, seen):
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            make_pipeline("passthrough", routed(callbacks=[Record()])),
            {"ecgcnnclassifier__kernel_size": [3, 5]},
            cv=GroupKFold(3),
            scoring="accuracy",
        )
        search.fit(train.data, train.target, groups=train.groups)
    assert len(seen) == 2 * 3 + 1
    everyone = set(train.groups)
    for i, (fitted_on, validated_on) in enumerate(seen):
        inside, held_out = patients(fitted_on, train), patients(validated_on, train)
        assert inside
        assert held_out
        assert not inside & held_out
        # Four of six patients in a fold; all six in the final fit.
        assert len(inside | held_out) == (6 if i == 6 else 4)
    assert patients(seen[6][0], train) | patients(seen[6][1], train) == everyone


def test_weights_reach_the_loss_through_pipeline_and_grid(train):
    weight = np.where(train.target == "N", 1.0, 0.0) + (train.target == "V")
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        model = quick(max_epochs=1).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        search = GridSearchCV(make_pipeline(scaler, model), {}, cv=2, error_score="raise")
        search.fit(train.data, train.target, sample_weight=weight)
        best = search.best_estimator_
    by_hand = quick(max_epochs=1).fit(
        StandardScaler().fit_transform(train.data), train.target, sample_weight=weight
    )
    np.testing.assert_array_equal(
        best.predict_proba(train.data),
        by_hand.predict_proba(StandardScaler().fit_transform(train.data)),
    )


def test_weights_and_groups_at_once_through_cross_validate(train, seen):
    weight = 1.0 + (train.target == "V")
    with config_context(enable_metadata_routing=True):
        result = cross_validate(
            routed(callbacks=[Record()]).set_score_request(sample_weight=False),
            train.data,
            train.target,
            cv=StratifiedGroupKFold(2),
            params={"groups": train.groups, "sample_weight": weight},
            return_estimator=True,
            error_score="raise",
        )
    assert len(result["estimator"]) == len(seen) == 2
    for model, (fitted_on, validated_on) in zip(result["estimator"], seen):
        assert not patients(fitted_on, train) & patients(validated_on, train)
        for rows in (fitted_on, validated_on):
            codes_of_v = model.classes_.tolist().index("V")
            ratio = rows.weight[rows.y == codes_of_v] / rows.weight[rows.y != codes_of_v].mean()
            np.testing.assert_allclose(ratio, 2.0, rtol=1e-5)


def test_metadata_that_is_not_requested_is_an_error(train):
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler(), quick())
        with pytest.raises(ValueError, match=r"\[groups\] are passed but are not explicitly set"):
            pipeline.fit(train.data, train.target, groups=train.groups)


def test_weights_through_a_pipeline_without_routing(train):
    weight = 1.0 + (train.target == "V")
    name = "ecgcnnclassifier__sample_weight"
    piped = make_pipeline("passthrough", quick()).fit(train.data, train.target, **{name: weight})
    direct = quick().fit(train.data, train.target, weight)
    np.testing.assert_array_equal(
        piped.predict_proba(train.data), direct.predict_proba(train.data)
    )


# --- inspection ------------------------------------------------------------------------------


def test_permutation_importance_finds_the_samples_that_matter(rng):
    X = rng.normal(size=(200, 16)).astype(np.float32)
    y = np.where(X[:, 5] > 0, "N", "V")
    model = quick(filters=(16,), stride=1, global_pool=None, max_epochs=15).fit(X, y)
    found = permutation_importance(model, X, y, n_repeats=3, random_state=0)
    assert found.importances_mean.argmax() == 5
    assert found.importances_mean[5] > 0.2


def test_learning_curve(train):
    sizes, _, scores = learning_curve(
        quick(max_epochs=4), train.data, train.target, cv=2, train_sizes=[40, 150],
        shuffle=True, random_state=0, error_score="raise",
    )  # fmt: skip
    assert sizes.tolist() == [40, 150]
    assert np.isfinite(scores).all()


# --- parameters --------------------------------------------------------------------------------


def test_parameters_round_trip():
    model = quick(dense=(16, 8), conv_dropout=(0.1, 0.2))
    assert clone(model).get_params() == model.get_params()
    assert ECGCNNClassifier(**model.get_params()).get_params() == model.get_params()
    assert model.set_params(lr=0.5) is model
    assert model.lr == 0.5
    with pytest.raises(ValueError, match=r"(?s)Invalid parameter 'learning_rate'.*'lr'"):
        model.set_params(learning_rate=0.5)
    with pytest.raises(TypeError, match="positional argument"):
        ECGCNNClassifier((8, 8))
    with pytest.raises(TypeError, match="unexpected keyword argument 'learning_rate'"):
        ECGCNNClassifier(learning_rate=0.5)


def test_defaults_are_not_shared():
    first, second = ECGCNNClassifier(), ECGCNNClassifier()
    first.set_params(filters=(4,))
    assert second.filters == (24, 24, 48, 48, 72, 72)


def test_repr_shows_changed_parameters(train):
    assert repr(ECGCNNClassifier(lr=0.5)) == "ECGCNNClassifier(lr=0.5)"
    html = make_pipeline(StandardScaler(), quick()).fit(train.data, train.target)._repr_html_()
    assert "ECGCNNClassifier" in html
    assert "StandardScaler" in html
