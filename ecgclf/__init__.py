"""Heartbeat classification in ECG recordings, with the scikit-learn API on PyTorch.

The estimators and subpackages are imported on first use, so importing this package loads neither
torch nor scikit-learn.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ecgclf._version import __version__

if TYPE_CHECKING:
    from ecgclf import (
        augmentation,
        datasets,
        estimators,
        evaluation,
        export,
        modules,
        persistence,
        plots,
        recordings,
        sampling,
        search,
        tracking,
        transforms,
    )
    from ecgclf.estimators import (
        ECGAutoencoder,
        ECGCNNClassifier,
        ECGContextClassifier,
        ECGCRNNClassifier,
        ECGInceptionClassifier,
        ECGLSTMClassifier,
        ECGMLPClassifier,
        ECGResNetClassifier,
        ECGRNNClassifier,
        ECGSpectrogramClassifier,
        ECGTransferClassifier,
        ECGTransformerClassifier,
    )
    from ecgclf.persistence import load, load_pretrained
    from ecgclf.recordings import annotate_recording

__all__ = [
    "ECGAutoencoder",
    "ECGCNNClassifier",
    "ECGCRNNClassifier",
    "ECGContextClassifier",
    "ECGInceptionClassifier",
    "ECGLSTMClassifier",
    "ECGMLPClassifier",
    "ECGRNNClassifier",
    "ECGResNetClassifier",
    "ECGSpectrogramClassifier",
    "ECGTransferClassifier",
    "ECGTransformerClassifier",
    "__version__",
    "annotate_recording",
    "augmentation",
    "datasets",
    "estimators",
    "evaluation",
    "export",
    "load",
    "load_pretrained",
    "modules",
    "persistence",
    "plots",
    "recordings",
    "sampling",
    "search",
    "tracking",
    "transforms",
]


if not TYPE_CHECKING:  # a type checker would accept any name

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name.startswith("ECG"):
            return getattr(import_module("ecgclf.estimators"), name)
        if name == "annotate_recording":
            return import_module("ecgclf.recordings").annotate_recording
        if name.startswith("load"):
            return getattr(import_module("ecgclf.persistence"), name)
        return import_module(f"ecgclf.{name}")


def __dir__() -> list[str]:
    return sorted(__all__)
