"""A signal over time."""

import numpy as np

from mlsp_tf.plots.style import axes_or_new, finish, next_style


def waveform(x, fs, ax=None, label=None, start=0.0):
    """Draw a signal over time.

    Args:
        x: signal, shape `(T,)`.
        fs: sampling rate in Hz.
        ax: Axes to draw into; a new one if left out. Curves in one Axes get different colours and dashes.
        label: name of the curve in the legend.
        start: time of the first sample in seconds.

    Returns:
        The Axes.
    """
    ax = axes_or_new(ax)
    t = start + np.arange(len(x)) / fs
    ax.plot(t, x, label=label, linewidth=1.2, **next_style(ax, len(ax.lines)))
    ax.set(xlabel="time in s", ylabel="amplitude")
    ax.margins(x=0)
    return finish(ax, label)
