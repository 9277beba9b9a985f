"""Random changes of beats for training and oversampling.

An augmentation is a callable from a batch of signals and a `torch.Generator` to changed
signals. Estimators and `ecgclf.sampling.BeatOverSampler` take it as ``augment``. An augmentation
of `Stretches` of beats can also change the rhythm and the labels; `ecgclf.ECGContextClassifier`
takes it as ``augment_stretches``.
"""

from ecgclf.augmentation._apply import Augmentation, OnSignals, augment_arrays
from ecgclf.augmentation._augmenters import (
    AmplitudeScaling,
    BaselineWander,
    Compose,
    GaussianNoise,
    LeadDropout,
    RandomAugmentation,
    RandomCrop,
    TimeShift,
    TimeWarp,
)
from ecgclf.augmentation._stretches import (
    AtrialFibrillation,
    PrematureBeats,
    Stretches,
    StretchNoise,
    StretchScaling,
    StretchShift,
)

# `Augmentation`, `OnSignals` and `augment_arrays` are for other packages of the library.
__all__ = [
    "AmplitudeScaling",
    "AtrialFibrillation",
    "BaselineWander",
    "Compose",
    "GaussianNoise",
    "LeadDropout",
    "PrematureBeats",
    "RandomAugmentation",
    "RandomCrop",
    "StretchNoise",
    "StretchScaling",
    "StretchShift",
    "Stretches",
    "TimeShift",
    "TimeWarp",
]
