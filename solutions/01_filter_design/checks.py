"""Checks of 01_filter_design: FIR design, filtering in time and by FFT, correlation, a learned filter.

A stand-in has the signature of the student's function. The examples alone tell every misconception from
every other one, because the self-check in the notebook has nothing else.
"""

import numpy as np

from autograder.compare import close
from autograder.question import question

WINDOWS = {"boxcar": np.ones, "hann": np.hanning, "hamming": np.hamming, "blackman": np.blackman}


# ------------------------------------------------------------------------------------- lowpass_fir


def draw_design(rng):
    """A cut-off of 4 % to 22 % of fs, so that it may lie on both sides of fs/8; N odd or even; any window."""
    fs = float(rng.choice([8000, 16000, 22050, 44100]))
    fc = fs * rng.uniform(0.04, 0.22)
    return (
        fc,
        fs,
        int(rng.integers(9, 42)),
        str(rng.choice(["hann", "hamming", "blackman", "hann", "boxcar"])),
    )


@question(
    examples=[
        (1000.0, 8000.0, 9, "hann"),
        (600.0, 8000.0, 12, "blackman"),
        (3000.0, 16000.0, 14, "hamming"),
        (5000.0, 22050.0, 7, "boxcar"),
    ],
    draws=draw_design,
    compare=close(rtol=1e-4),
)
def lowpass_fir(student, fc, fs, N, window):
    return student.lowpass_fir(fc, fs, N, window)


def windowed_sinc(f, n, N, window):
    """2f sinc(2f n) times the window, not yet scaled; f in cycles per sample, n (N,) from the centre."""
    return 2 * f * np.sinc(2 * f * n) * WINDOWS[window](N)


@lowpass_fir.misconception
def divides_by_the_nyquist_frequency(fc, fs, N, window):
    """Your cut-off lies an octave too high. In this formula f is in cycles per sample, so divide fc by the
    whole sampling rate. Half of it, the Nyquist frequency, belongs to functions that want a cut-off from 0
    to 1."""
    h = windowed_sinc(fc / (fs / 2), np.arange(N) - (N - 1) / 2, N, window)
    return h / np.sum(h)


@lowpass_fir.misconception
def leaves_the_two_out_of_the_sinc(fc, fs, N, window):
    """Your cut-off lies an octave too low. The pass band reaches from -f to +f and so is 2f wide: the 2
    belongs inside the sinc as well."""
    f = fc / fs
    h = 2 * f * np.sinc(f * (np.arange(N) - (N - 1) / 2)) * WINDOWS[window](N)
    return h / np.sum(h)


@lowpass_fir.misconception
def puts_the_centre_half_a_sample_late(fc, fs, N, window):
    """The peak of your sinc is half a sample late. Samples count from 0 to N-1; their middle lies at half of
    the last index, not at half of the number of samples. Look at N = 3."""
    h = windowed_sinc(fc / fs, np.arange(N) - N / 2, N, window)
    return h / np.sum(h)


@lowpass_fir.misconception
def puts_the_centre_at_sample_zero(fc, fs, N, window):
    """Your sinc has its peak at the first sample, so the filter holds only one half of it. Move it to the
    middle of the window."""
    h = windowed_sinc(fc / fs, np.arange(N), N, window)
    return h / np.sum(h)


@lowpass_fir.misconception
def puts_pi_into_np_sinc(fc, fs, N, window):
    """There is one π too many. NumPy's np.sinc(t) is sin(πt)/(πt): it brings its own π along."""
    f = fc / fs
    h = 2 * f * np.sinc(2 * np.pi * f * (np.arange(N) - (N - 1) / 2)) * WINDOWS[window](N)
    return h / np.sum(h)


@lowpass_fir.misconception
def does_not_scale(fc, fs, N, window):
    """The shape is right, the scale is not: cutting off and windowing change the gain at 0 Hz. A constant
    signal should pass unchanged; what must the taps add up to for that?"""
    return windowed_sinc(fc / fs, np.arange(N) - (N - 1) / 2, N, window)


@lowpass_fir.misconception
def scales_before_the_window(fc, fs, N, window):
    """You scale first and apply the window afterwards, which changes the sum again. Scaling is the last
    step."""
    f = fc / fs
    h = 2 * f * np.sinc(2 * f * (np.arange(N) - (N - 1) / 2))
    return h / np.sum(h) * WINDOWS[window](N)


