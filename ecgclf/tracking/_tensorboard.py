"""TensorBoard: curves, tables and pictures from a folder."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any

from ecgclf._extras import import_extra
from ecgclf.evaluation import BeatReport, EC57Report
from ecgclf.tracking._tracker import Tracker


class TensorBoardTracker(Tracker):
    """Log to a folder that ``tensorboard --logdir`` shows.

    Needs ``pip install ecgclf[tensorboard]``. TensorBoard keeps no models: save them yourself.

    Parameters
    ----------
    log_dir : str or path-like
        Folder of one experiment; made if it is not there.

    Raises
    ------
    ImportError
        If TensorBoard is not installed.

    Examples
    --------
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.tracking import TensorBoardTracker
    >>> X, y = make_beats(n_beats=300, random_state=0, return_X_y=True)
    >>> with TensorBoardTracker("runs/mlp") as tracker:  # doctest: +SKIP
    ...     model = ECGMLPClassifier(callbacks=[tracker.callback()]).fit(X, y)
    ...     tracker.log_params(model)
    """

    def __init__(self, log_dir: str | os.PathLike[str]) -> None:
        import_extra("tensorboard", "TensorBoardTracker")
        from torch.utils.tensorboard import SummaryWriter

        self.log_dir = log_dir
        self._writer = SummaryWriter(os.fspath(log_dir))

    def log_figure(self, figure: Any, name: str) -> None:
        """Log a picture as the image `name`.

        Parameters
        ----------
        figure : matplotlib Figure
        name : str
        """
        self._writer.add_figure(name, figure, close=False)

    def close(self) -> None:
        """Write what is left and close the file; a ``with`` block does so at its end."""
        self._writer.close()

    def __enter__(self) -> TensorBoardTracker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _log_params(self, params: dict[str, Any]) -> None:
        rows = "\n".join(f"| {name} | {value} |" for name, value in params.items())
        self._writer.add_text("parameters", f"| parameter | value |\n| --- | --- |\n{rows}")

    def _log_epoch(self, epoch: int, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self._writer.add_scalar(name, value, epoch)
        # So that the curves of a fit that is killed are there.
        self._writer.flush()

    def _log_report(
        self, report: EC57Report | BeatReport, figures: dict[str, float], name: str
    ) -> None:
        for figure, value in figures.items():
            self._writer.add_scalar(figure, value)
        # Four spaces make it text of equal width.
        indented = "".join(f"    {line}\n" for line in str(report).splitlines())
        self._writer.add_text(name, indented)
