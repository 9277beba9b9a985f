"""Saving of fitted estimators, and the properties of the beats that they take."""

from __future__ import annotations

import copy
import os
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from ecgclf import augmentation, training
from ecgclf._docstrings import parameters_from
from ecgclf._model_file import Classes, PersistenceError, write_model
from ecgclf._sklearn import BaseEstimator
from ecgclf._validation import is_number
from ecgclf.estimators._class_weight import EffectiveNumber

#: The classes that a model file may name. Estimators of ecgclf are added when they are defined.
CLASSES = Classes(
    estimators={},
    parts={
        "EffectiveNumber": EffectiveNumber,
        **{
            name: getattr(augmentation, name)
            for name in augmentation.__all__
            if name not in ("RandomAugmentation", "Stretches")  # a base class and an input
        },
    },
)

#: Attributes that are not stored: they are computed from others, or belong to the optimizer,
#: whose state is not stored either.
_NOT_STORED = {"net_", "history_", "n_iter_", "_streaming", "_metadata_request"}


class SavableEstimator(BaseEstimator):
    """Base of the estimators that can be saved to a file, without pickle."""

    device: str
    n_jobs: int | None
    n_tabular: int
    n_features_in_: int
    n_leads_: int
    n_samples_: int
    input_contract_: dict[str, Any]
    net_: training.BeatNet

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.startswith(f"{__package__}."):
            CLASSES.estimators[cls.__name__] = cls

    @abstractmethod
    def _make_module(self) -> Any:
        """Build the network."""

    @abstractmethod
    def _make_net(self, device: str, seed: int | None = None) -> training.BeatNet:
        """Build an untrained net."""

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        fs: float | None = None,
        unit: str | None = None,
        window: tuple[float, float] | None = None,
    ) -> None:
        """Save the fitted model to a file, without pickle; `ecgclf.load` reads it.

        The stated properties of the training beats are in ``input_contract_`` of the loaded
        model. If the model itself was loaded from a file, properties that are not stated are
        kept.

        Parameters
        ----------
        path : str or path-like
            File to write, usually with the extension ``.ecgclf``. An existing file is replaced.
        fs : float, optional
            Sampling rate of the beats in Hz.
        unit : str, optional
            Unit of the amplitude, such as "mV".
        window : tuple of two floats, optional
            Time in seconds from the start of a beat to its R peak, and from there to its end.

        Raises
        ------
        PersistenceError
            If a parameter cannot be stored without pickle, such as a callback, or has been
            changed since the network was created.
        OSError
            If the file cannot be written.
        """
        check_is_fitted(self)
        described = copy.copy(self)
        described.input_contract_ = input_contract(self, fs=fs, unit=unit, window=window)
        write_model(described, path, CLASSES)

    @parameters_from(save)
    def check_contract(
        self,
        *,
        fs: float | None = None,
        unit: str | None = None,
        window: tuple[float, float] | None = None,
    ) -> None:
        """Raise an error if beats differ from the training beats in rate, unit or window.

        An array does not contain its sampling rate, and beats of another rate may have the
        right length. The stated properties are compared with ``input_contract_`` of a loaded
        model; properties that only one side states are not compared.

        Raises
        ------
        ValueError
            If a property differs. The message names the transformer that converts the beats.
        """
        check_is_fitted(self)
        trained = input_contract(self, fs=None, unit=None, window=None)
        given = input_contract(self, fs=fs, unit=unit, window=window)
        name = type(self).__name__
        if trained["fs"] is not None and given["fs"] != trained["fs"]:
            raise ValueError(
                f"The beats are sampled at {given['fs']:g} Hz, but {name} was trained at "
                f"{trained['fs']:g} Hz. Resample them with ecgclf.transforms.SignalResampler("
                f"{given['fs']:g}, {trained['fs']:g}), or cut them again with BeatSegmenter."
            )
        if trained["window"] is not None and given["window"] != trained["window"]:
            raise ValueError(
                f"The beats are cut from {given['window'][0]:g} s before to "
                f"{given['window'][1]:g} s after the R peak, but {name} was trained with "
                f"{trained['window']}. Cut them again with "
                f"ecgclf.transforms.BeatSegmenter(window={trained['window']})."
            )
        if trained["unit"] is not None and given["unit"] != trained["unit"]:
            raise ValueError(
                f"The amplitude of the beats is in {given['unit']!r}, but {name} was trained on "
                f"{trained['unit']!r}. Convert it, or scale the beats as in training, for "
                "example with ecgclf.transforms.BeatScaler."
            )

    @property
    def _n_layers(self) -> int:
        """Largest number of layers that one parameter states."""
        stated = [np.max(getattr(self, name, 0)) for name in ("n_layers", "n_blocks")]
        values = self.get_params(deep=False).values()
        return int(max(stated + [len(v) for v in values if isinstance(v, (list, tuple))]))

    @property
    def _n_network_columns(self) -> int:
        """Number of columns of the input of the network."""
        return self.n_features_in_

    def _get_fitted(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Collect attributes, settings of the net and metadata requests; and the weights."""
        values, arrays = training.net_state(self.net_)
        self._check_network(values, arrays)
        left_out = _NOT_STORED | set(self.get_params(deep=False))
        attributes = {
            name: value for name, value in sorted(vars(self).items()) if name not in left_out
        }
        requests = {}
        if "_metadata_request" in vars(self):
            requests = {
                method: dict(request.requests)
                for method, request in vars(self._metadata_request).items()
                if getattr(request, "requests", None)
            }
        return {"attributes": attributes, "net": values, "requests": requests}, arrays

    def _check_network(self, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Check that the present parameters create the same network."""
        try:
            with training.torch_threads(self.n_jobs):
                again = self._make_net(self.net_.device)
                training.restore_net(again, values, arrays)
                alike = training.compute_alike(self.net_, again, self._n_network_columns)
            reason = "it computes something else"
        except (ValueError, TypeError, RuntimeError) as error:
            alike, reason = False, " ".join(str(error).split())
        if not alike:
            raise PersistenceError(
                "The parameters are not those that the network was created with, so a file could "
                f"not restore it ({reason}). Undo the changes made since fit, or fit again."
            )

    def _set_fitted(self, values: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Become fitted by what `_get_fitted` returned; values of a made-up file are errors."""
        self._validate_params()
        attributes = values["attributes"]
        taken = [name for name in attributes if hasattr(self, name)]
        if taken:
            raise ValueError(f"{taken} are no fitted attributes")
        for name, value in attributes.items():
            setattr(self, name, value)
        training.check_size(self._make_module, self._n_layers, arrays)
        self.n_jobs = None
        net = self._make_net(training.device_here(self.device))
        training.restore_net(net, values["net"], arrays)
        self.net_ = net
        self.n_iter_ = len(net.history)
        self.history_ = training.history_frame(net.history)
        for method, requests in values["requests"].items():
            asked = self._get_metadata_request()
            for name, alias in requests.items():
                getattr(asked, method).add_request(param=name, alias=alias)
            self._metadata_request = asked

    # skops cannot pickle a DataFrame, so a pickle contains its columns as lists.

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        if "history_" in state:
            state = {**state, "history_": state["history_"].to_dict("list")}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "history_" in state:
            state = {**state, "history_": pd.DataFrame(state["history_"])}
        super().__setstate__(state)


def input_contract(
    estimator: SavableEstimator,
    *,
    fs: float | None,
    unit: str | None,
    window: Sequence[float] | None,
) -> dict[str, Any]:
    """Combine the shape of the beats in `fit` with their properties, stated now or in a file."""
    if fs is not None and not (is_number(fs) and fs > 0):
        raise ValueError(f"fs={fs!r}: give the sampling rate in Hz, a number above 0.")
    if unit is not None and not (isinstance(unit, str) and unit):
        raise ValueError(f"unit={unit!r}: give the unit of the amplitude, such as 'mV'.")
    stated = {
        "fs": None if fs is None else float(fs),
        "unit": unit,
        "window": None if window is None else _check_window(window),
    }
    loaded = getattr(estimator, "input_contract_", {})
    return {
        "n_leads": estimator.n_leads_,
        "n_samples": estimator.n_samples_,
        "n_tabular": estimator.n_tabular,
        **{name: loaded.get(name) if value is None else value for name, value in stated.items()},
    }


def _check_window(window: Sequence[float]) -> tuple[float, float]:
    """Check a window, given as a sequence of two numbers."""
    try:
        before, after = window
        is_window = is_number(before) and is_number(after) and before + after > 0
    except (TypeError, ValueError):
        is_window = False
    if not is_window:
        raise ValueError(
            f"window={window!r}: give two numbers, the seconds before and after the R peak, such "
            "as (0.25, 0.45)."
        )
    return float(before), float(after)