@lowpass_fir.misconception
def scales_to_unit_energy(fc, fs, N, window):
    """You scale so that the squares of the taps add up to one. For the gain at 0 Hz it is the taps
    themselves that are added up: there every sample of a constant signal meets every tap with the same
    weight."""
    h = windowed_sinc(fc / fs, np.arange(N) - (N - 1) / 2, N, window)
    return h / np.sqrt(np.sum(h**2))


@lowpass_fir.misconception
def uses_no_window(fc, fs, N, window):
    """The argument `window` has no effect: yours is the bare sinc, cut off at both ends. Multiply by the
    window."""
    h = windowed_sinc(fc / fs, np.arange(N) - (N - 1) / 2, N, "boxcar")
    return h / np.sum(h)


@lowpass_fir.misconception
def applies_the_window_twice(fc, fs, N, window):
    """The window is in there twice. Does one of your helpers, or an earlier line, multiply by it already?"""
    h = windowed_sinc(fc / fs, np.arange(N) - (N - 1) / 2, N, window) * WINDOWS[window](N)
    return h / np.sum(h)


@lowpass_fir.misconception
def always_takes_a_hamming_window(fc, fs, N, window):
    """You always use the Hamming window. The argument `window` says which one is wanted."""
    h = windowed_sinc(fc / fs, np.arange(N) - (N - 1) / 2, N, "hamming")
    return h / np.sum(h)


@lowpass_fir.misconception
def takes_the_periodic_window(fc, fs, N, window):
    """Your window is periodic: its last sample is left out, which suits spectra but makes a filter lopsided.
    Filter design wants the symmetric window. With SciPy's get_window that is fftbins=False."""
    h = windowed_sinc(fc / fs, np.arange(N) - (N - 1) / 2, N, "boxcar")
    h = h * (np.ones(N) if window == "boxcar" else WINDOWS[window](N + 1)[:N])
    return h / np.sum(h)


@lowpass_fir.misconception
def takes_the_number_of_taps_as_the_order(fc, fs, N, window):
    """You take N as the order, which makes one tap too many. Here N counts the taps; the order is one
    less."""
    h = windowed_sinc(fc / fs, np.arange(N + 1) - N / 2, N + 1, window)
    return h / np.sum(h)


@lowpass_fir.equivalent
def by_scipy_firwin(fc, fs, N, window):
    from scipy.signal import firwin

    return firwin(N, fc, window=window, fs=fs)


@lowpass_fir.equivalent
def tap_by_tap(fc, fs, N, window):
    import math

    f, w, h = fc / fs, WINDOWS[window](N), []
    for n in range(N):
        t = n - (N - 1) / 2
        ideal = 2 * f if t == 0 else math.sin(2 * math.pi * f * t) / (math.pi * t)
        h.append(ideal * w[n])
    return [tap / sum(h) for tap in h]


@lowpass_fir.equivalent
def by_inverse_transform_of_the_ideal_response(fc, fs, N, window):
    """The ideal response is 1 from -fc to fc: integrate exp(2πi ν t) over it, numerically."""
    nodes, weights = np.polynomial.legendre.leggauss(64)
    t = np.arange(N) - (N - 1) / 2
    ideal = fc / fs * np.cos(2 * np.pi * np.outer(t, nodes * fc / fs)) @ weights
    h = ideal * WINDOWS[window](N)
    return h / np.sum(h)


@lowpass_fir.equivalent
def in_tensorflow(fc, fs, N, window):
    import tensorflow as tf

    t = tf.range(N, dtype=tf.float64) - (N - 1) / 2
    h = tf.constant(np.sinc(2 * fc / fs * t.numpy())) * WINDOWS[window](N)
    return h / tf.reduce_sum(h)


# -------------------------------------------------------------------------------------- fir_filter


def taps(rng, count):
    """Taps whose first and last differ and are far from zero, so that turning them round shows."""
    a = rng.normal(size=count)
    a[0], a[-1] = rng.uniform(1.0, 2.0), -rng.uniform(0.3, 0.8)
    return a


def draw_signal_and_taps(rng):
    """T 20 to 60 or, now and then, P; P + 1 from 3 to 9; x has a mean, and its first sample is far from zero.

    Never T < P, where x[n-i] with a negative index would stop instead of wrapping round.
    """
    x = rng.normal(size=rng.integers(20, 61)) + 0.7
    x[0] = rng.uniform(1.0, 2.0)
    a = taps(rng, rng.integers(3, 10))
    return (x[: len(a) - 1] if rng.random() < 0.25 else x), a


