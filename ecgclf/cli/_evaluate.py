"""``ecgclf evaluate``."""

from __future__ import annotations

import argparse

import ecgclf
from ecgclf.cli._beats import read_for
from ecgclf.evaluation import beat_report


def run(options: argparse.Namespace) -> None:
    """Predict labelled beats and print a report."""
    model = ecgclf.load(options.model_file)
    beats = read_for(model, options)
    probabilities = model.predict_proba(beats.data)
    report = beat_report(
        beats.target,
        model.classes_[probabilities.argmax(axis=1)],
        probabilities,
        beats.groups,
        classes=model.classes_,
    )
    print(report.to_json() if options.json else report)
