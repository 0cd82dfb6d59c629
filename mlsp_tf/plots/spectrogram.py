"""Power of a signal over time and frequency."""

from mlsp_tf.plots.style import axes_or_new


def spectrogram(x, fs, ax=None, window=256, span=60.0):
    """Draw the power in short pieces of the signal as an image, in dB below the loudest point.

    Args:
        x: signal, shape `(T,)` with `T ≥ window`.
        fs: sampling rate in Hz.
        ax: Axes to draw into; a new one if left out.
        window: length of a piece in samples (Hann window, three quarters overlap).
        span: range of the colours in dB; what is weaker is drawn in the darkest.

    Returns:
        The Axes.

    Raises:
        ValueError: where the signal is shorter than one piece.
    """
    if len(x) < window:
        raise ValueError(
            f"spectrogram expects at least one window of {window} samples. Received: {len(x)} samples. "
            "Choose a shorter `window`."
        )
    ax = axes_or_new(ax)
    *_, image = ax.specgram(x, NFFT=window, Fs=fs, noverlap=3 * window // 4, cmap="cividis", scale="dB")
    image.set_array(image.get_array() - image.get_array().max())
    image.set_clim(-span, 0)
    ax.set(xlabel="time in s", ylabel="frequency in Hz")
    ax.figure.colorbar(image, ax=ax, label="dB")
    return ax
