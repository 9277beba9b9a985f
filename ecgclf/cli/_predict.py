"""``ecgclf predict``."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import pandas as pd

import ecgclf
from ecgclf.cli._beats import npz_cut, read_npz
from ecgclf.cli._contract import agreed_cut, check_length, check_unit
from ecgclf.cli._output import check_output, counted
from ecgclf.cli._recording import cut_recording, read_recording


def run(options: argparse.Namespace) -> None:
    """Label the beats of a recording and write a table."""
    check_output(options.output)
    model = ecgclf.load(options.model_file)
    table = (
        _of_npz(model, options)
        if options.recording.suffix == ".npz"
        else _of_record(model, options)
    )
    table.to_csv(options.output or sys.stdout, index=False)
    if options.output:
        print(f"{options.output}: {counted(table['label'].to_numpy())}")


def _of_npz(model: Any, options: argparse.Namespace) -> pd.DataFrame:
    if options.lead:
        raise ValueError(f"--lead cannot be used here: {options.recording} holds beats")
    arrays = read_npz(options.recording.expanduser())
    npz_cut(options.recording, arrays, agreed_cut(model, options))
    table = _labels(model, arrays["data"])
    table.insert(0, "beat", range(len(table)))
    return table


def _of_record(model: Any, options: argparse.Namespace) -> pd.DataFrame:
    check_unit(model, "mV", options)
    cut = agreed_cut(model, options)
    fs, window = cut.require(options.model_file)
    if model.n_tabular:
        raise ValueError(
            f"{options.model_file} takes {model.n_tabular} features beside the signal of each "
            "beat, which a record does not hold: add them yourself and give the beats as .npz"
        )
    record = read_recording(options.recording, options.lead, model.n_leads_)
    print(
        f"{options.recording}: {record.n_samples / record.fs / 60:.1f} minutes of "
        f"{', '.join(record.leads)}, looking for R peaks",
        file=sys.stderr,
    )
    beats = cut_recording(record, fs, window)
    check_length(model, beats.data, cut, options)
    table = _labels(model, beats.data)
    table.insert(0, "time", (beats.sample / record.fs).round(4))
    table.insert(1, "sample", beats.sample)
    return table


def _labels(model: Any, data: Any) -> pd.DataFrame:
    """Classify beats; the probability is that of the label."""
    probabilities = model.predict_proba(data)
    return pd.DataFrame(
        {
            "label": model.classes_[probabilities.argmax(axis=1)],
            "probability": probabilities.max(axis=1).round(4),
        }
    )
