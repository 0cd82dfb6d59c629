"""Gain of a filter over frequency."""

import numpy as np

from mlsp_tf.plots.style import axes_or_new, finish, next_style

FLOOR = -120.0  # dB; a zero of the response would lie at minus infinity


def frequency_response(h, fs, ax=None, label=None, points=512):
    """Draw |H| in dB from 0 Hz to fs/2.

    Args:
        h: impulse response, shape `(N,)`.
        fs: sampling rate in Hz.
        ax: Axes to draw into; a new one if left out. Curves in one Axes get different colours and dashes.
        label: name of the curve in the legend.
        points: at how many frequencies, evenly spaced; more if there are more taps than twice that.

    Returns:
        The Axes. Gains below -120 dB are drawn at -120 dB.

    Reference: `scipy.signal.freqz`, which gives the same numbers.
    """
    ax = axes_or_new(ax)
    h = np.asarray(h)
    length = max(2 * points, len(h))  # of the transform, so that it leaves out no tap
    response = np.fft.rfft(h, length)
    f = np.fft.rfftfreq(length, 1 / fs)
    gain = 20 * np.log10(np.maximum(np.abs(response), 10 ** (FLOOR / 20)))
    ax.plot(f, gain, label=label, **next_style(ax, len(ax.lines)))
    ax.set(xlabel="frequency in Hz", ylabel="gain |H| in dB", xlim=(0, fs / 2))
    return finish(ax, label)
