"""The commands of ``ecgclf``: functions that take the parsed command line."""

from __future__ import annotations

import argparse
import ast
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import ecgclf
from ecgclf import datasets
from ecgclf._files import check_writable, replacing
from ecgclf.cli._source import (
    read_for,
    read_labelled,
    read_recording,
    read_unlabelled,
    refuse,
)
from ecgclf.recordings import annotate_recording, annotate_recordings, find_model

#: Beats for calibration; more change the range of the activations little.
_N_CALIBRATION = 1000


def train(options: argparse.Namespace) -> None:
    """Train a network and save it."""
    check_writable(options.model_file)
    model = _make_model(options.model, options.settings, options.seed)
    beats = read_labelled(options, options.fs, options.window)
    if options.unit and beats.unit:
        raise ValueError(f"--unit cannot be used here: these beats are {beats.unit!r}.")
    print(_count(beats.target), file=sys.stderr)
    model.fit(beats.data, beats.target, groups=beats.groups)
    model.save(
        options.model_file,
        fs=beats.fs,
        unit=options.unit or beats.unit,
        window=beats.window,
    )
    loss = model.history_["train_loss"].iloc[-1]
    print(f"{options.model_file}: {model.n_iter_} epochs, training loss {loss:.4f}")


def evaluate(options: argparse.Namespace) -> None:
    """Predict labelled beats and print a report."""
    from ecgclf.evaluation import beat_report

    model = ecgclf.load(options.model_file)
    _check_one_label(model, options.model_file)
    beats = read_for(model, options)
    _check_labels(beats.target, model.classes_, options)
    probabilities = model.predict_proba(beats.data)
    report = beat_report(
        beats.target,
        model.classes_[probabilities.argmax(axis=1)],
        probabilities,
        beats.groups,
        classes=model.classes_,
    )
    print(report.to_json() if options.json else report)


def predict(options: argparse.Namespace) -> None:
    """Classify the beats of a recording and write a table."""
    if options.output is not None:
        check_writable(options.output)
    if options.output and options.output.suffix == ".atr":
        raise ValueError(
            f"{options.output} is a name of WFDB annotations, but predict writes CSV. Name a "
            "file that ends in .csv, or use ecgclf annotate."
        )
    model, _ = find_model(options.model_file)
    _check_one_label(model, options.model_file)
    if options.recording.suffix == ".npz":
        probabilities = model.predict_proba(read_unlabelled(model, options))
        table = _label(pd.DataFrame(probabilities, columns=model.classes_))
        table.insert(0, "beat", range(len(table)))
    else:
        record = read_recording(model, options)
        print(
            f"{options.recording}: {record.n_samples / record.fs / 60:.1f} minutes of "
            f"{', '.join(record.leads)}, detecting R peaks",
            file=sys.stderr,
        )
        found = annotate_recording(record, model, fs=options.fs, window=options.window)
        beats = found.beats[~found.beats["uncertain"]]
        if n_left_out := len(found.beats) - len(beats):
            print(
                f"{options.recording}: {n_left_out:,} beats in unreadable signal are left out",
                file=sys.stderr,
            )
        if not len(beats):
            raise ValueError(
                f"No R peak was found in lead {', '.join(record.leads)} of record {record.name}. "
                "Choose another lead with --lead."
            )
        table = beats[["time", "sample"]].round(4).join(_label(beats[list(found.classes)]))
    if options.output is None:
        table.to_csv(sys.stdout, index=False)
    else:
        with replacing(options.output) as part:
            table.to_csv(part, index=False)
        print(f"{options.output}: {_count(table['label'].to_numpy())}")


