"""How a model lays out beats, seen in two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

from ecgclf.evaluation import check_beats, in_class_order
from ecgclf.plots._style import class_styles, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class EmbeddingDisplay:
    """Beats as dots in a plane, those close together which a model takes for alike.

    Make it with `from_estimator` or `from_features`.

    Parameters
    ----------
    points : ndarray of shape (n_beats, 2)
        Where the beats lie.
    labels : ndarray of shape (n_beats,), optional
        The class of each beat, which has a colour and a marker of its own.
    axis_names : tuple of two str, default=("dimension 1", "dimension 2")
        Labels of the axes.

    Attributes
    ----------
    dots_ : dict of label to matplotlib PathCollection
        With the key None where there are no labels.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.plots import EmbeddingDisplay
    >>> features = np.random.default_rng(0).normal(size=(30, 8))
    >>> display = EmbeddingDisplay.from_features(features, np.repeat(["N", "V"], 15))
    >>> sorted(display.dots_)
    ['N', 'V']
    """

    def __init__(
        self,
        points: np.ndarray,
        labels: np.ndarray | None = None,
        *,
        axis_names: tuple[str, str] = ("dimension 1", "dimension 2"),
    ) -> None:
        self.points = points
        self.labels = labels
        self.axis_names = axis_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        reducer: Any = None,
        ax: Axes | None = None,
    ) -> EmbeddingDisplay:
        """Plot the codes or features that a fitted model computes.

        Parameters
        ----------
        estimator : object
            With ``transform``, such as an autoencoder, or ``features``, such as the networks
            of ecgclf; or a Pipeline that ends in one.
        X : array-like
            The beats.
        y : array-like of shape (n_beats,), optional
            Their labels.
        reducer, ax
            As in `from_features`.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        AttributeError
            If `estimator` has neither method.
        ValueError
            As in `from_features`.
        """
        if isinstance(estimator, Pipeline) and not hasattr(estimator, "transform"):
            if len(estimator) > 1:
                X = estimator[:-1].transform(X)
            estimator = estimator[-1]
        for name in ("transform", "features"):
            if hasattr(estimator, name):
                features = getattr(estimator, name)(X)
                return cls.from_features(features, y, reducer=reducer, ax=ax)
        raise AttributeError(
            f"{type(estimator).__name__} has neither transform nor features; compute what is to "
            "be shown yourself and pass it to from_features."
        )

    @classmethod
    def from_features(
        cls,
        features: ArrayLike,
        y: ArrayLike | None = None,
        *,
        reducer: Any = None,
        ax: Axes | None = None,
    ) -> EmbeddingDisplay:
        """Plot numbers that describe beats.

        Parameters
        ----------
        features : array-like of shape (n_beats, n_features)
            The description of each beat.
        y : array-like of shape (n_beats,), optional
            Their labels.
        reducer : transformer, optional
            Its ``fit_transform`` brings the features to two dimensions: scikit-learn's
            ``TSNE()``, umap's ``UMAP()`` or any other. ``PCA(2)`` by default.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        ValueError
            If `features` and `y` differ in length, or the reducer does not give two columns.
        """
        values = np.asarray(features)
        labels = None
        if y is not None:
            labels = check_beats(y, "y")
            if len(labels) != len(values):
                raise ValueError(
                    f"y has {len(labels)} labels, but there are {len(values)} beats."
                )
        reducer = PCA(2) if reducer is None else reducer
        points = np.asarray(reducer.fit_transform(values.reshape(len(values), -1)))
        if points.shape != (len(values), 2):
            raise ValueError(
                f"{type(reducer).__name__} gave the shape {points.shape}; expected "
                f"({len(values)}, 2): ask it for two dimensions."
            )
        return cls(points, labels, axis_names=_axis_names(reducer)).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> EmbeddingDisplay:
        """Draw the dots.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        EmbeddingDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        plt = pyplot("EmbeddingDisplay")
        if ax is None:
            _, ax = plt.subplots(figsize=(5.6, 4.6), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        order = [None] if self.labels is None else in_class_order(self.labels)
        rows = {
            label: np.arange(len(self.points)) if label is None else self.labels == label
            for label in order
        }
        self.dots_ = {}
        styles = class_styles(order)
        # The largest class first, or it would hide the rare ones.
        for label in sorted(order, key=lambda label: -len(self.points[rows[label]])):
            points = self.points[rows[label]]
            self.dots_[label] = ax.scatter(
                points[:, 0],
                points[:, 1],
                s=14,
                alpha=0.7,
                linewidths=0.3,
                edgecolors="white",
                color=styles[label]["color"],
                marker=styles[label]["marker"],
                label=f"{label}  (n = {len(points):,})",
            )
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        ax.grid(alpha=0.3)
        ax.set_axisbelow(True)
        if self.labels is not None:
            ax.legend(handles=[self.dots_[label] for label in order], fontsize="small")
        return self


def _axis_names(reducer: Any) -> tuple[str, str]:
    """Name the axes; of principal components tell how much of the variance they hold."""
    shares = getattr(reducer, "explained_variance_ratio_", None)
    if shares is not None:
        first, second = (
            f"principal component {i + 1} ({share:.0%} of the variance)"
            for i, share in enumerate(shares[:2])
        )
        return first, second
    name = type(reducer).__name__
    return f"{name} dimension 1", f"{name} dimension 2"
