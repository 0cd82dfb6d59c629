"""An assignment in, the proof that its checks are fair out: row by row, proved or not.

For every question: the solution wins, the blank exercise gets nothing, every misconception loses under
its own name, every equivalent wins in every numeric type, right and wrong lie far from the tolerance,
other seeds change nothing, and nothing secret lies in the release.
"""

import ast
import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

import nbformat

from autograder import assignment as assignments
from autograder import reference
from autograder.confine import Limits
from autograder.judge import MISCONCEPTION, PASSED, UNATTEMPTED, Expectation, compare_all, judge
from autograder.probe import FORMS
from autograder.recorder import Request, record
from autograder.sandbox import Sandbox

SEEDS = 20
DECADES = 2.0
MARGIN = "right and wrong are far apart"
SHORTEST_SECRET = 12  # characters; shorter lines stand in every notebook


@dataclass(frozen=True)
class Row:
    """One thing to prove. `question` is "" where it is of the whole assignment."""

    assignment: str
    question: str
    claim: str
    proved: bool
    detail: str = ""

    def to_dict(self):
        return asdict(self)


@dataclass
class Margin:
    """Errors met on both sides of a question's tolerance."""

    right: float = 0.0
    wrong: float = math.inf


@dataclass
class _Trial:
    """What one seed showed: (question, stand-in) → (kind, misconception's name), and the errors."""

    verdicts: dict = field(default_factory=dict)
    margins: dict = field(default_factory=dict)


def audit(course, name, workers=2, progress=None):
    """All rows for one assignment, and the protections that held while they were made."""
    assignment = assignments.load(course, name)
    seeds = [reference.fresh_seed() for _ in range(SEEDS)]
    groups = [group for group in (seeds[n::workers] for n in range(workers)) if group]
    with ThreadPoolExecutor(len(groups)) as pool:
        parts = list(
            pool.map(
                lambda number: _try_seeds(assignment, groups[number], number == 0, progress),
                range(len(groups)),
            )
        )
    trials = [trial for part in parts for trial in part["trials"]]
    rows = parts[0]["rows"]
    for question in assignment.questions.values():
        rows += _rows(assignment, question, trials)
    rows.append(_release_row(course, assignment))
    return rows, parts[0]["held"]


def _try_seeds(assignment, seeds, first, progress):
    """One worker's share: a sandbox, a reciter, and its seeds; the first worker also runs whole notebooks."""
    with Sandbox() as sandbox:
        rows = []
        with reference.Reciter(assignment, sandbox) as reciter:
            on_examples = {}
            trials = [
                _try_seed(
                    assignment, reciter, seed, on_examples, FORMS if first and number == 0 else (), progress
                )
                for number, seed in enumerate(seeds)
            ]
        if first:
            rows = _whole_notebooks(assignment, sandbox, seeds[0])
        return {"trials": trials, "rows": rows, "held": sandbox.held}


def _try_seed(assignment, reciter, seed, on_examples, forms, progress):
    """Judge solution and stand-ins on one seed's inputs. Their answers to examples are asked for once."""
    trial = _Trial()
    for request in reference.draw(assignment, seed):
        question = assignment.questions[request.name]

        def answers(stand_in=None, form=None, request=request):
            key = (request.name, stand_in, form)
            if key not in on_examples:
                public = Request(request.name, request.probe, request.examples, [])
                on_examples[key] = reciter.answers(public, stand_in, form)
            secret = Request(request.name, request.probe, [], request.hidden)
            return on_examples[key] + reciter.answers(secret, stand_in, form)

        solution = answers()
        wrong = {name: answers(name) for name in question.misconceptions}
        expectation = Expectation(len(request.examples), [answer.value for answer in solution], wrong)
        margin = trial.margins[request.name] = Margin()

        def judged(stand_in, given, question=question, expectation=expectation):
            verdict = judge(question, expectation, given)
            trial.verdicts[question.name, stand_in] = (verdict.kind, verdict.misconception, verdict.sentence)
            outcomes = compare_all(question, expectation.reference, given)
            return max((math.inf if one is None else one.error for one in outcomes), default=0.0)

        for name in question.misconceptions:
            margin.wrong = min(margin.wrong, judged(name, wrong[name]))
        for name in question.equivalents:
            margin.right = max(margin.right, judged(name, answers(name)))
        for stand_in in (None, *question.equivalents) if forms else ():
            for form in forms:
                error = judged(f"{stand_in or 'the solution'} as {form}", answers(stand_in, form))
                margin.right = max(margin.right, error)
        if progress:
            progress()
    return trial


