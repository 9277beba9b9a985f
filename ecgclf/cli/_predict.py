"""``ecgclf predict``."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import pandas as pd

import ecgclf
from ecgclf.cli._beats import npz_cut, read_npz
from ecgclf.cli._contract import agreed_cut, check_unit
from ecgclf.cli._recording import cut_recording


def run(options: argparse.Namespace) -> None:
    """Label the beats of a recording and write a table."""
    model = ecgclf.load(options.model_file)
    table = (
        _of_npz(model, options)
        if options.recording.suffix == ".npz"
        else _of_record(model, options)
    )
    table.to_csv(options.output or sys.stdout, index=False)
    if options.output:
        counts = table["label"].value_counts()
        held = ", ".join(f"{label}: {count:,}" for label, count in counts.items())
        print(f"{options.output}: {len(table):,} beats ({held})")


def _of_npz(model: Any, options: argparse.Namespace) -> pd.DataFrame:
    if options.lead:
        raise ValueError(f"--lead cannot be used here: {options.recording} holds beats")
    arrays = read_npz(options.recording.expanduser())
    npz_cut(options.recording, arrays, agreed_cut(model, options))
    return _labels(model, arrays["data"])


def _of_record(model: Any, options: argparse.Namespace) -> pd.DataFrame:
    check_unit(model, "mV", options)
    cut = agreed_cut(model, options).require(options.model_file)
    if model.n_tabular:
        raise ValueError(
            f"{options.model_file} takes {model.n_tabular} features beside the signal of each "
            "beat, which a record does not hold: add them yourself and give the beats as .npz"
        )
    print(f"{options.recording}: looking for R peaks", file=sys.stderr)
    data, sample, fs = cut_recording(options.recording, cut, options.lead, model.n_leads_)
    table = _labels(model, data).drop(columns="beat")
    table.insert(0, "time", (sample / fs).round(4))
    table.insert(1, "sample", sample)
    return table


def _labels(model: Any, data: Any) -> pd.DataFrame:
    """Classify beats; the probability is that of the label."""
    probabilities = model.predict_proba(data)
    return pd.DataFrame(
        {
            "beat": range(len(probabilities)),
            "label": model.classes_[probabilities.argmax(axis=1)],
            "probability": probabilities.max(axis=1).round(4),
        }
    )
