"""What travels: source that runs alone, with what it names and nothing else."""

import ast
from collections import namedtuple

import numpy as np
import pytest
from tiny_course import CHECKS

from autograder.question import CourseError
from autograder.travel import Traveller

Named = namedtuple("Named", "name")  # all that `probe` asks of a question


def traveller(source, head="from autograder import close, question\n"):
    return Traveller(head + source, "checks.py")


ASKED = """
@question(examples=[(1,)], draws=None, compare=close(rtol=0.1))
def asked(student, x):
    return use(x)
"""
WRONG = '''
@asked.misconception
def wrong(x):
    """SECRET"""
    return use(x)
'''


def carried(source, stand_in=False):
    """The travelling source of a question whose body is `return use(x)`."""
    cut = traveller(source + ASKED + WRONG)
    return cut.stand_in("wrong", "asked") if stand_in else cut.probe(Named("asked"))


def run(text, name="asked"):
    scope = {}
    exec(compile(text, "<travelled>", "exec"), scope)
    return scope[name]


def bound(text):
    """Names that the travelling source binds at its top."""
    scope = {}
    exec(text, scope)
    return set(scope) - {"__builtins__", "__annotations__"}


# source of the module before the question, what use(2) gives, and the names that travel beside the function
SOURCES = {
    "a helper": ("def use(x): return x + 1\ndef idle(): pass", 3, {"use"}),
    "a helper below": ("def use(x): return later(x)\ndef later(x): return x * 5", 10, {"use", "later"}),
    "helpers that call each other": (
        "def use(x): return x if x > 5 else other(x)\ndef other(x): return use(x + 2)",
        6,
        {"use", "other"},
    ),
    "a constant of a constant": ("A = 3\nB = A * 2\nC = 9\ndef use(x): return B", 6, {"use", "A", "B"}),
    "a tuple assignment": (
        "(A, [B, *C]) = 1, [2, 3, 4]\ndef use(x): return C",
        [3, 4],
        {"use", "A", "B", "C"},
    ),
    "an annotated constant": ("A: int = 4\ndef use(x): return A", 4, {"use", "A"}),
    "one import of a line": ("import math as m, json\ndef use(x): return m.sqrt(4)", 2.0, {"use", "m"}),
    "one name of an import": ("from math import sqrt as r, pi\ndef use(x): return r(4)", 2.0, {"use", "r"}),
    "two modules of a package": (
        "import os.path\nimport xml.dom, xml.sax\ndef use(x): return xml.dom.__name__ + xml.sax.__name__",
        "xml.domxml.sax",
        {"use", "xml"},
    ),
    "a submodule as p": ("import os.path as p\ndef use(x): return p.basename('a/b')", "b", {"use", "p"}),
    "an import that may fail": (
        "try: import m\nexcept ImportError: m = 5\ndef use(x): return m",
        5,
        {"use", "m"},
    ),
    "an if": (
        "import sys\nif sys:\n    A = 1\nelse:\n    A = 2\ndef use(x): return A",
        1,
        {"use", "A", "sys"},
    ),
    "a loop": (
        "A = {}\nfor k in 'ab':\n    A[k] = k\ndef use(x): return A",
        {"a": "a", "b": "b"},
        {"use", "A", "k"},
    ),
    "a with": (
        "import io\nwith io.StringIO('t') as f:\n    A = f.read()\ndef use(x): return A",
        "t",
        {"use", "A", "f", "io"},
    ),
    "a value built in steps": (
        "A = [1]\nA += [2]\nA.append(3)\nA[0] = 0\ndef use(x): return A",
        [0, 2, 3],
        {"use", "A"},
    ),
    "a name bound twice": ("A = 1\nA = A + 1\ndef use(x): return A", 2, {"use", "A"}),
    "a helper bound twice": ("def use(x): return 1\ndef use(x): return 2", 2, {"use"}),
    "a change of something else": (
        "import json\nA = [1]\nB = []\nB.append(2)\njson.x = 3\ndef use(x): return A",
        [1],
        {"use", "A"},
    ),
    "a change of a module": (
        "import math\nmath.no_such()\ndef use(x): return math.sqrt(4)",
        2.0,
        {"use", "math"},
    ),
    "a change of no name": ("A = 1\n[A].append(2)\ndef use(x): return A", 1, {"use", "A"}),
    "a change of its part": (
        "A = {}\nA.setdefault(1, []).append(2)\ndef use(x): return A[1]",
        [2],
        {"use", "A"},
    ),
    "a reader": ("A = [1]\nB = A[0]\ndef use(x): return A", [1], {"use", "A"}),
    "a helper that would change it": ("A = [1]\ndef f(): A[0] = 2\ndef use(x): return A", [1], {"use", "A"}),
    "a builtin's name": (
        "def round(x): return 'mine'\ndef use(x): return round(x)",
        "mine",
        {"use", "round"},
    ),
    "a default": ("A = 3\ndef use(x, y=A): return y", 3, {"use", "A"}),
    "an annotation": ("class T: pass\ndef use(x: T) -> list: return x", 2, {"use", "T"}),
    "a base class": ("class B: v = 1\nclass use(B):\n    def __new__(cls, x): return cls.v", 1, {"use", "B"}),
    "a class body": ("A = 1\nclass use:\n    A = A\n    def __new__(cls, x): return cls.A", 1, {"use", "A"}),
    "a decorator of a helper": (
        "import functools\n@functools.cache\ndef use(x): return use.cache_info().misses",
        1,
        {"use", "functools"},
    ),
    "a dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    v: int\ndef use(x): return P(x).v",
        2,
        {"use", "P", "dataclass"},
    ),
    "a comprehension": ("A = 2\ndef use(x): return [A * a for a in range(x)]", [0, 2], {"use", "A"}),
    "a nested function": ("A = 2\ndef use(x):\n    def f(): return A\n    return f()", 2, {"use", "A"}),
    "a lambda": ("A = 2\nuse = lambda x: A", 2, {"use", "A"}),
    "a global that is set": ("A = 2\ndef use(x):\n    global A\n    A += x\n    return A", 4, {"use", "A"}),
    "a local of a helper's name": (
        "def window(): pass\ndef use(x):\n    window = 3\n    return window",
        3,
        {"use"},
    ),
    "an argument of a helper's name": ("def x(): pass\ndef use(x): return x", 2, {"use"}),
    "a local here that is global there": (
        "def w(): return 7\ndef use(x):\n    def f():\n        w = 1\n        return w\n    return f() + w()",
        8,
        {"use", "w"},
    ),
    "a loop's variable of a helper's name": (
        "def k(): pass\ndef use(x): return [k for k in 'a']",
        ["a"],
        {"use"},
    ),
    "a local of a question's name": ("def use(x):\n    asked = x\n    return asked", 2, {"use"}),
    "a name that hides in a class": (
        "_P__h = 4\nclass P:\n    def v(self): return __h\ndef use(x): return P().v()",
        4,
        {"use", "P", "_P__h"},
    ),
    "a docstring of a helper": ("def use(x):\n    'SECRET'\n    return 1", 1, {"use"}),
    "a docstring alone": ("def use(x):\n    'SECRET'", None, {"use"}),
}


