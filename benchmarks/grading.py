"""Grading a class: `autograder grade` against `nbgrader autograde`, on the same submissions, in one run.

    python benchmarks/grading.py [ASSIGNMENT] [--submissions 30] [--peers 30]

Prints ratios and where the time goes. Both commands are timed as whole processes, imports and start-up
included. "Warm" is what the same cells and questions take in a process that has run them before, without
any grading around them; every submission is timed both ways, one after the other, so that a machine that
slows down slows both, and the difference is the median over the submissions.
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
from statistics import median

from autograder import assignment as assignments
from autograder import demo, gradebook, grading, notebook, reference
from autograder.confine import Limits
from autograder.course import Course
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
    for course in (ours, theirs):  # the assignment is in both databases before the clock starts
        words = [PROGRAMS / "nbgrader", "generate_assignment", name, "--force"]
        subprocess.run(words, cwd=course.root, check=True, **QUIET)
    graded = timed([PROGRAMS / "autograder", "grade", name], ours.root)
    autograded = timed([PROGRAMS / "nbgrader", "autograde", name], theirs.root)
    warm, alone, spent, once = one_by_one(ours, name)

    print(f"{name}, {count} submissions (nbgrader: {peers})")
    print(f"  nbgrader autograde   {autograded / peers:7.2f} s a submission")
    print(f"  autograder grade     {graded / count:7.2f} s a submission, all included")
    print(f"  throughput           {(count / graded) / (peers / autograded):7.1f} times nbgrader's")
    print(f"  warm cells, answers  {median(warm):7.2f} s, median")
    above = median(more - less for more, less in zip(alone, warm, strict=True))
    print(f"  graded, one worker   {median(alone):7.2f} s, median; median of the differences {above:+.2f} s")
    print("where one worker's time goes, seconds a submission, mean")
    for step, seconds in spent.items():
        print(f"  {step:26s} {seconds / count:6.3f}")
    print("once a run, seconds")
    for step, seconds in once.items():
        print(f"  {step:26s} {seconds:6.3f}")


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


def one_by_one(course, name):
    """Seconds of every submission, warm and graded; where the graded ones went; seconds once a run."""
    assignment = assignments.load(course, name)
    warm, alone, spent, once = [], [], Counter(), {}
    with Sandbox() as sandbox, Sandbox(confined=False) as plain, gradebook.Book(course) as book:
        began = time.perf_counter()
        sandbox.wait_ready()
        once["start"] = time.perf_counter() - began
        began = time.perf_counter()
        expected = reference.compute(assignment, reference.fresh_seed(), [sandbox])
        once["reference"] = time.perf_counter() - began
        sandbox.warm(expected.modules)
        with plain.child(Limits(submission_seconds=3600), assignment.files) as child:
            recite(child, assignment.source, assignment, expected.requests)
            for student in course.students(name):
                began = time.perf_counter()
                one = grading.grade_one(course, assignment, expected, student, sandbox, Limits())
                middle = time.perf_counter()
                grading.save(course, book, assignment, expected, one)
                end = time.perf_counter()
                alone.append(end - began)
                spent.update(one.transcript.spent)
                spent["reading, judging"] += middle - began - sum(one.transcript.spent.values())
                spent["database, files, feedback"] += end - middle
                path = course.folder("submitted", student, name) / f"{assignment.notebook}.ipynb"
                restored = notebook.restore(assignment, notebook.read(path))
                warm.append(recite(child, restored.notebook, assignment, expected.requests))
    return warm, alone, spent, once


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
