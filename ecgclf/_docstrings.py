"""Descriptions of parameters that are written once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_UNDERLINE = re.compile(r"-{3,}")

#: Sections that come before all others: what a user passes, and what fit sets.
_FIRST = ("Parameters", "Attributes")


def parameters_from(*sources: Any) -> Callable[[F], F]:
    """Complete the docstring of a function with parameter descriptions of other objects.

    The decorated function describes only the parameters that differ. The others of its signature
    are described as in the section "Parameters" of the first source, a function or a class, that
    has an entry for them. Place the decorator below ``@classmethod``.
    """

    def complete(function: F) -> F:
        _complete(function, "Parameters", sources)
        return function

    return complete


class InheritedParameterDocs:
    """Mixin that completes the docstrings of its subclasses.

    Each parameter and fitted attribute is described once, in the class that declares it. When a
    subclass is created, the entries of its bases that it does not redefine are appended to the
    sections "Parameters" and "Attributes" of its own docstring. Its methods inherit descriptions
    of parameters from the methods that they override. Bases that are not subclasses of this
    class, such as those of other libraries, are left out. An inherited entry with ``default=``
    shows the default of the subclass.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        bases = [b for b in cls.__mro__[1:] if issubclass(b, InheritedParameterDocs)]
        if "__doc__" in vars(cls):
            _complete(cls, "Attributes", bases)
            _complete(cls, "Parameters", bases)
        for name, member in vars(cls).items():
            method = getattr(member, "__func__", member)  # the function of a class method
            if inspect.isfunction(method):
                _complete(method, "Parameters", [vars(b)[name] for b in bases if name in vars(b)])


def _complete(target: Any, title: str, sources: Iterable[Any]) -> None:
    """Add the entries of a section that the first of the sources with an entry has."""
    if not target.__doc__:
        return
    summary, sections = _split(target.__doc__)
    own = _entries(sections.get(title, ""))
    described = {name for names in own for name in names}
    accepted = _accepted_parameters(target)
    inherited: dict[tuple[str, ...], str] = {}
    for source in sources:
        for names, text in _entries(_split(source.__doc__)[1].get(title, "")).items():
            inherited.setdefault(names, _with_default(text, names, source, target))
    added = {
        names: text
        for names, text in inherited.items()
        if not described.intersection(names)
        and (title == "Attributes" or set(accepted).issuperset(names))
    }
    if not added:
        return
    entries = {**own, **added}
    if inspect.isfunction(target):
        entries = dict(sorted(entries.items(), key=lambda entry: accepted.index(entry[0][0])))
    sections[title] = "\n".join(entries.values())
    titles = [title for title in _FIRST if title in sections]
    titles += [title for title in sections if title not in _FIRST]
    parts = [f"{title}\n{'-' * len(title)}\n{sections[title]}" for title in titles]
    target.__doc__ = "\n\n".join([summary, *parts])


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


def _with_default(text: str, names: tuple[str, ...], source: Any, target: Any) -> str:
    """Replace the default in an entry of a class by that of a subclass, if it has another."""
    if not (isinstance(target, type) and all(hasattr(source, name) for name in names)):
        return text
    before, after = (
        [repr(getattr(cls, name)).replace("'", '"') for name in names] for cls in (source, target)
    )
    if before == after:
        return text
    shown = ", ".join(dict.fromkeys(after))
    return re.sub("default=.*", lambda _: f"default={shown}", text, count=1)


def _accepted_parameters(target: Any) -> list[str]:
    """List the parameters of a class or function."""
    accepted = list(inspect.signature(target).parameters)
    if isinstance(target, type) and "__init__" not in vars(target):
        # A dataclass, whose own __init__ is made after this.
        accepted += [n for base in target.__mro__ for n in vars(base).get("__annotations__", {})]
    return accepted
