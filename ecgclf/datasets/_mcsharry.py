"""The dynamical ECG model of McSharry, Clifford, Tarassenko and Smith: pure functions.

Source: P. E. McSharry, G. D. Clifford, L. Tarassenko and L. A. Smith, "A dynamical model
for generating synthetic electrocardiogram signals", IEEE Trans. Biomed. Eng.
50(3):289-294, 2003.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

#: Angle (rad), force and width (rad) of the events of a normal beat: Table I of the paper.
NORMAL_EVENTS: dict[str, tuple[float, float, float]] = {
    "P": (-math.pi / 3, 1.2, 0.25),
    "Q": (-math.pi / 12, -5.0, 0.1),
    "R": (0.0, 30.0, 0.1),
    "S": (math.pi / 12, -7.5, 0.1),
    "T": (math.pi / 2, 0.75, 0.4),
}

#: Frequency (Hz) of the Mayer waves, and the width (Hz) of both peaks of the spectrum.
MAYER, SPREAD = 0.1, 0.01

#: Lowest internal rate (Hz): even a pacemaker's spike spans a few steps.
_INTERNAL_FS = 500.0

#: Beyond this many widths an event's force is below 1e-6 of its largest value.
_REACH = 6.0


def tachogram(
    n_beats: int,
    mean: float,
    std: float,
    *,
    respiration: float = 0.25,
    lf_hf: float = 0.5,
    rng: np.random.RandomState,
) -> NDArray[np.float64]:
    r"""Draw RR intervals with Mayer waves and respiratory sinus arrhythmia.

    The power spectrum of the series is (section II of the paper)

    .. math:: S(f) = \frac{\sigma_1^2}{\sqrt{2\pi c^2}} e^{-(f-f_1)^2 / 2c^2}
                   + \frac{\sigma_2^2}{\sqrt{2\pi c^2}} e^{-(f-f_2)^2 / 2c^2}

    and its phases are random. The series is sampled once a beat, at the mean rate.

    Parameters
    ----------
    n_beats : int
    mean, std : float
        Of the RR intervals, in seconds.
    respiration : float
        :math:`f_2` in Hz, the frequency of the respiratory sinus arrhythmia.
    lf_hf : float
        :math:`\sigma_1^2 / \sigma_2^2`, the power of the Mayer waves at
        :math:`f_1 = 0.1` Hz over that of the respiratory part.
    rng : RandomState

    Returns
    -------
    ndarray of shape (n_beats,)
        In seconds.
    """
    # A short series has too coarse a spectrum to show either peak: cut it from a longer.
    length = max(2 * n_beats, 512)
    frequency = np.fft.rfftfreq(length, d=mean)
    power = lf_hf * np.exp(-((frequency - MAYER) ** 2) / (2 * SPREAD**2))
    power += np.exp(-((frequency - respiration) ** 2) / (2 * SPREAD**2))
    phase = rng.uniform(0, 2 * np.pi, size=len(frequency))
    series = np.fft.irfft(np.sqrt(power) * np.exp(1j * phase), n=length)
    return mean + std * (series / series.std())[:n_beats]


def integrate(
    centre: NDArray[np.float64],
    width: NDArray[np.float64],
    height: NDArray[np.float64],
    baseline: NDArray[np.float64],
    fs: float,
) -> NDArray[np.float64]:
    r"""Solve the model for z, the ECG.

    The model's state runs round the unit circle, one lap a beat, and is pushed up and
    down as it passes the events i of the lap:

    .. math::
        \dot z = -\sum_i a_i \Delta\theta_i e^{-\Delta\theta_i^2 / 2 b_i^2} - (z - z_0),
        \quad \Delta\theta_i = \theta - \theta_i

    Here each lap is unrolled onto the time axis: on the limit cycle the lap of a beat whose
    R peak is at :math:`t_k` runs at a constant :math:`\omega_k`, so that
    :math:`\Delta\theta_i = \omega_k (t - t_k) - \theta_i`, and an event is a Gaussian wave
    at :math:`t_k + \theta_i / \omega_k`, of width :math:`b_i / \omega_k` and height
    :math:`a_i b_i^2 / \omega_k`. For a steady rhythm this is the paper's model; in an
    unsteady one the wave of an early beat may fall onto a wave of the beat before it, as in
    a patient.

    Parameters
    ----------
    centre, width : ndarray of shape (n_beats, n_events)
        Time and width (standard deviation) of each event, in seconds.
    height : ndarray of shape (n_leads, n_beats, n_events)
        In mV; an event of height zero costs nothing.
    baseline : ndarray of shape (n_leads, n_samples)
        :math:`z_0` in mV, at `fs`.
    fs : float
        Sampling rate in Hz.

    Returns
    -------
    ndarray of shape (n_leads, n_samples)
        z in mV, from rest (z = 0) at time 0.
    """
    factor = math.ceil(_INTERNAL_FS / fs)
    force = np.repeat(baseline, factor, axis=1)
    for event in range(centre.shape[1]):
        _push(force, centre[:, event], width[:, event], height[:, :, event], fs * factor)
    # The angle no longer depends on z, so dz/dt = -z + force(t) is linear with constant
    # coefficients. For a force that is linear between two samples its exact solution is a
    # recursion of first order, which lfilter runs at the speed of compiled code.
    step = 1 / (fs * factor)
    decay = math.exp(-step)
    new = 1 - (1 - decay) / step
    old = (1 - decay) - new
    at_rest = -new * force[:, :1]
    z, _ = lfilter([new, old], [1, -decay], force, axis=1, zi=at_rest)
    return z[:, ::factor]


def _push(
    force: NDArray[np.float64],
    centre: NDArray[np.float64],
    width: NDArray[np.float64],
    height: NDArray[np.float64],
    fs: float,
) -> None:
    """Add to `force`, in place, what one event does in each of its beats."""
    acts = np.any(height != 0, axis=0)
    if not acts.any():
        return
    centre, width, height = centre[acts, None], width[acts, None], height[:, acts]
    reach = math.ceil(_REACH * width.max() * fs)
    index = np.rint(centre * fs).astype(np.int64) + np.arange(-reach, reach + 1)
    distance = (index / fs - centre) / width
    push = -distance / width * np.exp(-(distance**2) / 2)
    n_samples = force.shape[1]
    inside = (index >= 0) & (index < n_samples)
    index, push = np.where(inside, index, 0), np.where(inside, push, 0.0)
    for lead, heights in enumerate(height):
        weights = (heights[:, None] * push).ravel()
        force[lead] += np.bincount(index.ravel(), weights, minlength=n_samples)