@pytest.mark.parametrize(("source", "result", "names"), SOURCES.values(), ids=SOURCES)
def test_what_is_named_travels_and_nothing_else(source, result, names):
    probe, stand_in = carried(source), carried(source, stand_in=True)
    assert run(probe)(None, 2) == result
    assert run(stand_in)(2) == result
    assert bound(probe) == bound(stand_in) == names | {"asked"}
    for text in (probe, stand_in):
        assert not any(secret in text for secret in ("SECRET", "question", "misconception", "rtol"))


def test_the_future_is_carried_and_first():
    cut = Traveller(
        '"""Doc."""\nfrom __future__ import annotations\ndef use(x: Unknown): return 1\n' + ASKED, "c"
    )
    text = cut.probe(Named("asked"))
    assert run(text)(None, 2) == 1


def stand_in(body, name="answer"):
    return traveller(ASKED + "@asked.equivalent\n" + body).stand_in("old", name)


@pytest.mark.parametrize(
    ("body", "call"),
    [
        ("def old(n): return 1 if n == 0 else n * old(n - 1)", lambda new: new(4)),
        ("def old(n):\n    answer = old(n - 1) if n else 24\n    return answer", lambda new: new(2)),
        ("def old(n):\n    def old(): return n * 6\n    return old()", lambda new: new(4)),
        ("def old(n): return helper(n) if n else 24\ndef helper(n): return old(n - 1)", lambda new: new(2)),
        (
            "class old(dict):\n    def get(self): return super(old, self).get('a')",
            lambda new: new(a=24).get(),
        ),
        ("class old:\n    def copy(self): return old()\n    n = 24", lambda new: new().copy().n),
    ],
)
def test_a_stand_in_has_the_answers_name_wherever_it_names_itself(body, call):
    new = run(stand_in(body), "answer")
    assert call(new) == 24
    assert new.__name__ == "answer"


