"""The student's self-check: what it says, what it needs, and the bytes of the file behind it."""

import html
import io
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from autograder import selfcheck, selfcheck_data
from autograder.channel import Foreign
from autograder.compare import close
from autograder.judge import Answer, Expectation, judge
from autograder.probe import ask_here, compile_probe
from autograder.question import CourseError, question
from autograder.selfcheck import FILE_NAME, check, load, make
from autograder.selfcheck_data import arrived
from autograder.selfcheck_view import Row, SelfCheck, abbreviate, plot, prose

PROBE = "def fir_filter(student, x, a):\n    return student.fir_filter(x, a)\n"
EXAMPLES = [([1.0, 0, 0, 0], [0.5, 0.25]), ([1.0, 2, 3, -1, 2, 3, 5], [1.0, -1.0])]
AHEAD = "You read samples ahead, `x[n+i]`: that is cross-correlation."


@question(examples=EXAMPLES, draws=lambda rng: ("SECRET", rng), compare=close(rtol=1e-6))
def fir_filter(student, x, a):
    return student.fir_filter(x, a)


@fir_filter.misconception(credit=0.25)
def looks_ahead(x, a):
    """You read samples ahead, `x[n+i]`: that is cross-correlation."""


@fir_filter.misconception
def accepts_no_signal(x, a):
    """A sentence about an error: ½."""


def right(x, a):
    return np.convolve(x, a)[: len(x)]


def ahead(x, a):
    padded = np.concatenate([x, np.zeros(len(a))])
    return np.array([a @ padded[n : n + len(a)] for n in range(len(x))])


def refuses(x, a):
    raise ArithmeticError("no signal")


def stub(x, a):
    raise NotImplementedError("fill this in")


def crashes(x, a):
    y = np.zeros(len(x))
    y[len(x)] = 1  # one too far
    return y


def answers(function, noise=0.0):
    probe = compile_probe(PROBE, "fir_filter")
    asked = [ask_here(probe, {"fir_filter": function}, tuple(map(arrived, example))) for example in EXAMPLES]
    return [one if one.value is None else Answer("value", one.value * (1 + noise)) for one in asked]


def made(noise=0.0, previous=None):
    wrong = {"looks_ahead": answers(ahead, noise), "accepts_no_signal": answers(refuses)}
    expectation = Expectation(len(EXAMPLES), [one.value for one in answers(right, noise)], wrong)
    return make("01_filter_design", [(fir_filter, PROBE, expectation)], previous)


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """The current folder holds a released file."""
    (tmp_path / FILE_NAME).write_text(made(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(found):
    """Both renderings, which have to say the same."""
    text, page = repr(found), found._repr_html_()
    return text, html.unescape(re.sub(r"<[^>]+>", "", page.replace("<br>", " ")))


# What it says


def test_right_answers_pass_and_hidden_inputs_still_decide(beside):
    found = check("fir_filter", right)
    assert found.passed
    assert found.kind == "passed"
    for view in shown(found):
        assert "2 of 2 examples right" in view
        assert "Hidden inputs still decide" in view
        assert "every hidden input" not in view
        assert "x = [1, 0, 0, 0]" in view
        assert "a = [0.5, 0.25]" in view


def test_a_misconception_is_named(beside):
    found = check("fir_filter", ahead)
    assert not found.passed
    assert found.kind == "misconception"
    text, page = shown(found)
    assert f"This looks like: {AHEAD}" in text
    assert f"This looks like: {AHEAD.replace('`', '')}" in page


def test_a_misconception_that_raises_is_named(beside):
    assert "A sentence about an error: ½." in repr(check("fir_filter", refuses))


def test_the_comparison_s_sentence_stands_at_its_example(beside):
    found = check("fir_filter", lambda x, a: right(x, a) if len(x) == 4 else np.convolve(x, a))
    assert found.kind == "failed"
    for view in shown(found):
        assert "1 of 2 examples right" in view
        assert "expected shape (7,), got (8,)" in view
        assert "looks like" not in view


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda x, a: None, "got None (is there a `return`?)"),
        (lambda x, a: "text", "got a text"),
        (lambda x, a: object(), "an object of type object"),
        (lambda x, a: right(x, a) + 1j, "expected real numbers, got complex numbers"),
        (lambda x, a: right(x, a) * np.nan, "infinite or not a number"),
        (lambda x: x, "takes 1 positional argument but 2 were given"),
    ],
)
def test_wrong_results_are_told_apart(beside, wrong, sentence):
    found = check("fir_filter", wrong)
    assert not found.passed
    assert sentence in repr(found)
    assert sentence.replace("`", "") in shown(found)[1]


