"""Displays with one column of panels per class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ecgclf._validation import check_same_length, new_random_state
from ecgclf.evaluation import check_beats, in_class_order
from ecgclf.plots._display import (
    COLORS,
    AxesLike,
    PanelDisplay,
    beats_in_3d,
    signals_of,
    unpack_beats,
)

#: Name, thin lines and mean of the correctly predicted beats and of the others.
_OUTCOMES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    (
        "correct",
        {"color": COLORS["sky blue"], "lw": 0.6, "alpha": 0.6},
        {"color": COLORS["black"], "lw": 1.8, "ls": "-"},
    ),
    (
        "wrong",
        {"color": COLORS["orange"], "lw": 0.7, "alpha": 0.8, "ls": (0, (4, 2))},
        {"color": COLORS["vermilion"], "lw": 1.8, "ls": (0, (4, 1.5))},
    ),
)


class BeatDisplay(PanelDisplay):
    """Example beats of each class, with the mean and spread of all beats of the class.

    Create it with `from_beats`.

    Parameters
    ----------
    examples : mapping of label to ndarray of shape (n_examples, n_leads, n_samples)
        The beats to draw of each class, in the order of the columns.
    means : mapping of label to ndarray of shape (n_leads, n_samples)
        Mean beat of each class.
    counts : mapping of label to int
        Number of beats of each class.
    spreads : mapping of label to ndarray of shape (2, n_leads, n_samples), optional
        Lower and upper edge of the band around each mean.
    spread_name : str, default="spread"
        Name of the band in the legend.
    mean : bool, default=True
        Draw the mean of each class. Without it, with one example, single beats are shown.

    Examples
    --------
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.plots import BeatDisplay
    >>> beats = make_beats(n_beats=200, random_state=0)
    >>> display = BeatDisplay.from_beats(beats, before=0.3, random_state=0)
    >>> display.ax_.get_title()
    'N  (n = 120)'
    """

    examples: Mapping[Any, np.ndarray]
    means: Mapping[Any, np.ndarray]
    counts: Mapping[Any, int]
    _: KW_ONLY
    spreads: Mapping[Any, np.ndarray] | None = None
    spread_name: str = "spread"
    mean: bool = True

    @classmethod
    def from_beats(
        cls,
        beats: Any,
        *,
        n_per_class: int = 10,
        before: float = 0.0,
        unit: Literal["mV", "scaled"] = "mV",
        time_unit: Literal["s", "ms"] = "s",
        random_state: int | np.random.RandomState | None = None,
        spread: tuple[float, float] | Literal["sd"] | None = None,
        mean: bool = True,
        ax: AxesLike = None,
    ) -> BeatDisplay:
        """Plot randomly chosen beats of each class.

        Parameters
        ----------
        beats : Beats
            With ``data`` of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples),
            ``target`` and ``fs``; the lead names are taken from ``lead`` if present.
        n_per_class : int, default=10
            Maximum number of beats to draw per class. It may be 0 if `spread` is given.
        random_state : int, RandomState or None, default=None
            Seed of the choice of beats. With None it differs from call to call; the global
            generator of numpy is not used.
        spread : tuple of two floats, "sd" or None, default=None
            Band around the mean of all beats of a class: two percentiles, such as
            ``(10, 90)``, or ``"sd"`` for one standard deviation on either side.

        Returns
        -------
        BeatDisplay

        Raises
        ------
        ValueError
            If there are no beats, their fields do not match, or a parameter is invalid.
        """
        least = 1 if spread is None else 0
        if not isinstance(n_per_class, (int, np.integer)) or n_per_class < least:
            raise ValueError(
                f"n_per_class must be an integer >= {least}; got {n_per_class!r}. It may be 0 "
                "if spread is given."
            )
        data, target, lead_names = unpack_beats(beats)
        rng = new_random_state(random_state)
        rows = {label: np.flatnonzero(target == label) for label in in_class_order(target)}
        chosen = {label: _choose(rng, found, n_per_class) for label, found in rows.items()}
        return cls(
            examples={label: data[some] for label, some in chosen.items()},
            means={label: data[found].mean(axis=0) for label, found in rows.items()},
            counts={label: len(found) for label, found in rows.items()},
            fs=beats.fs,
            before=before,
            unit=unit,
            time_unit=time_unit,
            lead_names=lead_names,
            mean=mean,
            **_bands(data, rows, spread),
        ).plot(ax=ax)

    def _shape(self) -> tuple[int, int, int]:
        n_leads, n_samples = next(iter(self.means.values())).shape
        return n_leads, len(self.means), n_samples

    def _draw_panels(self, time: np.ndarray) -> Sequence[Any]:
        labels = [*self.means]
        # Thin light lines under a thick dark one also differ without colour.
        light: dict[str, Any] = {"color": COLORS["sky blue"], "lw": 0.7, "alpha": 0.7}
        alone: dict[str, Any] = {"color": COLORS["blue"], "lw": 1.0}
        style = light if self.mean else alone
        for (lead, column), panel in np.ndenumerate(self.axes_):
            label = labels[column]
            if self.spreads is not None:
                band = self.spreads[label][:, lead]
                panel.fill_between(
                    time, *band, color="0.75", lw=0, label=self.spread_name, zorder=1
                )
            for line in panel.plot(time, self.examples[label][:, lead].T, **style)[:1]:
                line.set_label("example beats")
            if self.mean:
                mean = self.means[label][lead]
                panel.plot(time, mean, color=COLORS["black"], lw=1.8, label="mean of the class")
            if lead == 0:
                panel.set_title(f"{label}  (n = {self.counts[label]:,})")
        artists = (*self.ax_.lines, *self.ax_.collections)
        return [artist for artist in artists if not artist.get_label().startswith("_")]


def _choose(rng: np.random.RandomState, rows: np.ndarray, n_rows: int) -> np.ndarray:
    return rng.choice(rows, min(n_rows, len(rows)), replace=False)


def _bands(data: np.ndarray, rows: Mapping[Any, np.ndarray], spread: Any) -> dict[str, Any]:
    """Compute the band of each class, and its name."""
    if spread is None:
        return {}
    if isinstance(spread, str) and spread == "sd":
        name = "mean \N{PLUS-MINUS SIGN} SD"
        bands = {}
        for label, found in rows.items():
            middle, sd = data[found].mean(axis=0), data[found].std(axis=0)
            bands[label] = np.stack([middle - sd, middle + sd])
    else:
        edges = np.asarray([] if isinstance(spread, str) else spread, dtype=float)
        if edges.shape != (2,) or not 0 <= edges[0] < edges[1] <= 100:
            raise ValueError(
                f"spread is {spread!r}; expected two increasing percentiles between 0 and 100, "
                "such as (10, 90), or 'sd'."
            )
        name = f"{edges[0]:g}th to {edges[1]:g}th percentile"
        bands = {k: np.percentile(data[found], edges, axis=0) for k, found in rows.items()}
    return {"spreads": bands, "spread_name": name}


class BeatErrorDisplay(PanelDisplay):
    """Correctly and wrongly predicted beats of each true class.

    Thick lines are means over all such beats, thin lines are some of the beats.

    Parameters
    ----------
    X : array-like of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples)
        The beats.
    y_true, y_pred : array-like of shape (n_beats,)
        True and predicted labels.
    n_per_class : int, default=10
        Maximum number of correctly predicted and of wrongly predicted beats to draw per class.
    random_state : int, RandomState or None, default=None
        Seed of the choice of beats. With None it differs from call to call; the global
        generator of numpy is not used.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgclf.plots import BeatErrorDisplay
    >>> X = np.random.default_rng(0).normal(size=(5, 50))
    >>> display = BeatErrorDisplay.from_predictions(X, list("NNVVV"), list("NNVVN"), fs=100)
    >>> print(display.axes_[0, 1].get_title())
    V: 2 correct, 1 wrong
    predicted as N 1
    """

    X: np.ndarray
    y_true: np.ndarray
    y_pred: np.ndarray
    _: KW_ONLY
    n_per_class: int = 10
    random_state: int | np.random.RandomState | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.X = beats_in_3d(self.X)
        self.y_true = check_beats(self.y_true, "y_true")
        self.y_pred = check_beats(self.y_pred, "y_pred")
        check_same_length(self.y_true, "y_pred", self.y_pred)
        check_same_length(self.y_true, "X", self.X)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        fs: float,
        ax: AxesLike = None,
        **kwargs: Any,
    ) -> BeatErrorDisplay:
        """Plot the beats that a fitted classifier predicts correctly and wrongly.

        Parameters
        ----------
        estimator : object
            Fitted classifier.
        X : array-like
            Beats as the estimator expects them. Per-beat features are not drawn.
        y : array-like of shape (n_beats,)
            True labels.
        **kwargs
            Further parameters of the class.

        Returns
        -------
        BeatErrorDisplay
        """
        signals = signals_of(estimator, X)
        return cls(signals, np.asarray(y), estimator.predict(X), fs=fs, **kwargs).plot(ax=ax)

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        fs: float,
        ax: AxesLike = None,
        **kwargs: Any,
    ) -> BeatErrorDisplay:
        """Plot the beats that are predicted correctly and wrongly.

        Parameters
        ----------
        **kwargs
            Further parameters of the class.

        Returns
        -------
        BeatErrorDisplay

        Raises
        ------
        ValueError
            If `X`, `y_true` and `y_pred` differ in length, or a parameter is invalid.
        """
        X, y_true, y_pred = np.asarray(X), np.asarray(y_true), np.asarray(y_pred)
        return cls(X, y_true, y_pred, fs=fs, **kwargs).plot(ax=ax)

    def _shape(self) -> tuple[int, int, int]:
        _, n_leads, n_samples = self.X.shape
        return n_leads, len(in_class_order(self.y_true)), n_samples

    def _draw_panels(self, time: np.ndarray) -> Sequence[Any]:
        rng = new_random_state(self.random_state)
        handles = {}
        for column, label in zip(self.axes_.T, in_class_order(self.y_true)):
            of_class, is_correct = self.y_true == label, self.y_pred == label
            for found, (name, thin, thick) in zip(
                (of_class & is_correct, of_class & ~is_correct), _OUTCOMES
            ):
                rows = np.flatnonzero(found)
                if not len(rows):
                    continue
                drawn = _choose(rng, rows, self.n_per_class)
                for lead, panel in enumerate(column):
                    panel.plot(time, self.X[drawn, lead].T, zorder=1, **thin)
                    mean = self.X[rows, lead].mean(axis=0)
                    (handles[name],) = panel.plot(time, mean, zorder=2, label=name, **thick)
            column[0].set_title(self._title(label), fontsize="medium")
        return [*handles.values()]

    def _title(self, label: Any) -> str:
        """Compose the counts of a class and its three most frequent wrong predictions."""
        predicted = self.y_pred[self.y_true == label]
        others, counts = np.unique(predicted[predicted != label], return_counts=True)
        title = f"{label}: {np.sum(predicted == label):,} correct, {counts.sum():,} wrong"
        most = np.argsort(-counts, kind="stable")[:3]
        wrong = ", ".join(f"{others[i]} {counts[i]:,}" for i in most)
        return title + (f"\npredicted as {wrong}" if wrong else "\n")
