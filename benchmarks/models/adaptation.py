"""Models adapted to a patient by the first five labelled minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.common.runs import fitted, prepare, run
from benchmarks.models.interpatient_models import FOUR_RATIOS
from benchmarks.models.own_beats import LabelledRecords
from ecgclf import ECGCNNClassifier, ECGTransferClassifier

#: Classes in the order of the columns of probabilities.
CLASSES = np.array(["N", "S", "V", "F", "Q"])

#: Of the N beats of other patients, one in `N_THINNED` is used, with this weight.
N_THINNED = 5

Inputs = Callable[[LabelledRecords], np.ndarray]


def beat_and_ratios(records: LabelledRecords) -> np.ndarray:
    """Return one lead and four ratios of RR intervals."""
    return np.c_[records.signal[:, 0], records.rhythm[FOUR_RATIOS]].astype(np.float32)


def own_comparisons(records: LabelledRecords) -> np.ndarray:
    """Return all comparisons with the labelled beats of the patient, of both leads."""
    return records.own.to_numpy()


def beat_and_comparisons(records: LabelledRecords) -> np.ndarray:
    """Return one lead and all comparisons with the labelled beats of the patient."""
    return np.c_[records.signal[:, 0], records.own].astype(np.float32)


@dataclass(frozen=True)
class Recipe:
    """Recipe for a model adapted to a patient.

    Attributes
    ----------
    estimator : estimator
        A transfer gets as its source a network trained on the other patients.
    inputs : callable
        Function from records to ``X``.
    others : int
        Use one in `others` beats of the other patients. 0 uses none.
    own_weight : float
        Weight of each labelled beat of the patient. 0 excludes them.
    each : bool
        Train one model per tested patient instead of one for all.
    """

    estimator: BaseEstimator
    inputs: Inputs
    others: int = 1
    own_weight: float = 0.0
    each: bool = False

    def probabilities(
        self, train: LabelledRecords, test: LabelledRecords, seed: int, progress: Any
    ) -> np.ndarray:
        """Train on records and the first minutes of others, and predict the rest of the others.

        Returns
        -------
        ndarray of shape (n_beats, 5)
            Probabilities in the order of `test` and `CLASSES`. Rows of the first minutes are 0.
        """
        X_train, X_test = self.inputs(train), self.inputs(test)
        estimator = self._prepared(train, X_train, seed)
        rows = thinned(train)[:: self.others] if self.others else np.empty(0, dtype=int)
        weight = weights(train.target[rows])
        result = np.zeros((len(X_test), len(CLASSES)))
        for tested in by_record(test) if self.each else [np.arange(len(X_test))]:
            own = tested[test.early[tested]] if self.own_weight else np.empty(0, dtype=int)
            rest = tested[~test.early[tested]]
            X = np.concatenate([X_train[rows], X_test[own]])
            y = np.concatenate([train.target[rows], test.target[own]])
            w = np.concatenate([weight, np.full(len(own), self.own_weight)])
            result[rest] = fit_and_predict(estimator, X, y, w, X_test[rest])
            progress.update()
        return result

    def _prepared(self, train: LabelledRecords, X: np.ndarray, seed: int) -> BaseEstimator:
        estimator = clone(self.estimator)
        if isinstance(estimator, ECGTransferClassifier):
            rows = thinned(train)
            source = prepare(clone(NETWORK), seed=seed)
            y = train.target[rows]
            source = fitted(source, X[rows], y, sample_weight=weights(y))
            estimator.set_params(source=source)
            return estimator.set_params(random_state=seed)
        return prepare(estimator, seed=seed)


def fit_and_predict(
    estimator: BaseEstimator, X: np.ndarray, y: np.ndarray, weight: np.ndarray, X_test: np.ndarray
) -> np.ndarray:
    """Train and predict probabilities of all classes."""
    result = np.zeros((len(X_test), len(CLASSES)))
    if len(np.unique(y)) == 1:  # estimators need two classes
        result[:, np.flatnonzero(y[0] == CLASSES)] = 1
        return result
    name = "sample_weight"
    if isinstance(estimator, Pipeline):
        name = f"{estimator.steps[-1][0]}__{name}"
    found = run(clone(estimator), X, y, X_test, **{name: weight})
    places = [int(np.flatnonzero(label == CLASSES)[0]) for label in found["classes"]]
    result[:, places] = found["probabilities"]
    return result


def thinned(records: LabelledRecords) -> np.ndarray:
    """Select all beats except N, and some of the N beats."""
    counted = np.arange(len(records.target))
    return np.flatnonzero((records.target != "N") | (counted % N_THINNED == 0))


def weights(target: np.ndarray) -> np.ndarray:
    """Weight the selected N beats so that they represent all of them."""
    return np.where(target == "N", float(N_THINNED), 1.0)


def by_record(records: LabelledRecords) -> list[np.ndarray]:
    """Return the rows of each record."""
    return [np.flatnonzero(records.record == name) for name in records.names]


_TRAINING = {"n_jobs": 1, "verbose": 0}

NETWORK = ECGCNNClassifier(
    filters=(16, 32, 32),
    stride=2,
    dense=(32,),
    n_tabular=len(FOUR_RATIOS),
    max_epochs=8,
    **_TRAINING,
)


def transfers(strategy: str) -> list[Recipe]:
    """Return the candidates of a strategy, with different weights of the own beats.

    A tenth of the beats of the other patients is added. Without them, the new head would lack
    the classes that are absent from the first five minutes, as they are in most patients.
    """
    return [
        Recipe(
            ECGTransferClassifier(
                strategy=strategy,
                dense=(32,),
                n_tabular=len(FOUR_RATIOS),
                max_epochs=4,
                batch_size=64,
                lr=lr,
                **_TRAINING,
            ),
            beat_and_ratios,
            others=10,
            own_weight=own_weight,
            each=True,
        )
        for lr, own_weight in ((3e-3, 10.0), (3e-3, 50.0))
    ]


#: Candidates by name. One of each is chosen within DS1.
CANDIDATES: dict[str, list[Recipe]] = {
    "network, not adapted": [Recipe(NETWORK, beat_and_ratios)],
    "network, frozen": transfers("frozen"),
    "network, gradual": transfers("gradual"),
    "network, all weights": transfers("finetune"),
    "network, five minutes only": [
        Recipe(
            clone(NETWORK).set_params(max_epochs=15, batch_size=32),
            beat_and_ratios,
            others=0,
            own_weight=1.0,
            each=True,
        )
    ],
    "network, DS1 and five minutes": [
        Recipe(NETWORK, beat_and_ratios, own_weight=own_weight) for own_weight in (10.0,)
    ],
    "network, DS1 and five minutes, comparisons": [
        Recipe(
            clone(NETWORK).set_params(n_tabular=82),
            beat_and_comparisons,
            own_weight=10.0,
        )
    ],
    "extremely randomized trees on comparisons": [
        Recipe(
            ExtraTreesClassifier(50, min_samples_leaf=2, max_features="sqrt"),
            own_comparisons,
            own_weight=10.0,
        )
    ],
    "logistic regression on comparisons": [
        Recipe(
            make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=500)),
            own_comparisons,
            own_weight=own_weight,
            each=True,
        )
        for C in (0.3, 1.0)
        for own_weight in (10.0, 30.0)
    ],
}
