"""A question's name and the student's function in; a table of the question's examples out.

`check("fir_filter", fir_filter)` runs where the student works, on any system, and needs only the file
`self_check.json` beside the notebook (`autograder.selfcheck_data` makes and reads it).
"""

import contextlib
import sys
import traceback
from linecache import getline
from pathlib import Path

from autograder.compare import describe
from autograder.judge import PASSED, Answer, compare_all, judge
from autograder.probe import ask_here, compile_probe
from autograder.selfcheck_data import FILE_NAME, UNREADABLE, arrived, load, make
from autograder.selfcheck_view import PROBLEM, Row, SelfCheck, abbreviate

__all__ = ["FILE_NAME", "check", "load", "make"]
ABSENT = object()


class _Problem(Exception):
    """Why nothing could be checked, in a sentence for the student."""


def check(name, answer=ABSENT):
    """Try a question's examples on `answer` and show which of them hold.

    check("fir_filter", fir_filter) → a table, in Jupyter as HTML; `.passed` where every example holds

    name: the question's name, which is that of the function or class
    answer: the function or class itself; left out, it is the one of that name in the notebook

    Returns a `SelfCheck` whatever the student's code does: nothing is raised, and nothing goes to
    standard error, where it would cost points in some graders.
    """
    if callable(name) and answer is ABSENT:
        name, answer = getattr(name, "__name__", ""), name
    try:
        names = notebook_names()
        question = _find(name, names)
        return _try_examples(question, names, answer)
    except _Problem as problem:
        return SelfCheck(name if isinstance(name, str) else "check", PROBLEM, str(problem))


def notebook_names():
    """The names that the student's cells define."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return vars(sys.modules["__main__"]) if shell is None else shell.user_ns


def _find(name, names):
    """The question of that name in the file beside the notebook."""
    if not isinstance(name, str):
        raise _Problem(
            "`check` expects the question's name in quotes, then the function, as in "
            f'`check("fir_filter", fir_filter)`. Received first: {_received(name)}.'
        )
    folders = [Path.cwd()]
    if isinstance(names.get("__vsc_ipynb_file__"), str):  # VS Code says where the notebook is
        folders.insert(0, Path(names["__vsc_ipynb_file__"]).parent)
    path = next((folder / FILE_NAME for folder in folders if (folder / FILE_NAME).is_file()), None)
    if path is None:
        raise _Problem(
            f"`check` reads the examples from `{FILE_NAME}`, which comes with the notebook; there is none in "
            f"`{folders[0]}`. Put it beside the notebook, or `%cd` to the folder that holds both."
        )
    try:
        released = load(path.read_text(encoding="utf-8"))
    except UNREADABLE:
        raise _Problem(
            f"`check` cannot read `{path}`: it is damaged, or made for another version of this package. "
            "Copy it anew from the assignment's folder, and update the package."
        ) from None
    if name not in released.questions:
        raise _Problem(
            f"`{released.assignment}` has no question `{name[:80]}`. "
            f"It has: {', '.join(f'`{known}`' for known in released.questions)}."
        )
    return released.questions[name]


def _try_examples(question, names, answer):
    asked = dict(names) if answer is ABSENT else {**names, question.name: answer}
    own = asked.get(question.name)
    answers, places = _ask_all(question, asked, [names, getattr(own, "__globals__", names)])
    called = any(one.message.endswith("object is not callable") for one in answers)
    if called and own is not None and not callable(own):
        raise _Problem(
            f"`check` expects the function or class `{question.name}` itself. Received: {_received(own)}. "
            f'Write its name without brackets: `check("{question.name}", {question.name})`.'
        )
    verdict = judge(question, question.expectation, answers)
    sentence = verdict.sentence
    if verdict.kind == PASSED:  # the judge's sentence speaks of hidden inputs, and none were asked
        sentence = "Hidden inputs still decide: try other sizes and values, and the edges."
    expected = question.expectation.reference
    outcomes = compare_all(question, expected, answers)
    inputs = [
        [f"{name} = {abbreviate(value)}" for name, value in zip(question.arguments, example, strict=True)]
        for example in question.examples
    ]
    rows = map(Row, inputs, expected, answers, outcomes, places)
    return SelfCheck(question.name, verdict.kind, sentence, tuple(rows))


def _ask_all(question, asked, worlds):
    """One answer an example, and for each that raised the student's line, from a module of `worlds`."""
    try:
        plain_probe = compile_probe(question.probe, question.name)
    except ImportError as error:
        raise _Problem(f"`check` lacks a package: {error}. Install the course's environment.") from None
    answers = [Answer("none")] * len(question.examples)
    places = [""] * len(question.examples)
    errors = []
    probe = _keeping_errors(plain_probe, errors)
    with contextlib.redirect_stderr(sys.stdout):
        for number, arguments in enumerate(question.examples):
            answers[number] = ask_here(probe, asked, arguments)
            if errors:
                places[number] = _place(errors.pop(), worlds)
            if answers[number].error == "KeyboardInterrupt":  # asked to stop: so no further example
                break
    return answers, places


def _keeping_errors(probe, errors):
    def keeping(student, *arguments):
        try:
            return probe(student, *arguments)
        except BaseException as error:
            errors.append(error)
            raise

    return keeping


def _place(error, worlds):
    """The last line of the student's own code that the error passed, or "" where it passed none."""
    frames = traceback.walk_tb(error.__traceback__)
    own = [(frame.f_code, line) for frame, line in frames if any(frame.f_globals is one for one in worlds)]
    if not own:
        return ""
    code, line = own[-1]
    text = getline(code.co_filename, line).strip()
    return f"`{code.co_name}`, line {line}" + (f": `{text}`" if text else "")


def _received(value):
    try:
        return describe(arrived(value))
    except Exception:  # an object that fails when looked at
        return f"an object of type {type(value).__name__}"
