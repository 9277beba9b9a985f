"""Plots of beats, records and predictions, as Display classes like those of scikit-learn.

Matplotlib is imported only when a plot is drawn.
"""

from ecgclf.plots._beat_panels import AttributionDisplay, ReconstructionDisplay
from ecgclf.plots._class_panels import BeatDisplay, BeatErrorDisplay
from ecgclf.plots._display import class_styles
from ecgclf.plots._exploration import Exploration, explore
from ecgclf.plots._models import EmbeddingDisplay, HistoryDisplay
from ecgclf.plots._predictions import ComparisonDisplay, ConfusionDisplay, ReliabilityDisplay
from ecgclf.plots._signals import RecordDisplay, SpectrogramDisplay
from ecgclf.plots._twelve_leads import TwelveLeadDisplay

__all__ = [
    "AttributionDisplay",
    "BeatDisplay",
    "BeatErrorDisplay",
    "ComparisonDisplay",
    "ConfusionDisplay",
    "EmbeddingDisplay",
    "HistoryDisplay",
    "ReconstructionDisplay",
    "RecordDisplay",
    "ReliabilityDisplay",
    "SpectrogramDisplay",
    "TwelveLeadDisplay",
    "explore",
]
