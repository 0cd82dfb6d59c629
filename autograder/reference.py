"""An assignment and a seed in, this run's inputs and everything that is expected of them out.

The solution notebook is run once, in a child like a student's, and asked the run's inputs; then every
misconception and every equivalent takes its answer's place and is asked the same. Inputs on which one of
them would be misjudged are no ground to grade on. No expected value is written down anywhere but in the
cache, which goes by content.
"""

import hashlib
import io
import json
import secrets
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from autograder import channel
from autograder.assignment import test_cell
from autograder.confine import Limits
from autograder.judge import PASSED, Answer, Expectation, judge
from autograder.probe import read_answer
from autograder.question import CourseError
from autograder.recorder import Cell, Request
from autograder.sandbox import ChildLost

SOLUTION = ""  # stands for the solution where the cache names a misconception
COUNTED_VERSIONS = ("numpy", "scipy", "tensorflow", "keras")


@dataclass
class Reference:
    """What one run asks, and what it expects.

    requests: one a question, for the sandbox; expectations: question → Expectation
    modules: what the solution's run imported, for the zygotes
    """

    seed: int
    requests: list[Request]
    expectations: dict[str, Expectation]
    modules: list[str]


def fresh_seed():
    return secrets.randbits(32)


def draw(assignment, seed):
    """This run's inputs. Every question has a generator of its own, so none moves another's draws."""
    requests = []
    for name, question in assignment.questions.items():
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        hidden = []
        for _ in range(question.count):
            hidden.append(_draw_one(question, rng))
        hidden.append(hidden[0])  # asked again: a second call must answer alike
        requests.append(Request(name, assignment.probe(question), list(question.examples), hidden))
    return requests


def _draw_one(question, rng):
    try:
        arguments = question.draws(rng)
    except Exception as error:
        raise CourseError(
            f"draws of question `{question.name}` stop with {type(error).__name__}: {error}"
        ) from error
    wanted = len(question.arguments)
    if not isinstance(arguments, tuple) or len(arguments) != wanted:
        got = f"a tuple of {len(arguments)}" if isinstance(arguments, tuple) else type(arguments).__name__
        raise CourseError(
            f"draws of question `{question.name}` must give a tuple of {wanted}, "
            f"({', '.join(question.arguments)}{',' * (wanted == 1)}); got {got}."
        )
    return arguments


def code_cells(notebook, questions):
    """The code cells to run: all but the questions' test cells, whose work the probes do."""
    skipped = {test_cell(name) for name in questions}
    cells = []
    for number, cell in enumerate(notebook.cells, 1):
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if cell.cell_type == "code" and grade_id not in skipped:
            label = f"`{grade_id}`" if grade_id else f"number {number}"
            cells.append(Cell(grade_id or f"cell {number}", label, cell.source))
    return cells


class Reciter:
    """A child that has run the solution notebook, and answers for it and for every stand-in."""

    def __init__(self, assignment, sandbox):
        self.assignment = assignment
        self.child = sandbox.child(Limits(), assignment.files)
        try:
            for cell in code_cells(assignment.source, assignment.questions):
                _, error = self.child.run_cell(
                    cell.source, self.child.limits.cell_seconds, f"cell {cell.label}"
                )
                if error is not None:
                    where = f"{assignment.name}: in the solution, cell {cell.label}"
                    raise CourseError(f"{where} stops with {error[0]}: {error[1]}")
        except ChildLost as loss:
            self.child.close()
            raise CourseError(f"{assignment.name}: in the solution notebook, {loss}") from loss
        except BaseException:
            self.child.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close()

    def answers(self, request, stand_in=None, form=None):
        """Answers to all inputs of a request: the solution's, or those of a stand-in in its place.

        form: give the results another type, see `autograder.probe.convert`
        """
        name = request.name
        what = f"{self.assignment.name}: {f'`{stand_in}` for ' if stand_in else ''}`{name}`"
        try:
            if stand_in is not None:
                self.child.define(name, self.assignment.traveller.stand_in(stand_in, name))
            answers = [
                self.child.ask(request, arguments, self.child.limits.probe_seconds, what, form)[0]
                for arguments in (*request.examples, *request.hidden)
            ]
            if stand_in is not None:
                self.child.define(name, None)
        except ChildLost as loss:
            raise CourseError(str(loss)) from loss
        for answer in answers:
            known = answer.kind == "value" and answer.value is not None and not _holds_foreign(answer.value)
            if answer.kind in ("missing", "unattempted") or (stand_in is None and not known):
                raise CourseError(f"{what} gives nothing to compare: {_told(answer)}")
        return answers


def _told(answer):
    if answer.kind != "value":
        return f"{answer.kind} {answer.error} {answer.message}".rstrip() + "."
    return "None. Does the probe return the result?" if answer.value is None else "an object of its own type."


