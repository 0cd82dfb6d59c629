"""A causal filter that slides over a signal, animated."""

import json
from html import escape
from string import Template
from uuid import uuid4

import numpy as np

from mlsp_tf.plots.style import COLOURS

WIDTH, LEFT, RIGHT = 760, 70, 16  # of the drawing and its margins, in SVG units
ROW, PITCH, TOP = 78, 104, 8  # height of a row; from one row to the next; above the first
HEIGHT = TOP + 2 * PITCH + ROW + 26
SIGNAL, TAPS, OUTPUT = COLOURS[:3]
LIMIT = 200  # samples; more could not be told apart

PAGE = Template("""\
<div id="$id" style="max-width:${width}px; background:#fff; color:#222; font:13px sans-serif; padding:4px">
<svg viewBox="0 0 $width $height" width="100%" role="img" aria-label="$summary">$drawing</svg>
<div class="controls" style="display:none; align-items:center; gap:10px">
  <button type="button" style="min-width:6em">play</button>
  <input type="range" min="0" max="$last" value="$n" style="flex:1"
    aria-label="position n of the filter, in samples">
</div>
<div class="sum" style="font:13px monospace; min-height:2.6em; padding:6px 0">$sum</div>
</div>
<script>
(() => {
  const root = document.getElementById("$id");
  if (!root) return;
  const x = $x, a = $a, y = $y, step = $step, last = $last;
  const slider = root.querySelector("input"), button = root.querySelector("button");
  const outputs = [...root.querySelectorAll(".output")];
  const number = (value) => value.toFixed(2).replace("-", "\\u2212");
  let timer = null;

  function draw(n) {
    root.querySelector(".slide").setAttribute("transform", "translate(" + n * step + " 0)");
    outputs.forEach((stem, k) => { stem.style.opacity = k < n ? 0.5 : k === n ? 1 : 0; });
    const terms = a.map((tap, i) => [tap, n - i]).filter((term) => term[1] >= 0);
    root.querySelector(".sum").textContent = "y[" + n + "] = "
      + terms.map(([tap, k]) => number(tap) + " \\u00b7 x[" + k + "]").join(" + ") + " = "
      + terms.map(([tap, k]) => number(tap) + " \\u00b7 (" + number(x[k]) + ")").join(" + ")
      + " = " + number(y[n]);
  }
  function pause() {
    clearInterval(timer);
    timer = null;
    button.textContent = "play";
  }
  function advance() {
    if (!root.isConnected) return pause();
    slider.value = +slider.value + 1;
    draw(+slider.value);
    if (+slider.value >= last) pause();
  }
  function play() {
    if (+slider.value >= last) slider.value = 0;
    button.textContent = "pause";
    timer = setInterval(advance, $interval);
    draw(+slider.value);
  }
  button.onclick = () => timer ? pause() : play();
  slider.oninput = () => { pause(); draw(+slider.value); };
  root.querySelector(".controls").style.display = "flex";
  draw(+slider.value);
})();
</script>
""")


class SlidingFilter:
    """The animation; Jupyter shows it. Where scripts do not run, it is a still picture of one position."""

    def __init__(self, parts):
        self.parts = parts

    def _repr_html_(self):
        # an id of its own for each display, as two outputs may stand on one page
        name = f"sliding-filter-{uuid4().hex}"
        drawing = self.parts["drawing"].replace("CLIP", f"{name}-clip")
        return PAGE.substitute(self.parts, id=name, drawing=drawing)


