"""Pictures, in the manner of scikit-learn's Display classes.

Drawing needs matplotlib (``pip install ecgclf[plots]``), which is imported when a picture
is drawn and not before.
"""

from ecgclf.plots._beats import BeatDisplay
from ecgclf.plots._confusion import ConfusionDisplay
from ecgclf.plots._history import HistoryDisplay

__all__ = ["BeatDisplay", "ConfusionDisplay", "HistoryDisplay"]
