"""What `fit` has set, as values and arrays for a file, and an estimator made from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecgclf import training
from ecgclf.persistence import PersistenceError

if TYPE_CHECKING:
    from ecgclf.estimators._network import BeatEstimator

#: Attributes that are made from the others. Without the optimizer's state, a `partial_fit`
#: begins as it does after a `fit`.
_MADE_ANEW = {"net_", "history_", "n_iter_", "_streaming", "_metadata_request"}


def fitted_values(
    estimator: BeatEstimator,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Gather what is kept of a fitted estimator beside its parameters.

    Returns
    -------
    values : dict
        Fitted attributes, settings of the net, and requests of metadata.
    arrays : dict of str to ndarray
        Parameters and buffers of the network.

    Raises
    ------
    PersistenceError
        If the parameters would make another network than this one.
    """
    values, arrays = training.net_state(estimator.net_)
    _check_network(estimator, values, arrays)
    left_out = _MADE_ANEW | set(estimator.get_params(deep=False))
    attributes = {name: value for name, value in vars(estimator).items() if name not in left_out}
    return {"attributes": attributes, "net": values, "requests": _requests(estimator)}, arrays


def _check_network(
    estimator: BeatEstimator, values: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    """Make the network from the parameters as they are now and compare."""
    try:
        with training.torch_threads(estimator.n_jobs):
            again = estimator._make_net(estimator.net_.device)
            training.restore_net(again, values, arrays)
            alike = training.compute_alike(estimator.net_, again, estimator.n_features_in_)
        reason = "it computes something else"
    except (ValueError, TypeError, RuntimeError) as error:
        alike, reason = False, " ".join(str(error).split())
    if not alike:
        raise PersistenceError(
            "The parameters are not those that the network was made with, so it could not be "
            f"made again from a file ({reason}). Set back what has been changed since fit, or "
            "fit again."
        )


def become_fitted(
    estimator: BeatEstimator, values: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    """Let an unfitted estimator take what `fitted_values` gave.

    Raises
    ------
    Exception
        Of any kind, if the values are not those of such an estimator.

    Warns
    -----
    UserWarning
        If this machine does not have the device.
    """
    estimator._validate_params()
    attributes = values["attributes"]
    taken = [name for name in attributes if hasattr(estimator, name)]
    if taken:
        raise ValueError(f"{taken} are no fitted attributes")
    for name, value in attributes.items():
        setattr(estimator, name, value)
    net = estimator._make_net(training.device_here(estimator.device))
    training.restore_net(net, values["net"], arrays)
    estimator.net_ = net
    estimator.n_iter_ = len(net.history)
    estimator.history_ = training.history_frame(net.history)
    for method, requests in values["requests"].items():
        for name, alias in requests.items():
            _request(estimator, method, name, alias)


def _requests(estimator: BeatEstimator) -> dict[str, dict[str, Any]]:
    """Gather the metadata that ``set_fit_request`` and the like have asked for."""
    asked = vars(estimator).get("_metadata_request")
    if asked is None:
        return {}
    return {
        method: dict(request.requests)
        for method, request in vars(asked).items()
        if getattr(request, "requests", None)
    }


def _request(estimator: BeatEstimator, method: str, name: str, alias: Any) -> None:
    """Ask for metadata, as ``set_fit_request`` does where routing is switched on."""
    asked = estimator._get_metadata_request()
    getattr(asked, method).add_request(param=name, alias=alias)
    estimator._metadata_request = asked
