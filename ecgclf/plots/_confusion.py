"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from sklearn.utils.multiclass import unique_labels

from ecgclf.evaluation import in_class_order
from ecgclf.plots._style import pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ConfusionDisplay:
    """Confusion matrix with the number of beats and the share of the row in each cell.

    Colours show the shares, for next to the many normal beats the numbers of all other
    classes would look alike. On the diagonal the share is the sensitivity of the class.
    Make it with `from_estimator` or `from_predictions`, or from a report::

        ConfusionDisplay(report.confusion_matrix, display_labels=report.labels).plot()

    Parameters
    ----------
    confusion_matrix : array-like of shape (n_classes, n_classes)
        Number of beats; rows are true classes.
    display_labels : sequence of length n_classes, optional
        Names of the classes; 0, 1, ... by default.

    Attributes
    ----------
    im_ : matplotlib AxesImage
    text_ : ndarray of shape (n_classes, n_classes) of matplotlib Text
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : Counts or shares, one at a time.

    Examples
    --------
    >>> from ecgclf.plots import ConfusionDisplay
    >>> display = ConfusionDisplay.from_predictions(list("NNNNVV"), list("NNNVVV"))
    >>> print(display.text_[0, 0].get_text())
    3
    75.0%
    """

    def __init__(
        self, confusion_matrix: ArrayLike, *, display_labels: Sequence[Any] | None = None
    ) -> None:
        self.confusion_matrix = confusion_matrix
        self.display_labels = display_labels

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        labels: Sequence[Any] | None = None,
        ax: Axes | None = None,
        cmap: str = "Blues",
    ) -> ConfusionDisplay:
        """Plot how a fitted classifier does on some beats.

        Parameters
        ----------
        estimator : object
            Fitted classifier.
        X : array-like of shape (n_beats, ...)
            What its ``predict`` takes.
        y : array-like of shape (n_beats,)
            True labels.
        labels, ax, cmap
            As in `from_predictions`.

        Returns
        -------
        ConfusionDisplay
        """
        return cls.from_predictions(y, estimator.predict(X), labels=labels, ax=ax, cmap=cmap)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        labels: Sequence[Any] | None = None,
        ax: Axes | None = None,
        cmap: str = "Blues",
    ) -> ConfusionDisplay:
        """Plot true against predicted labels.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_beats,)
            True and predicted labels.
        labels : sequence, optional
            The classes in the order wanted; has to hold every label that occurs. By
            default those that occur, in the order N S V F Q if all are AAMI classes and
            sorted otherwise.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        cmap : str, default="Blues"
            Name of a matplotlib colour map.

        Returns
        -------
        ConfusionDisplay

        Raises
        ------
        ValueError
            If `y_true` and `y_pred` differ in length, or `labels` lacks one of theirs.
        """
        present = in_class_order(unique_labels(y_true, y_pred))
        order = present if labels is None else list(labels)
        if unknown := [label for label in present if label not in order]:
            raise ValueError(f"labels {order} lacks {unknown}, which the beats hold.")
        counts = confusion_matrix(y_true, y_pred, labels=order)
        return cls(counts, display_labels=order).plot(ax=ax, cmap=cmap)

    def plot(self, *, ax: Axes | None = None, cmap: str = "Blues") -> ConfusionDisplay:
        """Draw the matrix.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        cmap : str, default="Blues"
            Name of a matplotlib colour map.

        Returns
        -------
        ConfusionDisplay
            Itself.

        Raises
        ------
        ValueError
            If the matrix is not square or `display_labels` has another length.
        ImportError
            If matplotlib is not installed.
        """
        plt = pyplot("ConfusionDisplay")
        counts = self._checked()
        if ax is None:
            size = 2 + 0.85 * len(counts)
            _, ax = plt.subplots(figsize=(size + 0.8, size), layout="compressed")
        totals = counts.sum(axis=1, keepdims=True)
        # A class without true beats has no shares; NaN leaves its row blank.
        shares = np.divide(counts, totals, where=totals > 0, out=np.full(counts.shape, np.nan))
        drawn = ConfusionMatrixDisplay(shares, display_labels=self.display_labels).plot(
            ax=ax,
            cmap=cmap,
            include_values=False,
            colorbar=False,
            im_kw={"vmin": 0, "vmax": 1},
        )
        self.ax_, self.im_, self.figure_ = drawn.ax_, drawn.im_, drawn.figure_
        self.text_ = np.empty(counts.shape, dtype=object)
        for row, column in np.ndindex(*counts.shape):
            share = shares[row, column]
            self.text_[row, column] = ax.text(
                column,
                row,
                _cell(counts[row, column], share),
                ha="center",
                va="center",
                color=_readable_on(self.im_.cmap(share)),
            )
        ax.set(xlabel="predicted class", ylabel="true class")
        colorbar = self.figure_.colorbar(self.im_, ax=ax)
        colorbar.set_label("share of the true class")
        return self

    def _checked(self) -> np.ndarray:
        counts = np.asarray(self.confusion_matrix)
        if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
            raise ValueError(
                f"confusion_matrix must be of shape (n_classes, n_classes); got {counts.shape}."
            )
        if self.display_labels is not None and len(self.display_labels) != len(counts):
            raise ValueError(
                f"display_labels has {len(self.display_labels)} entries; expected "
                f"{len(counts)}, one per row of confusion_matrix."
            )
        return counts


def _cell(count: Any, share: float) -> str:
    return f"{count:,}" if np.isnan(share) else f"{count:,}\n{share:.1%}"


def _readable_on(background: tuple[float, float, float, float]) -> str:
    """Return black or white, whichever stands out from a colour (ITU-R BT.601 luma)."""
    red, green, blue, alpha = background
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    # A blank cell shows the white of the axes, whatever its colour would be.
    return "white" if alpha > 0 and luma < 0.5 else "black"
