"""The words that each command understands. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

import ecgclf

#: Classifiers by name.
MODELS = tuple(name for name in ecgclf._ESTIMATORS if name.endswith("Classifier"))

_DATA = """\
DATA is one of
  beats.npz        arrays "data" (n_beats, n_samples) or (n_beats, n_leads, n_samples) and
                   "target"; if there are such, "groups" (patients), "fs" and "window"
  a folder         with records of the MIT-BIH Arrhythmia Database, as `ecgclf fetch` gets
                   them; or, with --kaggle, with those records or with the CSVs of the Kaggle
                   "heartbeat" set
"""

_FIRST_STEPS = """\
first steps:
  ecgclf fetch mitbih --to data
  ecgclf train data/mitdb model.ecgclf --records ds1 --fs 120
  ecgclf evaluate model.ecgclf data/mitdb --records ds2
  ecgclf predict model.ecgclf data/mitdb/100 --output 100.csv

`ecgclf COMMAND --help` explains a command. The exit code is 0 if all is done and 2 if the
input is at fault, which one line on the standard error then explains."""

_ABOUT = {
    "train": (
        "train a network on labelled beats and save it",
        """\
Train a network and save it. What beats it takes (rate, window, unit) is saved with it.

"""
        + _DATA,
        """\
  ecgclf train "$(ecgclf fetch mitbih)" model.ecgclf --records ds1 --fs 125
  ecgclf train beats.npz model.ecgclf --model ECGResNetClassifier --set max_epochs=5 \\
      --set lr=1e-3 --set class_weight=balanced""",
    ),
    "evaluate": (
        "compare a saved model with labelled beats",
        """\
Predict labelled beats and report accuracy, sensitivity and positive predictivity. Records are
cut as the model was trained, so neither --fs nor --window is needed.

"""
        + _DATA,
        """\
  ecgclf evaluate model.ecgclf data/mitdb --records ds2
  ecgclf evaluate model.ecgclf beats.npz --json > report.json""",
    ),
    "predict": (
        "label the beats of a recording",
        """\
Detect the R peaks of a WFDB record, cut a beat at each as the model was trained, and write a
table as CSV: time of the R peak in seconds, its sample, the label and its probability. Beats
of an .npz file ("data") are counted from 0 instead.""",
        """\
  ecgclf predict model.ecgclf data/mitdb/100 --output 100.csv
  ecgclf predict model.ecgclf night/holter --lead V5 | head""",
    ),
    "export": (
        "write a saved model as ONNX",
        """\
Write a saved model as a graph of ONNX, for programs without Python. With --calibrate, weights
and activations become integers of 8 bits.

"""
        + _DATA,
        """\
  ecgclf export model.ecgclf model.onnx
  ecgclf export model.ecgclf small.onnx --calibrate data/mitdb --records ds1""",
    ),
    "fetch": (
        "download a database from PhysioNet",
        """\
Download a database and print its folder. A download that broke off goes on where it was, and
every file is verified.""",
        """\
  ecgclf fetch mitbih
  ecgclf fetch mitbih --records 100,101 --to data""",
    ),
}


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line.

    Examples
    --------
    >>> make_parser().parse_args(["fetch", "mitbih"]).database
    'mitbih'
    """
    parser = argparse.ArgumentParser(
        prog="ecgclf",
        description="Classify heartbeats in ECG recordings.",
        epilog=_FIRST_STEPS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ecgclf {ecgclf.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, add_words in _WORDS.items():
        short, description, examples = _ABOUT[name]
        add_words(
            commands.add_parser(
                name,
                help=short,
                description=description,
                epilog=f"examples:\n{examples}",
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return parser


def _train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA", type=Path, help="labelled beats, see above")
    parser.add_argument("model_file", metavar="MODEL", type=Path, help="file to write")
    parser.add_argument(
        "--model",
        default="ECGCNNClassifier",
        choices=MODELS,
        metavar="NAME",
        help=f"class of the network, ECGCNNClassifier unless told; one of {', '.join(MODELS)}",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="parameter of the network, such as lr=1e-3 or filters='(16, 32)'; may be repeated",
    )
    parser.add_argument("--seed", type=int, help="the same seed gives the same model")
    _add_source(parser)
    parser.add_argument("--unit", help="unit of the amplitude of .npz beats, such as mV")


def _evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model_file", metavar="MODEL", type=Path, help="a saved model")
    parser.add_argument("data", metavar="DATA", type=Path, help="labelled beats, see above")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    _add_source(parser)


def _predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model_file", metavar="MODEL", type=Path, help="a saved model")
    parser.add_argument(
        "recording",
        metavar="RECORD",
        type=Path,
        help="record, without an ending or with that of its header; or beats.npz",
    )
    parser.add_argument(
        "--output", type=Path, metavar="CSV", help="file to write; else the standard output"
    )
    _add_cut(parser)


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model_file", metavar="MODEL", type=Path, help="a saved model")
    parser.add_argument("onnx_file", metavar="ONNX", type=Path, help="file to write")
    small = parser.add_mutually_exclusive_group()
    small.add_argument("--float16", action="store_true", help="weights of 16 bits: half the size")
    small.add_argument(
        "--calibrate",
        metavar="DATA",
        type=Path,
        dest="data",
        help="integers of 8 bits; their range is taken from these beats",
    )
    _add_source(parser)


def _fetch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("database", choices=("mitbih", "ptbdb"))
    parser.add_argument("--records", type=_names, metavar="NAMES", help="only these: 100,101")
    parser.add_argument(
        "--to",
        type=Path,
        metavar="FOLDER",
        help="folder of all databases",
    )


def _add_source(parser: argparse.ArgumentParser) -> None:
    """Add what says which beats of a folder are meant, and how they are cut."""
    parser.add_argument(
        "--records",
        type=_names,
        metavar="NAMES",
        help="all, ds1, ds2 (training and test patients of de Chazal et al.), or 100,101",
    )
    parser.add_argument(
        "--kaggle", choices=("train", "test", "all"), help='rows of the "heartbeat" set'
    )
    _add_cut(parser)


def _names(text: str) -> list[str]:
    """Take names apart that commas join."""
    return [name.strip() for name in text.split(",")]


def _add_cut(parser: argparse.ArgumentParser) -> None:
    """Add what says how beats are cut out of a record."""
    parser.add_argument("--lead", type=_names, metavar="NAMES", help="lead or leads: MLII,V1")
    parser.add_argument("--fs", type=float, metavar="HZ", help="sampling rate of the beats")
    parser.add_argument(
        "--window",
        nargs=2,
        type=float,
        metavar=("BEFORE", "AFTER"),
        help="seconds before and after the R peak",
    )


_WORDS = {
    "train": _train,
    "evaluate": _evaluate,
    "predict": _predict,
    "export": _export,
    "fetch": _fetch,
}
