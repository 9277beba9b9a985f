"""Inheritance of parameter descriptions."""

from __future__ import annotations

import inspect
import re
from typing import Any

#: Sections of a numpydoc class docstring whose entries a subclass inherits.
_INHERITED = ("Parameters", "Attributes")

_UNDERLINE = re.compile(r"-{3,}")


class InheritedParameterDocs:
    """Mixin that completes the docstrings of its subclasses.

    Each parameter and fitted attribute is described once, in the class that declares it. When a
    subclass is created, the entries of its bases that it does not redefine are appended to the
    sections "Parameters" and "Attributes" of its own docstring. Bases that are not subclasses
    of this class, such as those of other libraries, are left out.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__doc__" in vars(cls) and cls.__doc__:
            cls.__doc__ = _complete(cls)


def _complete(cls: type) -> str:
    """Compose the docstring of a class from its own and those of its bases."""
    summary, sections = _split(cls.__doc__)
    accepted = _accepted_parameters(cls)
    for title in _INHERITED:
        own = _entries(sections.get(title, ""))
        inherited = {
            names: text
            for base in reversed(cls.__mro__[1:])
            if issubclass(base, InheritedParameterDocs)
            for names, text in _entries(_split(base.__doc__)[1].get(title, "")).items()
        }
        described = {name for names in own for name in names}
        texts = list(own.values()) + [
            text
            for names, text in inherited.items()
            if not described.intersection(names)
            and (title == "Attributes" or accepted.issuperset(names))
        ]
        if texts:
            sections[title] = "\n".join(texts)
    # The order of numpydoc: what a user passes, what fit sets, then everything else.
    titles = [title for title in _INHERITED if title in sections]
    titles += [title for title in sections if title not in _INHERITED]
    parts = [f"{title}\n{'-' * len(title)}\n{sections[title]}" for title in titles]
    return "\n\n".join([summary, *parts])


def _split(docstring: str | None) -> tuple[str, dict[str, str]]:
    """Split a docstring into the text before the first section, and the sections."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    starts = [i for i in range(len(lines) - 1) if _UNDERLINE.fullmatch(lines[i + 1])]
    ends = [*starts[1:], len(lines)]
    summary = "\n".join(lines[: starts[0]] if starts else lines).strip()
    return summary, {
        lines[start]: "\n".join(lines[start + 2 : end]).strip()
        for start, end in zip(starts, ends)
    }


def _entries(section: str) -> dict[tuple[str, ...], str]:
    """Split a section into its entries, by the names that each describes."""
    texts = re.split(r"\n(?=\S)", section) if section else []
    return {
        tuple(name.strip(" `*") for name in text.splitlines()[0].split(" : ")[0].split(",")): text
        for text in texts
    }


def _accepted_parameters(cls: type) -> set[str]:
    """Collect the parameters of a class."""
    accepted = set(inspect.signature(cls).parameters)
    if "__init__" not in vars(cls):  # a dataclass, whose own __init__ is made after this
        accepted.update(*(vars(base).get("__annotations__", {}) for base in cls.__mro__))
    return accepted
