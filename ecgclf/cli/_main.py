"""Parser and entry point of the command line."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import ecgclf

#: Names of the classifiers.
MODELS = tuple(name for name in ecgclf.__all__ if name.endswith("Classifier"))

_DATA = """\
DATA is one of
  beats.npz        arrays "data" (n_beats, n_samples) or (n_beats, n_leads, n_samples) and
                   "target"; optionally "groups" (patients), "fs" and "window"
  a folder         with annotated WFDB records, as downloaded by `ecgclf fetch`; with
                   --kaggle, records of the MIT-BIH Arrhythmia Database or the CSV files of
                   the Kaggle "heartbeat" set
"""

_FIRST_STEPS = """\
first steps:
  ecgclf fetch mitbih --to data
  ecgclf train data/mitdb model.ecgclf --records ds1 --fs 120
  ecgclf evaluate model.ecgclf data/mitdb --records ds2
  ecgclf predict model.ecgclf data/mitdb/100 --output 100.csv
  ecgclf annotate night.hea

`ecgclf COMMAND --help` explains a command. The exit code is 0 on success and 2 on invalid
input, which one line on standard error explains."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command ``ecgclf``.

    Parameters
    ----------
    words : sequence of str, optional
        The command line without the name of the program; by default that of the process.

    Returns
    -------
    int
        The exit code: 0 on success, 2 on invalid input, which one line on standard error
        explains, and 130 if interrupted by the user. If the words cannot be parsed, argparse
        ends the process with 2.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf.cli import main
    >>> from ecgclf.datasets import make_record
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     record = make_record(folder, duration=10, random_state=0)
    ...     main(["predict", f"{folder}/not_there.ecgclf", str(record)])
    2
    """
    options = make_parser().parse_args(words)
    from ecgclf.cli import _commands

    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *origin: _print_line("warning", message)
            getattr(_commands, options.command)(options)
            sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError, ImportError) as error:
        _print_line("error", error)
        return 2
    except KeyboardInterrupt:
        print("ecgclf: interrupted", file=sys.stderr)
        return 130  # as shells do for Ctrl-C
    return 0


def _print_line(kind: str, message: object) -> None:
    """Print a message on standard error, as one line."""
    print(f"ecgclf: {kind}: {' '.join(str(message).split())}", file=sys.stderr)


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="ecgclf",
        description="Classify heartbeats in ECG recordings.",
        epilog=_FIRST_STEPS,
        formatter_class=layout,
    )
    parser.add_argument("--version", action="version", version=f"ecgclf {ecgclf.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (add_options, summary, description, examples) in COMMANDS.items():
        epilog = f"examples:\n{examples}"
        add_options(
            commands.add_parser(
                name, help=summary, description=description, epilog=epilog, formatter_class=layout
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
        help=f"class of the network, by default ECGCNNClassifier; one of {', '.join(MODELS)}",
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
    parser.add_argument(
        "model_file",
        metavar="MODEL",
        type=Path,
        help="a saved model, or the name of a pretrained one",
    )
    parser.add_argument(
        "recording",
        metavar="RECORD",
        type=Path,
        help="recording (WFDB, EDF, BDF or DICOM), with or without suffix; or beats.npz",
    )
    parser.add_argument(
        "--output", type=Path, metavar="CSV", help="file to write, by default standard output"
    )
    _add_cut(parser)


def _annotate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "recordings",
        metavar="RECORDING",
        type=Path,
        nargs="+",
        help="recordings (WFDB, EDF, BDF or DICOM), with or without suffix, or folders of them",
    )
    parser.add_argument(
        "--model", default="holter", help="name of a pretrained model or file, by default holter"
    )
    parser.add_argument(
        "--output", type=Path, default=Path(), metavar="DIR", help="folder, by default this one"
    )
    parser.add_argument(
        "--format",
        type=_names,
        default=["wfdb", "csv", "json", "html"],
        dest="formats",
        metavar="NAMES",
        help="files to write, by default wfdb,csv,json,html",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="HTML",
        help="file for the report of a single recording, instead of NAME.html",
    )
    for name in ("start", "end"):
        parser.add_argument(
            f"--{name}",
            metavar="TIME",
            help=f"{name} of the part to annotate: clock time such as 22:00, or time from the "
            "start if the recording does not state its time",
        )
    parser.add_argument(
        "--min-confidence",
        type=float,
        default=0.0,
        metavar="P",
        help="beats of a lower probability are labelled Q",
    )
    parser.add_argument(
        "--n-jobs", type=int, metavar="N", help="recordings to annotate at the same time"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="annotate recordings again whose files exist"
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
        help="integers of 8 bits, with ranges measured on these beats",
    )
    _add_source(parser)


def _fetch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "database",
        metavar="NAME",
        help="name on PhysioNet, such as mitdb (or mitbih), svdb, incartdb, ptbdb or ptb-xl; an "
        "unknown name lists all",
    )
    parser.add_argument(
        "--records", type=_names, metavar="NAMES", help="only these records or folders: 100,101"
    )
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="folder of all databases")


def _add_source(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the beats of a folder."""
    parser.add_argument(
        "--records",
        type=_names,
        metavar="NAMES",
        help="all, ds1, ds2 (training and test patients of de Chazal et al.), or 100,101",
    )
    parser.add_argument(
        "--database",
        metavar="NAME",
        help="database of the records: mitdb (by default, if they have its names), svdb, "
        "incartdb, edb, ltafdb or nstdb; of other records each is a patient",
    )
    parser.add_argument(
        "--kaggle", choices=("train", "test", "all"), help='rows of the "heartbeat" set'
    )
    _add_cut(parser)


