"""Trusted side: answers and expectations in, one verdict out.

Used by grading, by the audit and by the student's self-check. It looks at nothing but what
`autograder.channel.unpack` made, and its sentences about hidden inputs carry nothing that came from
the student's process: neither a shape, nor a message, nor a name.
"""

import builtins
from dataclasses import asdict, dataclass

from autograder.compare import Outcome

UNATTEMPTED, PASSED, MISCONCEPTION, FAILED = "unattempted", "passed", "misconception", "failed"
CRASHED, TIMED_OUT, LOST = "crashed", "timed out", "lost"


@dataclass(frozen=True)
class Answer:
    """What the student's code did with one input.

    kind: "value", "raised", "missing" (no such name in the notebook), "unattempted", "none" (no answer came)
    value: the result, for kind "value"
    error, message: class and text of what was raised, shown for examples only; for kind "none" why none
        came, TIMED_OUT or LOST, and a sentence of the grader's own
    changed: positions of arguments that the call changed in place
    """

    kind: str
    value: object = None
    error: str = ""
    message: str = ""
    changed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The judgement of one question; `credit` is the share of its points."""

    question: str
    kind: str
    sentence: str
    credit: float = 0.0
    misconception: str | None = None

    def to_dict(self):
        return asdict(self)


@dataclass(frozen=True)
class Expectation:
    """What the reference and every misconception answer to one run's inputs.

    Inputs stand in this order: examples, draws, and the first draw again, which shows state that leaks
    from call to call.
    """

    examples: int
    reference: list
    misconceptions: dict[str, list[Answer]]


def judge(question, expectation, answers, fault=None):
    """The verdict on a question's answers, one an input, in the expectation's order.

    fault: what became of the question's own cell, `(kind, sentence)`, where it did not run to its end
    """
    name = question.name
    kinds = {answer.kind for answer in answers}
    lost = next((answer for answer in answers if answer.kind == "none"), None)
    if lost is not None:
        return Verdict(name, TIMED_OUT if lost.error == TIMED_OUT else CRASHED, lost.message)
    if "missing" in kinds and fault is not None:
        kind, sentence = fault
        return Verdict(name, TIMED_OUT if kind == TIMED_OUT else CRASHED, sentence)
    if "unattempted" in kinds:
        return Verdict(name, UNATTEMPTED, "Not attempted yet.")
    if "missing" in kinds:
        on_examples = (one.message for one in answers[: expectation.examples] if one.kind == "missing")
        missing = next(on_examples, "") or name
        return Verdict(name, FAILED, f"`{missing}` is missing: no cell that ran to its end defines it.")
    outcomes = compare_all(question, expectation.reference, answers)
    changed = next((answer.changed for answer in answers if answer.changed), ())
    if all(outcome is not None and outcome.ok for outcome in outcomes):
        if not changed:
            return Verdict(name, PASSED, "Right on the examples and on every hidden input.", 1.0)
        return Verdict(
            name,
            FAILED,
            f"It changes {_argument(question, changed[0])} in place; work on a copy.",
        )
    for misconception in question.misconceptions.values():
        if matches(question, expectation.misconceptions[misconception.name], answers):
            return Verdict(
                name, MISCONCEPTION, misconception.sentence, misconception.credit, misconception.name
            )
    return _first_fault(question, expectation, answers, outcomes)


def compare_all(question, expected, answers):
    """One outcome an answer; None where there is no value to compare."""
    return [
        question.compare.outcome(want, answer.value) if answer.kind == "value" else None
        for want, answer in zip(expected, answers, strict=True)
    ]


def matches(question, theirs, answers):
    """Whether the answers are those of a misconception, on every input."""
    return all(_same(question.compare, one, other) for one, other in zip(theirs, answers, strict=True))


def _same(compare, one, other):
    if one.kind != other.kind:
        return False
    if one.kind == "value":
        return compare.outcome(one.value, other.value).ok
    return one.error == other.error


def _first_fault(question, expectation, answers, outcomes):
    name, last = question.name, len(answers) - 1
    for index, (answer, outcome) in enumerate(zip(answers, outcomes, strict=True)):
        if outcome is not None and outcome.ok:
            continue
        if index < expectation.examples:
            return _fault_on_example(name, f"Example {index + 1}", answer, outcome)
        if index == last and outcome is not None:
            return Verdict(
                name,
                FAILED,
                "A second call with the same input gives another result: something stays from call to call.",
            )
        if answer.kind == "raised":
            return Verdict(
                name,
                CRASHED,
                f"The examples pass, but a hidden input makes it stop with {known_error(answer.error)}. "
                "Try other sizes and values than the examples have.",
            )
        return Verdict(
            name,
            FAILED,
            f"The examples pass, but a hidden input gives the wrong {outcome.kind}. "
            "Try other sizes and values than the examples have.",
        )
    raise AssertionError("no fault found among answers that are not all right")


def _fault_on_example(name, where, answer, outcome: Outcome | None):
    if answer.kind == "raised":
        message = f": {answer.message}" if answer.message else ""
        return Verdict(name, CRASHED, f"{where} stops with {answer.error}{message}")
    return Verdict(name, FAILED, f"{where}: {outcome.sentence}.")


def known_error(name):
    """An exception's name where Python itself defines it; student code may name its own as it likes."""
    kind = getattr(builtins, name, None)
    return name if isinstance(kind, type) and issubclass(kind, BaseException) else "an error"


def _argument(question, position):
    """In words; a position that no argument has is the student's process's own, and not to be passed on."""
    known = position < len(question.arguments)
    return f"its argument `{question.arguments[position]}`" if known else "an argument"
