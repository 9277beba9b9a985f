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
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from torch import nn
from tqdm.auto import tqdm

from benchmarks.accuracy.cards import card_of
from benchmarks.accuracy.context import Folders, fit_temperature
from benchmarks.common.arguments import fraction, make_parser
from benchmarks.common.data import find_records, part_of
from benchmarks.common.provenance import FOLDER, origin, write_json
from benchmarks.common.runs import count_parameters, fitted, prepare
from benchmarks.models import ours
from benchmarks.models.context_models import FS, WINDOW, Leads, load_leads, make_network
from ecgclf.datasets import DS1, Beats, load_kaggle_heartbeat, load_mitbih
from ecgclf.estimators import BeatEstimator
from ecgclf.evaluation import beat_report, figures_without, patient_intervals

PACKAGED = Path(__file__).resolve().parents[2] / "ecgclf" / "persistence" / "pretrained"

#: Test beats that the tests of the package predict again.
SUBSET = slice(None, None, 10)

SEED = 0

#: Estimators of the models.
KAGGLE = ours.residual_network
SMALL = ours.small_cnn

#: Result file of `benchmarks.accuracy.context`, for the card of "holter".
CONTEXT = FOLDER / "context.json"


@dataclass(frozen=True)
class Recipe:
    """Recipe of a model, with the text of its card."""

    estimator: BeatEstimator
    title: str
    #: Function from the folder of the records and a share of the beats to X and y for training.
    train: Callable[[Path, float], tuple[Any, np.ndarray]]
    #: Loader of the test beats, and its arguments.
    loader: Callable[..., Beats]
    test: dict[str, Any]
    #: Properties of the beats passed to `save`, and a description of further ones.
    contract: dict[str, Any]
    lead: str
    unit: str
    scaling: str
    window: str
    split: str
    use: str
    limits: tuple[str, ...]
    #: Test records with a large influence. Figures are also given without them.
    leave_out: tuple[str, ...] = ()
    #: Function from the folder of the records to the temperature of the logits.
    temperature: Callable[[Path], float] | None = None
    #: Function that returns further tables of the card.
    tables: Callable[[], list[dict[str, Any]]] = list

    @property
    def code(self) -> str:
        """Code for the input of the network, as in `inputs`."""
        return "beats.frame[model.feature_names_in_]" if self._is_frame else "beats.data"

    def inputs(self, beats: Beats, model: BeatEstimator) -> np.ndarray | pd.DataFrame:
        """Return the input of the network."""
        return beats.frame[model.feature_names_in_] if self._is_frame else beats.data

    @property
    def _is_frame(self) -> bool:
        return self.test.get("as_frame", False)


