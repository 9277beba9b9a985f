"""Parameters, metrics and models for experiment trackers.

skorch's callbacks `MlflowLogger`, `WandbLogger` and `TensorBoard` log the epochs.
"""

from ecgclf.tracking._experiments import _load_pyfunc, flat_metrics, flat_params, log_model

__all__ = ["flat_metrics", "flat_params", "log_model"]
