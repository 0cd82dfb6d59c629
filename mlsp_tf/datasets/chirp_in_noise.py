"""A chirp buried in white noise."""

import numpy as np


def chirp_in_noise(duration=1.5, fs=8000, f_start=100.0, f_end=800.0, snr=0.0, seed=0):
    """A tone that glides from one frequency to another, clean and in white Gaussian noise.

    Args:
        duration: length in seconds.
        fs: sampling rate in Hz.
        f_start: frequency at time 0, in Hz.
        f_end: frequency at `duration`, in Hz; may lie below `f_start`.
        snr: power of the chirp over that of the noise, over the whole signal, in dB. It is met exactly.
        seed: seed of the noise; the same seed gives the same noise.

    Returns:
        `(clean, noisy)`, two float64 arrays of shape `(T,)` with `T = round(duration * fs)`. The chirp
        has amplitude 1; sample `n` stands at `n / fs` seconds.

    Raises:
        ValueError: where there are no samples, or a frequency is not between 0 and `fs / 2`.

    Example:
        >>> clean, noisy = chirp_in_noise(duration=1.5, fs=8000)
        >>> clean.shape, noisy.shape
        ((12000,), (12000,))

    Reference: the linear chirp cos 2π(f_start t + (f_end − f_start) t² / (2 duration)), as
        `scipy.signal.chirp` has it; the noise is drawn here, nothing is read from a file.
    """
    samples = round(duration * fs)
    if samples < 1:
        raise ValueError(
            f"chirp_in_noise expects at least one sample. Received: duration={duration} s at fs={fs} Hz, "
            f"which makes {samples}. Choose a longer duration."
        )
    for name, frequency in (("f_start", f_start), ("f_end", f_end)):
        if not 0 <= frequency <= fs / 2:
            raise ValueError(
                f"chirp_in_noise expects {name} between 0 and fs/2 = {fs / 2:g} Hz, since a faster tone "
                f"would be heard as a slower one (aliasing). Received: {frequency:g} Hz. "
                "Lower it or raise fs."
            )
    t = np.arange(samples) / fs
    clean = np.cos(2 * np.pi * (f_start * t + (f_end - f_start) * t**2 / (2 * duration)))
    noise = np.random.default_rng(seed).normal(size=samples)
    noise *= np.sqrt(np.mean(clean**2) / np.mean(noise**2) / 10 ** (snr / 10))
    return clean, clean + noise
