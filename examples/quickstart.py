"""Train and evaluate a CNN on heartbeats, with a random split and with a split by patient.

Run by ``make demo``. Uses records of the MIT-BIH Arrhythmia Database: found on this machine or
downloaded. Without a network connection it uses synthetic beats. The same network is trained and
tested twice: on the split of the Kaggle "heartbeat" dataset, which has the same patients in
training and test, and on a split by patient.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

from sklearn.base import clone
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

import ecgclf
from ecgclf import ECGCNNClassifier
from ecgclf.datasets import (
    Beats,
    fetch_mitbih,
    get_data_home,
    load_kaggle_heartbeat,
    make_beats,
)
from ecgclf.evaluation import BeatReport, InterPatientSplit, beat_report
from ecgclf.plots import BeatDisplay, ConfusionDisplay, HistoryDisplay

REPOSITORY = Path(__file__).resolve().parents[1]

WHY_THEY_DIFFER = """\
Why the results differ: the first split has beats of every patient in both training and test.
The second tests on new patients, and only it estimates performance on new patients."""

WHY_S_IS_HARD = """\
S beats are the hardest to classify between patients: most have the shape of a normal beat but
occur early, and a row with a single beat hardly shows the preceding RR interval. Note that
record 201 (training) and record 202 (test) are from the same person. The published split has
this flaw, and it is kept here for comparison with published results."""


@dataclass
class Split:
    """Beats to train on and beats to test on."""

    title: str
    train: Beats
    test: Beats


def find_records() -> Path | None:
    """Find the folder of the MIT-BIH records, and download them if necessary."""
    for place in (get_data_home(), REPOSITORY.parent / "shared" / "data"):
        if (place / "mitdb" / "100.dat").exists():
            return place / "mitdb"
    print("No MIT-BIH records found. Downloading them from PhysioNet (about 100 MB).")
    try:
        return fetch_mitbih(retries=1)
    except OSError as error:
        print(f"The download failed: {error}")
        return None


def real_splits(records: Path) -> list[Split]:
    """Load the rows of the Kaggle dataset, with the published split and split by patient."""
    train, test = (load_kaggle_heartbeat(records, subset) for subset in ("train", "test"))
    every = load_kaggle_heartbeat(records, "all")
    by_patient = InterPatientSplit(shared_subjects="keep")
    ds1, ds2 = next(by_patient.split(every.data, groups=every.record))
    return [
        Split("Kaggle split (same patients in training and test)", train, test),
        Split("DS1 to DS2 (new patients in the test)", every.select(ds1), every.select(ds2)),
    ]


def synthetic_splits() -> list[Split]:
    """Make synthetic beats, split at random and split by patient."""
    beats = make_beats(n_beats=20_000, n_patients=40, random_state=0)
    splits = []
    for title, splitter in [
        ("Random split (same patients in training and test)", ShuffleSplit),
        ("Split by patient (new patients in the test)", GroupShuffleSplit),
    ]:
        rows = next(
            splitter(1, test_size=0.25, random_state=0).split(beats.data, groups=beats.groups)
        )
        splits.append(Split(title, *(beats.select(part) for part in rows)))
    return splits


def train_and_test(model: ECGCNNClassifier, split: Split) -> BeatReport:
    """Fit `model` on the training beats and report on the test beats."""
    print(f"\n{split.title}\n{'=' * len(split.title)}")
    print(f"Training on {len(split.train.data):,} beats ...", flush=True)
    start = time.perf_counter()
    model.fit(split.train.data, split.train.target)
    seconds = time.perf_counter() - start
    score = model.predict_proba(split.test.data)
    report = beat_report(
        split.test.target,
        model.classes_[score.argmax(axis=1)],
        score,
        groups=split.test.groups,
        classes=model.classes_,
    )
    n_parameters = sum(p.numel() for p in model.net_.module_.parameters())
    print(f"{n_parameters:,} parameters, {model.n_iter_} epochs, {seconds:.0f} s of training.\n")
    print(report)
    return report


def draw(folder: Path, name: str, model: ECGCNNClassifier, report: BeatReport) -> None:
    """Save the confusion matrix and the training history."""
    confusion = ConfusionDisplay(report.confusion_matrix, display_labels=report.labels)
    confusion.plot().figure_.savefig(folder / f"{name}-confusion.png", dpi=120)
    history = HistoryDisplay.from_estimator(model)
    history.figure_.savefig(folder / f"{name}-history.png", dpi=120)


def main() -> None:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("ecgclf-demo"))
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    records = find_records()
    if records is None:
        print("\nTHIS RUN USES SYNTHETIC BEATS: its results do not apply to real ECGs.")
        same, other = synthetic_splits()
        unit, before = "mV", 0.25
    else:
        print(f"Using the MIT-BIH records in {records}.")
        same, other = real_splits(records)
        unit, before = "scaled", 0.0
    examples = BeatDisplay.from_beats(
        same.train, n_per_class=4, unit=unit, before=before, random_state=0
    )
    examples.figure_.savefig(options.output / "beats.png", dpi=120)

    network = ECGCNNClassifier(max_epochs=options.epochs, random_state=0)
    reports = {}
    for name, split in [("same-patients", same), ("other-patients", other)]:
        model = clone(network)
        reports[name] = train_and_test(model, split)
        draw(options.output, name, model, reports[name])

    print("\nThe same network on both splits\n===============================")
    for split, report in zip((same, other), reports.values()):
        print(f"{report.accuracy:.4f} accuracy, {report.macro_f1:.4f} macro-F1: {split.title}")
    print(f"\n{WHY_THEY_DIFFER}")
    if records is not None:
        print(f"\n{WHY_S_IS_HARD}")
    written = {
        "ecgclf": ecgclf.__version__,
        "data": "synthetic" if records is None else "MIT-BIH Arrhythmia Database 1.0.0",
        "estimator": repr(network),
        "splits": {name: report.to_dict() for name, report in reports.items()},
    }
    (options.output / "report.json").write_text(
        json.dumps(written, indent=2, allow_nan=False) + "\n"
    )
    print(f"\nThe report and the figures are in {options.output.resolve()}.")


if __name__ == "__main__":
    main()