def _whole_notebooks(assignment, sandbox, seed):
    """The solution notebook and the blank one, graded as a student's is."""
    requests = reference.draw(assignment, seed)
    with reference.Reciter(assignment, sandbox) as reciter:
        expectations = {request.name: reference.expect(reciter, request) for request in requests}
    rows = []
    for title, notebook, kind, credit in (
        ("the solution gets full marks", assignment.source, PASSED, 1.0),
        ("the blank exercise gets none", assignment.blank, UNATTEMPTED, 0.0),
    ):
        cells = reference.code_cells(notebook, assignment.questions)
        transcript = record(sandbox, cells, requests, Limits(), assignment.files)
        for name, question in assignment.questions.items():
            verdict = judge(
                question, expectations[name], transcript.answers[name], transcript.faults.get(name)
            )
            proved = verdict.kind == kind and verdict.credit == credit
            rows.append(Row(assignment.name, name, title, proved, "" if proved else verdict.sentence))
    return rows


def _rows(assignment, question, trials):
    """What all seeds together show of one question."""
    first = trials[0].verdicts

    def row(claim, proved, detail=""):
        return Row(assignment.name, question.name, claim, proved, detail)

    for name in question.misconceptions:
        kind, found, sentence = first[question.name, name]
        proved = kind == MISCONCEPTION and found == name
        yield row(
            f"misconception {name} is named",
            proved,
            "" if proved else f"judged {kind} {found or ''}: {sentence}",
        )
    for asked, stand_in in first:
        if asked == question.name and stand_in not in question.misconceptions:
            kind, _, sentence = first[asked, stand_in]
            yield row(f"{stand_in} gets full marks", kind == PASSED, "" if kind == PASSED else sentence)
    margins = [trial.margins[question.name] for trial in trials]
    yield _margin_row(question, max(one.right for one in margins), min(one.wrong for one in margins), row)
    odd = sorted(
        str(stand_in)
        for (asked, stand_in), verdict in first.items()
        if asked == question.name
        and any(trial.verdicts.get((asked, stand_in), verdict)[:2] != verdict[:2] for trial in trials)
    )
    detail = f"differs for {', '.join(odd)}" if odd else ""
    yield row(f"{len(trials)} seeds give the same verdicts", not odd, detail)


def _margin_row(question, right, wrong, row):
    tolerance = question.compare.rtol
    below = math.log10(tolerance / right) if right else math.inf
    above = math.log10(wrong / tolerance) if wrong else -math.inf
    far = below >= DECADES and above >= DECADES
    detail = (
        f"right {right:.1e} · tolerance {tolerance:.0e} · wrong {wrong:.1e} "
        f"({below:.1f} decades below, {above:.1f} above)"
    )
    if not far and question.margin:
        detail += f"; accepted: {question.margin}"
    return row(MARGIN, far or bool(question.margin), detail)


def _release_row(course, assignment):
    """Nothing of checks.py, a solution or a hidden region lies in the release folder."""
    claim = "the release gives nothing away"
    folder = course.release(assignment.name)
    if not folder.is_dir():
        return Row(
            assignment.name,
            "",
            claim,
            False,
            f"{folder} is missing: run `autograder release {assignment.name}`",
        )
    found = leaks(assignment, folder)
    return Row(assignment.name, "", claim, not found, "; ".join(found))


def leaks(assignment, folder):
    """Sentences on what in a release folder should not be there."""
    found = []
    secrets = secret_lines(assignment)
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        if path.suffix in (".pyc", ".pyo") or path.name == assignments.CHECKS:
            found.append(f"{path.name} lies in the release")
            continue
        text = "\n".join(_texts(path))
        found += [f"{path.name} holds {line!r}" for line in sorted(secrets) if line in text]
    return found


def secret_lines(assignment):
    """Lines that only a solution, a hidden region or a stand-in in checks.py has."""
    public, secret = set(), set()
    for cell in assignment.source.cells:
        lines = {line.strip() for line in cell.source.split("\n")}
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        shown = {line.strip() for line in assignment.released.get(grade_id, cell.source).split("\n")}
        public |= shown
        secret |= lines - shown
    written = assignment.checks.split("\n")
    for node in ast.parse(assignment.checks).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name not in assignment.questions:
            body = node.body[1:] if ast.get_docstring(node) else node.body
            for part in body:  # as written, and as it travels
                secret |= {line.strip() for line in written[part.lineno - 1 : part.end_lineno]}
                secret |= {line.strip() for line in ast.unparse(part).split("\n")}
    for question in assignment.questions.values():
        public |= {line.strip() for line in assignment.probe(question).split("\n")}
    return {line for line in secret - public if len(line) >= SHORTEST_SECRET}


def _texts(path):
    """Everything in a file that can be read: its text and, in JSON, every string with escapes undone."""
    raw = path.read_text(encoding="utf-8", errors="replace")
    yield raw
    if path.suffix in (".ipynb", ".json"):
        yield from _strings(json.loads(raw))
    if path.suffix == ".ipynb":
        yield from (cell.source for cell in nbformat.reads(raw, as_version=4).cells)


def _strings(tree):
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for key, item in tree.items():
            yield key
            yield from _strings(item)
    elif isinstance(tree, list):
        for item in tree:
            yield from _strings(item)
