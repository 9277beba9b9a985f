"""Display of a comparison of models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ecgclf.evaluation import ModelComparison
from ecgclf.plots._display import Display, arrange_axes


@dataclass(eq=False, repr=False)
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
    p_values = differences["p_holm"].to_dict()

    def differs(one: Any, other: Any) -> bool:
        pair = (one, other) if (one, other) in p_values else (other, one)
        return p_values[pair] < alpha

    found: list[slice] = []
    for start in range(len(models)):
        stop = start + 1
        while stop < len(models) and not any(
            differs(model, models[stop]) for model in models[start:stop]
        ):
            stop += 1
        if stop - start > 1 and (not found or stop > found[-1].stop):
            found.append(slice(start, stop))
    return found
