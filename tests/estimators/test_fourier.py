"""The Fourier classifier against the convolutional one on spectra of numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from ecgclf import ECGCNNClassifier, ECGFourierCNNClassifier

SMALL = {"filters": (4, 8), "stride": 2, "max_epochs": 2, "verbose": 0, "random_state": 0}


@pytest.mark.parametrize("n_samples", [60, 61])
def test_it_is_the_cnn_on_real_and_imaginary_parts(rng, n_samples):
    X = rng.normal(size=(40, 2, n_samples)).astype(np.float32)
    y = np.arange(40) % 3
    spectrum = np.fft.rfft(X)
    parts = np.concatenate([spectrum.real, spectrum.imag], axis=1).astype(np.float32)
    model = ECGFourierCNNClassifier(**SMALL).fit(X, y)
    reference = ECGCNNClassifier(**SMALL).fit(parts, y)
    # The same weights: those of the reference may have gone another way by rounding.
    model.net_.module_.encoder.encoder.load_state_dict(
        reference.net_.module_.encoder.state_dict()
    )
    model.net_.module_.head.load_state_dict(reference.net_.module_.head.state_dict())
    np.testing.assert_allclose(
        model.decision_function(X), reference.decision_function(parts), rtol=1e-3, atol=1e-3
    )
    assert (model.n_leads_, model.n_samples_) == (2, n_samples)


def test_a_beat_with_too_few_frequencies_is_an_error(rng):
    model = ECGFourierCNNClassifier(
        filters=(4, 4), kernel_size=5, stride=1, padding="valid", max_epochs=1, verbose=0
    )
    y = np.arange(10) % 2
    # Two kernels of 5 leave one value of 9 frequencies, which 16 samples have and 15 have not.
    with pytest.raises(ValueError, match=r"Beats of 8 frequencies are too short.* at least 9"):
        model.fit(rng.random((10, 15)), y)
    assert model.fit(rng.random((10, 16)), y).predict(rng.random((3, 16))).shape == (3,)
