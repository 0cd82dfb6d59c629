"""The chirp against SciPy's, the noise against its definition."""

import numpy as np
import pytest
from scipy.signal import chirp

from mlsp_tf.datasets import chirp_in_noise


@pytest.mark.parametrize(("f_start", "f_end"), [(100, 800), (900, 50), (0, 2000)])
def test_clean_is_the_linear_chirp_of_scipy(f_start, f_end):
    clean, _ = chirp_in_noise(duration=0.7, fs=4000, f_start=f_start, f_end=f_end)
    t = np.arange(2800) / 4000
    np.testing.assert_allclose(clean, chirp(t, f_start, t1=0.7, f1=f_end), atol=1e-9)


@pytest.mark.parametrize("snr", [-12.0, 0.0, 7.5])
def test_noise_has_the_power_that_was_asked_for(snr):
    clean, noisy = chirp_in_noise(duration=0.3, snr=snr)
    assert 10 * np.log10(np.mean(clean**2) / np.mean((noisy - clean) ** 2)) == pytest.approx(snr, abs=1e-9)


def test_noise_is_white_and_not_part_of_the_chirp():
    clean, noisy = chirp_in_noise(duration=4.0, snr=0.0)
    noise = noisy - clean
    power = np.abs(np.fft.rfft(noise)[1:]) ** 2
    bands = power.reshape(20, -1).mean(axis=1)  # 800 values each: 3.5 % standard deviation
    assert bands.max() / bands.min() < 1.3
    assert abs(np.corrcoef(noise, clean)[0, 1]) < 0.03


def test_one_seed_one_noise():
    clean, first = chirp_in_noise(seed=5)
    np.testing.assert_array_equal(chirp_in_noise(seed=5), [clean, first])
    other_clean, other = chirp_in_noise(seed=6)
    np.testing.assert_array_equal(other_clean, clean)
    assert np.max(np.abs(other - first)) > 1


def test_shapes_follow_duration_and_rate():
    assert [x.shape for x in chirp_in_noise(duration=0.25, fs=16000)] == [(4000,), (4000,)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"duration": 0}, "at least one sample"),
        ({"f_end": 4001}, "f_end between 0 and fs/2 = 4000 Hz"),
        ({"f_start": -1}, "f_start between 0 and fs/2 = 4000 Hz"),
    ],
)
def test_errors_say_what_was_asked(arguments, said):
    with pytest.raises(ValueError, match=said):
        chirp_in_noise(**arguments)
