"""MLflow: experiments in a local database or on a server."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from ecgclf._extras import import_extra
from ecgclf._version import __version__
from ecgclf.evaluation import BeatReport, EC57Report
from ecgclf.tracking._served import save_without_callbacks
from ecgclf.tracking._tracker import Tracker


class MLflowTracker(Tracker):
    """Log to the active run of MLflow.

    Make it after ``mlflow.start_run()``; where runs are kept, and in which experiment, is told
    to MLflow as always. Needs ``pip install ecgclf[mlflow]``.

    Attributes
    ----------
    run_id : str
        The run. All goes there, also when another one is active.

    Raises
    ------
    ImportError
        If MLflow is not installed.
    RuntimeError
        If no run is active.

    Examples
    --------
    >>> import mlflow  # doctest: +SKIP
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> from ecgclf.tracking import MLflowTracker
    >>> X, y = make_beats(n_beats=300, random_state=0, return_X_y=True)
    >>> with mlflow.start_run():  # doctest: +SKIP
    ...     tracker = MLflowTracker()
    ...     model = ECGMLPClassifier(callbacks=[tracker.callback()]).fit(X, y)
    ...     tracker.log_params(model)
    ...     uri = tracker.log_model(model, example=X[:5])
    >>> mlflow.pyfunc.load_model(uri).predict(X)  # doctest: +SKIP
    """

    def __init__(self) -> None:
        import_extra("mlflow.pyfunc", "MLflowTracker")
        self._mlflow = import_extra("mlflow", "MLflowTracker")
        run = self._mlflow.active_run()
        if run is None:
            raise RuntimeError(
                "MLflowTracker logs to the active run of MLflow, and there is none: make it "
                "inside `with mlflow.start_run():`."
            )
        self.run_id: str = run.info.run_id

    def log_figure(self, figure: Any, name: str) -> None:
        """Log a picture as the artifact ``name.png``.

        Parameters
        ----------
        figure : matplotlib Figure
        name : str
        """
        self._mlflow.MlflowClient().log_figure(self.run_id, figure, f"{name}.png")

    def log_model(
        self,
        estimator: Any,
        name: str = "model",
        *,
        example: ArrayLike | None = None,
        **stated: Any,
    ) -> str:
        """Log a fitted model, without pickle, so that ``mlflow.pyfunc.load_model`` predicts.

        Whatever loads it needs this version of ecgclf, and finds it in the requirements.

        Parameters
        ----------
        estimator : fitted estimator of ecgclf
        name : str, default="model"
        example : array-like of shape (n_beats, ...), optional
            A few beats, of the type and shape that the model will be given. MLflow takes the
            signature from them; without it, MLflow checks no input.
        **stated : dict
            ``fs``, ``unit`` and ``window``, as for its `save`.

        Returns
        -------
        str
            The address of the model, for ``mlflow.pyfunc.load_model``.

        Raises
        ------
        TypeError
            If it is no estimator of ecgclf.
        RuntimeError
            If the run is no longer the active one.
        PersistenceError
            If a parameter cannot be kept without pickle.
        """
        active = self._mlflow.active_run()
        if active is None or active.info.run_id != self.run_id:
            raise RuntimeError(
                f"MLflow logs models to the active run only, and run {self.run_id} is not "
                "active: call log_model before it ends."
            )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.ecgclf"
            save_without_callbacks(estimator, path, **stated)
            signature = None
            if example is not None:
                predicted = estimator.predict(example)
                signature = self._mlflow.models.infer_signature(example, predicted)
            logged = self._mlflow.pyfunc.log_model(
                name=name,
                loader_module="ecgclf.tracking",
                data_path=str(path),
                signature=signature,
                input_example=example,
                pip_requirements=[f"ecgclf=={__version__}"],
            )
        return logged.model_uri

    def _log_params(self, params: dict[str, Any]) -> None:
        self._mlflow.log_params(params, run_id=self.run_id)

    def _log_epoch(self, epoch: int, figures: dict[str, float]) -> None:
        self._mlflow.log_metrics(figures, step=epoch, run_id=self.run_id)

    def _log_report(
        self, report: EC57Report | BeatReport, figures: dict[str, float], name: str
    ) -> None:
        self._mlflow.log_metrics(figures, run_id=self.run_id)
        client = self._mlflow.MlflowClient()
        client.log_text(self.run_id, f"{report}\n", f"{name}.txt")
        client.log_text(self.run_id, report.to_frame().to_csv(), f"{name}.csv")
