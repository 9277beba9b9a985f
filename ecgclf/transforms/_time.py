"""Random changes of the time of signals: shift and stretch.

Pure functions from signals of shape (batch, n_leads, n_samples) and a generator on their
device to new signals of that shape. Every beat is changed in its own way.
"""

from __future__ import annotations

from numbers import Integral

import torch
from torch import Tensor

from ecgclf.transforms._batch import (
    beat_length,
    check_batch,
    check_positive_range,
    check_share,
    draw_uniform,
    sample_number,
)


def warp_time(
    signals: Tensor,
    generator: torch.Generator,
    *,
    factor: tuple[float, float],
    center: float = 0.5,
    keep_padding: bool = True,
) -> Tensor:
    """Stretch or squeeze each beat about one of its points, by linear interpolation.

    Beats keep their number of samples: what is stretched beyond the ends is lost, and where
    a squeezed beat does not reach, its first and last sample are repeated.

    Parameters
    ----------
    signals : Tensor of shape (batch, n_leads, n_samples)
    generator : torch.Generator
        On the device of the signals.
    factor : tuple of two floats
        Smallest and largest factor, positive; drawn uniformly between them. With 2, waves
        last twice as long.
    center : float, default=0.5
        The point that keeps its place, from 0 for the first sample to 1 for the last; 0.5 is
        the middle. With the place of the R peak, R peaks stay where they are.
    keep_padding : bool, default=True
        Take a beat to end where zeros fill up its row (see `add_noise`). The zeros stay where
        they are.

    Returns
    -------
    Tensor of shape (batch, n_leads, n_samples)

    Raises
    ------
    ValueError
        If the signals have another shape, `factor` is no range of positive numbers, or
        `center` is not from 0 to 1.
    TypeError
        If `signals` is no Tensor of floating-point numbers or `generator` no generator.

    Examples
    --------
    >>> generator, beat = torch.Generator(), torch.tensor([[[0.0, 2.0, 4.0, 6.0, 8.0]]])
    >>> warp_time(beat, generator, factor=(2, 2))
    tensor([[[2., 3., 4., 5., 6.]]])
    >>> warp_time(beat, generator, factor=(0.5, 0.5))
    tensor([[[0., 0., 4., 8., 8.]]])
    >>> warp_time(beat, generator, factor=(0.5, 0.5), center=0)
    tensor([[[0., 4., 8., 8., 8.]]])
    """
    check_batch(signals, generator)
    low, high = check_positive_range("factor", factor)
    center = check_share("center", center)
    length = beat_length(signals, keep_padding)
    last = (length - 1).clamp(min=0)
    stretch = draw_uniform((len(signals), 1, 1), low, high, signals, generator)
    # Half precision could not tell the samples of a long beat apart.
    exact = torch.promote_types(signals.dtype, torch.float32)
    fixed = center * last.to(exact)
    position = (fixed + (sample_number(signals) - fixed) / stretch).clamp(min=0).minimum(last)
    before = position.floor()
    share = (position - before).to(signals.dtype)
    left = before.long()
    right = (left + 1).minimum(last)
    warped = torch.lerp(_take(signals, left), _take(signals, right), share)
    return torch.where(sample_number(signals) < length, warped, signals)


def shift_time(
    signals: Tensor,
    generator: torch.Generator,
    *,
    max_shift: int,
    keep_padding: bool = True,
) -> Tensor:
    """Move each beat to an earlier or later time, all leads together.

    What moves beyond an end is lost; what is missing at the other end is filled with the
    first or the last sample of the beat, so that no step arises.

    Parameters
    ----------
    signals : Tensor of shape (batch, n_leads, n_samples)
    generator : torch.Generator
        On the device of the signals.
    max_shift : int
        Largest shift in samples, in both directions; each from ``-max_shift`` (earlier) to
        ``max_shift`` (later) is as likely as any other.
    keep_padding : bool, default=True
        Take a beat to end where zeros fill up its row (see `add_noise`). The zeros stay
        where they are; without, they move with the beat.

    Returns
    -------
    Tensor of shape (batch, n_leads, n_samples)

    Raises
    ------
    ValueError
        If the signals have another shape, or `max_shift` is no whole number from 0 to less
        than the number of samples.
    TypeError
        If `signals` is no Tensor of floating-point numbers or `generator` no generator.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> beats = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]]).expand(3, 1, 4)
    >>> shift_time(beats, generator, max_shift=1)[:, 0]
    tensor([[1., 1., 2., 3.],
            [2., 3., 4., 4.],
            [1., 1., 2., 3.]])
    """
    check_batch(signals, generator)
    n_samples = signals.shape[2]
    if not isinstance(max_shift, Integral) or not 0 <= max_shift < n_samples:
        raise ValueError(
            f"max_shift={max_shift!r}: expected a whole number of samples from 0 to "
            f"{n_samples - 1}, as the beats have {n_samples}."
        )
    size = (len(signals), 1, 1)
    shift = torch.randint(
        -max_shift, max_shift + 1, size, generator=generator, device=signals.device
    )
    length = beat_length(signals, keep_padding)
    source = (sample_number(signals) - shift).clamp(min=0).minimum((length - 1).clamp(min=0))
    return torch.where(sample_number(signals) < length, _take(signals, source), signals)


def _take(signals: Tensor, index: Tensor) -> Tensor:
    """Gather samples of all leads; `index` of shape (batch, 1, n_samples)."""
    return signals.gather(2, index.expand_as(signals))
