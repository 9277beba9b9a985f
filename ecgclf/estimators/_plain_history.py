"""Pickle the figures of the epochs in a form that every way to pickle knows."""

from __future__ import annotations

from typing import Any

from ecgclf._sklearn import BaseEstimator


class PlainHistory(BaseEstimator):
    """Base of estimators that keep their epochs as a DataFrame, ``history_``.

    skops walks through objects and cannot enter a DataFrame, so pickles of any kind hold its
    columns as lists.
    """

    n_leads_: int
    n_samples_: int
    input_contract_: dict[str, Any]

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        if "history_" in state:
            state = {**state, "history_": state["history_"].to_dict("list")}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "history_" in state:
            import pandas as pd

            state = {**state, "history_": pd.DataFrame(state["history_"])}
        super().__setstate__(state)
