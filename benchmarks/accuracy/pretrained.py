"""Training, weights and model cards of the models that the package contains.

Each model is trained once and tested once; this script measures every figure on its card.
Finished trainings are cached, so an interrupted run continues with the missing ones, and cards
can be written again without training.

    python -m benchmarks.accuracy.pretrained
    python -m benchmarks.accuracy.pretrained --fraction 0.02 --epochs 1 --output trial
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from tqdm.auto import tqdm

from benchmarks.accuracy.cards import card_of
from benchmarks.common.arguments import fraction, make_parser
from benchmarks.common.data import find_records, part_of
from benchmarks.common.provenance import origin, write_json
from benchmarks.common.runs import count_parameters, fitted, prepare
from benchmarks.models import ours
from benchmarks.models.record_comparison import compare_with_record
from ecgclf import ECGCNNClassifier
from ecgclf.datasets import Beats, load_kaggle_heartbeat, load_mitbih
from ecgclf.estimators import BeatEstimator
from ecgclf.evaluation import beat_report, figures_without, patient_intervals

PACKAGED = Path(__file__).resolve().parents[2] / "ecgclf" / "persistence" / "pretrained"

#: Test beats that the tests of the package predict again.
SUBSET = slice(None, None, 10)

SEED = 0

#: Estimators of the models.
KAGGLE = ours.residual_network
SMALL = ours.small_cnn
INTERPATIENT = ECGCNNClassifier(max_epochs=5, label_smoothing=0.05, n_tabular=14)


@dataclass(frozen=True)
class Recipe:
    """Recipe of a model, with the text of its card."""

    estimator: BeatEstimator
    title: str
    #: Loader of the beats, and its arguments for the training and test beats.
    loader: Callable[..., Beats]
    train: dict[str, Any]
    test: dict[str, Any]
    #: Properties of the beats passed to `save`, and a description of further ones.
    contract: dict[str, Any]
    lead: str
    scaling: str
    window: str
    split: str
    use: str
    limits: tuple[str, ...]
    #: Test records with a large influence. Figures are also given without them.
    leave_out: tuple[str, ...] = ()
    #: Function from beats in a data frame to the network's input. None passes the signals.
    prepare: Callable[[Beats], pd.DataFrame] | None = None

    def load(self, folder: Path, side: dict[str, Any]) -> Beats:
        """Load the training or the test beats."""
        return self.loader(folder, **side, as_frame=self.prepare is not None)

    def inputs(self, beats: Beats) -> np.ndarray | pd.DataFrame:
        """Compute the input of the network."""
        return beats.data if self.prepare is None else self.prepare(beats)


_NOT_MEDICAL = (
    "It is not a medical device. It must not be used for diagnosis, monitoring or treatment."
)
_SOURCE = (
    "All data are from the MIT-BIH Arrhythmia Database: 47 patients, recorded in one city in"
    " the 1970s with one type of recorder. Other leads, devices and populations were not "
    "tested."
)

KAGGLE_ROWS = {
    "loader": load_kaggle_heartbeat,
    "train": {"subset": "train"},
    "test": {"subset": "test"},
    "contract": {"fs": 120, "unit": "scaled to [0, 1]"},
    "lead": "the first lead of each record: MLII, or V5 in records 102, 104 and 114",
    "scaling": "each row to [0, 1] by its minimum and maximum, then padded with zeros",
    "window": "from an R peak to 0.2 RR intervals after the next R peak (KaggleWindow)",
    "split": (
        "The published training and test rows of the Kaggle heartbeat set. The split is by "
        "beats, not by patients: the patients of the test rows are also in the training "
        "rows."
    ),
    "use": (
        "Comparison with published results on the Kaggle set, examples, and transfer learning."
    ),
    "limits": (
        "The results do not apply to new patients, for whom the model is much less accurate."
        " The training rows contain beats of each patient of the test rows.",
        "The padding encodes the RR interval after a beat, but the input does not contain "
        "the interval before it, which defines premature beats.",
        "Almost all Q beats are paced beats of four patients.",
        _SOURCE,
        _NOT_MEDICAL,
    ),
}

RECIPES = {
    "mitbih-kaggle": Recipe(
        KAGGLE, ("A residual network for the Kaggle heartbeat rows"), **KAGGLE_ROWS
    ),
    "mitbih-small": Recipe(
        SMALL, "A small convolutional network for the Kaggle heartbeat rows", **KAGGLE_ROWS
    ),
    "mitbih-interpatient": Recipe(
        INTERPATIENT,
        "A convolutional network for beats relative to their record, tested on unseen patients",
        loader=load_mitbih,
        train={"records": "ds1", "fs": 120, "window": (0.3, 0.45)},
        test={"records": "ds2", "fs": 120, "window": (0.3, 0.45)},
        contract={"fs": 120, "unit": "mV", "window": (0.3, 0.45)},
        lead="MLII, which all records of DS1 and DS2 contain",
        scaling="none: mV, minus the mean of all beats of the record",
        window="0.3 s before the R peak to 0.45 s after it (FixedWindow)",
        split=(
            "Trained on DS1 and tested on DS2, the inter-patient split of de Chazal et al. "
            "2004. Record 202 of DS2 is of the same patient as record 201 of DS1, as in the "
            "published split."
        ),
        use=(
            "Detection of beats that differ from the other beats of a complete recording, mainly"
            " V."
        ),
        limits=(
            "The results for S and F depend on very few patients: record 232 has 75% of the "
            "S beats of DS2, and record 213 has 93% of its F beats.",
            "The input is relative to the mean beat of the record. If most beats are "
            "abnormal, as in record 232, abnormal beats look normal to the model.",
            "It needs all beats of a record, so it cannot be used during recording.",
            "Another model, with the beat itself and four ratios, was tested on DS2 before "
            "and was less accurate (0.849). Cross-validation within DS1 gives the same "
            "order, but both results were known when the model was chosen.",
            "The training data contain only 8 Q beats, so predictions of Q are meaningless.",
            "The rhythm features were computed from annotated beats. Missed and false beats "
            "of a detector impair them, and with them the class S.",
            _SOURCE,
            _NOT_MEDICAL,
        ),
        leave_out=("232",),
        prepare=compare_with_record,
    ),
}


def make(
    name: str, recipe: Recipe, records: Path, output: Path, options: argparse.Namespace
) -> pd.DataFrame:
    """Train a model, write its three files and return its figures."""
    started = time.time()
    train, test = (
        part_of(recipe.load(records, side), options.fraction, SEED)
        for side in (recipe.train, recipe.test)
    )
    settings = {"n_jobs": options.n_jobs, "epochs": options.epochs}
    estimator = prepare(clone(recipe.estimator), seed=SEED, **settings)
    model = fitted(estimator, recipe.inputs(train), np.asarray(train.target))
    # The number of threads is a choice of the user.
    model.set_params(n_jobs=None)
    file = output / f"{name}.ecgclf"
    model.save(file, **recipe.contract)

    y_true = np.asarray(test.target)
    y_pred = model.predict(recipe.inputs(test))
    figures = patient_intervals(y_true, y_pred, test.groups, random_state=SEED)
    figures = figures.drop(columns="defined")
    if recipe.leave_out:
        without = figures_without(y_true, y_pred, test.record, recipe.leave_out)["without"]
        figures["without"] = without
    facts = {
        "name": name,
        "title": recipe.title,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "parameters": count_parameters([model]),
        "estimator": repr(clone(recipe.estimator)),
        "input": {
            **model_contract(recipe, model),
            "lead": recipe.lead,
            "scaling": recipe.scaling,
            "window": recipe.window,
            "features": tabular_names(model),
            "prepared_by": recipe.prepare and recipe.prepare.__name__,
        },
        "split": recipe.split,
        "train": {"arguments": recipe.train, "beats": counts(train)},
        "test": {
            "loader": recipe.loader.__name__,
            "arguments": recipe.test,
            "beats": counts(test),
            "patients": len(np.unique(test.groups)),
            "without": list(recipe.leave_out),
        },
        "figures": rows_of(figures),
        "every_tenth_test_beat": {
            "labels": model.classes_.tolist(),
            "confusion_matrix": beat_report(
                y_true[SUBSET], y_pred[SUBSET], labels=model.classes_.tolist()
            ).confusion_matrix.tolist(),
        },
        "use": recipe.use,
        "limits": list(recipe.limits),
        "fraction": options.fraction,
        **origin(seed=SEED, started=started),
    }
    write_json(output / f"{name}.json", facts)
    (output / f"{name}.md").write_text(card_of(facts), encoding="utf-8")
    return figures


def model_contract(recipe: Recipe, model: BeatEstimator) -> dict[str, Any]:
    """Return the properties of the beats that the model expects."""
    return {
        "fs": recipe.contract["fs"],
        "unit": recipe.contract["unit"],
        "n_leads": model.n_leads_,
        "n_samples": model.n_samples_,
    }


def tabular_names(model: BeatEstimator) -> list[str]:
    """Return the names of the features besides the signal."""
    return list(model.feature_names_in_[-model.n_tabular :]) if model.n_tabular else []


def counts(beats: Beats) -> dict[str, int]:
    """Count the beats of each class, in the usual order."""
    target = np.asarray(beats.target)
    return {label: int((target == label).sum()) for label in beats.target_names}


def rows_of(figures: pd.DataFrame) -> list[dict[str, Any]]:
    """Convert a table of figures to rows for JSON, with None for undefined figures."""
    table = figures.rename_axis(index="figure").reset_index().astype(object)
    return table.where(table.notna(), None).to_dict("records")


def main() -> None:
    """Train the models and write their files."""
    parser = make_parser(__doc__)
    parser.add_argument("--only", nargs="*", choices=RECIPES, help="names of models")
    parser.add_argument("--fraction", type=fraction, default=1.0, help="share of the beats")
    parser.add_argument("--epochs", type=int, help="maximum number of epochs, for a trial")
    parser.add_argument("--n-jobs", type=int, help="threads of torch; default: one")
    parser.add_argument("--output", type=Path, default=PACKAGED, help="folder to write to")
    options = parser.parse_args()
    if options.output == PACKAGED and (options.fraction < 1 or options.epochs is not None):
        parser.error("--fraction and --epochs need another --output than the package")
    records = find_records(options.data)
    options.output.mkdir(parents=True, exist_ok=True)
    for name in tqdm(options.only or list(RECIPES), unit="model", disable=None):
        figures = make(name, RECIPES[name], records, options.output, options)
        tqdm.write(f"\n{name}\n{figures.to_string(float_format='{:.4f}'.format)}")
    print(f"\nWritten to {options.output}.")


if __name__ == "__main__":
    main()
