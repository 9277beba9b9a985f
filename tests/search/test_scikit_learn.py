"""Searches of scikit-learn over networks and pipelines, in two processes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import f1_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    ParameterGrid,
    ParameterSampler,
    RandomizedSearchCV,
    StratifiedGroupKFold,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGCNNClassifier
from ecgclf.search import (
    Choice,
    FloatRange,
    SearchSpace,
    to_distributions,
    to_grid,
)

SPACE = SearchSpace(
    {"cnn__lr": FloatRange(1e-3, 1e-2, log=True), "cnn__filters": Choice([[4], [4, 8]])}
)
FOLDS = StratifiedGroupKFold(2)


@pytest.fixture(scope="module")
def pipeline():
    cnn = ECGCNNClassifier(stride=2, batch_size=16, max_epochs=2, random_state=0, verbose=0)
    return Pipeline([("scale", StandardScaler()), ("cnn", cnn)])


def scores_by_hand(pipeline, setting, beats, folds):
    """Fit and score in this process, without a search."""
    scores = []
    for train, test in folds.split(beats.data, beats.target, beats.groups):
        assert not set(beats.groups[train]) & set(beats.groups[test])
        model = pipeline.set_params(**setting).fit(beats.data[train], beats.target[train])
        predicted = model.predict(beats.data[test])
        scores.append(f1_score(beats.target[test], predicted, average="macro"))
    return scores


def check_scores(search, pipeline, beats):
    """Compare the scores of the best and the last setting with those computed by hand."""
    results = search.cv_results_
    for i in {search.best_index_, len(results["params"]) - 1}:
        found = [results[f"split{k}_test_score"][i] for k in range(2)]
        by_hand = scores_by_hand(pipeline, results["params"][i], beats, FOLDS)
        assert_allclose(found, by_hand, rtol=1e-12)
    assert search.best_score_ == results["mean_test_score"].max()
    assert set(search.predict(beats.data)) <= set(beats.target)


def test_a_grid_search_in_two_processes(pipeline, beats):
    grid = to_grid(SPACE, n_points=2)
    search = GridSearchCV(pipeline, grid, scoring="f1_macro", cv=FOLDS, n_jobs=2)
    search.fit(beats.data, beats.target, groups=beats.groups)
    assert search.cv_results_["params"] == list(ParameterGrid(grid))
    check_scores(search, pipeline, beats)


def test_a_randomized_search_in_two_processes(pipeline, beats):
    distributions = to_distributions(SPACE)
    search = RandomizedSearchCV(
        pipeline,
        distributions,
        n_iter=2,
        scoring="f1_macro",
        cv=FOLDS,
        n_jobs=2,
        random_state=0,
    ).fit(beats.data, beats.target, groups=beats.groups)
    drawn = list(ParameterSampler(distributions, 2, random_state=0))
    assert search.cv_results_["params"] == drawn
    check_scores(search, pipeline, beats)


def test_halving_in_two_processes(pipeline, beats):
    search = HalvingGridSearchCV(
        pipeline,
        {"cnn__lr": [1e-5, 1e-3, 1e-2]},
        resource="cnn__max_epochs",
        min_resources=1,
        max_resources=3,
        factor=3,
        scoring="f1_macro",
        cv=FOLDS,
        n_jobs=2,
    )
    search.fit(beats.data, beats.target, groups=beats.groups)
    assert search.n_candidates_ == [3, 1]
    assert search.n_resources_ == [1, 3]
    results = search.cv_results_
    first = results["iter"] == 0
    # The candidate of the second iteration is the best of the first one.
    rates = [params["cnn__lr"] for params in results["params"]]
    score = dict(zip(rates, results["mean_test_score"][first], strict=False))
    assert len(set(score.values())) > 1
    assert score[rates[-1]] == max(score.values())
    setting = {"cnn__lr": search.best_params_["cnn__lr"], "cnn__max_epochs": 3}
    assert_allclose(search.best_score_, np.mean(scores_by_hand(pipeline, setting, beats, FOLDS)))
