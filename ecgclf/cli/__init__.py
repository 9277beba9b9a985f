"""The command ``ecgclf``: train, evaluate, predict, export and fetch without writing Python.

Each command imports what it needs when it runs, so that ``ecgclf --help`` answers at once.
"""

from ecgclf.cli._main import main

__all__ = ["main"]
