"""Parameters, figures and models of experiments, in the tools that keep records of them.

MLflow, Weights & Biases and TensorBoard are imported when a tracker is made. Each is an extra:
``pip install ecgclf[mlflow]``, ``ecgclf[wandb]`` or ``ecgclf[tensorboard]``.
"""

from ecgclf.tracking._mlflow import MLflowTracker
from ecgclf.tracking._served import _load_pyfunc
from ecgclf.tracking._tensorboard import TensorBoardTracker
from ecgclf.tracking._tracker import Tracker
from ecgclf.tracking._wandb import WandbTracker

__all__ = ["MLflowTracker", "TensorBoardTracker", "Tracker", "WandbTracker"]