@question(
    examples=[
        (np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0]), np.array([3.0, 2.0, -1.0])),
        (np.array([2.0, -1.0, 0.5, 3.0, 1.0, -2.0, 1.5]), np.array([0.5, 0.25, -1.0, 2.0])),
        (np.array([1.0, 2.0, 4.0, -1.0, 3.0]), np.array([1.0, -0.5])),
    ],
    draws=draw_signal_and_taps,
    compare=close(rtol=1e-4),
)
def fir_filter(student, x, a):
    return student.fir_filter(x, a)


@fir_filter.misconception
def reads_ahead(x, a):
    """You read samples ahead, x[n+i]: that is cross-correlation. A causal filter looks back, x[n-i]."""
    y = np.zeros(len(x))
    for n in range(len(x)):
        for i in range(len(a)):
            if n + i < len(x):
                y[n] += a[i] * x[n + i]
    return y


@fir_filter.misconception
def turns_the_taps_round(x, a):
    """Your taps are in reverse order: the newest sample meets the last tap. Keras' Conv1D and np.correlate
    do not turn the taps round; convolution does."""
    return np.convolve(x, a[::-1])[: len(x)]


@fir_filter.misconception
def drops_the_last_tap(x, a):
    """The last tap is never used. A filter of order P has P + 1 taps, and range(P) stops one before P."""
    y = np.zeros(len(x))
    for n in range(len(x)):
        for i in range(len(a) - 1):
            if n - i >= 0:
                y[n] += a[i] * x[n - i]
    return y


@fir_filter.misconception
def wraps_round_to_the_end(x, a):
    """The first outputs already know the end of the signal: in Python, x[-1] is the last sample. Before the
    first sample there is silence, so leave out the terms with a negative index."""
    y = np.zeros(len(x))
    for n in range(len(x)):
        for i in range(len(a)):
            y[n] += a[i] * x[n - i]
    return y


@fir_filter.misconception
def centres_the_filter(x, a):
    """Your output is moved forward by half a filter length, as with mode 'same': so it uses samples that a
    causal filter has not heard yet."""
    return np.convolve(x, a, "same")


@fir_filter.misconception
def repeats_the_first_sample_as_history(x, a):
    """Your filter starts as if the first sample had been there for ever. Here everything before it is
    zero."""
    history = np.full(len(a) - 1, x[0])
    return np.convolve(np.concatenate([history, x]), a, "valid")


@fir_filter.misconception
def starts_when_the_filter_is_full(x, a):
    """The first P outputs are missing or zero. They have fewer terms because the history is zero, but they
    are there: y[0] needs x[0] only."""
    y = np.zeros(len(x))
    for n in range(len(a) - 1, len(x)):
        for i in range(len(a)):
            y[n] += a[i] * x[n - i]
    return y


@fir_filter.misconception
def keeps_only_full_overlaps(x, a):
    """Your output is P samples short: it holds only the places where the whole filter overlaps the signal,
    as with mode 'valid'. A causal filter answers from the first sample on."""
    return np.convolve(x, a, "valid")


@fir_filter.misconception
def keeps_the_tail(x, a):
    """Your output is P samples too long: it goes on ringing after the signal has ended, as with mode 'full'.
    One sample in, one sample out."""
    return np.convolve(x, a)


@fir_filter.equivalent
def by_scipy_lfilter(x, a):
    from scipy.signal import lfilter

    return lfilter(a, 1.0, x)


@fir_filter.equivalent
def by_np_convolve(x, a):
    return np.convolve(x, a)[: len(x)]


@fir_filter.equivalent
def sample_by_sample(x, a):
    y = []
    for n in range(len(x)):
        y.append(sum(a[i] * x[n - i] for i in range(len(a)) if n - i >= 0))
    return y


@fir_filter.equivalent
def as_a_toeplitz_product(x, a):
    from scipy.linalg import toeplitz

    return toeplitz(x, np.zeros(len(a))) @ a  # (T, P + 1): column i is x, i samples later


@fir_filter.equivalent
def as_a_causal_conv1d(x, a):
    import tensorflow as tf

    padded = np.concatenate([np.zeros(len(a) - 1), x])[None, :, None]
    return tf.nn.conv1d(padded, a[::-1, None, None].copy(), stride=1, padding="VALID")[0, :, 0]


# -------------------------------------------------------------------------------------- fft_filter


def draw_signal_and_any_taps(rng):
    """As for fir_filter, or a filter that is longer than the signal by far."""
    x, a = draw_signal_and_taps(rng)
    return x, (taps(rng, len(x) + 5) if rng.random() < 0.25 else a)


