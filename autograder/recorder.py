"""A submission's cells and questions in, a transcript out: what it showed and what it answered.

Costs a broken cell only itself: where the child is lost, a fresh one goes on behind the step that lost it.
"""

import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field

from autograder.judge import LOST, TIMED_OUT, Answer
from autograder.sandbox import ChildLost

MAX_RESTARTS = 8


@dataclass(frozen=True)
class Cell:
    """A code cell to run: `key` is its grade id or its place, `label` what sentences call it."""

    key: str
    label: str
    source: str


@dataclass(frozen=True)
class Request:
    """A question to ask: the probe's source, and its inputs as the judge will pair them with answers."""

    name: str
    probe: str
    examples: list
    hidden: list


@dataclass
class Transcript:
    """What one submission did.

    outputs: cell key → outputs in nbformat's form
    faults: cell key → ("raised", TIMED_OUT or LOST, and a sentence)
    answers: question → one Answer an input, examples first
    printed: question → what student code printed while hidden inputs were there, for instructors
    """

    outputs: dict = field(default_factory=dict)
    faults: dict = field(default_factory=dict)
    answers: dict = field(default_factory=dict)
    printed: dict = field(default_factory=dict)
    restarts: int = 0  # children started
    spent: Counter = field(default_factory=Counter)  # step → seconds of wall clock


def record(sandbox, cells, requests, limits, files=None):
    """Take a submission through its cells, then all examples, then all hidden inputs.

    In this order because whatever may be shown to a student is settled before the first hidden input
    is sent; a later message could carry one out.
    """
    return _Recorder(sandbox, cells, requests, limits, files).run()


class _Recorder:
    def __init__(self, sandbox, cells, requests, limits, files):
        self.sandbox, self.cells, self.limits, self.files = sandbox, cells, limits, files
        self.requests = requests
        self.transcript = Transcript()
        self.child, self.lost = None, set()
        self._total = limits.submission_seconds
        self.deadline = time.monotonic() + self._total

    def run(self):
        try:
            self._start()
            for part in ("examples", "hidden"):
                for request in self.requests:
                    self._ask(request, getattr(request, part), part == "hidden")
        finally:
            self._stop()
        return self.transcript

    @contextlib.contextmanager
    def _timed(self, step):
        began = time.perf_counter()
        try:
            yield
        finally:
            self.transcript.spent[step] += time.perf_counter() - began

    def _stop(self):
        if self.child is not None:
            with self._timed("end of the process"):
                self.child.close()
            self.child = None

    def _start(self):
        """See that there is a child that has run the cells; those that lose it are left out the next time."""
        while self.child is None and self._exhausted() is None:
            self.transcript.restarts += 1
            with self._timed("fork"):
                self.child = self.sandbox.child(self.limits, self.files)
            for cell in self.cells:
                if cell.key not in self.lost and not self._run(cell):
                    break

    def _exhausted(self):
        """Why there is no further child for this submission, or None."""
        if time.monotonic() >= self.deadline:
            return Answer(
                "none", error=TIMED_OUT, message=f"The submission ran longer than {self._total:g} s."
            )
        if self.transcript.restarts > MAX_RESTARTS:
            return Answer(
                "none", error=LOST, message=f"The submission ended its process {MAX_RESTARTS} times."
            )
        return None

    def _run(self, cell):
        """Run one cell; False where that lost the child."""
        seconds = self._seconds(self.limits.cell_seconds)
        try:
            with self._timed("cells"):
                outputs, error = self.child.run_cell(cell.source, seconds, f"cell {cell.label}")
        except ChildLost as loss:
            self.lost.add(cell.key)
            self.transcript.faults[cell.key] = (loss.kind, _sentence(loss))
            self._stop()
            return False
        if cell.key not in self.transcript.outputs:
            self.transcript.outputs[cell.key] = outputs
            if error is not None:
                text = f": {error[1]}" if error[1] else "."
                self.transcript.faults[cell.key] = (
                    "raised",
                    f"Cell {cell.label} stops with {error[0]}{text}",
                )
        return True

    def _seconds(self, limit):
        return max(0.001, min(limit, self.deadline - time.monotonic()))

    def _ask(self, request, inputs, hidden):
        answers = self.transcript.answers.setdefault(request.name, [])
        for arguments in inputs:
            if answers and answers[-1].kind == "none":
                answers.append(answers[-1])
                continue
            self._start()
            if self.child is None:
                answers.append(self._exhausted())
                continue
            try:
                seconds = self._seconds(self.limits.probe_seconds)
                with self._timed("questions"):
                    answer, printed = self.child.ask(
                        request, arguments, seconds, f"one call of `{request.name}`"
                    )
            except ChildLost as loss:
                self._stop()
                answer, printed = Answer("none", message=_sentence(loss), error=loss.kind), ""
            answers.append(answer)
            if hidden and printed:
                self.transcript.printed[request.name] = printed


def _sentence(loss):
    text = str(loss)
    return text[0].upper() + text[1:]
