"""What all trackers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from sklearn.base import BaseEstimator

from ecgclf import training
from ecgclf.evaluation import BeatReport, EC57Report
from ecgclf.plots import ConfusionDisplay, pyplot
from ecgclf.tracking._figures import plain_params, report_figures


class Tracker(ABC):
    """Base of the trackers: tells a tool what happens in one experiment.

    See Also
    --------
    MLflowTracker, WandbTracker, TensorBoardTracker
    """

    def callback(self) -> training.Callback:
        """Make a callback that logs the figures of every epoch.

        For the parameter `callbacks` of an estimator. Use it for one fit: a search would lay
        the curves of all its fits over each other.

        Returns
        -------
        skorch callback
            In an estimator that was pickled it is mute.
        """
        return training.AfterEpoch(_Teller(self))

    def log_params(self, estimator: BaseEstimator) -> None:
        """Log the class and the parameters of an estimator.

        Parameters
        ----------
        estimator : estimator
            Also a pipeline, whose parameters are named ``step__name``.
        """
        self._log_params(plain_params(estimator))

    def log_report(self, report: EC57Report | BeatReport, name: str = "report") -> None:
        """Log a report: its figures, its table and its confusion matrix as a picture.

        Parameters
        ----------
        report : EC57Report or BeatReport
        name : str, default="report"
            What the names of all of it begin with. Figures are called such as
            ``report/gross/V/sensitivity``; those that are undefined are left out.

        Raises
        ------
        TypeError
            If it is another report.
        ImportError
            If matplotlib is not installed.
        """
        figures = {f"{name}/{key}": value for key, value in report_figures(report).items()}
        self._log_report(report, figures, name)
        matrix, labels = report.confusion_matrix, report.labels
        display = ConfusionDisplay(matrix, display_labels=labels).plot()
        self.log_figure(display.figure_, f"{name}_confusion_matrix")
        pyplot("log_report").close(display.figure_)

    @abstractmethod
    def log_figure(self, figure: Any, name: str) -> None:
        """Log a picture.

        Parameters
        ----------
        figure : matplotlib Figure
            Such as ``figure_`` of what `ecgclf.plots` draws.
        name : str
        """

    @abstractmethod
    def _log_params(self, params: dict[str, Any]) -> None:
        """Log numbers and text by name."""

    @abstractmethod
    def _log_epoch(self, epoch: int, figures: dict[str, float]) -> None:
        """Log the figures of an epoch, counted from 1."""

    @abstractmethod
    def _log_report(
        self, report: EC57Report | BeatReport, figures: dict[str, float], name: str
    ) -> None:
        """Log figures by their full names, and the table of the report."""


class _Teller:
    """Tells a tracker of epochs; the same one from every copy of an estimator."""

    def __init__(self, tracker: Tracker | None = None) -> None:
        self.tracker = tracker

    def __call__(self, epoch: int, figures: dict[str, Any]) -> None:
        if self.tracker is None:
            return
        kept = {
            "time" if name == "dur" else name: float(value)
            for name, value in figures.items()
            if name != "epoch" and not name.endswith("_batch_count")
        }
        self.tracker._log_epoch(epoch, kept)

    def __deepcopy__(self, memo: dict) -> _Teller:
        return self

    def __reduce__(self) -> tuple:
        # Runs and open files belong to this process.
        return _Teller, ()
