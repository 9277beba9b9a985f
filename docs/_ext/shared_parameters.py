"""List on each estimator's page the parameters that it shares with all others."""

from ecgclf.estimators import BeatEstimator


def add_section(app, what, name, obj, options, lines):
    """Append the numpydoc section "Other Parameters" to the docstring of an estimator."""
    if what != "class" or not issubclass(obj, BeatEstimator):
        return
    bases = [base for base in obj.__mro__[1:] if issubclass(base, BeatEstimator)]
    if bases:
        lines += ["", "Other Parameters", "----------------"]
    for base in bases:
        own = [field for field in vars(base)["__annotations__"] if not field.startswith("_")]
        lines += [
            ", ".join(own),
            f"    Shared: described at :class:`~ecgclf.estimators.{base.__name__}`.",
        ]


def setup(app):
    """Come before numpydoc, which turns the sections into markup."""
    app.connect("autodoc-process-docstring", add_section, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
