"""What an author writes in `checks.py`: questions, their misconceptions and their equivalents.

    @question(examples=[...], draws=lambda rng: (...), compare=close(rtol=1e-4))
    def fir_filter(student, x, a):
        return student.fir_filter(x, a)

    @fir_filter.misconception
    def looks_ahead(x, a):
        \"\"\"You read samples ahead, x[n+i]: that is cross-correlation.\"\"\"
        return np.array([...])

The decorated function is the probe: it runs beside the student's code, with the notebook's names as
attributes of `student`. A misconception and an equivalent stand in for the student's function (or
class) of the question's name. Each of the three travels alone, as source, with the imports and the
plain helpers of `checks.py` that it names; see `autograder.travel`.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

from autograder.compare import close


class CourseError(Exception):
    """Something that the author of the course has to put right; the text says what, where and how."""


@dataclass(frozen=True)
class Misconception:
    """A named, typical wrong answer. `sentence` is its feedback, `credit` its share of the points."""

    name: str
    sentence: str
    credit: float


@dataclass
class Question:
    """One autograded question; `checks.py` makes it with `@question`.

    name: id of the stub cell, of the check, and, after `test_`, of the test cell
    arguments: names of the probe's arguments after `student`
    examples: public inputs, a tuple of arguments each
    draws: a seeded `numpy.random.Generator` in, one tuple of hidden arguments out
    count: how many hidden inputs a run draws
    compare: the comparison, see `autograder.compare`
    """

    name: str
    arguments: tuple[str, ...]
    examples: list[tuple]
    draws: Callable
    count: int
    compare: close
    margin: str | None = None
    misconceptions: dict[str, Misconception] = field(default_factory=dict)
    equivalents: list[str] = field(default_factory=list)

    def misconception(self, function=None, *, credit=0.0):
        """Register a wrong answer; its docstring is what the student reads."""

        def register(function):
            name = function.__name__
            sentence = " ".join((function.__doc__ or "").split())  # `getdoc` would take a base class's
            if not sentence:
                raise CourseError(
                    f"misconception `{name}` of question `{self.name}` has no docstring: "
                    "write the sentence that tells the student the cause."
                )
            if not 0 <= credit < 1:
                raise CourseError(
                    f"misconception `{name}`: credit must be at least 0 and below 1, not {credit}."
                )
            self._claim(name)
            self.misconceptions[name] = Misconception(name, sentence, credit)
            return function

        return register if function is None else register(function)

    def equivalent(self, function):
        """Register a right answer that is written differently."""
        self._claim(function.__name__)
        self.equivalents.append(function.__name__)
        return function

    def _claim(self, name):
        if name == self.name:
            raise CourseError(
                f"question `{self.name}` has a stand-in of its own name, which would replace it: rename that."
            )
        if name in self.misconceptions or name in self.equivalents:
            raise CourseError(f"question `{self.name}` has two stand-ins named `{name}`: rename one.")


def question(*, examples, draws, compare, count=6, margin=None):
    """Make a function into a question's probe.

    margin: why right and wrong answers are less than two decades from the tolerance, if they are
    """
    if not examples:
        raise CourseError("a question needs at least one example: the student's self-check shows them.")
    if type(count) is not int or count < 1:
        raise CourseError(f"a question needs at least one hidden input, not count={count}.")
    if not callable(draws):
        raise CourseError("draws must be a function of a random generator, as in `draws=lambda rng: (…,)`.")
    if not hasattr(compare, "outcome"):
        raise CourseError(f"compare must be a comparison, as in `compare=close(rtol=1e-4)`, not {compare!r}.")

    def register(probe):
        arguments = tuple(inspect.signature(probe).parameters)
        if not arguments or arguments[0] != "student":
            raise CourseError(
                f"probe `{probe.__name__}`: the first argument must be `student`, not {arguments[:1]}."
            )
        for example in examples:
            if not isinstance(example, tuple) or len(example) != len(arguments) - 1:
                raise CourseError(
                    f"question `{probe.__name__}`: every example must be a tuple of "
                    f"{len(arguments) - 1} arguments ({', '.join(arguments[1:])})."
                )
        return Question(probe.__name__, arguments[1:], list(examples), draws, count, compare, margin)

    return register
