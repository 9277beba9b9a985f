"""Weights & Biases: experiments on a server, or in files until they are sent there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ecgclf._extras import import_extra
from ecgclf.evaluation import BeatReport, EC57Report
from ecgclf.tracking._served import save_without_callbacks
from ecgclf.tracking._tracker import Tracker


class WandbTracker(Tracker):
    """Log to a run of Weights & Biases.

    Needs ``pip install ecgclf[wandb]``. With ``wandb.init(mode="offline")`` or
    ``WANDB_MODE=offline``, nothing is sent anywhere.

    Parameters
    ----------
    run : wandb Run, optional
        What ``wandb.init()`` returned; by default the one that is running.

    Raises
    ------
    ImportError
        If wandb is not installed.
    RuntimeError
        If there is no run.

    Examples
    --------
    >>> import wandb  # doctest: +SKIP
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.tracking import WandbTracker
    >>> X, y = make_beats(n_beats=300, random_state=0, return_X_y=True)
    >>> with wandb.init(project="beats", mode="offline") as run:  # doctest: +SKIP
    ...     tracker = WandbTracker(run)
    ...     model = ECGMLPClassifier(callbacks=[tracker.callback()]).fit(X, y)
    ...     tracker.log_params(model)
    ...     tracker.log_model(model)
    """

    def __init__(self, run: Any = None) -> None:
        self._wandb = import_extra("wandb", "WandbTracker")
        self.run = self._wandb.run if run is None else run
        if self.run is None:
            raise RuntimeError(
                "WandbTracker logs to a run of wandb, and there is none: call wandb.init() first."
            )

    def log_figure(self, figure: Any, name: str) -> None:
        """Log a picture as the image `name`.

        Parameters
        ----------
        figure : matplotlib Figure
        name : str
        """
        self.run.log({name: self._wandb.Image(figure)})

    def log_model(self, estimator: Any, name: str = "model", **stated: Any) -> None:
        """Log a fitted model, without pickle, as an artifact with the file ``model.ecgclf``.

        `ecgclf.load` reads that file.

        Parameters
        ----------
        estimator : fitted estimator of ecgclf
        name : str, default="model"
        **stated : dict
            ``fs``, ``unit`` and ``window``, as for its `save`.

        Raises
        ------
        TypeError
            If it is no estimator of ecgclf.
        PersistenceError
            If a parameter cannot be kept without pickle.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.ecgclf"
            save_without_callbacks(estimator, path, **stated)
            artifact = self._wandb.Artifact(name, type="model")
            artifact.add_file(str(path))
            self.run.log_artifact(artifact)

    def _log_params(self, params: dict[str, Any]) -> None:
        self.run.config.update(params)

    def _log_epoch(self, epoch: int, figures: dict[str, float]) -> None:
        self.run.log({"epoch": epoch, **figures})

    def _log_report(
        self, report: EC57Report | BeatReport, figures: dict[str, float], name: str
    ) -> None:
        self.run.summary.update(figures)
        table = report.to_frame()
        table.columns = [
            "/".join(map(str, head)) if isinstance(head, tuple) else str(head)
            for head in table.columns.to_list()
        ]
        table.insert(0, "of", [str(row) for row in table.index])
        self.run.log({f"{name}_table": self._wandb.Table(dataframe=table)})
