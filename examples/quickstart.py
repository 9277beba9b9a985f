"""Train a CNN on heartbeats and report honestly how good it is.

Run by ``make demo``. It takes real records of the MIT-BIH Arrhythmia Database where it finds
them, else downloads them, else makes synthetic beats. The same network is trained and tested
twice: on a split that puts beats of the same patients on both sides, as the Kaggle
"heartbeat" set does, and on a split by patient.
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
Why they differ: in the first split the beats of every patient lie on both sides, so the
network is tested on hearts that it knows. In the second it is tested on strangers, and only
that says what to expect of a new patient."""

WHY_S_IS_HARD = """\
S beats are the hardest between patients: most have the shape of a normal beat and only come
too early, and a row that shows one beat hardly tells when the last one was. Mind also that
record 201, which is trained on, and 202, which is tested on, are of one person: the published
split has this flaw, and it is kept so that figures can be compared."""


@dataclass
class Split:
    """Beats to train on and beats to test on."""

    title: str
    train: Beats
    test: Beats


def find_records() -> Path | None:
    """Return the folder of the MIT-BIH records; download them if they are nowhere."""
    for place in (get_data_home(), REPOSITORY.parent / "shared" / "data"):
        if (place / "mitdb" / "100.dat").exists():
            return place / "mitdb"
    print("There are no MIT-BIH records here; downloading them from PhysioNet (about 100 MB).")
    try:
        return fetch_mitbih(retries=1)
    except OSError as error:
        print(f"That failed: {error}")
        return None


def real_splits(records: Path) -> list[Split]:
    """Return the published rows of the Kaggle set, and the same rows split by patient."""
    train, test = (load_kaggle_heartbeat(records, subset) for subset in ("train", "test"))
    every = load_kaggle_heartbeat(records, "all")
    by_patient = InterPatientSplit(shared_subjects="keep")
    ds1, ds2 = next(by_patient.split(every.data, groups=every.record))
    return [
        Split("Kaggle test rows (beats of the same patients on both sides)", train, test),
        Split("DS1 to DS2 (other patients in the test)", every.select(ds1), every.select(ds2)),
    ]


def synthetic_splits() -> list[Split]:
    """Return synthetic beats, split at random and split by patient."""
    beats = make_beats(n_beats=20_000, n_patients=40, random_state=0)
    splits = []
    for title, splitter in [
        ("Random split (beats of the same patients on both sides)", ShuffleSplit),
        ("Split by patient (other patients in the test)", GroupShuffleSplit),
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
        print("\nTHIS RUN USES SYNTHETIC BEATS: its figures say nothing about real hearts.")
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

    print("\nThe same network, side by side\n==============================")
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
    print(f"\nThe report and the pictures are in {options.output.resolve()}.")


if __name__ == "__main__":
    main()
