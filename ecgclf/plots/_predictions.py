"""Displays of predictions: confusion matrices, reliability diagrams and comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from sklearn.utils.multiclass import unique_labels

from ecgclf._docstrings import parameters_from
from ecgclf.evaluation import (
    ModelComparison,
    confidence_of,
    error_of_table,
    in_class_order,
    reliability_table,
)
from ecgclf.plots._display import AxesLike, Display, arrange_axes, class_styles

#: Bars of the histogram of probabilities, whatever the bins of the curves.
_N_BARS = 20


class ConfusionDisplay(Display):
    """Confusion matrix with the number of beats and the fraction of the true class in each cell.

    Colours show the fractions, because the counts of the normal beats dwarf all others. The
    fractions on the diagonal are the sensitivities of the classes. Create it with
    `from_estimator` or `from_predictions`, or from a report::

        ConfusionDisplay(report.confusion_matrix, display_labels=report.labels).plot()

    Parameters
    ----------
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        Number of beats; rows are true classes.
    display_labels : sequence of length n_classes, optional
        Names of the classes; 0, 1, ... by default.
    cmap : str, default="Blues"
        Name of a matplotlib colour map.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The coloured cells.
    text_ : ndarray of shape (n_classes, n_classes) of matplotlib Text
        The text of each cell.

    Examples
    --------
    >>> from ecgclf.plots import ConfusionDisplay
    >>> display = ConfusionDisplay.from_predictions(list("NNNNVV"), list("NNNVVV"))
    >>> print(display.text_[0, 0].get_text())
    3
    75.0%
    """

    confusion_matrix: np.ndarray
    _: KW_ONLY
    display_labels: Sequence[Any] | None = None
    cmap: str = "Blues"

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, y: ArrayLike, **kwargs: Any
    ) -> ConfusionDisplay:
        """Plot the confusion matrix of a fitted classifier.

        Parameters
        ----------
        estimator : object
            Fitted classifier.
        X : array-like of shape (n_beats, ...)
            Beats as the estimator expects them.
        y : array-like of shape (n_beats,)
            True labels.
        **kwargs
            Further parameters of `from_predictions`.

        Returns
        -------
        ConfusionDisplay
        """
        return cls.from_predictions(y, estimator.predict(X), **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        labels: Sequence[Any] | None = None,
        ax: AxesLike = None,
        cmap: str = "Blues",
    ) -> ConfusionDisplay:
        """Plot the confusion matrix of predicted labels.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_beats,)
            True and predicted labels.
        labels : sequence, optional
            The classes in the order to show; must contain every label of the beats. By
            default the labels that occur: in the order N S V F Q if all are AAMI classes, and
            sorted otherwise.

        Returns
        -------
        ConfusionDisplay

        Raises
        ------
        ValueError
            If `y_true` and `y_pred` differ in length or `labels` lacks one of their labels.
        """
        present = in_class_order(unique_labels(y_true, y_pred))
        order = present if labels is None else list(labels)
        if unknown := [label for label in present if label not in order]:
            raise ValueError(f"labels {order} lacks {unknown}, which y_true or y_pred contain.")
        counts = confusion_matrix(y_true, y_pred, labels=order)
        return cls(counts, display_labels=order, cmap=cmap).plot(ax=ax)

    def __post_init__(self) -> None:
        counts = self.confusion_matrix = np.asarray(self.confusion_matrix)
        if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
            raise ValueError(
                f"confusion_matrix must be of shape (n_classes, n_classes); got {counts.shape}."
            )
        if self.display_labels is not None and len(self.display_labels) != len(counts):
            raise ValueError(
                f"display_labels has {len(self.display_labels)} entries; expected "
                f"{len(counts)}, one per row of confusion_matrix."
            )

    def _new_axes(self, plt: Any) -> Any:
        size = 2 + 0.85 * len(self.confusion_matrix)
        return plt.subplots(figsize=(size + 0.8, size), layout="compressed")[1]

    def _draw(self, axes: Any, is_new: bool) -> None:
        counts = self.confusion_matrix
        totals = counts.sum(axis=1, keepdims=True)
        # A class without true beats has no fractions; NaN leaves its row blank.
        fractions = np.divide(counts, totals, where=totals > 0, out=np.full(counts.shape, np.nan))
        drawn = ConfusionMatrixDisplay(fractions, display_labels=self.display_labels).plot(
            ax=axes,
            cmap=self.cmap,
            include_values=False,
            colorbar=False,
            im_kw={"vmin": 0, "vmax": 1},
        )
        self.im_ = drawn.im_
        self.text_ = np.empty(counts.shape, dtype=object)
        for row, column in np.ndindex(*counts.shape):
            fraction = fractions[row, column]
            self.text_[row, column] = axes.text(
                column,
                row,
                f"{counts[row, column]:,}" + ("" if np.isnan(fraction) else f"\n{fraction:.1%}"),
                ha="center",
                va="center",
                color=_readable_on(self.im_.cmap(fraction)),
            )
        axes.set(xlabel="predicted class", ylabel="true class")
        self.figure_.colorbar(self.im_, ax=axes, label="fraction of the true class")


def _readable_on(background: tuple[float, float, float, float]) -> str:
    """Return black or white, whichever contrasts more (ITU-R BT.601 luma)."""
    red, green, blue, alpha = background
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    # A blank cell shows the white of the axes.
    return "white" if alpha > 0 and luma < 0.5 else "black"


class ReliabilityDisplay(Display):
    """Reliability diagram: observed frequency against predicted probability.

    A histogram below shows how many beats were predicted with which probability. The legend
    gives the `ecgclf.evaluation.expected_calibration_error` (ECE) of each curve, the label of the
    axis its bins. If there is one curve, grey bars show the gaps that the ECE averages. Create it
    with `from_estimator` or `from_predictions`.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The curves by name, each a result of `reliability_table`.
    probabilities : mapping of str to ndarray
        For each curve the probabilities of all beats, for the histogram.
    x_name : str, default="predicted probability"
        Label of the horizontal axis.
    y_name : str, default="observed frequency"
        Label of the vertical axis.

    Attributes
    ----------
    errors_ : dict of str to float
        Expected calibration error of each curve.
    lines_ : dict of str to matplotlib Line2D
        The curves.
    histogram_ax_ : matplotlib Axes or None
        Axes of the histogram, the second of the argument `ax` of `plot`. There is no histogram
        if only one is given.

    Examples
    --------
    >>> from ecgclf.plots import ReliabilityDisplay
    >>> y_prob = [[0.9, 0.1], [0.7, 0.3], [0.7, 0.3], [0.3, 0.7]]
    >>> display = ReliabilityDisplay.from_predictions(["N", "N", "V", "V"], y_prob, n_bins=5)
    >>> {name: round(error, 3) for name, error in display.errors_.items()}
    {'all classes': 0.05}
    """

    tables: Mapping[str, pd.DataFrame]
    probabilities: Mapping[str, np.ndarray]
    _: KW_ONLY
    x_name: str = "predicted probability"
    y_name: str = "observed frequency"

    @classmethod
    @parameters_from(ConfusionDisplay.from_estimator)
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, y: ArrayLike, **kwargs: Any
    ) -> ReliabilityDisplay:
        """Plot the probabilities of a fitted classifier.

        Parameters
        ----------
        estimator : object
            Fitted classifier with ``predict_proba``.
        X : array-like of shape (n_beats, ...)
            Beats that were not used for training.

        Returns
        -------
        ReliabilityDisplay
        """
        kwargs = {"classes": estimator.classes_, **kwargs}
        return cls.from_predictions(y, estimator.predict_proba(X), **kwargs)

    @classmethod
    @parameters_from(reliability_table)
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_prob: ArrayLike,
        *,
        classes: ArrayLike | None = None,
        per_class: bool = False,
        n_bins: int = 15,
        strategy: Literal["uniform", "quantile"] = "uniform",
        ax: AxesLike = None,
    ) -> ReliabilityDisplay:
        """Plot predicted probabilities against observed frequencies.

        Parameters
        ----------
        per_class : bool, default=False
            Draw one curve per class, for its probability against the rest. By default one
            curve shows the probability of the predicted class.

        Returns
        -------
        ReliabilityDisplay

        Raises
        ------
        ValueError
            As in `ecgclf.evaluation.reliability_table`.
        """
        options: dict[str, Any] = {"classes": classes, "n_bins": n_bins, "strategy": strategy}
        kind = "of equal width" if strategy == "uniform" else "of equal size"
        labels: dict[str, Any] = {"all classes": None}
        x_name, y_name = "probability of the predicted class", "fraction predicted correctly"
        if per_class:
            known = in_class_order(np.unique(y_true) if classes is None else np.asarray(classes))
            labels = {str(label): label for label in known}
            x_name, y_name = "probability of the class", "fraction of beats of the class"
        tables = {
            name: reliability_table(y_true, y_prob, label=label, **options)
            for name, label in labels.items()
        }
        probabilities = {
            name: confidence_of(y_true, y_prob, classes, label)[0]
            for name, label in labels.items()
        }
        x_name = f"{x_name} ({n_bins} bins {kind})"
        return cls(tables, probabilities, x_name=x_name, y_name=y_name).plot(ax=ax)

    def _new_axes(self, plt: Any) -> np.ndarray:
        return plt.subplots(
            2, figsize=(5.4, 6.2), height_ratios=(3, 1.2), sharex=True, layout="constrained"
        )[1]

    def _draw(self, axes: Any, is_new: bool) -> None:
        curves, counts = (*np.asarray(axes, dtype=object).ravel(), None)[:2]
        self.histogram_ax_ = counts
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
        place: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1), "ncols": 3}
        curves.legend(fontsize="small", frameon=False, **place)
        (curves if counts is None else counts).set_xlabel(self.x_name)
        if counts is not None:
            counts.set(yscale="log", ylabel="beats")
            counts.set_ylim(bottom=0.7)  # below 1, so that a single beat is visible
            counts.grid(alpha=0.3)


class ComparisonDisplay(Display):
    """Metrics of several models, with their intervals and the differences that are uncertain.

    There is one panel for each metric, with the best model on top. Lines are the intervals over
    patients. A grey bar on the right joins models of which no pair differs significantly, as in
    a critical-difference diagram [1]_: the corrected p-values of all pairs are at least one minus
    the confidence level.

    Parameters
    ----------
    comparison : ModelComparison
        Result of `ecgclf.evaluation.compare_models`.

    Attributes
    ----------
    axes_ : ndarray of shape (n_metrics,) of matplotlib Axes
        The panels. The argument `ax` of `plot` has as many axes.
    joined_ : dict of str to list of lists of str
        The models that each bar joins, by metric.

    References
    ----------
    .. [1] J. Demšar, "Statistical comparisons of classifiers over multiple data sets", J. Mach.
       Learn. Res. 7, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.evaluation import Accuracy, compare_models
    >>> from ecgclf.plots import ComparisonDisplay
    >>> y_true, groups = np.full(400, "N"), np.arange(400) // 20
    >>> bad = np.where(np.arange(400) % 2, "N", "V")
    >>> y_preds = {"A": y_true, "B": bad, "C": bad}
    >>> comparison = compare_models(y_true, y_preds, groups, Accuracy(), random_state=0)
    >>> ComparisonDisplay(comparison).plot().joined_
    {'accuracy': [['B', 'C']]}
    """

    comparison: ModelComparison

    def _metrics(self) -> list[str]:
        return self.comparison.estimates.index.unique("metric").tolist()

    def _new_axes(self, plt: Any) -> np.ndarray:
        n_metrics = len(self._metrics())
        n_models = len(self.comparison.estimates) // n_metrics
        height = (0.3 * n_models + 0.45) * n_metrics + 0.4
        return plt.subplots(
            n_metrics, figsize=(6.4, height), sharex=True, squeeze=False, layout="constrained"
        )[1].ravel()

    def _check_axes(self, ax: Any) -> np.ndarray:
        return arrange_axes(ax, (len(self._metrics()), 1), ("metrics", "column")).ravel()

    def _draw(self, axes: np.ndarray, is_new: bool) -> None:
        self.axes_ = axes
        self.joined_ = {}
        alpha = 1 - self.comparison.confidence_level
        for ax, metric in zip(axes, self._metrics(), strict=True):
            table = self.comparison.estimates.loc[[metric]].droplevel("metric")
            models = table.sort_values("estimate", ascending=False, kind="stable")
            rows = np.arange(len(models))
            ax.hlines(rows, models["low"], models["high"], color="0.4")
            ax.plot(models["estimate"], rows, "o", color="black")
            ax.set(title=metric, yticks=rows, yticklabels=models.index)
            ax.margins(y=0.3 / len(models))
            ax.invert_yaxis()
            ax.grid(axis="x", alpha=0.3)
            differences = self.comparison.differences.loc[[metric]].droplevel("metric")
            groups = not_different(models.index, differences, alpha)
            self.joined_[metric] = [models.index[group].tolist() for group in groups]
            for i, group in enumerate(groups):
                ax.plot(
                    [1.02 + 0.02 * i] * 2,
                    [group.start - 0.2, group.stop - 0.8],
                    transform=ax.get_yaxis_transform(),
                    color="0.6",
                    linewidth=4,
                    solid_capstyle="butt",
                    clip_on=False,
                )
        level = f"{self.comparison.confidence_level:.0%}"
        axes[-1].set_xlabel(f"{level} interval over {self.comparison.n_patients} patients")


def not_different(models: pd.Index, differences: pd.DataFrame, alpha: float) -> list[slice]:
    """Find the longest stretches of models of which no pair differs significantly."""
    different = {frozenset(pair) for pair in differences.index[differences["p_holm"] < alpha]}
    found: list[slice] = []
    for start in range(len(models)):
        stop = start + 1
        while stop < len(models) and not any(
            frozenset((model, models[stop])) in different for model in models[start:stop]
        ):
            stop += 1
        if stop - start > 1 and (not found or stop > found[-1].stop):
            found.append(slice(start, stop))
    return found
