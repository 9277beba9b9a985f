"""Morphology of synthetic waves with known widths, heights and areas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import hermite
from scipy.special import factorial

from ecgclf.datasets import make_beats
from ecgclf.transforms import (
    HermiteCoefficients,
    MorphologyFeatures,
    QRSWidth,
    WaveAmplitudes,
    WaveAreas,
)

FS = 360
TIME = np.arange(-90, 162) / FS


def triangle(center: float, width: float, height: float) -> np.ndarray:
    """Triangle with a width at its base and a height."""
    return height * np.maximum(0, 1 - np.abs(TIME - center) / (width / 2))


def features_of(beat: np.ndarray, *measures) -> dict[str, float]:
    made = MorphologyFeatures(fs=FS, before=0.25, measures=measures or None)
    values = made.fit_transform(beat[np.newaxis])[0]
    return dict(zip(made.get_feature_names_out(), values.tolist(), strict=True))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("width", [0.06, 0.08, 0.12, 0.2])
@pytest.mark.parametrize("center", [0.0, 10 / FS, -14 / FS])
def test_width_of_a_triangle(sign, width, center):
    beat = 0.3 + triangle(center, width, 1.2 * sign)
    found = features_of(beat, QRSWidth([0.5, 0.25, 0.75]))
    assert found == pytest.approx(
        {"qrs_width_50": width / 2, "qrs_width_25": width * 0.75, "qrs_width_75": width / 4},
        abs=1e-9,
    )


def test_width_of_a_triangle_with_its_peak_between_samples():
    """The highest sample is lower than the peak by a known fraction."""
    beat = triangle(0.3 / FS, 0.1, 1.0)
    height = beat.max()
    assert features_of(beat, QRSWidth([0.5]))["qrs_width_50"] == pytest.approx(
        0.1 * (1 - 0.5 * height), abs=1e-9
    )


def test_width_of_a_wave_that_reaches_the_end():
    beat = np.where(TIME >= -20 / FS, 1.0, 0.0)
    made = QRSWidth([0.5])(beat[np.newaxis, np.newaxis], FS, 90)
    assert made.item() == pytest.approx((161 + 20 + 0.5) / FS)


def test_other_waves_do_not_change_the_width():
    alone = triangle(0, 0.1, 1.0)
    with_waves = alone + triangle(0.3, 0.15, 2.0) + triangle(-0.15, 0.05, 0.8)
    found, expected = (features_of(beat, QRSWidth()) for beat in (with_waves, alone))
    assert found == pytest.approx(expected, abs=1e-9)


def test_amplitudes_and_areas_of_triangles():
    waves = {"p": (-50 / FS, 0.06, 0.2), "r": (0, 0.04, 1.5), "t": (95 / FS, 0.12, -0.4)}
    beat = -0.7 + sum(triangle(*wave) for wave in waves.values())
    beat = beat + triangle(-12 / FS, 0.02, -0.1) + triangle(15 / FS, 0.04, -0.3)
    assert features_of(beat, WaveAmplitudes()) == pytest.approx(
        {
            "amplitude_p": 0.2,
            "amplitude_q": -0.1,
            "amplitude_r": 1.5,
            "amplitude_s": -0.3,
            "amplitude_t": -0.4,
        },
        abs=1e-9,
    )
    # Half of base times height, up to sampling.
    qrs = (0.04 * 1.5 + 0.02 * 0.1 + 0.04 * 0.3) / 2
    assert features_of(beat, WaveAreas()) == pytest.approx(
        {"area_p": 0.006, "area_qrs": qrs, "area_t": 0.024}, rel=0.05
    )


def hermite_function(n: int, scale: float) -> np.ndarray:
    """Compute the n-th Hermite function with numpy's polynomials."""
    polynomial = hermite.hermval(TIME / scale, [0] * n + [1])
    size = np.sqrt(scale * 2**n * factorial(n) * np.sqrt(np.pi))
    return polynomial * np.exp(-((TIME / scale) ** 2) / 2) / size