def _holds_foreign(value):
    """Whether a result holds an object that cannot be compared: any other of its type would be right."""
    if isinstance(value, (list, dict)):
        return any(map(_holds_foreign, value.values() if isinstance(value, dict) else value))
    return isinstance(value, channel.Foreign)


def expect(reciter, request):
    """The expectation for one question's inputs."""
    stand_ins = reciter.assignment.questions[request.name].misconceptions
    answers = {name: reciter.answers(request, name) for name in (None, *stand_ins)}
    return _expectation(request, answers, stand_ins)


def _expectation(request, answers, misconceptions):
    """What the answers of the solution, under None, and of the misconceptions make."""
    values = [answer.value for answer in answers[None]]
    return Expectation(len(request.examples), values, {name: answers[name] for name in misconceptions})


def compute(assignment, seed, sandboxes):
    """Draw the inputs and let the solution and all stand-ins answer them, shared out among sandboxes."""
    requests = draw(assignment, seed)
    tasks = [
        (request, stand_in)
        for request in requests
        for stand_in in (None, *_stand_ins(assignment.questions[request.name]))
    ]

    def share(number):
        with Reciter(assignment, sandboxes[number]) as reciter:
            mine = tasks[number :: len(sandboxes)]
            answers = {(request.name, name): reciter.answers(request, name) for request, name in mine}
            return answers, reciter.child.modules()

    with ThreadPoolExecutor(len(sandboxes)) as pool:
        shares = list(pool.map(share, range(len(sandboxes))))
    given = {key: value for answers, _ in shares for key, value in answers.items()}
    expectations = {}
    for request in requests:
        question = assignment.questions[request.name]
        answers = {name: given[request.name, name] for name in (None, *_stand_ins(question))}
        expectation = expectations[request.name] = _expectation(request, answers, question.misconceptions)
        _see_that_it_is_fair(assignment, question, expectation, answers, seed)
    modules = sorted({name for _, imported in shares for name in imported})
    return Reference(seed, requests, expectations, modules)


def _stand_ins(question):
    return (*question.misconceptions, *question.equivalents)


def _see_that_it_is_fair(assignment, question, expectation, answers, seed):
    """No misconception may win and no equivalent lose on this run's inputs."""
    for name in _stand_ins(question):
        passed = judge(question, expectation, answers[name]).kind == PASSED
        if passed == (name in question.misconceptions):
            what = f"misconception `{name}` would pass" if passed else f"equivalent `{name}` would lose"
            _refuse(assignment, seed, f"the {what} `{question.name}`")


def _refuse(assignment, seed, what):
    raise CourseError(
        f"{assignment.name}: on the inputs of seed {seed}, {what}; grading on them would be unfair. "
        f"`autograder audit {assignment.name}` shows why."
    )


def key(assignment, seed):
    """Changes with whatever the expectations depend on."""
    versions = [f"{name} {version(name)}" for name in COUNTED_VERSIONS]
    return hashlib.sha256(json.dumps([assignment.digest, seed, versions]).encode()).hexdigest()[:24]


def obtain(assignment, seed, sandboxes, cache):
    """As `compute`, from the cache folder where it has this content. `sandboxes()` gives some if needed."""
    path = cache / f"{key(assignment, seed)}.frames"
    if path.is_file():
        try:
            return _load(assignment, seed, path.read_bytes())
        except (channel.BrokenChannel, EOFError, KeyError):
            path.unlink()
    reference = compute(assignment, seed, sandboxes())
    cache.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{secrets.token_hex(4)}")
    partial.write_bytes(_dump(reference))
    partial.replace(path)
    return reference


def _dump(reference):
    frames = [channel.encode({"modules": reference.modules})]
    for name, expectation in reference.expectations.items():
        solution = [Answer("value", value) for value in expectation.reference]
        for who, answers in ((SOLUTION, solution), *expectation.misconceptions.items()):
            for answer in answers:
                body, arrays = {**vars(answer), "question": name, "who": who}, []
                value = body.pop("value")
                if answer.kind == "value":
                    body["values"] = [channel.pack(value, arrays)]
                frames.append(channel.encode(body, arrays))
    return b"".join(frames)


def _load(assignment, seed, data):
    read = channel.reader(io.BytesIO(data))
    modules = channel.receive(read)["modules"]
    requests, expectations = draw(assignment, seed), {}
    for request in requests:
        count = len(request.examples) + len(request.hidden)
        stories = {}
        for who in (SOLUTION, *assignment.questions[request.name].misconceptions):
            bodies = [channel.receive(read) for _ in range(count)]
            if any((body["question"], body["who"]) != (request.name, who) for body in bodies):
                raise channel.BrokenChannel("a cache of other content")
            stories[who] = [read_answer(body) for body in bodies]
        values = [answer.value for answer in stories.pop(SOLUTION)]
        expectations[request.name] = Expectation(len(request.examples), values, stories)
    return Reference(seed, requests, expectations, modules)
