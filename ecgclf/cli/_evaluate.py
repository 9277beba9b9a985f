"""``ecgclf evaluate``."""

from __future__ import annotations

import argparse
import warnings

import numpy as np

import ecgclf
from ecgclf.cli._beats import read_for
from ecgclf.evaluation import beat_report


def run(options: argparse.Namespace) -> None:
    """Predict labelled beats and print a report."""
    model = ecgclf.load(options.model_file)
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


def _check_labels(target: np.ndarray, classes: np.ndarray, options: argparse.Namespace) -> None:
    """Say which labels the model does not know, and refuse those that have none in common."""
    known = set(classes.tolist())
    unknown = [label for label in target.tolist() if label not in known]
    if not unknown:
        return
    names = ", ".join(sorted({str(label) for label in unknown}))
    if len(unknown) == len(target):
        raise ValueError(
            f"{options.model_file} knows the classes {', '.join(map(str, classes))}, and none of "
            f"the labels is one of them: {names}"
        )
    warnings.warn(
        f"{len(unknown):,} of {len(target):,} beats are of classes that {options.model_file} "
        f"does not know ({names}): they count as errors",
        UserWarning,
        stacklevel=2,
    )
