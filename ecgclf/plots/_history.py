"""Display of training histories."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import pandas as pd

from ecgclf.plots._display import COLORS, AxesLike, Display

#: Column, legend entry and line of each curve. The line styles differ, for prints without colour.
_LOSSES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("train_loss", "training loss", {"color": COLORS["blue"], "linestyle": "-"}),
    ("valid_loss", "validation loss", {"color": COLORS["vermilion"], "linestyle": "--"}),
)
_SCORE: dict[str, Any] = {"color": COLORS["green"], "linestyle": "-."}


@dataclass(eq=False, repr=False)
class HistoryDisplay(Display):
    """Loss and validation score of a network by epoch.

    Create it with `from_estimator`.

    Parameters
    ----------
    history : DataFrame of shape (n_epochs, n_columns)
        With the columns ``epoch`` and ``train_loss``, and with a validation set
        ``valid_loss`` and ``valid_score``. The latter are not drawn if they are missing or
        all NaN.
    score_name : str, default="validation score"
        Label of the axis of the score.

    Attributes
    ----------
    score_ax_ : matplotlib Axes or None
        Axes of the score, with its scale on the right; None without a score.
    lines_ : list of matplotlib Line2D
        The curves.

    Examples
    --------
    >>> import pandas as pd
    >>> from ecgclf.plots import HistoryDisplay
    >>> history = pd.DataFrame({"epoch": [1, 2, 3], "train_loss": [0.9, 0.4, 0.3]})
    >>> display = HistoryDisplay(history).plot()
    >>> display.ax_.get_ylabel()
    'loss'
    """

    history: pd.DataFrame
    _: KW_ONLY
    score_name: str = "validation score"

    _figsize: ClassVar[tuple[float, float]] = (6.4, 4)

    def __post_init__(self) -> None:
        if not isinstance(self.history, pd.DataFrame):
            raise ValueError(f"history must be a DataFrame; got {type(self.history).__name__}.")
        if missing := {"epoch", "train_loss"} - set(self.history):
            raise ValueError(
                f"history lacks the columns {sorted(missing)}; it has {[*self.history]}."
            )
        if self.history.empty:
            raise ValueError("history is empty; expected at least one epoch.")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        score_name: str = "validation score",
        ax: AxesLike = None,
    ) -> HistoryDisplay:
        """Plot the history of a fitted network.

        Parameters
        ----------
        estimator : object
            A fitted network of ecgclf, with a ``history_``.
        score_name
            As in the class.
        ax
            As in `plot`.

        Returns
        -------
        HistoryDisplay

        Raises
        ------
        AttributeError
            If `estimator` has no ``history_``.
        """
        history = getattr(estimator, "history_", None)
        if history is None:
            raise AttributeError(
                f"{type(estimator).__name__} has no history_; expected a fitted network of "
                "ecgclf. Pass the last step of a Pipeline, pipeline[-1]."
            )
        return cls(history, score_name=score_name).plot(ax=ax)

    def _draw(self, axes: Any, is_new: bool) -> None:
        history = self.history
        self.score_ax_ = None
        # A curve over one epoch is a point and needs a marker to be visible.
        dots: dict[str, Any] = {"marker": "o" if len(history) < 30 else "", "markersize": 4}
        self.lines_ = [
            axes.plot(history["epoch"], history[name], label=label, **dots, **line)[0]
            for name, label, line in _LOSSES
            if self._has(name)
        ]
        axes.set(xlabel="epoch", ylabel="loss")
        axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
        axes.locator_params(axis="x", integer=True)
        if self._has("valid_score"):
            self.score_ax_ = axes.twinx()
            score = history["valid_score"]
            style = {"label": self.score_name, **dots, **_SCORE}
            self.lines_ += self.score_ax_.plot(history["epoch"], score, **style)
            self.score_ax_.set_ylabel(self.score_name)
        axes.grid(alpha=0.3)
        place: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1)}
        axes.legend(handles=self.lines_, ncols=len(self.lines_), frameon=False, **place)

    def _has(self, name: str) -> bool:
        return name in self.history and bool(self.history[name].notna().any())