@question(
    examples=[
        (np.array([1.0, 2.0, 3.0]), np.array([1.0, -1.0])),
        (np.array([2.0, -1.0, 0.5, 3.0, 1.0, -2.0, 1.5]), np.array([0.5, 0.25, -1.0, 2.0])),
        (np.array([1.0, -3.0, 2.0]), np.array([2.0, 1.0, 0.0, -1.0, 4.0])),
    ],
    draws=draw_signal_and_any_taps,
    compare=close(rtol=1e-4),
)
def fft_filter(student, x, a):
    return student.fft_filter(x, a)


@fft_filter.misconception
def does_not_pad(x, a):
    """Your convolution is circular: the end of the signal comes round and falls on its beginning. Give both
    FFTs enough points, filled up with zeros, for the whole output."""
    T = len(x)
    return np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(a, T), T)


@fft_filter.misconception
def pads_one_point_too_few(x, a):
    """There is one point too few, so the last output sample falls onto the first. Mind that P is the order:
    the filter has P + 1 taps."""
    n = len(x) + len(a) - 2
    return np.fft.irfft(np.fft.rfft(x, n) * np.fft.rfft(a, n), n)


@fft_filter.misconception
def cuts_the_tail_off(x, a):
    """The values are right as far as they go, but the end is missing. After the last sample the filter rings
    on for as long as its memory lasts; here that tail is wanted."""
    n = len(x) + len(a) - 1
    return np.fft.irfft(np.fft.rfft(x, n) * np.fft.rfft(a, n), n)[: len(x)]


@fft_filter.misconception
def returns_every_padded_point(x, a):
    """You return all points of the FFT, and with them the zeros that only filled it up. Cut the result to
    the length that the convolution has."""
    n = 2 * 2 ** int(np.ceil(np.log2(len(x) + len(a))))
    return np.fft.irfft(np.fft.rfft(x, n) * np.fft.rfft(a, n), n)


@fft_filter.misconception
def takes_the_magnitude(x, a):
    """All your values are positive: the magnitude throws the sign away. The result of the inverse FFT is
    real but for rounding, so take its real part."""
    n = len(x) + len(a) - 1
    return np.abs(np.fft.ifft(np.fft.fft(x, n) * np.fft.fft(a, n)))


@fft_filter.misconception(credit=0.5)
def leaves_the_result_complex(x, a):
    """Your numbers are right but complex: np.fft.ifft leaves an imaginary part of nothing but rounding. Take
    the real part, or use rfft and irfft."""
    n = len(x) + len(a) - 1
    return np.fft.ifft(np.fft.fft(x, n) * np.fft.fft(a, n))


@fft_filter.misconception
def conjugates_the_filter(x, a):
    """You conjugate the filter's spectrum: that is cross-correlation. For convolution the two spectra are
    multiplied as they are."""
    n = len(x) + len(a) - 1
    return np.fft.irfft(np.fft.rfft(x, n) * np.conj(np.fft.rfft(a, n)), n)


@fft_filter.equivalent
def with_complex_transforms(x, a):
    n = 3 * (len(x) + len(a))
    return np.fft.ifft(np.fft.fft(x, n) * np.fft.fft(a, n)).real[: len(x) + len(a) - 1]


@fft_filter.equivalent
def with_a_power_of_two(x, a):
    length = len(x) + len(a) - 1
    n = 1
    while n < length:
        n *= 2
    return np.fft.irfft(np.fft.rfft(x, n) * np.fft.rfft(a, n), n)[:length]


@fft_filter.equivalent
def by_overlap_add(x, a):
    hop = 4
    n = hop + len(a) - 1
    A = np.fft.rfft(a, n)
    y = np.zeros(len(x) + 2 * n)
    for start in range(0, len(x), hop):
        y[start : start + n] += np.fft.irfft(np.fft.rfft(x[start : start + hop], n) * A, n)
    return y[: len(x) + len(a) - 1]


@fft_filter.equivalent
def by_tensorflow(x, a):
    import tensorflow as tf

    length = len(x) + len(a) - 1
    n = length + length % 2
    x, a = tf.constant(x, tf.float32), tf.constant(a, tf.float32)
    return tf.signal.irfft(tf.signal.rfft(x, [n]) * tf.signal.rfft(a, [n]), [n])[:length]


# --------------------------------------------------------------------------------- cross_correlate


