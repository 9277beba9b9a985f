"""Smaller ONNX graphs, with numbers of 8 or 16 bits."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecgclf._docstrings import parameters_from
from ecgclf._extras import import_extra
from ecgclf._files import check_writable, replacing
from ecgclf.export._graph import INPUT, ExportError

#: Operators to quantize; they hold nearly all weights, and others are sensitive to rounding.
_QUANTIZED = ["Conv", "Gemm", "MatMul"]

#: Number of beats in a calibration batch.
_BATCH = 256


def quantize_onnx(
    source: str | os.PathLike[str], path: str | os.PathLike[str], X: ArrayLike
) -> None:
    """Quantize a graph to 8-bit integers.

    Convolutions and dense layers then use 8-bit weights and activations, with ranges estimated
    on calibration beats. Recurrent layers, softmax and scaling are not quantized.

    Parameters
    ----------
    source : str or path-like
        File written by `export_onnx`.
    path : str or path-like
        File to write.
    X : array-like of shape (n_beats, n_columns) or (n_beats, n_leads, n_samples)
        Calibration beats, preprocessed like the input of the graph. A few hundred training
        beats of all classes are enough.

    Raises
    ------
    ExportError
        If the graph has no layer that can be quantized.
    ValueError
        If `X` is empty, has the wrong number of columns, or contains NaN or infinity.
    ImportError
        If onnx or onnxruntime is not installed.

    Notes
    -----
    Static quantization by `onnxruntime.quantization`, with one scale for each output channel of
    the weights: Jacob et al., "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference", CVPR 2018, arXiv:1712.05877. Evaluate the quantized graph
    on labelled beats, because its accuracy can be lower.

    Examples
    --------
    >>> import os
    >>> import tempfile
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.export import export_onnx, quantize_onnx
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> model = ECGMLPClassifier(max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_onnx(model, f"{folder}/model.onnx")
    ...     quantize_onnx(f"{folder}/model.onnx", f"{folder}/int8.onnx", X)
    ...     os.path.getsize(f"{folder}/int8.onnx") < os.path.getsize(f"{folder}/model.onnx") / 2
    True
    """
    check_writable(path)
    quantization = import_extra("onnxruntime.quantization", "export to ONNX")
    shape_inference = import_extra("onnxruntime.quantization.shape_inference", "export to ONNX")
    model = _read(source)
    beats = _calibration_beats(model, X)
    batches = ({INPUT: beats[i : i + _BATCH]} for i in range(0, len(beats), _BATCH))

    class Reader(quantization.CalibrationDataReader):  # type: ignore[name-defined]
        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(batches, None)

    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder, "ready.onnx")
        # Folds batch norms into the convolutions before them.
        shape_inference.quant_pre_process(os.fspath(source), ready, skip_symbolic_shape=True)
        prepared = import_extra("onnx", "export to ONNX").load(ready)
        if not any(node.op_type in _QUANTIZED for node in prepared.graph.node):
            raise ExportError(f"{os.fspath(source)!r} has no layer that can be quantized.")
        with replacing(path) as part:
            quantization.quantize_static(
                prepared, part, Reader(), op_types_to_quantize=_QUANTIZED, per_channel=True
            )


@parameters_from(quantize_onnx)
def halve_onnx(source: str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Convert the weights of a graph to 16-bit floating point.

    Input and output stay float32. The file is half as large. The graph is faster only on
    processors with 16-bit arithmetic, such as GPUs and many phones.

    Raises
    ------
    ImportError
        If onnx or onnxruntime is not installed.

    Examples
    --------
    >>> import os
    >>> import tempfile
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.export import export_onnx, halve_onnx
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> model = ECGMLPClassifier(max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_onnx(model, f"{folder}/model.onnx")
    ...     halve_onnx(f"{folder}/model.onnx", f"{folder}/half.onnx")
    ...     os.path.getsize(f"{folder}/half.onnx") < os.path.getsize(f"{folder}/model.onnx") * 0.6
    True
    """
    check_writable(path)
    float16 = import_extra("onnxruntime.transformers.float16", "export to ONNX")
    halved = float16.convert_float_to_float16(_read(source), keep_io_types=True)
    with replacing(path) as part:
        part.write_bytes(halved.SerializeToString())


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
            "least one beat, with the same length and leads as in training."
        )
    if not np.isfinite(beats).all():
        raise ValueError("X contains NaN or infinite values: remove these beats.")
    return beats
