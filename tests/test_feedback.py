"""Feedback pages: what stands in them, and that nothing in them can act."""

import html
import os
import re
import stat
import time
from html.parser import HTMLParser

import pytest

from autograder.feedback import (
    HIGHLIGHT_LIMIT,
    SHOWN_LIMIT,
    QuestionReport,
    Report,
    WrittenReport,
    code_lines,
    number,
    render,
    share,
    write,
)
from autograder.judge import CRASHED, FAILED, MISCONCEPTION, PASSED, TIMED_OUT, UNATTEMPTED, Verdict

CODE = 'def fir_filter(x, a):\n    """Filters."""\n\n    return x < a  # & more\n'
HOSTILE = "</code></pre><script>alert(1)</script><img src=x onerror=alert(1)>\"'`<b>`{{ 7 * 7 }}{% raw %}"
VOID = {"meta", "br", "img", "wbr"}


def asked(kind=PASSED, sentence="Right.", points=2.0, code=CODE, name="fir_filter", max_points=4.0):
    return QuestionReport(Verdict(name, kind, sentence), points, max_points, code)


def page(questions=(), written=(), notes=(), assignment="01_filters", student="noether"):
    return render(Report(assignment, student, list(questions), list(written), list(notes)))


class Reader(HTMLParser):
    """Every tag and attribute of a page, and its visible text; checks that tags are closed in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.open, parts = set(), [], [], []
        self.handle_data = lambda data: parts.append(data) if "style" not in self.open else None
        self.feed(text)
        self.close()
        assert self.open == []
        self.text = "".join(parts)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def every_field_hostile():
    return page(
        [asked(kind, HOSTILE, code=HOSTILE, name=HOSTILE) for kind in (FAILED, MISCONCEPTION, HOSTILE)],
        [WrittenReport(HOSTILE, 3, 1, HOSTILE, HOSTILE), WrittenReport(HOSTILE, 3, None, HOSTILE, None)],
        [HOSTILE],
        HOSTILE,
        HOSTILE,
    )


# Nothing in it can act


def test_hostile_text_is_shown_and_never_parsed():
    read = Reader(every_field_hostile())
    assert read.tags <= Reader(page([asked()], [WrittenReport("w", 1, 0, "a", "c")], ["`n`"])).tags
    assert not {"script", "img", "b", "iframe", "form", "input", "link", "object", "base"} & read.tags
    assert not [one for one in read.attributes if one[1].startswith("on")]
    shown = "</code></pre><script>alert(1)</script><img src=x onerror=alert(1)>\"'"
    assert read.text.count(shown) >= 3 * 3 + 2 * 2 + 2
    assert "{{ 7 * 7 }}" in read.text
    assert "script" not in Reader(page([asked(code=HOSTILE * HIGHLIGHT_LIMIT)])).tags


def test_nothing_is_loaded_from_anywhere():
    text = every_field_hostile()
    for tag, name, value in Reader(text).attributes:
        assert name not in {"src", "srcset", "action", "data", "poster", "xlink:href"}, (tag, name)
        if name == "href":
            assert re.fullmatch(r"#[qw]\d+", value)
        if name == "style":
            assert "url" not in value
    style = re.search(r"<style>(.*?)</style>", text, re.S)[1]
    assert "url(" not in style
    assert "@import" not in style


def test_its_own_policy_forbids_scripts_and_requests():
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    head = page().split("<style>")[0]
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in head
    assert head.index("Content-Security-Policy") < head.index("<title>")


def test_control_characters_and_broken_unicode_cannot_break_the_file(tmp_path):
    bad = "a\x00b\x1bc\ud800d\u202ee\r\nf\x85"
    write(
        Report(bad, bad, [asked(sentence=bad, code=bad)], [WrittenReport(bad, 1, 1, bad, bad)], [bad]),
        tmp_path / "x",
    )
    text = (tmp_path / "x").read_bytes().decode("utf-8")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "a\ufffdb\ufffdc\ufffdd\ufffde\nf" in Reader(text).text
    assert "e\ufffd" not in Reader(text).text


# What stands in it


def test_points_so_far_and_what_is_still_to_be_graded():
    written = [WrittenReport("why", 3, None, "So.", None), WrittenReport("how", 2, 1.5, "Thus.", "Good.")]
    text = Reader(page([asked(points=1.25)], written)).text
    assert "2.75 of 9 points so far" in text
    assert "1 written answer is still to be graded." in text
    assert "still to be graded" in text.split("why")[-1]
    assert "2 written answers are still" in Reader(page([], [written[0]] * 2)).text


def test_points_when_all_is_graded():
    text = Reader(page([asked(points=1.0)], [WrittenReport("how", 2, 1.5, "Thus.", "Good.")])).text
    assert "2.5 of 6 points" in text
    assert "so far" not in text
    assert "so far" not in page([], [WrittenReport("how", 2, 0.0, "", None)])
    assert "still to be graded" not in text


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (UNATTEMPTED, "not attempted"),
        (PASSED, "right"),
        (MISCONCEPTION, "a known mistake"),
        (FAILED, "not right yet"),
        (CRASHED, "stops with an error"),
        (TIMED_OUT, "takes too long"),
        ("forbidden", "forbidden"),
    ],
)
def test_every_kind_has_a_word_a_symbol_and_its_sentence(kind, word):
    text = page([asked(kind, "The sentence of `n` it.")])
    assert f"<span>{word}</span>" in text
    assert f'role="img" aria-label="{word}">' in text
    symbols = set(re.findall(r'class="sign"[^>]*>(.)</span>', text))
    assert len(symbols) == 1
    assert "The sentence of <code>n</code> it." in text
    assert ("This looks like: The sentence" in text) == (kind == MISCONCEPTION)


def test_kinds_have_different_symbols():
    kinds = [UNATTEMPTED, PASSED, MISCONCEPTION, FAILED, CRASHED, TIMED_OUT]
    text = page([asked(kind) for kind in kinds])
    assert len(set(re.findall(r'class="sign"[^>]*>(.)</span>', text))) == len(kinds)


def test_the_bar_is_the_share_of_the_points():
    assert 'width="25.0" height="8"' in page([asked(points=1.0)])
    assert share(asked(points=0)) == 0
    assert share(asked(points=9.0)) == 1
    assert share(asked(points=-1.0)) == 0
    assert share(asked(points=1.0, max_points=0.0)) == 0
    assert share(WrittenReport("w", 2, None, "", None)) == 0


def test_code_is_coloured_numbered_and_unchanged():
    lines = code_lines(CODE)
    assert len(lines) == 4
    assert '<span class="k">def</span>' in lines[0]
    assert [html.unescape(re.sub("<[^>]+>", "", line)) for line in lines] == CODE.rstrip("\n").split("\n")
    assert page([asked()]).count('<span class="l">') == 4


@pytest.mark.parametrize(
    "code", ["x = '''a\n\nb'''", "a\r\nb", "\n\n  x\n\n", "def (", "a\x0cb\u2028c", "\ty = 1"]
)
def test_odd_code_keeps_its_lines(code):
    plain = code.replace("\r\n", "\n").strip("\n").split("\n")
    assert [html.unescape(re.sub("<[^>]+>", "", line)) for line in code_lines(code)] == plain


def test_code_that_is_too_long_is_cut_and_that_costs_no_time():
    start = time.perf_counter()
    for code in ("\n \n" * 6600, "x" * 10**7, "(" * HIGHLIGHT_LIMIT, "'''" * 6000, "f'{" * 6000):
        assert sum(map(len, code_lines(code))) < 40 * SHOWN_LIMIT
    assert time.perf_counter() - start < 10
    assert not any("<span" in line for line in code_lines("def f():" + "\n \n" * 6000 + "return"))
    assert "the rest is not shown" in code_lines("x" * 10**7)[-1]
    assert len(page([], [WrittenReport("w", 1, 1, "y" * 10**7, "z" * 10**7)])) < 3 * SHOWN_LIMIT


def test_a_written_answer_keeps_its_lines_and_its_comment():
    text = page([], [WrittenReport("why", 3, 2, "First.\n\n  * second <b>", "Good\nwork.")])
    assert "First.\n\n  * second &lt;b&gt;</div>" in text
    assert "Good\nwork.</div>" in text
    assert "No answer." in page([], [WrittenReport("why", 3, 0, "  \n", None)])
    assert "Comment" not in Reader(page([], [WrittenReport("why", 3, 0, "x", None)])).text


def test_notes_stand_first():
    text = page([asked()], notes=["The cell `test_fir_filter` had been edited."])
    assert "The cell <code>test_fir_filter</code> had been edited." in text
    assert text.index("had been edited") < text.index('id="q1"')
    assert "Before grading" not in page([asked()])


def test_an_empty_report_is_a_page():
    assert "0 of 0 points" in Reader(page()).text


@pytest.mark.parametrize(
    ("points", "text"),
    [(3.0, "3"), (2.5, "2.5"), (1 / 3, "0.33"), (0, "0"), (100, "100"), (1234567.0, "1234567")],
)
def test_points_are_written_as_one_writes_them(points, text):
    assert number(points) == text


def test_it_reads_on_a_phone_in_the_dark_and_on_paper():
    text = page()
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    for query in ("prefers-color-scheme: dark", "max-width", "print"):
        assert f"@media ({query}" in text or f"@media {query}" in text
    assert '<html lang="en">' in text


# How it is written


def test_write_is_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "feedback.html"
    path.write_text("before")
    report = Report("a", "s", [asked()], [], [])

    def fails(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fails)
        with pytest.raises(OSError, match="disk full"):
            write(report, path)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["feedback.html"]
    write(report, str(path))
    assert path.read_text(encoding="utf-8") == render(report)
    assert os.listdir(tmp_path) == ["feedback.html"]
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_render_is_deterministic():
    assert every_field_hostile() == every_field_hostile()


@pytest.mark.parametrize(
    ("points", "answer", "word"),
    [(None, "So.", "still to be graded"), (0, "So.", "graded by hand"), (0, " \n", "not attempted")],
)
def test_a_written_answer_says_where_it_stands(points, answer, word):
    assert word in page([], [WrittenReport("why", 3, points, answer, None)])