def draw_signal_and_pattern(rng):
    """T 20 to 60 or, now and then, K; K 3 to 9."""
    x = rng.normal(size=rng.integers(20, 61)) + 0.5
    w = taps(rng, rng.integers(3, 10))
    return (x[: len(w)] if rng.random() < 0.2 else x), w


@question(
    examples=[
        (np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0]), np.array([3.0, 2.0, -1.0])),
        (np.array([2.0, -1.0, 0.5, 3.0, 1.0, -2.0, 1.5, 4.0]), np.array([0.5, 0.25, -1.0, 2.0])),
    ],
    draws=draw_signal_and_pattern,
    compare=close(rtol=1e-4),
)
def cross_correlate(student, x, w):
    return student.cross_correlate(x, w)


@cross_correlate.misconception
def turns_the_pattern_round(x, w):
    """You turn the pattern round: that is convolution. Correlation lays it on the signal as it is, first
    weight on the earliest sample."""
    return np.convolve(x, w, "valid")


@cross_correlate.misconception
def returns_every_overlap(x, w):
    """Your result has places where the pattern sticks out of the signal, as with mode 'full'. Keep those
    where all of it lies inside."""
    return np.correlate(x, w, "full")


@cross_correlate.misconception
def returns_as_many_as_the_signal_has(x, w):
    """Your result is as long as the signal, as with mode 'same', so at both ends the pattern sticks out.
    Keep the places where all of it lies inside."""
    return np.correlate(x, w, "same")


@cross_correlate.misconception
def swaps_the_arguments(x, w):
    """Your result runs backwards in time. Correlation does not commute: moving the pattern along the signal
    to the right is moving the signal along the pattern to the left. Swap the two arguments."""
    return np.correlate(w, x, "valid")


@cross_correlate.misconception
def stops_one_short(x, w):
    """The last place is missing. The pattern still fits when its last weight lies on the last sample; count
    the places for T = K."""
    return np.array([np.sum(w * x[n : n + len(w)]) for n in range(len(x) - len(w))])


@cross_correlate.equivalent
def by_tf_conv1d(x, w):
    import tensorflow as tf

    signal, kernel = tf.constant(x[None, :, None]), tf.constant(w[:, None, None])
    return tf.nn.conv1d(signal, kernel, stride=1, padding="VALID")[0, :, 0]


@cross_correlate.equivalent
def by_convolution_with_the_pattern_turned(x, w):
    return np.convolve(x, w[::-1], "valid")


@cross_correlate.equivalent
def by_sliding_windows(x, w):
    return np.lib.stride_tricks.sliding_window_view(x, len(w)) @ w


@cross_correlate.equivalent
def by_two_loops(x, w):
    y = []
    for n in range(len(x) - len(w) + 1):
        total = 0.0
        for i in range(len(w)):
            total += w[i] * x[n + i]
        y.append(total)
    return y


@cross_correlate.equivalent
def by_fft(x, w):
    n = len(x) + len(w)
    return np.fft.irfft(np.fft.rfft(x, n) * np.conj(np.fft.rfft(w, n)), n)[: len(x) - len(w) + 1]


# --------------------------------------------------------------------------------------- learn_fir


def recording(rng, T, K, longer, mean):
    """White noise x (T,), and y (T,): x through a system of K + `longer` taps; no noise is added.

    Where the system is longer than K and x has a mean, the best K taps carry some of what the missing ones
    would have let through at 0 Hz. A bias would take that over and leave a worse filter; with `longer` = 0 it
    would converge to zero and not show.
    """
    x = rng.normal(size=T) + mean
    a = rng.uniform(0.4, 1.2, K) * rng.choice([-1.0, 1.0], K)
    a[0], a[-1] = rng.uniform(1.0, 1.4), -rng.uniform(0.4, 0.7)
    a = np.concatenate([a, rng.uniform(0.5, 0.7, longer)])
    return x, np.convolve(x, a)[:T], K


def draw_recording(rng):
    return recording(rng, int(rng.integers(250, 351)), int(rng.integers(3, 5)), longer=9, mean=0.6)


@question(
    examples=[
        recording(np.random.default_rng(1), 240, 6, longer=0, mean=0.0),
        recording(np.random.default_rng(2), 300, 4, longer=9, mean=0.6),
    ],
    draws=draw_recording,
    compare=close(rtol=4e-3),
    count=1,  # each call trains a model
)
def learn_fir(student, x, y, K):
    return student.learn_fir(x, y, K)


