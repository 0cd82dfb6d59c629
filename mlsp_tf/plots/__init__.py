"""Plots of signals and filters: each draws into a Matplotlib Axes, or a new one, and returns it.

None calls `show`. The colours can be told apart with any colour vision, and in grey by their dashes.
`sliding_filter` returns an animation that Jupyter displays.
"""

from mlsp_tf.plots.frequency_response import frequency_response
from mlsp_tf.plots.impulse_response import impulse_response
from mlsp_tf.plots.sliding_filter import sliding_filter
from mlsp_tf.plots.spectrogram import spectrogram
from mlsp_tf.plots.waveform import waveform

__all__ = ["frequency_response", "impulse_response", "sliding_filter", "spectrogram", "waveform"]