def kaggle_rows(folder: Path, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Load the training rows of the Kaggle set."""
    beats = part_of(load_kaggle_heartbeat(folder, "train"), share, SEED)
    return beats.data, beats.target


def leads_of_patients(folder: Path, share: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Load both leads of DS1 and svdb, or of some of the records."""
    svdb = folder.with_name("svdb")
    names = [(folder, DS1), (svdb, tuple(sorted(file.stem for file in svdb.glob("*.hea"))))]
    leads = Leads.concat(
        [load_leads(place, some[: max(2, round(share * len(some)))]) for place, some in names]
    )
    return leads.frame, leads.target


def temperature_of_svdb(folder: Path) -> float:
    """Fit the temperature to patients that the networks have not seen."""
    return fit_temperature(Folders(folder, folder.with_name("svdb")), SEED)


def divide_logits(model: BeatEstimator, temperature: float) -> None:
    """Divide the logits by the temperature, in the weights of the last layer."""
    *_, last = (part for part in model.net_.module_.head.modules() if isinstance(part, nn.Linear))
    with torch.no_grad():
        last.weight /= temperature
        last.bias /= temperature


def tables_of_context() -> list[dict[str, Any]]:
    """Summarise the results of the network between patients."""
    figures = json.loads(CONTEXT.read_text(encoding="utf-8"))["figures"]
    chosen = [row for row in figures if row["train"] == "DS1 + svdb" and row["seed"] == str(SEED)]
    rows = []
    for row in chosen:
        for key, records in (("figures", "all"), ("without_232", "without 232")):
            for name, found in row.get(key, {}).items():
                rows.append({
                    "test": row["test"],
                    "records": records,
                    "leads": row["leads"],
                    "R peaks": row["beats"],
                    "figure": name,
                    "value": f"{found['estimate']:.3f}",
                    "95% interval": f"{found['low']:.3f} to {found['high']:.3f}",
                })  # fmt: skip
    return rows


_NOT_MEDICAL = (
    "It is not a medical device. It must not be used for diagnosis, monitoring or treatment."
)
_SOURCE = (
    "All data are from the MIT-BIH Arrhythmia Database: 47 patients, recorded in one city in"
    " the 1970s with one type of recorder. Other leads, devices and populations were not "
    "tested."
)

KAGGLE_ROWS = {
    "train": kaggle_rows,
    "loader": load_kaggle_heartbeat,
    "test": {"subset": "test"},
    "contract": {"fs": 120, "unit": "scaled to [0, 1]"},
    "unit": "scaled to [0, 1]",
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
    "holter": Recipe(
        make_network(SEED),
        "A network for the beats of a whole recording, tested on unseen patients",
        train=leads_of_patients,
        loader=load_mitbih,
        test={"records": "ds2", "fs": FS, "window": WINDOW, "rhythm": False, "as_frame": True},
        contract={"fs": FS, "window": WINDOW},
        lead="any; with several leads, average the log-probabilities, as annotate_recording does",
        unit="any",
        scaling="done by the network, relative to the median beat of the recording",
        window="0.375 s before the R peak to 0.5 s after it (FixedWindow), unfiltered",
        split=(
            "Trained on both leads of DS1 of the MIT-BIH Arrhythmia Database and of the 62 "
            "records of the MIT-BIH Supraventricular Arrhythmia Database (svdb), and tested on "
            "DS2, the inter-patient split of de Chazal et al. 2004. Each training beat is "
            "counted once for each lead. Record 202 of DS2 is of the same patient as record 201 "
            "of DS1, as in the published split. The settings were chosen by cross-validation "
            "over the patients of the training data."
        ),
        use=(
            "Classification of the beats of recordings of new patients, of minutes to days, from "
            "any recorder, with ecgclf.annotate_recording or ecgclf annotate."
        ),
        limits=(
            "It needs all beats of a recording: its median beat and the neighbours of each beat "
            "are part of the input.",
            "If most beats of a recording are supraventricular, as in record 232, they are "
            "classified as normal, because they are neither early nor different from most beats.",
            "Atrial fibrillation makes normal beats irregular; some of them are classified as S.",
            "The results for S and F depend on very few patients: record 232 has 75% of the "
            "S beats of DS2, and record 213 has 93% of its F beats.",
            "The training data contain only 8 Q beats of DS1 and 73 of svdb, so predictions of Q "
            "are meaningless. Paced beats do not occur in the training data.",
            "All data are two-lead ambulatory recordings of two databases made in Boston. Other "
            "populations and recorders were not tested.",
            _NOT_MEDICAL,
        ),
        leave_out=("232",),
        temperature=temperature_of_svdb,
        tables=tables_of_context,
    ),
}


def make(
    name: str, recipe: Recipe, records: Path, output: Path, options: argparse.Namespace
) -> pd.DataFrame:
    """Train a model, write its three files and return its figures."""
    started = time.time()
    X, y = recipe.train(records, options.fraction)
    test = recipe.loader(records, **recipe.test)
    settings = {"n_jobs": options.n_jobs or 1, "epochs": options.epochs}
    model = fitted(prepare(clone(recipe.estimator), seed=SEED, **settings), X, y)
    temperature = None
    if recipe.temperature is not None:
        temperature = round(recipe.temperature(records), 3)
        divide_logits(model, temperature)
    # The number of threads is a choice of the user.
    model.set_params(n_jobs=None)
    file = output / f"{name}.ecgclf"
    model.save(file, **recipe.contract)

    y_true = np.asarray(test.target)
    y_pred = model.predict(recipe.inputs(test, model))
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
            "fs": recipe.contract["fs"],
            "unit": recipe.unit,
            "n_leads": model.n_leads_,
            "n_samples": model.n_samples_,
            "lead": recipe.lead,
            "scaling": recipe.scaling,
            "window": recipe.window,
            "code": recipe.code,
        },
        "split": recipe.split,
        "train": {"beats": counts(y, test.target_names)},
        "test": {
            "loader": recipe.loader.__name__,
            "arguments": recipe.test,
            "beats": counts(y_true, test.target_names),
            "patients": len(np.unique(test.groups)),
            "without": list(recipe.leave_out),
        },
        "figures": rows_of(figures),
        "tables": recipe.tables(),
        "temperature": temperature,
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


def counts(target: np.ndarray, names: Sequence[str]) -> dict[str, int]:
    """Count the beats of each class, in the usual order."""
    return {label: int((target == label).sum()) for label in names}


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