@pytest.mark.parametrize("scale", [0.008, 0.012, 0.02])
def test_hermite_coefficients_of_a_sum_of_hermite_functions(scale):
    coefficients = [0.1, -0.3, 0.05, 0.2, 0.0, -0.15]
    beat = sum(c * hermite_function(n, scale) for n, c in enumerate(coefficients))
    found = features_of(beat, HermiteCoefficients())
    assert found.pop("hermite_scale") == pytest.approx(scale)
    assert list(found.values()) == pytest.approx(coefficients, abs=1e-3)


def test_a_single_hermite_coefficient():
    found = features_of(hermite_function(0, 0.02), HermiteCoefficients(n_coefficients=1))
    assert found == pytest.approx({"hermite_0": 1.0, "hermite_scale": 0.02}, abs=1e-3)


@settings(deadline=None, max_examples=30)
@given(gain=st.floats(0.01, 100), sign=st.sampled_from([1, -1]), offset=st.floats(-5, 5))
def test_scaling_of_the_beats(gain, sign, offset):
    rng = np.random.default_rng(0)
    beats = triangle(0, 0.08, 1.0) + 0.05 * rng.normal(size=(5, len(TIME)))
    made = MorphologyFeatures(fs=FS, before=0.25).fit(beats)
    names = made.get_feature_names_out().tolist()
    before, after = made.transform(beats), made.transform(gain * sign * beats + offset)
    for column, name in enumerate(names):
        factor = gain
        if name.startswith("qrs_width") or name == "hermite_scale":
            factor = 1
        elif name.startswith("hermite"):
            factor = gain * sign
        elif name.startswith("amplitude") and sign < 0:
            continue  # the maximum becomes the minimum
        np.testing.assert_allclose(after[:, column], factor * before[:, column], rtol=1e-6)


def test_names_and_values_of_several_leads():
    X = make_beats(n_beats=40, n_leads=2, fs=FS, random_state=0).data
    made = MorphologyFeatures(fs=FS, before=0.25).fit(X)
    both = made.transform(X)
    names = made.get_feature_names_out().tolist()
    assert len(names) == len(set(names)) == both.shape[1] == 34
    for lead in range(2):
        alone = MorphologyFeatures(fs=FS, before=0.25).fit(X[:, lead])
        of_lead = [i for i, name in enumerate(names) if name.startswith(f"lead_{lead}_")]
        np.testing.assert_array_equal(both[:, of_lead], alone.transform(X[:, lead]))
        expected = [f"lead_{lead}_{name}" for name in alone.get_feature_names_out()]
        assert [names[i] for i in of_lead] == expected


def test_ventricular_beats_are_wider():
    """Ventricular beats have a wider QRS complex."""
    beats = make_beats(n_beats=600, fs=FS, weights=[1, 0, 1, 0, 0], noise=0.01, random_state=0)
    made = MorphologyFeatures(fs=FS, before=0.25, measures=[QRSWidth([0.5])])
    width = made.fit_transform(beats.data).ravel()
    is_wide = beats.target == "V"
    wider = width[is_wide][:, np.newaxis] > width[~is_wide]
    assert wider.mean() > 0.9


def test_constant_beat():
    found = features_of(np.full(len(TIME), 0.4))
    assert {name for name, value in found.items() if np.isnan(value)} == {
        "qrs_width_50",
        "qrs_width_25",
    }
    assert found["amplitude_r"] == found["area_t"] == found["hermite_0"] == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"fs": 0, "before": 0.25}, "The 'fs' parameter"),
        ({"fs": FS, "before": -0.1}, "The 'before' parameter"),
        ({"fs": FS, "before": 0.9}, "sample 324, but X has beats of 252 samples"),
        (
            {"fs": FS, "before": 0.05},
            r"WaveAmplitudes needs the samples from -0\.2 to .* from -0\.05",
        ),
        ({"fs": 700, "before": 0.25}, r"but beats last from -0\.25 to 0\.109 s"),
        ({"fs": FS, "before": 0.25, "measures": []}, "one or more measures"),
        ({"fs": FS, "before": 0.25, "measures": ["width"]}, "one or more measures"),
        ({"fs": FS, "before": 0.25, "measures": [QRSWidth([1.5])]}, "fractions between 0 and 1"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        MorphologyFeatures(**parameters).fit(np.zeros((2, 252)))
