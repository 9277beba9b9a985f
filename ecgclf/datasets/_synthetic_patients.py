"""Model of synthetic patients: the beats of each class and the times of their R peaks.

The dynamical model is that of the paper which `make_beats` cites.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.spatial.transform import Rotation

from ecgclf.datasets._databases import AAMI_CLASSES

#: Angle (rad), force and width (rad) of the events of a normal beat: Table I of the paper.
NORMAL_EVENTS: dict[str, tuple[float, float, float]] = {
    "P": (-math.pi / 3, 1.2, 0.25),
    "Q": (-math.pi / 12, -5.0, 0.1),
    "R": (0.0, 30.0, 0.1),
    "S": (math.pi / 12, -7.5, 0.1),
    "T": (math.pi / 2, 0.75, 0.4),
}

#: Frequency (Hz) of the Mayer waves, their power divided by that of the respiratory sinus
#: arrhythmia, and the width (Hz) of both peaks of the spectrum.
_MAYER, _LF_HF, _SPREAD = 0.1, 0.5, 0.01

#: Lowest internal rate (Hz), at which a pacemaker spike spans a few steps.
_INTERNAL_FS = 500.0

#: Number of widths beyond which the force of an event is below 1e-6 of its maximum.
_REACH = 6.0


def tachogram(
    n_beats: int, mean: float, std: float, respiration: float, rng: np.random.RandomState
) -> NDArray[np.float64]:
    """Draw RR intervals in s with Mayer waves and respiratory sinus arrhythmia.

    The power spectrum has a Gaussian peak at the frequency of each (section II of the paper); its
    phases are random. The series has one sample per beat, at the mean rate.
    """
    # The spectrum of a short series is too coarse for the peaks, so a longer one is cut.
    length = max(2 * n_beats, 512)
    frequency = np.fft.rfftfreq(length, d=mean)
    power = _LF_HF * np.exp(-((frequency - _MAYER) ** 2) / (2 * _SPREAD**2))
    power += np.exp(-((frequency - respiration) ** 2) / (2 * _SPREAD**2))
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
    r"""Solve the model for z, the ECG in mV, from rest (z = 0) at time 0.

    The state of the model moves around the unit circle, one lap per beat, and is pushed up
    and down as it passes the events i of the lap:

    .. math::
        \dot z = -\sum_i a_i \Delta\theta_i e^{-\Delta\theta_i^2 / 2 b_i^2} - (z - z_0),
        \quad \Delta\theta_i = \theta - \theta_i

    Here each lap is unrolled onto the time axis. On the limit cycle, the lap of the beat with
    its R peak at :math:`t_k` has a constant angular velocity :math:`\omega_k`, and an event is
    a Gaussian wave centred at :math:`t_k + \theta_i / \omega_k`, of width :math:`b_i / \omega_k`
    (s) and height :math:`a_i b_i^2 / \omega_k` (mV in each lead). For a regular rhythm this is
    the model of the paper. In an irregular one, a wave of a premature beat may overlap a wave of
    the previous beat, as in patients. `baseline` is :math:`z_0` in mV.
    """
    factor = math.ceil(_INTERNAL_FS / fs)
    force = np.repeat(baseline, factor, axis=1)
    for event in range(centre.shape[1]):
        _push(force, centre[:, event], width[:, event], height[:, :, event], fs * factor)
    # The angle does not depend on z, so dz/dt = -z + force(t) is linear with constant
    # coefficients. If the force is linear between two samples, the exact solution is a
    # recursion of first order, which lfilter computes fast.
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
    """Add the force of one event in all beats to `force`, in place."""
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


#: To the left, to the feet and to the front.
_Direction: TypeAlias = tuple[float, float, float]


def _frontal(degrees: float) -> _Direction:
    return (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0.0)


def _horizontal(degrees: float) -> _Direction:
    return (math.cos(math.radians(degrees)), 0.0, math.sin(math.radians(degrees)))


#: Direction of each lead.
LEADS: dict[str, _Direction] = {
    "MLII": _frontal(60),
    "V1": _horizontal(115),
    "V5": _horizontal(22),
    "V2": _horizontal(94),
    "V4": _horizontal(47),
    "V3": _horizontal(58),
    "V6": _horizontal(0),
    "I": _frontal(0),
    "III": _frontal(120),
    "aVR": _frontal(-150),
    "aVL": _frontal(-30),
    "aVF": _frontal(90),
    "II": _frontal(60),  # last, as it has the direction of MLII
}


def _normal(
    name: str, part: str, direction: _Direction
) -> tuple[str, float, float, float, _Direction]:
    """Describe an event of the paper, scaled to an R wave of 1 mV."""
    angle, force, width = NORMAL_EVENTS[name]
    _, force_r, width_r = NORMAL_EVENTS["R"]
    return part, angle, width, force * width**2 / (force_r * width_r**2), direction


_QRS = (0.55, 0.75, -0.35)
_PACED_QRS = (0.5, -0.85, -0.2)  # upwards from the apex of the right ventricle

# Waves of the beats: origin in the heart, a column of `_SHARE`; angle and width in rad at 60
# beats per minute; height in mV; direction of the dipole.
_EVENTS = (
    _normal("P", "sinus", (0.5, 0.8, 0.3)),
    ("ectopic atrium", -0.8, 0.2, 0.2, (-0.1, -0.9, 0.4)),
    _normal("Q", "conducted", _QRS),
    _normal("R", "conducted", _QRS),
    _normal("S", "conducted", (0.3, 0.5, -0.8)),
    _normal("T", "conducted", (0.6, 0.7, 0.2)),
    # Slow conduction through muscle: a wide QRS and an opposite T wave.
    ("ventricle", 0.0, 0.24, 1.3, (0.5, 0.8, 0.3)),
    ("ventricle", 0.45, 0.22, -0.45, (0.7, 0.4, -0.5)),
    ("ventricle", 1.75, 0.42, -0.5, (0.5, 0.8, 0.3)),
    ("pacemaker", -0.5, 0.018, 0.6, (0.5, -0.85, 0.0)),
    ("pacemaker", 0.0, 0.26, 1.1, _PACED_QRS),
    ("pacemaker", 1.75, 0.42, -0.45, _PACED_QRS),
)

_PART, _ANGLE, _WIDTH, _HEIGHT, _DIRECTION = (np.array(column) for column in zip(*_EVENTS))

#: Positions of the waves Q, R, S and T among the events.
CONDUCTED = np.flatnonzero(_PART == "conducted")

_PARTS = ("sinus", "ectopic atrium", "conducted", "ventricle", "pacemaker")

#: Share of each part of the heart in a beat of each class.
_SHARE = np.array(
    [
        [1, 0, 1, 0, 0],  # N
        [0, 1, 1, 0, 0],  # S: another P wave, the usual QRS
        [0, 0, 0, 1, 0],  # V: no P wave
        [1, 0, 0.5, 0.5, 0],  # F: both; the shares vary from beat to beat
        [0, 0, 0, 0, 1],  # Q
    ]
)

#: Of each class: range of the RR interval before the beat, divided by the sinus RR interval.
_PREMATURITY = np.array([[1, 1], [0.55, 0.8], [0.5, 0.75], [0.85, 1], [0.95, 1.05]])

#: Of each class: share of the prematurity that the pause after the beat compensates. A V beat
#: does not affect the sinus node (full compensatory pause), an S beat resets it.
_PAUSE = np.array([0, 0.2, 1, 1, 0])

#: Seconds before the first R peak of a record and after the last one.
MARGIN = (0.6, 0.7)

#: Least share of the largest wave of each QRS complex that lead MLII sees.
_LEAST_ALONG = 0.7

#: Default proportions of N, S, V, F, Q.
_WEIGHTS = (0.6, 0.1, 0.15, 0.05, 0.1)


@dataclass(frozen=True)
class Patient:
    """Properties that are the same in all beats of a patient."""

    rr_mean: float  # of the sinus rhythm, in s
    rr_std: float
    respiration: float  # Hz, of the baseline wander and of the sinus arrhythmia
    angle: NDArray[np.float64]  # of each event, in rad at 60 beats per minute
    width: NDArray[np.float64]
    dipole: NDArray[np.float64]  # mV of each event in leads along (left, feet, front)

    def count_beats(self, duration: float) -> int:
        """Count the beats of a record of some seconds."""
        return round((duration - sum(MARGIN)) / self.rr_mean) + 1


def draw_patient(rng: np.random.RandomState) -> Patient:
    """Draw heart rate, axis, focus of the V beats, and heights and widths of the waves."""
    n = len(_EVENTS)
    direction = _DIRECTION / np.linalg.norm(_DIRECTION, axis=1, keepdims=True)
    # The axis of the heart varies, and the focus of the V beats varies much more.
    direction = Rotation.from_rotvec(rng.normal(0, 0.6, 3)).apply(direction)
    ventricle = _PART == "ventricle"
    focus = Rotation.from_rotvec(rng.normal(0, 1.5, 3))
    direction[ventricle] = focus.apply(direction[ventricle])
    height = _HEIGHT * np.exp(rng.normal(0, 0.25) + rng.normal(0, 0.2, n))
    return Patient(
        rr_mean=rng.uniform(0.65, 1.05),
        rr_std=rng.uniform(0.02, 0.06),
        respiration=rng.uniform(0.2, 0.3),
        angle=_ANGLE * np.exp(rng.normal(0, 0.1, n)),
        width=_WIDTH * np.exp(rng.normal(0, 0.12, n)),
        dipole=height[:, None] * direction,
    )


def turn_to_mlii(patient: Patient) -> Patient:
    """Turn the beats of a patient so that no QRS complex is too small to be found in MLII."""
    axis, dipole = np.array(LEADS["MLII"]), patient.dipole.copy()
    for part in ("conducted", "ventricle", "pacemaker"):
        rows = np.flatnonzero(part == _PART)
        largest = dipole[rows[np.abs(_HEIGHT[rows]).argmax()]]
        largest = largest / np.linalg.norm(largest)
        along = float(largest @ axis)
        if abs(along) < _LEAST_ALONG:
            side = largest - along * axis
            side *= math.sqrt(1 - _LEAST_ALONG**2) / np.linalg.norm(side)
            turned = side + math.copysign(_LEAST_ALONG, along) * axis
            rotation, _ = Rotation.align_vectors(turned[np.newaxis], largest[np.newaxis])
            dipole[rows] = rotation.apply(dipole[rows])
    return replace(patient, dipole=dipole)


def draw_labels(
    n_beats: int, weights: Sequence[float] | None, rng: np.random.RandomState
) -> NDArray[np.str_]:
    """Draw the classes of `n_beats` in random order, with counts proportional to `weights`."""
    share = np.asarray(_WEIGHTS if weights is None else weights, dtype=float)
    good = share.shape == (len(AAMI_CLASSES),) and np.isfinite(share).all()
    if not good or (share < 0).any() or share.sum() == 0:
        raise ValueError(
            f"weights={weights!r}: expected {len(AAMI_CLASSES)} numbers, the proportions "
            f"of {', '.join(AAMI_CLASSES)}, none negative and at least one positive."
        )
    exact = n_beats * share / share.sum()
    counts = np.floor(exact).astype(int)
    # Largest remainder method: the classes that lost most by rounding down get the rest.
    left = n_beats - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:left]] += 1
    for missing in np.flatnonzero((share > 0) & (counts == 0)):
        if counts.max() > 1:
            counts[counts.argmax()] -= 1
            counts[missing] += 1
    return rng.permutation(np.repeat(AAMI_CLASSES, counts))


def simulate(
    patient: Patient,
    target: NDArray[np.str_],
    leads: tuple[str, ...],
    *,
    fs: float,
    noise: float,
    baseline_wander: float,
    rng: np.random.RandomState,
    margin: tuple[float, float] = MARGIN,
    duration: float | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Simulate the ECG in mV, of shape (n_leads, n_samples), and the positions of the R peaks.

    `target` has the class of each beat, `margin` the seconds before the first R peak and after
    the last one. RR intervals are stretched to `duration` in s, if given.
    """
    kind = np.array([AAMI_CLASSES.index(label) for label in target])
    n_beats, n_events = len(kind), len(_EVENTS)
    sinus = tachogram(n_beats, patient.rr_mean, patient.rr_std, patient.respiration, rng)
    time = np.cumsum(_with_ectopy(sinus, kind, rng))
    time -= time[0]
    if duration is not None and n_beats > 1:
        stretch = (duration - sum(margin)) / time[-1]
        sinus, time = sinus * stretch, time * stretch
    time += margin[0]
    length = time[-1] + margin[1] if duration is None else duration
    n_samples = round(length * fs)

    share = _SHARE[kind]
    conducted = rng.uniform(0.35, 0.65, n_beats)
    fusion = target == "F"
    share[fusion, _PARTS.index("conducted")] = conducted[fusion]
    share[fusion, _PARTS.index("ventricle")] = 1 - conducted[fusion]
    height = share[:, [_PARTS.index(part) for part in _PART]]
    height = height * np.exp(rng.normal(0, 0.1, (n_beats, n_events)))
    angle = patient.angle + rng.normal(0, 0.03, (n_beats, n_events)) * (patient.angle != 0)
    width = patient.width * np.exp(rng.normal(0, 0.06, (n_beats, n_events)))
    # Times within a beat are proportional to the square root of RR, like QT (Bazett).
    seconds = np.sqrt(sinus)[:, None] / (2 * np.pi)
    seen = np.array([LEADS[lead] for lead in leads]) @ patient.dipole.T

    clock = np.arange(n_samples) / fs
    phase = rng.uniform(0, 2 * np.pi, (len(leads), 1))
    z0 = baseline_wander * np.sin(2 * np.pi * patient.respiration * clock + phase)
    signal = integrate(
        time[:, None] + angle * seconds, width * seconds, seen[:, None] * height, z0, fs
    )
    signal += rng.normal(0, 1, signal.shape) * noise
    return signal, np.rint(time * fs).astype(np.int64)


def _with_ectopy(
    sinus: NDArray[np.float64], kind: NDArray[np.int64], rng: np.random.RandomState
) -> NDArray[np.float64]:
    """Shorten the RR intervals before ectopic beats and lengthen those after them."""
    early = 1 - rng.uniform(*_PREMATURITY[kind].T)
    made_up = _PAUSE[kind] * early
    rr = sinus * (1 - early)
    # In a run of premature beats the pause follows the last of them.
    followed_by_sinus = _PAUSE[kind[1:]] == 0
    rr[1:] += np.where(followed_by_sinus, made_up[:-1] * sinus[1:], 0)
    return rr
