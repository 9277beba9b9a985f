"""Smaller graphs: numbers of 8 or 16 bits in place of 32."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecgclf._extras import import_extra
from ecgclf.export._errors import ExportError
from ecgclf.export._graph import INPUT

#: What is quantised: nearly all weights are there, and rounding elsewhere does more harm.
_QUANTIZED = ["Conv", "Gemm", "MatMul"]

#: Beats that are calibrated at once.
_BATCH = 256


def quantize_onnx(
    source: str | os.PathLike[str], path: str | os.PathLike[str], X: ArrayLike
) -> None:
    """Turn weights and activations of a graph into integers of 8 bits.

    Convolutions and dense layers then compute with integers, whose range of values is taken
    from beats that the network is shown. Recurrent layers, softmax and scaling stay as they
    are.

    Parameters
    ----------
    source : str or path-like
        File that `export_onnx` has written.
    path : str or path-like
        File to write.
    X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
        Beats to calibrate with, as the graph takes them. Some hundred training beats with
        all classes among them do.

    Raises
    ------
    ExportError
        If nothing in the graph can be quantised.
    ValueError
        If `X` has no beats, the wrong number of columns, NaN or infinite values.
    ImportError
        If onnx or onnxruntime is not installed.

    Notes
    -----
    Static quantisation by `onnxruntime.quantization`, with a scale for each output channel of
    the weights: Jacob et al., "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference", CVPR 2018, arXiv:1712.05877. Measure afterwards what it
    has cost, on beats with labels.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.export import export_onnx, quantize_onnx
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> model = ECGMLPClassifier(max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     full, small = Path(folder, "model.onnx"), Path(folder, "int8.onnx")
    ...     export_onnx(model, full)
    ...     quantize_onnx(full, small, X)
    ...     small.stat().st_size < full.stat().st_size / 2
    True
    """
    quantization = import_extra("onnxruntime.quantization", "export to ONNX")
    shape_inference = import_extra("onnxruntime.quantization.shape_inference", "export to ONNX")
    model = _read(source)
    beats = _calibration_beats(model, X)

    class Reader(quantization.CalibrationDataReader):  # type: ignore[name-defined]
        def __init__(self) -> None:
            self.batches = _batches(beats)

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.batches, None)

    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder, "ready.onnx")
        # Joins batch norms to the convolutions before them, which are then quantised as one.
        shape_inference.quant_pre_process(os.fspath(source), ready, skip_symbolic_shape=True)
        prepared = import_extra("onnx", "export to ONNX").load(ready)
        if not any(node.op_type in _QUANTIZED for node in prepared.graph.node):
            raise ExportError(f"{os.fspath(source)!r} has no layer that could be quantised.")
        quantization.quantize_static(
            prepared,
            path,
            Reader(),
            op_types_to_quantize=_QUANTIZED,
            per_channel=True,
        )


def halve_onnx(source: str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Turn the weights of a graph into floating-point numbers of 16 bits.

    What the graph takes and gives stays float32. The file is half as large; it is faster only
    where the processor computes with 16 bits, as GPUs and many phones do.

    Parameters
    ----------
    source : str or path-like
        File that `export_onnx` has written.
    path : str or path-like
        File to write.

    Raises
    ------
    ImportError
        If onnx or onnxruntime is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.export import export_onnx, halve_onnx
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> model = ECGMLPClassifier(max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     full, small = Path(folder, "model.onnx"), Path(folder, "float16.onnx")
    ...     export_onnx(model, full)
    ...     halve_onnx(full, small)
    ...     small.stat().st_size < full.stat().st_size * 0.6
    True
    """
    float16 = import_extra("onnxruntime.transformers.float16", "export to ONNX")
    halved = float16.convert_float_to_float16(_read(source), keep_io_types=True)
    Path(path).write_bytes(halved.SerializeToString())


def _read(source: str | os.PathLike[str]) -> Any:
    return import_extra("onnx", "export to ONNX").load(os.fspath(source))


def _calibration_beats(model: Any, X: ArrayLike) -> np.ndarray:
    """Check beats and flatten their leads."""
    beats = np.asarray(X, dtype=np.float32)
    if beats.ndim == 3:
        beats = beats.reshape(len(beats), -1)
    n_columns = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    if beats.ndim != 2 or not len(beats) or beats.shape[1] != n_columns:
        raise ValueError(
            f"X has the shape {np.shape(X)}, but the graph takes (n_beats, {n_columns}): give at "
            "least one beat, cut as those that the model was trained on."
        )
    if not np.isfinite(beats).all():
        raise ValueError("X contains NaN or infinite values: leave these beats out.")
    return beats


def _batches(beats: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, len(beats), _BATCH):
        yield {INPUT: beats[start : start + _BATCH]}
