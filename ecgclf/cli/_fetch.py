"""``ecgclf fetch``."""

from __future__ import annotations

import argparse

from ecgclf import datasets


def run(options: argparse.Namespace) -> None:
    """Download a database and print its folder."""
    fetch = {"mitbih": datasets.fetch_mitbih, "ptbdb": datasets.fetch_ptbdb}[options.database]
    print(fetch(records=options.records or "all", data_home=options.to))
