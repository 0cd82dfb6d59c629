"""What the plots draw, against SciPy; all of them headless, and on an Axes of the caller's."""

import re

import matplotlib as mpl
import numpy as np
import pytest
from scipy.signal import firwin, freqz, lfilter

mpl.use("agg")

import matplotlib.pyplot as plt

from mlsp_tf.datasets import chirp_in_noise
from mlsp_tf.plots import frequency_response, impulse_response, sliding_filter, spectrogram, waveform
from mlsp_tf.plots.style import COLOURS

FS = 8000
X = np.random.default_rng(0).normal(size=600)
DRAW = {
    "frequency_response": lambda ax=None: frequency_response([0.5, 0.3, 0.2], FS, ax),
    "impulse_response": lambda ax=None: impulse_response([0.5, 0.3, 0.2], ax),
    "spectrogram": lambda ax=None: spectrogram(X, FS, ax),
    "waveform": lambda ax=None: waveform(X, FS, ax),
}
UNITS = {
    "frequency_response": ("frequency in Hz", "gain |H| in dB"),
    "impulse_response": ("tap n in samples", "weight h[n]"),
    "spectrogram": ("time in s", "frequency in Hz"),
    "waveform": ("time in s", "amplitude"),
}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.figure().add_subplot()


@pytest.mark.parametrize("name", DRAW)
def test_draws_into_the_axes_given_or_a_new_one(name, ax):
    assert DRAW[name](ax) is ax
    assert len(plt.get_fignums()) == 1
    assert DRAW[name]() is not ax
    assert len(plt.get_fignums()) == 2
    assert (ax.get_xlabel(), ax.get_ylabel()) == UNITS[name]


def test_every_plot_is_tried():
    import mlsp_tf.plots

    assert {*DRAW, "sliding_filter"} == set(mlsp_tf.plots.__all__)


@pytest.mark.parametrize("taps", [6, 31, 1500])
def test_frequency_response_is_that_of_freqz(taps, ax):
    h = firwin(taps, 1200, fs=FS)
    frequency_response(h, FS, ax)
    f, gain = ax.lines[0].get_data()
    assert (f[0], f[-1]) == (0, FS / 2)
    expected = np.abs(freqz(h, worN=f, fs=FS)[1])
    np.testing.assert_allclose(10 ** (gain / 20), np.maximum(expected, 1e-6), atol=1e-9)


def test_frequency_response_of_a_zero_is_finite(ax):
    frequency_response([0.5, 0.5], FS, ax)  # its gain at fs/2 is exactly 0
    assert ax.lines[0].get_ydata()[-1] == -120


