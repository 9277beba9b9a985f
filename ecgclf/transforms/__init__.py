"""Changes of beats: augmentation while training.

The pure functions take tensors and a generator; the classes hold their parameters and are
what an estimator takes as ``augment``. torch is imported when one of them is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecgclf.transforms._augmenters import (
        AmplitudeScaling,
        BaselineWander,
        Compose,
        GaussianNoise,
        LeadDropout,
        RandomAugmentation,
        TimeShift,
        TimeWarp,
    )
    from ecgclf.transforms._time import shift_time, warp_time
    from ecgclf.transforms._values import (
        add_baseline_wander,
        add_noise,
        drop_leads,
        scale_amplitude,
    )

__all__ = [
    "AmplitudeScaling",
    "BaselineWander",
    "Compose",
    "GaussianNoise",
    "LeadDropout",
    "RandomAugmentation",
    "TimeShift",
    "TimeWarp",
    "add_baseline_wander",
    "add_noise",
    "drop_leads",
    "scale_amplitude",
    "shift_time",
    "warp_time",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # The classes use all of the functions, so their module has every name.
    return getattr(import_module(f"{__name__}._augmenters"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