def sliding_filter(x, a, seconds=8.0):
    """Show how y[n] = Σ a[i] x[n-i] comes about, with a button to play and a slider to move the filter.

    The upper row is the signal, the middle one the taps at the samples that they meet, with a[0] at the
    newest, and the lower one the output as far as it is known. Before the first sample there is silence.
    Each row has a scale of its own.

    Args:
        x: signal, shape `(T,)`, at most 200 samples.
        a: taps, shape `(P + 1,)`, the newest sample's first; at most 200.
        seconds: how long one run takes.

    Returns:
        An object that Jupyter displays.

    Raises:
        ValueError: where `x` or `a` is not one row of numbers, is empty, or is too long to be seen.

    Example:
        >>> sliding_filter([0, 1, 0, 0, 0, 0], [0.6, 0.3, 0.1])  # the taps come out, one after the other
    """
    x, a = np.asarray(x, float), np.asarray(a, float)
    for name, values in (("x", x), ("a", a)):
        if values.ndim != 1 or not 1 <= len(values) <= LIMIT:
            raise ValueError(
                f"sliding_filter expects {name} of shape (T,) with 1 to {LIMIT} numbers. "
                f"Received: shape {values.shape}. Take one short piece, for example {name}[:60]."
            )
    y = np.convolve(x, a)[: len(x)]
    step = (WIDTH - LEFT - RIGHT) / len(x)
    n = min(len(x) - 1, max(len(x) // 3, len(a) - 1))  # where the still picture stands
    drawing = [
        _row_name("signal x", 0, SIGNAL),
        *_stems(x, 0, step, SIGNAL, "signal"),
        _row_name("taps a", 1, TAPS),
        _slide(a, step, n),
        _row_name("output y", 2, OUTPUT),
        *_stems(y, 2, step, OUTPUT, "output", known=n),
        _text(WIDTH - RIGHT, HEIGHT - 4, "time n in samples →", "#444", "end"),
    ]
    summary = (
        f"A filter with {len(a)} taps slides over a signal of {len(x)} samples. At each position n its taps, "
        "a[0] at the newest sample, are multiplied with the samples above them; the sum is y[n]."
    )
    parts = {
        "width": WIDTH,
        "height": HEIGHT,
        "summary": escape(summary, quote=True),
        "drawing": "\n".join(drawing),
        "sum": f"y[{n}] = {y[n]:.2f}",
        "n": n,
        "last": len(x) - 1,
        "step": f"{step:.3f}",
        "interval": max(20, round(1000 * seconds / len(x))),  # ms
    }
    parts |= {name: json.dumps(np.round(row, 6).tolist()) for name, row in (("x", x), ("a", a), ("y", y))}
    return SlidingFilter(parts)


def _middle(row):
    """Height of a row's zero line."""
    return TOP + row * PITCH + ROW / 2


def _slide(a, step, n):
    """The part that moves: drawn at n = 0, then shifted. Tap i stands i samples before n."""
    newest = LEFT + step / 2
    bottom = _middle(1) + ROW / 2
    shade = (
        f'<rect x="{LEFT + (1 - len(a)) * step:.2f}" y="0" width="{len(a) * step:.2f}" '
        f'height="{bottom + 4:.2f}" fill="{TAPS}" opacity="0.13"/>'
    )
    arrow = (
        f'<line x1="{newest:.2f}" x2="{newest:.2f}" y1="{bottom + 20:.2f}" y2="{_middle(2) - ROW / 2:.2f}" '
        f'stroke="{TAPS}" stroke-width="2"/>'
    )
    name = _text(newest, bottom + 16, "a[0]", TAPS, "middle")
    stems = "".join(_stems(a, 1, -step, TAPS, "tap"))
    # the clip keeps taps that lie before the first sample off the row's name
    return (
        f'<clipPath id="CLIP"><rect x="{LEFT - 4}" y="0" width="{WIDTH}" height="{HEIGHT}"/></clipPath>'
        f'<g clip-path="url(#CLIP)"><g class="slide" transform="translate({n * step:.3f} 0)">'
        f"{shade}{stems}{name}{arrow}</g></g>"
    )


def _stems(values, row, step, colour, name, known=None):
    """One stem a value, `step` apart; those after number `known` are there, but cannot be seen yet."""
    middle, radius = _middle(row), min(4.0, 0.4 * abs(step))
    scale = (ROW / 2 - radius) / (np.max(np.abs(values)) or 1.0)
    for k, value in enumerate(values):
        where = LEFT + abs(step) / 2 + k * step
        tip = middle - value * scale
        opacity = 1 if known is None or k == known else 0.5 if k < known else 0
        yield (
            f'<g class="{name}" style="opacity:{opacity}">'
            f'<line x1="{where:.2f}" x2="{where:.2f}" y1="{middle:.2f}" y2="{tip:.2f}" '
            f'stroke="{colour}" stroke-width="2"/>'
            f'<circle cx="{where:.2f}" cy="{tip:.2f}" r="{radius:.2f}" fill="{colour}"/></g>'
        )


def _row_name(text, row, colour):
    line = (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_middle(row):.2f}" y2="{_middle(row):.2f}" '
        'stroke="#999"/>'
    )
    return line + _text(2, _middle(row) + 4, text, colour, "start")


def _text(x, y, text, colour, anchor):
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="13" fill="{colour}" text-anchor="{anchor}">{text}</text>'
    )
