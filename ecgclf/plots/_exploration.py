"""Summary of a set of beats in tables and a figure."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ecgclf.evaluation import in_class_order
from ecgclf.plots._class_panels import BeatDisplay
from ecgclf.plots._display import COLORS, class_styles, unpack_beats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Maximum number of patients that are labelled on the axis.
_MOST_TICKS = 25


@dataclass(eq=False, repr=False)
class Exploration:
    """Summary of a set of beats, returned by `explore`.

    Attributes
    ----------
    summary : DataFrame of n_classes rows
        Indexed by class, with the columns ``beats``, ``share`` (of all beats), ``patients``
        (number with such beats; absent if the patients are unknown), ``shortest``,
        ``median_length`` and ``longest`` (in s), ``minimum`` and ``maximum`` (amplitudes),
        ``missing`` and ``flat`` (number of beats, see `problems`).
    patients : DataFrame of n_patients rows or None
        Number of beats of each class, indexed by patient.
    lengths : Series of n_beats entries
        Length of each beat in s, without zero padding.
    problems : DataFrame of n_beats rows
        With the boolean columns ``missing`` (NaN or infinite somewhere) and ``flat`` (some
        lead is constant over the length of the beat).
    means : dict of label to ndarray of shape (n_leads, n_samples)
        Mean beat of each class, including padding, over the finite samples.
    bands : dict of label to ndarray of shape (2, n_leads, n_samples)
        10th and 90th percentile of the beats of each class.
    fs : float
        Sampling rate in Hz.
    lead_names : list of str or None
        Name of each lead.
    """

    summary: pd.DataFrame
    patients: pd.DataFrame | None
    lengths: pd.Series
    problems: pd.DataFrame
    means: dict[Any, np.ndarray]
    bands: dict[Any, np.ndarray]
    fs: float
    lead_names: list[str] | None

    def __repr__(self) -> str:
        return f"Exploration of {len(self.lengths):,} beats\n{self.summary.round(3)}"

    def plot(self, *, before: float = 0.0, unit: Literal["mV", "scaled"] = "mV") -> Figure:
        """Draw the summary.

        Parameters
        ----------
        before : float, default=0
            Seconds from the start of each beat's window to its R peak.
        unit : {"mV", "scaled"}, default="mV"
            Unit of the amplitudes.

        Returns
        -------
        matplotlib Figure
            The number of beats of each class and, if known, of each patient; the lengths, if
            they differ; and the beats with missing values or flat leads, if there are any.
            Below, the mean of each class with the band from the 10th to the 90th percentile.
        """
        from matplotlib import pyplot as plt

        n_classes = len(self.means)
        n_leads, n_samples = next(iter(self.means.values())).shape
        figure = plt.figure(
            figsize=(max(10.0, 2.2 * n_classes), 3.4 + 2.4 * n_leads), layout="constrained"
        )
        subfigures: Any = figure.subfigures(2, height_ratios=(3.0, 0.4 + 2.2 * n_leads))
        upper, lower = subfigures
        shown = {
            self._draw_counts: True,
            self._draw_patients: self.patients is not None,
            self._draw_lengths: self.lengths.min() < self.lengths.max(),
            self._draw_problems: self.problems.to_numpy().any(),
        }
        draws = [draw for draw, is_shown in shown.items() if is_shown]
        for ax, draw in zip(upper.subplots(1, len(draws), squeeze=False)[0], draws):
            draw(ax)
        axes = lower.subplots(n_leads, n_classes, sharex=True, sharey="row", squeeze=False)
        display = BeatDisplay(
            dict.fromkeys(self.means, np.empty((0, n_leads, n_samples))),
            self.means,
            self.summary["beats"].to_dict(),
            fs=self.fs,
            before=before,
            unit=unit,
            lead_names=self.lead_names,
            spreads=self.bands,
            spread_name="10th to 90th percentile",
        ).plot(ax=axes)
        display.ax_.get_legend().remove()
        lower.legend(
            handles=[display.ax_.lines[0], display.ax_.collections[0]],
            loc="outside lower center",
            ncols=2,
            fontsize="small",
        )
        return figure

    def _draw_counts(self, ax: Any) -> None:
        bars = ax.bar(self.summary.index.astype(str), self.summary["beats"], color=COLORS["blue"])
        ax.bar_label(bars, fmt="{:,.0f}", fontsize="small")
        # On a linear axis the many normal beats would make the other bars invisible.
        ax.set(yscale="log", title="beats of each class", xlabel="class", ylabel="beats")
        ax.set_ylim(0.7, 3 * self.summary["beats"].max())

    def _draw_patients(self, ax: Any) -> None:
        assert self.patients is not None
        ax.set(title="beats of each patient", xlabel="patient", ylabel="beats")
        table = self.patients.loc[self.patients.sum(axis=1).sort_values(ascending=False).index]
        below, place, bars = np.zeros(len(table)), np.arange(len(table)), []
        for (label, style), hatch in zip(
            class_styles(table.columns).items(), ("", "//", "..", "xx", "--", "\\\\", "oo") * 7
        ):
            height = table[label].to_numpy()
            color = "0.75" if style["color"] == COLORS["black"] else style["color"]
            looks: dict[str, Any] = {"color": color, "hatch": hatch, "label": str(label)}
            bars.append(ax.bar(place, height, width=0.9, bottom=below, **looks))
            below = below + height
        few = len(table) <= _MOST_TICKS
        ax.set_xticks(place if few else [])
        if few:
            ax.set_xticklabels([str(name) for name in table.index], rotation=90, fontsize=7)
        else:
            ax.set_xlabel(f"{len(table)} patients")
        ax.locator_params(axis="y", integer=True)
        ax.figure.legend(
            handles=bars,
            title="classes of the patients' beats",
            title_fontsize="small",
            fontsize="small",
            loc="outside upper center",
            ncols=len(bars),
            frameon=False,
        )

    def _draw_lengths(self, ax: Any) -> None:
        ax.set(title="lengths without padding", xlabel="length (s)", ylabel="beats")
        ax.hist(self.lengths, bins=30, color=COLORS["sky blue"], edgecolor="white")

    def _draw_problems(self, ax: Any) -> None:
        place = np.arange(len(self.summary))
        kinds = (("missing", "vermilion", ""), ("flat", "sky blue", "//"))
        for shift, (name, color, hatch) in zip((-0.2, 0.2), kinds):
            bars = ax.bar(
                place + shift,
                self.summary[name],
                width=0.4,
                color=COLORS[color],
                hatch=hatch,
                label=name,
            )
            ax.bar_label(bars, fontsize="x-small")
        ax.set_xticks(place, self.summary.index.astype(str))
        ax.set(title="missing and flat", xlabel="class", ylabel="beats")
        ax.set_ylim(0, 1.35 * max(1, self.summary[["missing", "flat"]].to_numpy().max()))
        ax.locator_params(axis="y", integer=True)
        ax.legend(fontsize="x-small", ncols=2, loc="upper center")


def explore(beats: Any, *, flat_below: float = 0.0) -> Exploration:
    """Summarize a set of beats by class and by patient.

    Parameters
    ----------
    beats : Beats
        With ``data`` of shape (n_beats, n_samples) or (n_beats, n_leads, n_samples),
        ``target`` and ``fs``. Patients are taken from ``groups`` and lead names from ``lead``
        if present.
    flat_below : float, default=0.0
        A lead is flat if its range is at most this, in the unit of ``data``.

    Returns
    -------
    Exploration
        Tables; its method ``plot()`` draws them.

    Raises
    ------
    ValueError
        If there are no beats or their fields do not match.

    Notes
    -----
    All zeros at the end of a beat are treated as padding, also those that belong to the
    signal. A beat of zeros only has length 0.

    Examples
    --------
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.plots import explore
    >>> found = explore(make_beats(n_beats=200, n_patients=4, random_state=0))
    >>> found.summary[["beats", "share", "patients", "flat"]].loc["N"].tolist()
    [120.0, 0.6, 4.0, 0.0]
    """
    data, target, lead_names = unpack_beats(beats)
    finite = np.isfinite(data)
    n_samples = _lengths(data)
    problems = pd.DataFrame(
        {"missing": ~finite.all(axis=(1, 2)), "flat": _flat(data, n_samples, flat_below)}
    )
    lengths = pd.Series(n_samples / beats.fs, name="length")
    order = in_class_order(target)
    figures = pd.DataFrame(
        {
            "length": lengths,
            # NaN for a beat without finite values
            "minimum": data.min(axis=(1, 2), where=finite, initial=np.inf),
            "maximum": data.max(axis=(1, 2), where=finite, initial=-np.inf),
            **problems,
        }
    ).replace([np.inf, -np.inf], np.nan)
    summary = figures.groupby(target).agg(
        beats=("length", "size"),
        shortest=("length", "min"),
        median_length=("length", "median"),
        longest=("length", "max"),
        minimum=("minimum", "min"),
        maximum=("maximum", "max"),
        missing=("missing", "sum"),
        flat=("flat", "sum"),
    )
    summary = summary.reindex(order).rename_axis("class")
    summary.insert(1, "share", summary["beats"] / len(target))
    patients = None
    if beats.get("groups") is not None:
        patients = pd.crosstab(np.asarray(beats.groups), target).reindex(columns=order)
        patients.index.name, patients.columns.name = "patient", "class"
        summary.insert(2, "patients", (patients > 0).sum())
    clean = np.where(finite, data, np.nan)
    middles = {label: _middle(clean[target == label]) for label in order}
    return Exploration(
        summary=summary,
        patients=patients,
        lengths=lengths,
        problems=problems,
        means={label: mean for label, (mean, _) in middles.items()},
        bands={label: band for label, (_, band) in middles.items()},
        fs=beats.fs,
        lead_names=lead_names,
    )


def _lengths(data: np.ndarray) -> np.ndarray:
    """Count the samples of each beat up to the last that is nonzero in some lead."""
    used = (data != 0).any(axis=1)
    return np.where(used.any(axis=1), data.shape[2] - used[:, ::-1].argmax(axis=1), 0)


def _flat(data: np.ndarray, n_samples: np.ndarray, flat_below: float) -> np.ndarray:
    """Find the beats with a lead that is constant before the padding."""
    inside = np.arange(data.shape[2]) < n_samples[:, None]
    inside = inside[:, None] & np.isfinite(data)
    high = data.max(axis=2, where=inside, initial=-np.inf)
    low = data.min(axis=2, where=inside, initial=np.inf)
    # A lead without finite values is missing, not flat; a beat of zeros only is flat.
    unknown = ~inside.any(axis=2) & (n_samples > 0)[:, None]
    return ((high - low <= flat_below) & ~unknown).any(axis=1)


def _middle(beats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean and band of beats, ignoring NaN."""
    with warnings.catch_warnings():
        # Samples that are NaN in all beats stay NaN.
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(beats, axis=0), np.nanpercentile(beats, (10, 90), axis=0)