def test_an_argument_changed_in_place(beside):
    def in_place(x, a):
        y = right(x, a)
        x[:] = 0
        return y

    found = check("fir_filter", in_place)
    assert not found.passed
    assert "changes its argument `x` in place" in repr(found)


def test_a_stub_is_not_attempted_and_shows_no_error(beside):
    found = check("fir_filter", stub)
    assert found.kind == "unattempted"
    for view in shown(found):
        assert "Not attempted yet" in view
        assert "Traceback" not in view
        assert "NotImplementedError" not in view


def test_an_error_comes_with_its_example_and_the_student_s_line(beside):
    found = check("fir_filter", crashes)
    assert found.kind == "crashed"
    for view in shown(found):
        assert "Example 1 stops with IndexError: index 4 is out of bounds" in view
        assert "y[len(x)] = 1  # one too far" in view
        assert "crashes" in view
        assert f"line {crashes.__code__.co_firstlineno + 2}" in view
        assert "Traceback" not in view
        assert "probe" not in view


def test_an_error_within_a_library_points_to_the_student_s_line(beside):
    def asks_numpy(x, a):
        return np.concatenate([x, np.linalg.inv(np.zeros((2, 2)))[0]])

    text = repr(check("fir_filter", asks_numpy))
    assert "LinAlgError" in text
    assert "return np.concatenate" in text
    assert "linalg.py" not in text


def padded_to(x, length):
    return np.pad(x, (0, length - len(x)))  # fails where the length is less


def test_an_error_points_to_the_innermost_line_of_the_student(beside):
    text = repr(check("fir_filter", lambda x, a: padded_to(x, 2)))
    assert "`padded_to`, line" in text
    assert "# fails where the length is less" in text


def test_leaving_and_interrupting_are_caught(beside):
    calls = []

    def interrupted(x, a):
        calls.append(len(x))
        raise KeyboardInterrupt

    assert "SystemExit" in repr(check("fir_filter", lambda x, a: sys.exit(3)))
    assert "KeyboardInterrupt" in repr(check("fir_filter", interrupted))
    assert calls == [4], "after the student stopped it, no further example runs"


def test_a_call_in_place_of_the_function(beside):
    found = check("fir_filter", right(np.ones(4), np.ones(2)))
    assert found.kind == "problem"
    assert not found.passed
    assert "the function or class `fir_filter` itself. Received: an array of shape (4,)" in repr(found)
    assert 'check("fir_filter", fir_filter)' in shown(found)[1]


def test_an_object_that_fails_when_looked_at(beside):
    class Nasty:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError

    assert "Received: an object of type Nasty" in repr(check("fir_filter", Nasty()))


def test_a_probe_whose_package_is_missing(beside):
    text = made().replace('["def', '["import no_such_package", "def')
    (beside / FILE_NAME).write_text(text)
    assert "lacks a package: No module named 'no_such_package'" in repr(check("fir_filter", right))


def test_a_class_is_asked_like_a_function(beside):
    class fir_filter:  # noqa: N801
        def __init__(self, x, a):
            self.y = right(x, a)

        def __array__(self, dtype=None, copy=None):
            return self.y

    assert check("fir_filter", fir_filter).passed


def test_the_name_may_be_left_out_or_given_as_the_function(beside, monkeypatch):
    names = vars(sys.modules["__main__"])
    assert "`fir_filter` is missing" in repr(check("fir_filter"))
    monkeypatch.setitem(names, "fir_filter", right)
    assert check("fir_filter").passed
    assert "has no question `stub`" in repr(check(stub))


def test_other_names_of_the_notebook_are_there(tmp_path, monkeypatch):
    (tmp_path / FILE_NAME).write_text(made().replace('(x, a)"]', '(x, a) * student.gain"]'))
    monkeypatch.chdir(tmp_path)
    assert "`gain` is missing" in repr(check("fir_filter", right))
    monkeypatch.setitem(vars(sys.modules["__main__"]), "gain", 1.0)
    assert check("fir_filter", right).passed


def test_an_unknown_question_lists_the_known_ones(beside):
    for view in shown(check("fir_fliter", right)):
        assert all(part in view for part in ("fir_fliter", "01_filter_design", "It has: ", "fir_filter"))


def test_a_name_that_is_no_name(beside):
    assert "expects the question's name in quotes" in repr(check(3, right))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"questions": [3]}', "\xff\xfe", made()[:400]])