def test_what_does_not_name_itself_leaves_no_trace_of_its_own_name():
    assert stand_in("def old(n):\n    'Doc old.'\n    return n") == "def answer(n):\n    return n\n"


def test_a_stand_in_may_use_another_and_keeps_other_decorators():
    cached = "import functools\n@asked.equivalent\n@functools.cache\ndef a(x): return [wrong(x)]\n"
    cut = traveller(ASKED + WRONG + cached + "def use(x): return x")
    answer = run(cut.stand_in("a", "asked"))
    assert answer(3) is answer(3) == [3]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def use(x): return wrong(x)", "checks.py: `asked` uses `wrong`, which is a misconception."),
        ("def use(x): return deep(x)\ndef deep(x): return wrong", "`asked` uses `wrong`"),
        (
            "def use(x, f=lambda: right): pass\n@asked.equivalent\ndef right(x): pass",
            "`right`, which is a equivalent",
        ),
        (
            "def use(x): return more\n@question(examples=[(1,)])\ndef more(student, x): pass",
            "`more`, which is a question",
        ),
        ("def use(x): pass\nasked = 3", "the question `asked` shares its name"),
        ("def use(x): pass\nfor wrong in []: pass", "the misconception `wrong` shares its name"),
        ("def use(x): pass\nfrom math import *", "checks.py, line 3: import what you use by its name"),
    ],
)
def test_what_cannot_travel_is_the_author_s_error(source, sentence):
    with pytest.raises(CourseError) as error:
        carried(source)
    assert sentence in str(error.value)


def test_a_stand_in_must_not_use_the_question():
    with pytest.raises(CourseError, match="`wrong` uses `asked`, which is a question"):
        carried("def use(x): return asked", stand_in=True)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "asked = question()(lambda student, x: x)",
        "if 1:\n    @question()\n    def asked(student, x): pass",
        "ask = question()\n@ask\ndef asked(student, x): pass",
        "from autograder import question as ask\n@ask()\ndef asked(student, x): pass",
    ],
)
def test_a_probe_must_stand_at_the_top_under_its_decorator(source):
    with pytest.raises(CourseError, match="`asked` must be a `def`"):
        traveller(source).probe(Named("asked"))


@pytest.mark.parametrize("source", ["", "wrong = 3", "wrong = lambda x: x", "import wrong"])
def test_a_stand_in_must_be_defined_at_the_top(source):
    with pytest.raises(CourseError, match="`wrong` must be a `def` or `class` at the module's top level"):
        traveller(source).stand_in("wrong", "asked")


@pytest.mark.parametrize(
    "decorator", ["question()", "autograder.question()", "autograder.question.question()"]
)
def test_the_decorator_may_be_written_in_full(decorator):
    text = traveller(f"import autograder\n@{decorator}\ndef asked(student, x): return x").probe(
        Named("asked")
    )
    assert text == "def asked(student, x):\n    return x\n"


def test_a_probe_may_name_itself():
    text = traveller("@question()\ndef asked(student, x): return x and asked(student, x - 1)").probe(
        Named("asked")
    )
    assert run(text)(None, 3) == 0
    assert "asked = asked" not in text


def test_a_real_checks_file_travels():
    cut = Traveller(CHECKS, "checks.py")
    assert cut.probe(Named("energy")) == "def energy(student, x):\n    return student.energy(x)\n"
    assert cut.stand_in("takes_the_root", "energy").startswith("import numpy as np\n\ndef energy(x):")
    x = np.array([3.0, 4.0])
    assert run(cut.stand_in("takes_the_root", "energy"), "energy")(x) == 5
    assert run(cut.stand_in("as_a_dot_product", "energy"), "energy")(x) == 25
    assert ast.dump(cut.tree) == ast.dump(ast.parse(CHECKS)), "cutting leaves the tree as it was"
