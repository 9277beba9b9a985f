"""Whether a classifier's probabilities come true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecgclf.evaluation import confidence_of, error_of_table, in_class_order, reliability_table
from ecgclf.plots._style import class_styles, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Bars of the histogram, of equal width whatever the bins of the curves.
_N_BARS = 20


class ReliabilityDisplay:
    """Reliability diagram: how often a prediction of so much probability was right.

    Below it, how many beats were predicted with how much probability. The legend tells the
    expected calibration error (ECE) of each curve, and the axis the bins it was taken over.
    The grey bars of a single curve are the gaps that the error is the mean of.
    Make it with `from_estimator` or `from_predictions`.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The curves by name, each as `reliability_table` gives it.
    probabilities : mapping of str to ndarray
        The probabilities of each curve, one for each beat, for the histogram.
    x_name : str, default="predicted probability"
        Label of the probabilities.
    y_name : str, default="share that came true"
        Label of what was observed.

    Attributes
    ----------
    errors_ : dict of str to float
        Expected calibration error of each curve.
    lines_ : dict of str to matplotlib Line2D
    histogram_ax_ : matplotlib Axes or None
        Axes with the numbers of beats.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    ecgclf.evaluation.expected_calibration_error : The figure in the legend, and its source.
    sklearn.calibration.CalibrationDisplay : The curve of one class.

    Examples
    --------
    >>> from ecgclf.plots import ReliabilityDisplay
    >>> y_prob = [[0.9, 0.1], [0.7, 0.3], [0.7, 0.3], [0.3, 0.7]]
    >>> display = ReliabilityDisplay.from_predictions(["N", "N", "V", "V"], y_prob, n_bins=5)
    >>> {name: round(error, 3) for name, error in display.errors_.items()}
    {'all classes': 0.05}
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        probabilities: Mapping[str, np.ndarray],
        *,
        x_name: str = "predicted probability",
        y_name: str = "share that came true",
    ) -> None:
        self.tables = tables
        self.probabilities = probabilities
        self.x_name = x_name
        self.y_name = y_name

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, y: ArrayLike, **kwargs: Any
    ) -> ReliabilityDisplay:
        """Plot the probabilities of a fitted classifier.

        Parameters
        ----------
        estimator : object
            Fitted classifier with ``predict_proba``.
        X, y : array-like
            Beats it was not trained on, and their labels.
        **kwargs
            As in `from_predictions`.

        Returns
        -------
        ReliabilityDisplay
        """
        kwargs = {"classes": estimator.classes_, **kwargs}
        return cls.from_predictions(y, estimator.predict_proba(X), **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_prob: ArrayLike,
        *,
        classes: ArrayLike | None = None,
        per_class: bool = False,
        n_bins: int = 15,
        strategy: Literal["uniform", "quantile"] = "uniform",
        ax: Axes | Sequence[Axes] | np.ndarray | None = None,
    ) -> ReliabilityDisplay:
        """Plot predicted probabilities against what came true.

        Parameters
        ----------
        y_true : array-like of shape (n_beats,)
            True labels.
        y_prob : array-like of shape (n_beats, n_classes) or (n_beats,)
            Probabilities, as ``predict_proba`` gives them.
        classes : array-like of shape (n_classes,), optional
            The label of each column: ``estimator.classes_``. By default the labels in
            `y_true`, sorted.
        per_class : bool, default=False
            Draw a curve for the probability of each class against the rest, in place of one
            for the probability of the predicted class.
        n_bins : int, default=15
            Number of bins.
        strategy : {"uniform", "quantile"}, default="uniform"
            Bins of equal width, or with about as many beats in each.
        ax : matplotlib Axes or a pair of them, optional
            Where to draw the curves, and the histogram; with one alone there is no histogram.
            A new figure by default.

        Returns
        -------
        ReliabilityDisplay

        Raises
        ------
        ValueError
            As `reliability_table`.
        """
        options: dict[str, Any] = {"classes": classes, "n_bins": n_bins, "strategy": strategy}
        kind = "of equal width" if strategy == "uniform" else "of equal size"
        bins = f"({n_bins} bins {kind})"
        labels: dict[str, Any] = {"all classes": None}
        x_name, y_name = "probability of the predicted class", "share predicted correctly"
        if per_class:
            known = in_class_order(np.unique(y_true) if classes is None else np.asarray(classes))
            labels = {str(label): label for label in known}
            x_name, y_name = "probability of the class", "share of beats of the class"
        tables = {
            name: reliability_table(y_true, y_prob, label=label, **options)
            for name, label in labels.items()
        }
        probabilities = {
            name: confidence_of(y_true, y_prob, classes, label)[0]
            for name, label in labels.items()
        }
        display = cls(tables, probabilities, x_name=f"{x_name} {bins}", y_name=y_name)
        return display.plot(ax=ax)

    def plot(self, *, ax: Axes | Sequence[Axes] | np.ndarray | None = None) -> ReliabilityDisplay:
        """Draw the curves and the histogram.

        Parameters
        ----------
        ax : matplotlib Axes or a pair of them, optional
            Where to draw the curves, and the histogram; with one alone there is no histogram.
            A new figure by default.

        Returns
        -------
        ReliabilityDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        plt = pyplot("ReliabilityDisplay")
        if ax is None:
            _, ax = plt.subplots(
                2,
                figsize=(5.4, 6.2),
                height_ratios=(3, 1.2),
                sharex=True,
                layout="constrained",
            )
        curves, counts = (*np.asarray(ax, dtype=object).ravel(), None)[:2]
        self.ax_, self.histogram_ax_, self.figure_ = curves, counts, curves.figure
        curves.plot([0, 1], [0, 1], color="0.5", lw=1, ls="-", zorder=1, label="calibrated")
        self.errors_ = {name: error_of_table(table) for name, table in self.tables.items()}
        self.lines_ = {}
        for name, style in class_styles(self.tables).items():
            table = self.tables[name]
            used = table[table["count"] > 0]
            label = f"{name}: ECE {self.errors_[name]:.3f}"
            (self.lines_[name],) = curves.plot(
                used["predicted"], used["observed"], label=label, ms=4, lw=1.4, **style
            )
            if len(self.tables) == 1:
                gaps = used["predicted"], used["predicted"], used["observed"]
                curves.vlines(*gaps, color="0.7", lw=5, zorder=1)
            if counts is not None:
                line = {"color": style["color"], "linestyle": style["linestyle"]}
                bins = np.linspace(0, 1, _N_BARS + 1)
                counts.stairs(np.histogram(self.probabilities[name], bins)[0], bins, **line)
        curves.set(xlim=(0, 1), ylim=(-0.02, 1.02), ylabel=self.y_name)
        curves.grid(alpha=0.3)
        curves.legend(
            fontsize="small",
            loc="lower center",
            bbox_to_anchor=(0.5, 1),
            ncols=3,
            frameon=False,
        )
        (curves if counts is None else counts).set_xlabel(self.x_name)
        if counts is not None:
            counts.set(yscale="log", ylabel="beats")
            counts.set_ylim(bottom=0.7)  # so that a single beat can be seen
            counts.grid(alpha=0.3)
        return self
