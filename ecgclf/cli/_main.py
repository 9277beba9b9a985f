"""From the words of a command line to an exit code."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ecgclf.cli._parser import make_parser

#: Exit codes. 130 is what a shell gives for Ctrl-C.
_DONE, _BAD_INPUT, _INTERRUPTED = 0, 2, 130


def main(words: Sequence[str] | None = None) -> int:
    """Run the command ``ecgclf``.

    Parameters
    ----------
    words : sequence of str, optional
        The command line without the name of the program; by default that of the process.

    Returns
    -------
    int
        The exit code: 0 if all is done, 2 if the input is at fault, which one line on the
        standard error then explains, 130 if the user interrupted it. argparse itself ends
        the process with 2 where it does not understand the words.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf.cli import main
    >>> from ecgclf.datasets import make_record
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     record = make_record(folder, duration=10, random_state=0)
    ...     main(["predict", f"{folder}/not_there.ecgclf", str(record)])
    2
    """
    options = make_parser().parse_args(words)
    command = import_module(f"ecgclf.cli._{options.command}")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            command.run(options)
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError, ImportError) as error:
        _say("error", error)
        return _BAD_INPUT
    except KeyboardInterrupt:
        print("ecgclf: interrupted", file=sys.stderr)
        return _INTERRUPTED
    return _DONE


def _say(kind: str, message: object) -> None:
    """Print one line on the standard error, whatever the message looks like."""
    print(f"ecgclf: {kind}: {' '.join(str(message).split())}", file=sys.stderr)


def _show_warning(message: Warning | str, *origin: Any, **more: Any) -> None:
    _say("warning", message)
