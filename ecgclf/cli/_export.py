"""``ecgclf export``."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import ecgclf
from ecgclf.cli._beats import read_for, refuse
from ecgclf.cli._output import check_output
from ecgclf.export import export_onnx, halve_onnx, quantize_onnx

#: Beats to calibrate with; more change the range of values little.
_N_CALIBRATION = 1000


def run(options: argparse.Namespace) -> None:
    """Write a saved model as ONNX, in the numbers asked for."""
    check_output(options.onnx_file)
    if not options.data:
        words = ("records", "kaggle", "lead", "fs", "window")
        refuse(options, words, "it says which beats to --calibrate with")
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
                every = np.linspace(0, len(beats) - 1, min(len(beats), _N_CALIBRATION))
                quantize_onnx(full, options.onnx_file, beats[every.astype(int)])
    print(f"{options.onnx_file}: {options.onnx_file.stat().st_size / 1000:,.1f} kB")