@pytest.mark.parametrize("plot", [frequency_response, waveform])
def test_curves_in_one_axes_can_be_told_apart(plot, ax):
    for name in ("one", "two", "three"):
        plot(X[:9], FS, ax, label=name)
    assert len({line.get_color() for line in ax.lines}) == 3
    assert len({line.get_linestyle() for line in ax.lines}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two", "three"]


def test_colours_differ_and_none_is_faint():
    """None is faint on white, by the luma of Rec. 709."""
    luma = [np.dot(mpl.colors.to_rgb(colour), (0.2126, 0.7152, 0.0722)) for colour in COLOURS]
    assert len(set(COLOURS)) == len(COLOURS)
    assert max(luma) < 0.75


def test_waveform_stands_at_its_time(ax):
    waveform(X[:5], FS, ax, start=0.5)
    t, x = ax.lines[0].get_data()
    np.testing.assert_allclose(t, 0.5 + np.arange(5) / FS)
    np.testing.assert_array_equal(x, X[:5])


def test_impulse_responses_stand_side_by_side(ax):
    for h in ([1.0, 2.0, 3.0], [4.0, 5.0]):
        impulse_response(h, ax)
    first, second = (stems.markerline for stems in ax.containers)
    np.testing.assert_array_equal(first.get_xydata(), [[0, 1], [1, 2], [2, 3]])
    np.testing.assert_array_equal(second.get_ydata(), [4, 5])
    assert np.all((second.get_xdata() > [0, 1]) & (second.get_xdata() < [0.5, 1.5]))
    assert first.get_color() != second.get_color()
    assert first.get_marker() != second.get_marker()


def test_spectrogram_shows_the_chirp_where_it_is(ax):
    clean, _ = chirp_in_noise(duration=1.0, fs=FS, f_start=500, f_end=3500)
    spectrogram(clean, FS, ax)
    [image] = ax.images
    power = image.get_array()[::-1] if image.origin == "upper" else image.get_array()
    left, right, bottom, top = image.get_extent()
    bins, frames = power.shape
    f = bottom + (np.argmax(power, axis=0) + 0.5) * (top - bottom) / bins
    t = left + (np.arange(frames) + 0.5) * (right - left) / frames
    assert np.max(np.abs(f - (500 + 3000 * t))) < 1.5 * FS / 256  # bins
    assert power.max() == 0  # dB below the loudest
    assert image.get_clim() == (-60, 0)


def test_spectrogram_says_when_the_signal_is_too_short():
    with pytest.raises(ValueError, match=r"at least one window of 256 samples\. Received: 100"):
        spectrogram(X[:100], FS)


def stems(html, name):
    """Positions (count, 2) of the tips of one row, in SVG units, upwards, and their opacities."""
    found = re.findall(
        rf'<g class="{name}" style="opacity:(\S+)"><line[^>]*y1="(\S+)" y2="(\S+)"[^>]*/><circle cx="(\S+)"',
        html,
    )
    numbers = np.array(found, float)
    return np.stack([numbers[:, 3], numbers[:, 1] - numbers[:, 2]], axis=1), numbers[:, 0]


def test_sliding_filter_draws_signal_taps_and_output():
    x, a = X[:30], np.array([0.5, -0.3, 0.2, 0.1])
    html = sliding_filter(x, a)._repr_html_()
    signal, _ = stems(html, "signal")
    output, seen = stems(html, "output")
    taps, _ = stems(html, "tap")
    for drawn, true in ((signal, x), (output, lfilter(a, 1, x)), (taps, a)):
        heights = drawn[:, 1] / np.max(np.abs(drawn[:, 1]))
        np.testing.assert_allclose(heights, true / np.max(np.abs(true)), atol=1e-3)
    n = int(re.search(r'value="(\d+)"', html)[1])
    shift = float(re.search(r'class="slide" transform="translate\((\S+) 0\)"', html)[1])
    np.testing.assert_allclose(taps[:, 0] + shift, signal[n - np.arange(4), 0], atol=0.02)  # a[i] over x[n-i]
    np.testing.assert_array_equal(seen > 0, np.arange(30) <= n)  # what is not known yet cannot be seen


def test_sliding_filter_tells_the_script_the_same_numbers():
    html = sliding_filter([1.0, 2.0, 4.0], [3.0, 10.0])._repr_html_()
    assert (
        "const x = [1.0, 2.0, 4.0], a = [3.0, 10.0], y = [3.0, 16.0, 32.0], step = 224.667, last = 2;" in html
    )


def test_two_sliding_filters_stand_on_one_page():
    movie = sliding_filter(X[:9], [1.0, 2.0])
    pages = [movie._repr_html_() for _ in range(2)]
    one, other = ({*re.findall(r'id="([^"]+)"', page)} for page in pages)
    assert len(one) == len(other) == 2  # the whole, and the clip
    assert not one & other
    for page in pages:
        assert not re.search(r"\$\w|CLIP", page)  # nothing is left to be filled in


@pytest.mark.parametrize(
    ("x", "a", "said"),
    [
        (np.zeros(201), [1.0], r"expects x .* Received: shape \(201,\)"),
        (np.zeros((3, 2)), [1.0], r"expects x .* Received: shape \(3, 2\)"),
        ([1.0], [], r"expects a .* Received: shape \(0,\)"),
    ],
)
def test_sliding_filter_says_what_it_cannot_show(x, a, said):
    with pytest.raises(ValueError, match=said):
        sliding_filter(x, a)


@pytest.mark.parametrize(("x", "a"), [([0.0, 0.0], [0.0]), ([2.0], [1.0, 2.0, 3.0])])
def test_sliding_filter_takes_silence_and_a_signal_shorter_than_the_filter(x, a):
    html = sliding_filter(x, a)._repr_html_()
    assert len(stems(html, "output")[0]) == len(x)
    assert "nan" not in html
