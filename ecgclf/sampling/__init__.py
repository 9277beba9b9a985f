"""Samplers of imbalanced-learn for beats of one or several leads."""

from ecgclf.sampling._samplers import BeatOverSampler, BeatSampler, BeatUnderSampler
from ecgclf.sampling._smote import BeatSMOTE

__all__ = ["BeatOverSampler", "BeatSMOTE", "BeatSampler", "BeatUnderSampler"]
