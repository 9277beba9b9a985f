"""Displays of models: training histories and features."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

from ecgclf._validation import check_same_length
from ecgclf.evaluation import check_beats, in_class_order
from ecgclf.plots._display import COLORS, AxesLike, Display, class_styles

#: Column, legend entry and line of each curve. The line styles differ, for prints without colour.
_LOSSES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("train_loss", "training loss", {"color": COLORS["blue"], "linestyle": "-"}),
    ("valid_loss", "validation loss", {"color": COLORS["vermilion"], "linestyle": "--"}),
)
_SCORE: dict[str, Any] = {"color": COLORS["green"], "linestyle": "-."}


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


class EmbeddingDisplay(Display):
    """Scatter plot of the features that a model computes for beats, in two dimensions.

    Parameters
    ----------
    features : array-like of shape (n_beats, n_features)
        Features of each beat.
    y : array-like of shape (n_beats,), optional
        Labels of the beats. Classes differ in colour and marker.
    reducer : transformer, optional
        Its ``fit_transform`` reduces the features to two dimensions, as scikit-learn's
        ``TSNE()`` or umap's ``UMAP()`` do. ``PCA(2)`` by default.

    Attributes
    ----------
    points : ndarray of shape (n_beats, 2)
        Coordinates of the beats.
    dots_ : dict of label to matplotlib PathCollection
        The dots of each class; the key is None without labels.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.plots import EmbeddingDisplay
    >>> features = np.random.default_rng(0).normal(size=(30, 8))
    >>> display = EmbeddingDisplay(features, np.repeat(["N", "V"], 15)).plot()
    >>> sorted(display.dots_)
    ['N', 'V']
    """

    features: np.ndarray
    y: np.ndarray | None = None
    _: KW_ONLY
    reducer: Any = None

    def __post_init__(self) -> None:
        values = np.asarray(self.features)
        if self.y is not None:
            self.y = check_beats(self.y, "y")
            check_same_length(values, "y", self.y, "features")
        reducer = self.reducer = PCA(2) if self.reducer is None else self.reducer
        self.points = np.asarray(reducer.fit_transform(values.reshape(len(values), -1)))
        if self.points.shape != (len(values), 2):
            raise ValueError(
                f"{type(reducer).__name__} returned shape {self.points.shape}; expected "
                f"({len(values)}, 2). Configure it for two dimensions."
            )

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        reducer: Any = None,
        ax: AxesLike = None,
    ) -> EmbeddingDisplay:
        """Plot the codes or features that a fitted model computes.

        Parameters
        ----------
        estimator : object
            With ``transform``, such as an autoencoder, or ``features``, such as the networks
            of ecgclf; or a Pipeline that ends in one.
        X : array-like
            Beats as the estimator expects them.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        AttributeError
            If `estimator` has neither method.
        """
        if isinstance(estimator, Pipeline) and not hasattr(estimator, "transform"):
            if len(estimator) > 1:
                X = estimator[:-1].transform(X)
            estimator = estimator[-1]
        for name in ("transform", "features"):
            if hasattr(estimator, name):
                labels = None if y is None else np.asarray(y)
                return cls(getattr(estimator, name)(X), labels, reducer=reducer).plot(ax=ax)
        raise AttributeError(
            f"{type(estimator).__name__} has neither transform nor features. Compute the "
            "features and pass them to EmbeddingDisplay."
        )

    def _draw(self, axes: Any, is_new: bool) -> None:
        points: dict[Any, np.ndarray] = {None: self.points}
        if self.y is not None:
            order = in_class_order(self.y)
            points = {label: self.points[self.y == label] for label in order}
        styles = class_styles(points)
        self.dots_ = {}
        # The largest class is drawn first, so that it does not hide the rare ones.
        for label in sorted(points, key=lambda label: -len(points[label])):
            self.dots_[label] = axes.scatter(
                *points[label].T,
                s=14,
                alpha=0.7,
                linewidths=0.3,
                edgecolors="white",
                color=styles[label]["color"],
                marker=styles[label]["marker"],
                label=f"{label}  (n = {len(points[label]):,})",
            )
        xlabel, ylabel = self._axis_names()
        axes.set(xlabel=xlabel, ylabel=ylabel)
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
        if self.y is not None:
            axes.legend(handles=[self.dots_[label] for label in points], fontsize="small")

    def _axis_names(self) -> list[str]:
        """Name the axes; for principal components with their share of the variance."""
        shares = getattr(self.reducer, "explained_variance_ratio_", None)
        if shares is None:
            name = type(self.reducer).__name__
            return [f"{name} dimension {i}" for i in (1, 2)]
        return [
            f"principal component {i} ({share:.0%} of the variance)"
            for i, share in enumerate(shares[:2], 1)
        ]