def annotate(options: argparse.Namespace) -> None:
    """Annotate recordings and write files beside each other in a folder."""
    table = annotate_recordings(
        options.recordings,
        options.output,
        options.model,
        formats=options.formats,
        report=options.report,
        overwrite=options.overwrite,
        n_jobs=options.n_jobs,
        verbose=int(sys.stderr.isatty()),
        leads=options.lead,
        start=options.start,
        end=options.end,
        min_confidence=options.min_confidence,
        fs=options.fs,
        window=options.window,
    )
    for recording, status, message, caught in table.to_numpy().tolist():
        for warning in caught:
            warnings.warn(f"{recording}: {warning}", UserWarning, stacklevel=1)
        if status != "failed":
            print(f"{recording}: {message}")
    failed = table[table["status"] == "failed"]
    if len(failed):
        of_all = f" ({len(failed)} of {len(table)} recordings failed)" if len(table) > 1 else ""
        raise ValueError("; ".join(failed["message"]) + of_all)


def export(options: argparse.Namespace) -> None:
    """Write a saved model as ONNX, in the requested number format."""
    from ecgclf.export import export_onnx, halve_onnx, quantize_onnx

    check_writable(options.onnx_file)
    if not options.data:
        unused = ("records", "database", "kaggle", "lead", "fs", "window")
        refuse(options, unused, "it selects beats for --calibrate")
    model = ecgclf.load(options.model_file)
    if not (options.data or options.float16):
        export_onnx(model, options.onnx_file)
    else:
        with tempfile.TemporaryDirectory() as folder:
            full = Path(folder, "model.onnx")
            export_onnx(model, full)
            if options.float16:
                halve_onnx(full, options.onnx_file)
            else:
                beats = read_for(model, options).data
                rows = np.linspace(0, len(beats) - 1, min(len(beats), _N_CALIBRATION))
                quantize_onnx(full, options.onnx_file, beats[rows.astype(int)])
    print(f"{options.onnx_file}: {options.onnx_file.stat().st_size / 1000:,.1f} kB")


def fetch(options: argparse.Namespace) -> None:
    """Download a database and print its folder."""
    name = {"mitbih": "mitdb"}.get(options.database, options.database)
    print(datasets.fetch(name, records=options.records or "all", data_home=options.to))


def _make_model(name: str, settings: list[str], seed: int | None) -> Any:
    """Make an estimator from settings such as ``lr=1e-3``."""
    model = getattr(ecgclf, name)(random_state=seed)
    known = model.get_params(deep=False)
    for setting in settings:
        key, is_given, text = setting.partition("=")
        if not is_given or key not in known:
            raise ValueError(
                f"--set {setting}: expected NAME=VALUE with a parameter of {name}, one of "
                f"{', '.join(sorted(known))}."
            )
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text  # a string, which needs no quotes
        model.set_params(**{key: value})
    model._validate_params()  # before the beats are read, which takes longer
    return model


def _check_one_label(model: Any, name: Any) -> None:
    """Check that a model gives each beat one label."""
    if getattr(model, "multilabel_", False):
        raise ValueError(
            f"{name} predicts several labels at once, but this command needs one label a beat. "
            "Use its predict in Python."
        )


def _check_labels(target: np.ndarray, classes: np.ndarray, options: argparse.Namespace) -> None:
    """Warn of labels that the model does not know; raise a ValueError if it knows none."""
    known = set(classes.tolist())
    unknown = [label for label in target.tolist() if label not in known]
    if not unknown:
        return
    names = ", ".join(sorted({str(label) for label in unknown}))
    if len(unknown) == len(target):
        raise ValueError(
            f"{options.model_file} predicts the classes {', '.join(map(str, classes))}, but the "
            f"labels are {names}. They have no class in common."
        )
    warnings.warn(
        f"{len(unknown):,} of {len(target):,} beats have labels that {options.model_file} "
        f"does not know ({names}); they count as errors.",
        UserWarning,
        stacklevel=2,
    )


def _label(probabilities: pd.DataFrame) -> pd.DataFrame:
    """Return the most probable label of each beat and its probability."""
    return pd.DataFrame(
        {"label": probabilities.idxmax(axis=1), "probability": probabilities.max(axis=1).round(4)}
    )


def _count(labels: np.ndarray) -> str:
    """Count beats, in total and by class, as in "3 beats (N: 2, V: 1)"."""
    names, counts = np.unique(labels, return_counts=True)
    of_class = ", ".join(f"{name}: {count:,}" for name, count in zip(names, counts))
    return f"{counts.sum():,} beats ({of_class})"
