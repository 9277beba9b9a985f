"""The network of a fitted model, with everything before it, as one module to be traced."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from ecgclf.estimators import BeatClassifier
from ecgclf.export._errors import ExportError
from ecgclf.export._scaling import layer_of
from ecgclf.modules import FourierEncoder


def taken_apart(model: Any) -> tuple[list[tuple[str, Any]], BeatClassifier]:
    """Tell the steps of a pipeline from the classifier at its end.

    Steps that only change the training beats, such as samplers, do nothing to beats that are
    classified, and are left out.

    Parameters
    ----------
    model : fitted classifier of ecgclf, or Pipeline that ends in one

    Returns
    -------
    steps : list of (name, step)
    classifier : BeatClassifier

    Raises
    ------
    ExportError
        If there is no classifier of ecgclf at the end.
    NotFittedError
        If the model is not fitted.
    """
    steps: list[tuple[str, Any]] = []
    name = None
    while isinstance(model, Pipeline):
        steps += [(key, step) for key, step in model.steps[:-1] if not _only_trains(step)]
        name, model = model.steps[-1]
    if not isinstance(model, BeatClassifier):
        place = "It" if name is None else f"The last step of the pipeline, {name!r},"
        raise ExportError(
            f"{place} is a {type(model).__name__}, but only a classifier of ecgclf can be "
            "exported, alone or at the end of a Pipeline; of a search, export best_estimator_."
        )
    check_is_fitted(model)
    return steps, model


def _only_trains(step: Any) -> bool:
    return hasattr(step, "fit_resample") and not hasattr(step, "transform")


class Classification(nn.Module):
    """Scaling, network and softmax, from a row of the input to logits and probabilities.

    Parameters
    ----------
    steps : list of (name, step)
    classifier : fitted BeatClassifier

    Raises
    ------
    ExportError
        If a step cannot be expressed.
    """

    def __init__(self, steps: list[tuple[str, Any]], classifier: BeatClassifier) -> None:
        super().__init__()
        self.scaling = nn.Sequential(*(layer_of(name, step) for name, step in steps))
        network = copy.deepcopy(classifier.net_.module_).cpu()
        _write_out_fourier(network, classifier.n_samples_)
        self.network = network.requires_grad_(False)
        self.eval()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Classify beats of shape (batch, n_columns)."""
        logits = self.network(self.scaling(x))
        return logits, logits.softmax(dim=1)


class _MatrixFourierEncoder(nn.Module):
    """A `FourierEncoder` that multiplies by a matrix.

    The Fourier transform of ONNX is not among the operators of many runtimes, and is rounded
    more coarsely in others.
    """

    matrix: Tensor

    def __init__(self, encoder: nn.Module, n_samples: int) -> None:
        super().__init__()
        self.encoder = encoder
        time = torch.arange(n_samples)
        frequency = torch.arange(n_samples // 2 + 1)
        # Whole turns are taken away while the numbers are whole, and so exact.
        turn = (time[:, None] * frequency % n_samples).double() / n_samples
        angle = 2 * math.pi * turn
        matrix = torch.cat([angle.cos(), -angle.sin()], dim=1)
        self.register_buffer("matrix", matrix.float())

    def forward(self, x: Tensor) -> Tensor:
        real, imaginary = (x @ self.matrix).chunk(2, dim=2)
        return self.encoder(torch.cat([real, imaginary], dim=1))


def _write_out_fourier(module: nn.Module, n_samples: int) -> None:
    """Replace Fourier transforms inside a module by products with a matrix."""
    for name, child in module.named_children():
        if isinstance(child, FourierEncoder):
            setattr(module, name, _MatrixFourierEncoder(child.encoder, n_samples))
        else:
            _write_out_fourier(child, n_samples)
