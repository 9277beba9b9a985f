"""Samplers of imbalanced-learn for beats of one lead and of several."""

from ecgclf.sampling._adapter import BeatSampler
from ecgclf.sampling._over import BeatOverSampler
from ecgclf.sampling._smote import BeatSMOTE
from ecgclf.sampling._under import BeatUnderSampler

__all__ = ["BeatOverSampler", "BeatSMOTE", "BeatSampler", "BeatUnderSampler"]
