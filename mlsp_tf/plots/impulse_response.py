"""Taps of a filter."""

import numpy as np

from mlsp_tf.plots.style import COLOURS, axes_or_new, finish

MARKERS = ("o", "s", "^", "D")


def impulse_response(h, ax=None, label=None):
    """Draw the taps as stems over their index.

    Args:
        h: impulse response, shape `(N,)`.
        ax: Axes to draw into; a new one if left out. Filters in one Axes stand side by side.
        label: name of the filter in the legend.

    Returns:
        The Axes.
    """
    ax = axes_or_new(ax)
    drawn = len(ax.containers)
    colour = COLOURS[drawn % len(COLOURS)]
    where = np.arange(len(h)) + 0.15 * drawn  # a little to the right of the filter before
    stems = ax.stem(where, h, basefmt=" ", label=label)
    stems.markerline.set(color=colour, marker=MARKERS[drawn % len(MARKERS)], markersize=5)
    stems.stemlines.set_color(colour)
    if not drawn:
        ax.axhline(0, color="grey", linewidth=0.8)
    ax.set(xlabel="tap n in samples", ylabel="weight h[n]")
    return finish(ax, label)
