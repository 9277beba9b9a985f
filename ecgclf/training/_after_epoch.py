"""Let others look on while a network trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback


class AfterEpoch(Callback):
    """Call a function after every epoch.

    An error that it raises ends the training and reaches the caller of `fit`; a search ends
    hopeless trials so.

    Parameters
    ----------
    tell : function
        Called with the number of the epoch, counted from 1, and its figures, a dict with
        ``train_loss`` and ``lr`` and what other callbacks have recorded.

    Notes
    -----
    `clone` copies the objects that callbacks hold, but not functions. Pass a function instead of
    a method if the object must be the same in clones.

    Examples
    --------
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> seen = []
    >>> look = AfterEpoch(lambda epoch, figures: seen.append(epoch))
    >>> model = ECGMLPClassifier(max_epochs=3, callbacks=[look], random_state=0).fit(X, y)
    >>> seen
    [1, 2, 3]
    """

    def __init__(self, tell: Callable[[int, dict[str, Any]], None]) -> None:
        self.tell = tell

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Pass on what the history has of the epoch."""
        figures = {
            name: value
            for name, value in net.history[-1].items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        }
        self.tell(len(net.history), figures)
