"""Optional libraries, imported when something needs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: The extra of this package that installs a library, by the name it is imported by.
_EXTRA_OF = {
    "captum": "attribution",
    "distributed": "dask",
    "edfio": "edf",
    "mlflow": "mlflow",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "onnxscript": "onnx",
    "optuna": "search",
    "pydicom": "dicom",
    "yaml": "search",
    "zarr": "zarr",
}


def import_extra(module: str, caller: str) -> Any:
    """Import a module such as "onnxruntime.quantization"; the error says what `caller` needs."""
    library = module.partition(".")[0]
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{caller} needs {library}, which cannot be imported ({error}); install it with: "
            f"pip install 'ecgclf[{_EXTRA_OF[library]}]'"
        ) from error
