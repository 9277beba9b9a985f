"""Random changes of beats for training and oversampling.

An augmentation is a callable from a batch of signals and a `torch.Generator` to changed
signals. Estimators and `ecgclf.sampling.BeatOverSampler` take it as ``augment``.
"""

from ecgclf.augmentation._apply import Augmentation, OnSignals, augment_arrays
from ecgclf.augmentation._augmenters import (
    AmplitudeScaling,
    BaselineWander,
    Compose,
    GaussianNoise,
    LeadDropout,
    RandomAugmentation,
    TimeShift,
    TimeWarp,
)

# `Augmentation`, `OnSignals` and `augment_arrays` are for other packages of the library.
__all__ = [
    "AmplitudeScaling",
    "BaselineWander",
    "Compose",
    "GaussianNoise",
    "LeadDropout",
    "RandomAugmentation",
    "TimeShift",
    "TimeWarp",
]
