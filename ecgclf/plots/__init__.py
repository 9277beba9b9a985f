"""Plots of beats, records and predictions, as Display classes like those of scikit-learn.

Drawing requires matplotlib (``pip install ecgclf[plots]``), which is imported only when a plot
is drawn. Without it the methods that draw raise an ImportError.
"""

from ecgclf.plots._beat_panels import AttributionDisplay, ReconstructionDisplay
from ecgclf.plots._class_panels import BeatDisplay, BeatErrorDisplay
from ecgclf.plots._display import class_styles
from ecgclf.plots._exploration import Exploration, explore
from ecgclf.plots._models import EmbeddingDisplay, HistoryDisplay
from ecgclf.plots._predictions import ConfusionDisplay, ReliabilityDisplay
from ecgclf.plots._signals import RecordDisplay, SpectrogramDisplay

__all__ = [
    "AttributionDisplay",
    "BeatDisplay",
    "BeatErrorDisplay",
    "ConfusionDisplay",
    "EmbeddingDisplay",
    "HistoryDisplay",
    "ReconstructionDisplay",
    "RecordDisplay",
    "ReliabilityDisplay",
    "SpectrogramDisplay",
    "explore",
]