def test_a_damaged_file_is_one_sentence(beside, content):
    (beside / FILE_NAME).write_text(content, encoding="latin-1")
    found = check("fir_filter", right)
    assert found.kind == "problem"
    assert "Copy it anew" in repr(found)


def test_a_missing_file_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for view in shown(check("fir_filter", right)):
        assert FILE_NAME in view
        assert str(tmp_path) in view
        assert "beside the notebook" in view


def test_the_notebook_s_folder_in_vs_code(beside, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert check("fir_filter", right).kind == "problem"
    monkeypatch.setitem(vars(sys.modules["__main__"]), "__vsc_ipynb_file__", str(beside / "01.ipynb"))
    assert check("fir_filter", right).passed
    Path(FILE_NAME).write_text(make("02_another", []))
    assert check("fir_filter", right).passed


def test_nothing_goes_to_standard_error(beside):
    done = run(
        f"""
        import os
        os.chdir({str(beside)!r})
        import numpy as np
        from autograder import check
        def noisy(x, a):
            print("noise", file=sys.stderr)
            np.float64(1) / np.float64(0)
            return np.convolve(x, a)[:len(x)]
        def stub(x, a):
            raise NotImplementedError
        assert check("fir_filter", noisy).passed
        for given in (stub, print, 3, None, open("{FILE_NAME}")):
            found = check("fir_filter", given)
            assert repr(found) and found._repr_html_() and not found.passed
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "noise" in done.stdout
    assert "divide by zero" in done.stdout


# How it looks


def test_html_is_escaped_and_loads_nothing(beside):
    def hostile(x, a):
        raise ValueError("<script>alert(1)</script> \ud800 <img src=x>")

    page = check("fir_filter", hostile)._repr_html_()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    page.encode("utf-8")
    assert "<script" not in check("<script>", right)._repr_html_()
    tags = "".join(re.findall(r"<[^>]+>", page + check("fir_filter", ahead)._repr_html_()))
    assert "polyline" in tags
    assert not re.search(r"\b(src|href|url|on\w+)\s*[=(]", tags)
    row = Row(["x = '<script>'"], None, Answer("none"), None, "")
    assert "<script" not in SelfCheck("q", "failed", "", (row,))._repr_html_()


def test_states_are_words_not_colour_alone(beside):
    page = check("fir_filter", lambda x, a: right(x, a) if len(x) == 4 else crashes(x, a))._repr_html_()
    words = re.sub(r"<[^>]+>", "|", page)
    assert "✓" in words
    assert "right|" in words
    assert "!" in words
    assert "stops with an error|" in words
    assert "background:#fff" not in page
    assert "color:#000" not in page


def test_plot_of_real_signals_only():
    signal = np.array([0.0, 1.0, 0.5])
    picture = plot(signal, signal + 1)
    assert picture.count("<polyline") == 4  # two curves, two in the legend
    assert "expected</text>" in picture
    assert "yours</text>" in picture
    assert "off the scale" in plot(signal, signal * 1e9)
    assert "nan" not in plot(signal, np.array([np.nan, np.inf, 1e308]))
    for other in (None, 1j * signal, np.ones((2, 2)), np.array(1.0), np.ones(1), signal > 0):
        assert plot(signal, other) == "" == plot(other, signal)
    assert len(plot(np.zeros(10**6), np.ones(10**6))) < 100_000


def test_a_constant_plot_has_height():
    assert "nan" not in plot(np.zeros(4), np.zeros(4))
    assert plot(np.full(4, np.nan), np.zeros(4)) == ""


def test_text_survives_a_narrow_encoding(beside, monkeypatch):
    found = check("fir_filter", right)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    repr(found).encode("ascii")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.arange(9), "[0, 1, 2, 3, 4, 5, … 9 values]"),
        (np.array([0.5, 1 / 3]), "[0.5, 0.3333]"),
        (np.array(3), "3"),
        (np.array(True), "True"),
        (np.array(2 - 1j), "2-1j"),
        (np.ones((3, 4)), "an array of shape (3, 4)"),
        (None, "None"),
        ("hann", "'hann'"),
        ([np.ones(2), "x"], "a list of unequal parts"),
    ],
)
def test_inputs_are_abbreviated(value, text):
    assert abbreviate(value) == text


def test_prose_marks_code_and_escapes():
    assert prose("read `x[n-i]` & <b>") == "read <code>x[n-i]</code> &amp; &lt;b&gt;"


# The file


def test_the_file_carries_what_judge_needs():
    loaded = load(made()).questions["fir_filter"]
    assert loaded.arguments == ("x", "a")
    assert loaded.compare == close(rtol=1e-6)
    assert list(loaded.misconceptions) == ["looks_ahead", "accepts_no_signal"]  # the order decides
    assert loaded.misconceptions["looks_ahead"] == fir_filter.misconceptions["looks_ahead"]
    verdict = judge(loaded, loaded.expectation, answers(ahead))
    assert (verdict.misconception, verdict.credit) == ("looks_ahead", 0.25)
    assert judge(loaded, loaded.expectation, answers(refuses)).misconception == "accepts_no_signal"
    assert judge(loaded, loaded.expectation, answers(right)).kind == "passed"


def test_the_file_holds_no_code_but_the_probe_and_no_message():
    text = made()
    assert text.isascii()
    assert text.endswith("\n}\n")
    assert not text.endswith("\n\n")
    for forbidden in ("convolve", "padded", "no signal", "draws", "SECRET"):
        assert forbidden not in text


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        Foreign("Thing"),
        np.array(3),
        np.array(True),
        np.array([2**62, -1]),
        np.array([1, 255], np.uint8),
        np.array([[0.1, -2.5]], np.float32),
        np.array([0.1, np.nan, np.inf, -np.inf]),
        np.array([1 + 2j, -0.5j]),
        np.array([1 + 2j], np.complex64),
        np.zeros((0, 3)),
        np.array(0.25),
        [np.array([1.0, 2.0]), None, [Foreign("Thing"), "a"], np.array([1])],
        {"a": np.array([1.5]), "b": "c"},
    ],
    ids=repr,
)
def test_every_kind_of_value_survives(value):
    for rtol in (None, 1e-6):
        tree = json.loads(json.dumps(selfcheck_data._freeze(value, rtol), allow_nan=False))
        alike(selfcheck_data._thaw(tree), value)


def alike(got, value):
    assert type(got) is type(value)
    if isinstance(value, np.ndarray):
        assert got.dtype == value.dtype
        assert got.shape == value.shape
        np.testing.assert_array_equal(got, value)
    elif isinstance(value, (list, dict)):
        assert len(got) == len(value)
        keys = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            alike(got[key], value[key])
    else:
        assert got == value


def test_long_doubles_become_doubles():
    assert selfcheck_data._freeze(np.ones(1, np.longdouble), 1e-3)["dtype"] == "float64"
    assert selfcheck_data._freeze(np.ones(1, np.clongdouble), 1e-3)["dtype"] == "complex128"


def test_inputs_are_exact_and_outputs_are_not():
    rng = np.random.default_rng(0)
    for dtype in (np.float64, np.float32, np.float16):
        bits = rng.integers(0, 256, 4000, np.uint8).view(dtype)
        bits = bits[np.isfinite(bits)]
        exact = selfcheck_data._thaw(json.loads(json.dumps(selfcheck_data._freeze(bits))))
        assert exact.tobytes() == bits.tobytes()
    data = selfcheck_data._freeze(np.array([1.0, 1 / 3, -2e-6]), 1e-3)["data"]
    assert data[1] != 1 / 3
    assert len(str(data[1])) <= 8
    assert str(data[2]) == "0.0"


@pytest.mark.parametrize("rtol", [1e-2, 5e-4, 1e-6, 1e-9])
def test_rounding_stays_within_a_tenth_of_the_tolerance(rtol):
    rng = np.random.default_rng(1)
    for scale in (1e-9, 0.1, 1.0, 1.36, 1.38, 1e6, 1e300):
        values = rng.uniform(-1, 1, 200) * scale
        back = selfcheck_data._thaw(selfcheck_data._freeze(values, rtol))
        assert np.max(np.abs(back - values)) <= 0.1 * rtol * np.max(np.abs(values))
        wave = values + 1j * values[::-1]
        back = selfcheck_data._thaw(selfcheck_data._freeze(wave, rtol))
        assert np.max(np.abs(back - wave)) <= 0.1 * rtol * np.max(np.abs(wave))


def test_noise_of_float64_changes_no_byte():
    """Values that one meets: powers of two, thirds and decimals, at scales that are powers of ten."""
    common = np.array([1.0, *0.5 ** np.arange(1, 40), 1 / 3, 2 / 3, 0.1, 0.7, *np.sin(np.arange(50.0))])
    rng = np.random.default_rng(2)
    for rtol in (1e-2, 1e-3, 1e-6):
        for scale in (1.0, 10.0, 0.5, 2.0, np.sqrt(2), 1000.0):
            text = selfcheck_data._freeze(common * scale, rtol)
            for _ in range(5):
                noisy = common * scale * (1 + rng.uniform(-1e-13, 1e-13, common.shape))
                assert selfcheck_data._freeze(noisy, rtol) == text
    assert made(noise=1e-13) == made() == made()


def test_noise_of_training_changes_no_byte_beside_the_file_made_before():
    rng = np.random.default_rng(3)
    values = rng.normal(size=5000)
    before = selfcheck_data._freeze(values, 1e-3)
    noisy = values * (1 + rng.uniform(-1e-6, 1e-6, values.shape))
    assert selfcheck_data._freeze(noisy, 1e-3) != before, "rounding alone cannot promise this"
    assert selfcheck_data._freeze(noisy, 1e-3, before) == before
    assert made(noise=9e-8, previous=made()) == made()


def test_a_change_beyond_noise_is_written_though_a_file_was_made_before():
    assert made(noise=2e-6, previous=made()) == made(noise=2e-6) != made()


@pytest.mark.parametrize(
    "previous", ["", "{", "[]", '{"questions": 3}', '{"questions": [{"name": "fir_filter"}]}']
)
def test_a_previous_file_that_is_none_is_ignored(previous):
    assert made(previous=previous) == made()


def test_arrays_stand_on_one_line():
    text = selfcheck_data._write({"b": [{"dtype": "int64", "data": list(range(999))}], "a": ["y" * 99] * 3})
    assert len(text.splitlines()) == 10
    assert list(json.loads(text)) == ["a", "b"]
    lines = made().splitlines()
    assert '     "expected": {"data": [0.5, 0.25, 0.0, 0.0], "dtype": "float64", "shape": [4]},' in lines


def test_an_input_that_cannot_be_sent_is_the_author_s_error():
    bad = question(examples=[({1, 2}, [1.0])], draws=lambda rng: (), compare=close(rtol=1e-6))(
        fir_filter_like
    )
    with pytest.raises(CourseError, match="example 1: an argument is set"):
        make("x", [(bad, PROBE, Expectation(1, [np.ones(1)], {}))])


def test_answers_to_hidden_inputs_are_refused():
    values = [one.value for one in answers(right)]
    for more, wrong in ((values[:1], []), ([], answers(ahead)[:1])):
        theirs = {"looks_ahead": answers(ahead) + wrong, "accepts_no_signal": answers(refuses)}
        with pytest.raises(ValueError, match="zip"):
            make("x", [(fir_filter, PROBE, Expectation(len(EXAMPLES), values + more, theirs))])


def fir_filter_like(student, x, a):
    return None


# Where it runs


def run(script):
    root = Path(selfcheck.__file__).parents[1]
    code = f"import sys\nsys.path.insert(0, {str(root)!r})\n" + textwrap.dedent(script)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=root)


def test_it_runs_where_unix_is_missing(beside):
    done = run(
        f"""
        for name in ("resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "syslog", "matplotlib"):
            sys.modules[name] = None
        import os
        os.chdir({str(beside)!r})
        import autograder
        from autograder import check
        import numpy as np
        def fir_filter(x, a):
            return np.convolve(x, a)[:len(x)]
        found = autograder.check("fir_filter", fir_filter)
        assert found.passed and "<svg" in found._repr_html_()
        print("done")
        """
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_import_is_light():
    done = run(
        """
        from autograder import check
        heavy = {"nbgrader", "tensorflow", "keras", "matplotlib", "typer", "rich", "jinja2", "IPython",
                 "pygments", "scipy", "traitlets", "resource", "fcntl"}
        print(sorted(heavy & set(sys.modules)))
        """
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_jupyter_shows_it_once(beside):
    from IPython.core import interactiveshell as interactive

    shell = interactive.InteractiveShell()
    shell.run_cell("import numpy as np\nfrom autograder import check")
    shell.run_cell("def fir_filter(x, a):\n    y = np.zeros(3)\n    y[3] = x[0]\n    return y")
    found = shell.run_cell("check('fir_filter', fir_filter)").result
    shown_as, _ = shell.display_formatter.format(found)
    assert {"text/plain", "text/html"} <= set(shown_as)
    assert "`fir_filter`, line 3: `y[3] = x[0]`" in shown_as["text/plain"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(22050.0, "22050"), (0.125, "0.125"), (1 / 3, "0.3333"), (-2.0, "-2"), (1e9, "1e+09"), (2 + 1j, "2+1j")],
)
def test_numbers_are_written_as_a_reader_would(value, text):
    assert abbreviate(np.array(value)) == text
    assert abbreviate(np.array([value])) == f"[{text}]"
