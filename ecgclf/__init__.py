"""Heartbeat classification in ECG recordings, with the scikit-learn API on PyTorch.

Importing this package imports neither torch nor scikit-learn; the estimators and subpackages
load what they need when they are first used.
"""

from importlib import import_module
from typing import Any

from ecgclf._version import __version__

_ESTIMATORS = tuple(
    "ECGAutoencoder ECGCNNClassifier ECGCRNNClassifier "
    "ECGLSTMClassifier ECGMLPClassifier ECGRNNClassifier ECGResNetClassifier "
    "ECGSpectrogramClassifier ECGTransferClassifier ECGTransformerClassifier".split()
)
_SUBPACKAGES = tuple(
    "augmentation cli datasets estimators evaluation export modules persistence plots sampling "
    "search tracking training transforms".split()
)

__all__ = [*_ESTIMATORS, "__version__", "load", "load_pretrained"]


def __getattr__(name: str) -> Any:
    if name in _ESTIMATORS:
        return getattr(import_module(f"{__name__}.estimators"), name)
    if name in ("load", "load_pretrained"):
        return getattr(import_module(f"{__name__}.persistence"), name)
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_SUBPACKAGES])
