"""What all pictures share: the drawing library, colours and line styles."""

from __future__ import annotations

from types import ModuleType

#: Colours that colour-blind readers tell apart: Okabe and Ito, "Color universal design",
#: 2008, without the yellow, which is too pale for lines on white.
COLORS: dict[str, str] = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "green": "#009E73",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
}


def pyplot(caller: str) -> ModuleType:
    """Import matplotlib, which only pictures need, when one is drawn.

    Parameters
    ----------
    caller : str
        Who needs it, for the message.

    Returns
    -------
    module
        ``matplotlib.pyplot``.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} draws with matplotlib, which cannot be imported ({error}); install "
            "it with: pip install ecgclf[plots]"
        ) from error
    return plt
