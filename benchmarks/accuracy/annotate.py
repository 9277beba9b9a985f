"""Whole recordings annotated from the signal alone, compared with their annotated beats.

`annotate_recording` detects and classifies the beats of all leads with the pretrained network
`holter`. Detections are paired with the annotated beats within 150 ms; all beats count, including
those of the first minutes. Burden, pauses and runs are those of `rhythm_report` on the annotated
and on the found beats. A run or pause is found if one of the same kind and class overlaps it.

`holter` was trained on svdb, so its results on svdb are not a test. It has not seen DS2.

    python -m benchmarks.accuracy.annotate
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from benchmarks.common.arguments import make_parser, select_names
from benchmarks.common.data import find_records
from benchmarks.common.provenance import write_results
from benchmarks.models.r_peaks import read_annotated, svdb_names
from ecgclf import annotate_recording, load_pretrained
from ecgclf.datasets import DS2
from ecgclf.evaluation import ec57_report, match_beats
from ecgclf.recordings import AnnotatedRecording, RhythmReport, rhythm_report

#: Picture of the burdens.
PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "burden.png"

#: Kinds of episodes that are compared, by their class.
EPISODES = {"S runs": ("run", "S"), "V runs": ("run", "V"), "pauses": ("pause", "")}


def annotate(folder: Path, name: str, model: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Annotate a record; return the pairs of beats and the figures of its rhythm."""
    truth = read_annotated(folder, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = annotate_recording(folder / name, model)
    beats = found.beats
    pairs = match_beats(
        truth.beats, truth.classes, beats["sample"], beats["label"], fs=found.fs
    ).assign(record=name)
    # svdb has a beat at the very end of a record.
    true = rhythm_report(truth.beats, truth.classes, found.fs, stop=found.n_samples + 1)
    return pairs[["record", "y_true", "y_pred"]], {"record": name, **compare(true, found)}


def compare(true: RhythmReport, found: AnnotatedRecording) -> dict[str, Any]:
    """Compare burdens and episodes."""
    figures: dict[str, Any] = {"unreadable_s": round(found.summary["unreadable_s"], 1)}
    for label in "SV":
        for which, summary in (("annotated", true.summary), ("found", found.summary)):
            figures[f"{label} burden, {which}"] = round(summary[label]["burden_percent"], 3)
    for title, (kind, label) in EPISODES.items():
        known, seen = (
            episodes[(episodes["kind"] == kind) & (episodes["label"] == label)]
            for episodes in (true.episodes, found.rhythm.episodes)
        )
        figures |= {
            f"{title}, annotated": len(known),
            f"{title}, annotated and found": overlapping(known, seen),
            f"{title}, found": len(seen),
            f"{title}, found and annotated": overlapping(seen, known),
        }
    return figures


def overlapping(episodes: pd.DataFrame, others: pd.DataFrame) -> int:
    """Count the episodes that overlap one of the others."""
    start, end = others["time_s"].to_numpy(), (others["time_s"] + others["duration_s"]).to_numpy()
    return sum(
        bool(np.any((start <= row["time_s"] + row["duration_s"]) & (end >= row["time_s"])))
        for _, row in episodes.iterrows()
    )


def summarise(pairs: pd.DataFrame, records: pd.DataFrame) -> dict[str, Any]:
    """Compute gross figures after EC57, errors of burden, and counts of episodes."""
    report = ec57_report(pairs["y_true"], pairs["y_pred"], pairs["record"])
    rates = ["sensitivity", "positive_predictivity"]
    figures: dict[str, Any] = {
        "records": len(records),
        "gross": report.gross[rates].round(4).to_dict("index"),
        "labels": list(report.labels),
        "confusion_matrix": report.confusion_matrix.tolist(),
    }
    for label in "SV":
        error = records[f"{label} burden, found"] - records[f"{label} burden, annotated"]
        spread = 1.96 * error.std()
        figures[f"{label} burden"] = {
            "mean_absolute_error": round(error.abs().mean(), 3),
            "median_absolute_error": round(error.abs().median(), 3),
            "bias": round(error.mean(), 3),
            "limits_of_agreement": [round(error.mean() + s * spread, 3) for s in (-1, 1)],
        }
    counts = records.filter(regex="runs|pauses").sum().astype(int)
    return {**figures, "episodes": counts.to_dict()}


def draw(tables: dict[str, pd.DataFrame]) -> None:
    """Draw the difference of the burdens against their mean (Bland-Altman)."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        len(tables), 2, figsize=(8, 3 * len(tables)), layout="constrained", squeeze=False
    )
    for row, (title, records) in zip(axes, tables.items()):
        for ax, label in zip(row, "SV"):
            true, found = (
                records[f"{label} burden, {which}"] for which in ("annotated", "found")
            )
            error = found - true
            ax.plot((true + found) / 2, error, "o", markersize=4, alpha=0.7)
            for at, style in ((error.mean(), "-"), (1.96, "--"), (-1.96, "--")):
                level = at if style == "-" else error.mean() + at * error.std()
                ax.axhline(level, linestyle=style, color="0.4", linewidth=1)
            ax.set_title(f"{title}: {label} beats")
            ax.set(xlabel="mean of both burdens in %", ylabel="found - annotated in %")
    figure.savefig(PICTURE, dpi=90)


def main() -> None:
    """Run the benchmark."""
    parser = make_parser(__doc__, output="annotate", only="databases")
    options = parser.parse_args()
    started = time.time()
    mitdb = find_records(options.data)
    svdb = mitdb.parent / "svdb"
    databases: dict[str, tuple[Path, Iterable[str]]] = {
        "DS2": (mitdb, DS2),
        "svdb (training records)": (svdb, svdb_names(svdb)),
    }
    model = load_pretrained("holter")
    figures, tables = {}, {}
    for title in select_names(databases, options.only):
        folder, names = databases[title]
        work = (annotate(folder, name, model) for name in names)
        pairs, rows = zip(*tqdm(work, title, len(list(names)), disable=None))
        records = pd.DataFrame(rows)
        summary = summarise(pd.concat(pairs, ignore_index=True), records)
        figures[title] = {"summary": summary, "records": records.to_dict("records")}
        tables[title] = records
        print(f"{title}: {summary}")
        file = write_results(options.output, figures, seed=0, started=started)
        print(f"Written to {file}.")
    draw(tables)


if __name__ == "__main__":
    main()