def trained_kernel(x, y, K, padding="causal", use_bias=False):
    """The weights (K,), as Keras stores them, of a Conv1D that was trained to turn x (T,) into y."""
    import keras

    model = keras.Sequential(
        [keras.Input((None, 1)), keras.layers.Conv1D(1, K, padding=padding, use_bias=use_bias)]
    )
    model.compile(optimizer=keras.optimizers.SGD(1 / (K * np.mean(x**2))), loss="mse")
    signal, target = (np.reshape(one, (1, -1, 1)).astype("float32") for one in (x, y))
    for _ in range(100):
        model.train_on_batch(signal, target)
    return model.get_weights()[0][:, 0, 0]


@learn_fir.misconception
def returns_the_kernel_unflipped(x, y, K):
    """Your network has learned the filter, but you return its weights as Keras keeps them. Conv1D
    correlates: its last weight meets the newest sample. As an impulse response, the newest sample's tap
    comes first."""
    return trained_kernel(x, y, K)


@learn_fir.misconception
def keeps_the_bias(x, y, K):
    """Your layer has a bias. It takes over part of the output's mean, and that part is then missing from the
    taps that you return. A filter has no bias: silence in, silence out."""
    return trained_kernel(x, y, K, use_bias=True)[::-1]


@learn_fir.misconception
def pads_on_both_sides(x, y, K):
    """Your layer pads on both sides (padding='same'), so half of its taps look into the future, and it never
    reaches the oldest samples that it needs. The layer has to be causal."""
    return trained_kernel(x, y, K, padding="same")[::-1]


def best_taps(x, y, K, padding="causal"):
    """What training converges to: the taps (K,) of least squared error, first that of the newest sample."""
    padded = x if padding == "valid" else np.concatenate([np.zeros(K - 1), x])
    heard = np.lib.stride_tricks.sliding_window_view(padded, K)[:, ::-1]  # (T, K): x[n], x[n-1], …
    return np.linalg.lstsq(heard, y, rcond=None)[0]


@learn_fir.misconception
def predicts_the_next_sample(x, y, K):
    """Your target is one sample ahead of the input, as for a predictor. Here y[n] belongs to x[n]: the
    filter hears the newest sample at once."""
    return best_taps(x[:-1], y[1:], K)


@learn_fir.misconception
def trains_on_a_late_target(x, y, K):
    """Your target is one sample behind the input, which makes the filter one sample late and pushes its last
    tap out. y[n] belongs to x[n]."""
    return best_taps(x[1:], y[:-1], K)


@learn_fir.misconception
def matches_valid_outputs_with_the_first_targets(x, y, K):
    """Your layer does not pad, so its first output stands where the filter is first full; you compare it
    with the first target, which is K - 1 samples earlier. Causal padding keeps them together."""
    return best_taps(x, y[: len(y) - K + 1], K, padding="valid")


@learn_fir.misconception
def learns_the_way_back(x, y, K):
    """You have swapped input and target: your filter turns y into x. The system turns x into y."""
    return best_taps(y, x, K)


@learn_fir.equivalent
def by_gradient_descent_in_keras(x, y, K):
    return trained_kernel(x, y, K)[::-1]


@learn_fir.equivalent
def by_adam(x, y, K):
    import keras
    import tensorflow as tf

    signal = tf.constant(np.concatenate([np.zeros(K - 1), x])[None, :, None], tf.float32)
    target = tf.constant(y[None, :, None], tf.float32)
    kernel = keras.Variable(np.zeros((K, 1, 1), "float32"))
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.992))
    optimizer.build([kernel])

    def step(n):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((target - tf.nn.conv1d(signal, kernel.value, 1, "VALID")) ** 2)
        optimizer.apply(tape.gradient(loss, [kernel.value]), [kernel])
        return [n + 1]

    # a compiled loop without AutoGraph, which would ask for source that has not travelled along
    tf.function(lambda: tf.while_loop(lambda n: n < 1200, step, [0]))()
    return kernel.numpy()[::-1, 0, 0]


@learn_fir.equivalent
def by_least_squares(x, y, K):
    return best_taps(x, y, K)


@learn_fir.equivalent
def by_steepest_descent(x, y, K):
    heard = np.stack([np.concatenate([np.zeros(i), x[: len(x) - i]]) for i in range(K)], axis=1)  # (T, K)
    h = np.zeros(K)
    for _ in range(300):
        h += heard.T @ (y - heard @ h) / np.sum(x**2) / K
    return h