def _add_cut(parser: argparse.ArgumentParser) -> None:
    """Add the options that describe how beats are cut from a record."""
    parser.add_argument(
        "--lead", type=_names, metavar="NAMES", help="lead or leads, MLII,V1 or 0,1"
    )
    parser.add_argument("--fs", type=float, metavar="HZ", help="sampling rate of the beats")
    parser.add_argument(
        "--window",
        nargs=2,
        type=float,
        metavar=("BEFORE", "AFTER"),
        help="seconds before and after the R peak",
    )


def _names(text: str) -> list[str]:
    """Split names at commas."""
    return [name.strip() for name in text.split(",")]


#: Of each command: its options, summary, description and examples.
COMMANDS = {
    "train": (
        _train,
        "train a network on labelled beats and save it",
        f"""\
Train a network and save it, together with the rate, window and unit of its beats.

{_DATA}""",
        """\
  ecgclf train "$(ecgclf fetch mitbih)" model.ecgclf --records ds1 --fs 125
  ecgclf train beats.npz model.ecgclf --model ECGResNetClassifier --set max_epochs=5 \\
      --set lr=1e-3 --set class_weight=balanced""",
    ),
    "evaluate": (
        _evaluate,
        "compare a saved model with labelled beats",
        f"""\
Predict labelled beats and report accuracy, sensitivity and positive predictivity. Records are
cut as in training, so --fs and --window are not needed.

{_DATA}""",
        """\
  ecgclf evaluate model.ecgclf data/mitdb --records ds2
  ecgclf evaluate model.ecgclf beats.npz --json > report.json""",
    ),
    "predict": (
        _predict,
        "label the beats of a recording",
        """\
Detect the R peaks of a recording, cut a beat at each as in training, and write a table as
CSV: time of the R peak in seconds, its sample, the label and its probability. Beats of an
.npz file ("data") are numbered from 0 instead.""",
        """\
  ecgclf predict model.ecgclf data/mitdb/100 --output 100.csv
  ecgclf predict mitbih-small night/holter --lead V5 | head""",
    ),
    "annotate": (
        _annotate,
        "annotate all beats of recordings",
        """\
Detect and classify all beats of recordings and write, for each one, a WFDB annotation file
(NAME.beats), a table (NAME.csv), a summary (NAME.json) and a report (NAME.html). A recording that
cannot be read does not end the others. Recordings whose files exist are skipped.""",
        """\
  ecgclf annotate night.hea --start 22:00 --end 06:00 --report report.html
  ecgclf annotate study --output annotations --n-jobs 2""",
    ),
    "export": (
        _export,
        "write a saved model as ONNX",
        f"""\
Write a saved model as an ONNX graph, for programs without Python. With --calibrate, weights
and activations are quantised to integers of 8 bits.

{_DATA}""",
        """\
  ecgclf export model.ecgclf model.onnx
  ecgclf export model.ecgclf small.onnx --calibrate data/mitdb --records ds1""",
    ),
    "fetch": (
        _fetch,
        "download a database from PhysioNet",
        """\
Download a database and print its folder. An interrupted download is resumed, and every file
is verified.""",
        """\
  ecgclf fetch svdb
  ecgclf fetch mitbih --records 100,101 --to data""",
    ),
}
