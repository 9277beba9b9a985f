"""Pictures, in the manner of scikit-learn's Display classes.

Drawing needs matplotlib (``pip install ecgclf[plots]``), which is imported when a picture
is drawn and not before.
"""

from ecgclf.plots._attribution import AttributionDisplay
from ecgclf.plots._beat_errors import BeatErrorDisplay
from ecgclf.plots._beats import BeatDisplay
from ecgclf.plots._confusion import ConfusionDisplay
from ecgclf.plots._embedding import EmbeddingDisplay
from ecgclf.plots._exploration import Exploration, explore
from ecgclf.plots._history import HistoryDisplay
from ecgclf.plots._reconstruction import ReconstructionDisplay
from ecgclf.plots._record import RecordDisplay
from ecgclf.plots._reliability import ReliabilityDisplay
from ecgclf.plots._spectrogram import SpectrogramDisplay
from ecgclf.plots._style import class_styles, pyplot

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
