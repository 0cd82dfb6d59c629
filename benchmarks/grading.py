"""Grading a class: `autograder grade` against `nbgrader autograde`, on the same submissions, in one run.

    python benchmarks/grading.py [ASSIGNMENT] [--submissions 30] [--peers 30]

Prints ratios and where the time goes. Both commands are timed as whole processes, imports and start-up
included. "Warm" is what the same cells and questions take in a process that has run them before, in turn,
without any grading around them.
"""

import argparse
import itertools
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from autograder import assignment as assignments
from autograder import demo, notebook, reference
from autograder.confine import Limits
from autograder.course import Course
from autograder.grading import grade
from autograder.sandbox import Sandbox

PROGRAMS = Path(sys.executable).parent


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("assignment", nargs="?", help="default: the first of this course")
    words.add_argument("--submissions", type=int, default=30)
    words.add_argument("--peers", type=int, help="submissions for nbgrader; default: the same")
    given = words.parse_args()
    source = Course(Path(__file__).resolve().parent.parent)
    name = given.assignment or source.assignments()[0]
    with tempfile.TemporaryDirectory() as folder:
        run(source, Path(folder), name, given.submissions, given.peers or given.submissions)


def run(source, folder, name, count, peers):
    ours = make_class(source, folder / "ours", name, count)
    theirs = make_class(source, folder / "theirs", name, peers)
    subprocess.run(
        [PROGRAMS / "nbgrader", "generate_assignment", name, "--force"], cwd=theirs.root, check=True, **QUIET
    )
    warm = warm_seconds(ours, name)
    graded = timed([PROGRAMS / "autograder", "grade", name], ours.root)
    single = grade(ours, name, workers=1)
    autograded = timed([PROGRAMS / "nbgrader", "autograde", name], theirs.root)

    rate_ours, rate_theirs = count / graded, peers / autograded
    each = single.seconds["submissions"] / count
    print(f"{name}, {count} submissions (nbgrader: {peers})")
    print(f"  nbgrader autograde   {autograded / peers:7.2f} s a submission")
    print(f"  autograder grade     {graded / count:7.2f} s a submission, all included")
    print(f"  throughput           {rate_ours / rate_theirs:7.1f} times nbgrader's")
    print(f"  warm cells, answers  {warm / count:7.2f} s a submission")
    print(f"  one worker           {each:7.2f} s a submission: {each - warm / count:+.2f} s above warm")
    print("where one worker's time goes, seconds a submission")
    spent = Counter()
    for one in single.graded:
        spent.update(one.transcript.spent)
        spent["reading, judging"] += one.seconds - sum(one.transcript.spent.values())
    spent["database, files, feedback"] = single.seconds["submissions"] - sum(spent.values())
    for step, seconds in spent.items():
        print(f"  {step:26s} {seconds / count:6.3f}")
    print("once a run, seconds")
    for step in ("database", "start", "reference"):
        print(f"  {step:26s} {single.seconds[step]:6.3f}")


QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def timed(words, folder):
    """Seconds that a command takes, as a whole process."""
    began = time.perf_counter()
    subprocess.run(words, cwd=folder, check=True, **QUIET)
    return time.perf_counter() - began


def make_class(source, folder, name, count):
    """A course with `count` submissions: the solution and, in turn, every single mistake."""
    course, _ = demo.make(source, folder, name)
    assignment = assignments.load(course, name)
    writer = demo.Writer(assignment)
    mistakes = [{q.name: mistake} for q in assignment.questions.values() for mistake in q.misconceptions]
    shutil.rmtree(course.root / course.directory.submitted_directory)
    for number, stand_ins in zip(range(count), itertools.cycle([{}, *mistakes]), strict=False):
        place = course.folder("submitted", f"student{number:04d}", name)
        place.mkdir(parents=True)
        (place / f"{assignment.notebook}.ipynb").write_text(writer.submission(stand_ins), encoding="utf-8")
    return course


def warm_seconds(course, name):
    """What the cells and answers of all submissions take in one process that has run them before."""
    assignment = assignments.load(course, name)
    total = 0.0
    with Sandbox(confined=False) as sandbox:
        requests = reference.draw(assignment, reference.fresh_seed())
        with sandbox.child(Limits(submission_seconds=3600), assignment.files) as child:
            recite(child, assignment.source, assignment, requests)
            for student in course.students(name):
                path = course.folder("submitted", student, name) / f"{assignment.notebook}.ipynb"
                restored = notebook.restore(assignment, notebook.read(path))
                total += recite(child, restored.notebook, assignment, requests)
    return total


def recite(child, cells_of, assignment, requests):
    """Run a notebook's cells and ask its questions; seconds inside the process."""
    total = 0.0
    for cell in reference.code_cells(cells_of, assignment.questions):
        total += child.request({"do": "cell", "source": cell.source}, 60, cell.label)["seconds"]
    for request in requests:
        body = {"do": "probe", "name": request.name, "source": request.probe, "form": None}
        for arguments in (*request.examples, *request.hidden):
            total += child.request(body, 60, request.name, arguments)["seconds"]
    return total


if __name__ == "__main__":
    main()
