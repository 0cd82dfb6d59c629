"""The demo: a class that is made, graded, and judged as it was planted."""

import dataclasses

import pytest
import tiny_course
from tiny_course import NAME, autograder

from autograder import demo
from autograder.course import Course
from autograder.grading import Graded, Run
from autograder.judge import PASSED, Verdict


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    root = tiny_course.write_course(tmp_path_factory.mktemp("source"))
    assert autograder("release", NAME, "--course", root).status == 0
    return root


@pytest.fixture(scope="module")
def shown(source):
    """The demo of the small course, run from its folder."""
    return autograder("demo", here=source)


@pytest.mark.slow
def test_every_verdict_is_the_one_that_was_planted(shown):
    assert shown.status == 0, shown.err
    assert f"A course with {demo.CLASS_SIZE} students of {NAME}: " in shown.out
    assert f"All {2 * demo.CLASS_SIZE} verdicts are the ones that were planted.\n" in shown.out
    assert shown.err == ""


@pytest.mark.slow
def test_the_table_says_what_each_submission_was_made_from(shown):
    table = [line for line in shown.out.splitlines() if line.startswith("│")]
    for story in ("the solution", "a blank exercise", "an endless loop", "a crash of the process"):
        assert sum(line.rstrip("│ ").endswith(story) for line in table) == 1


@pytest.mark.slow
def test_a_demo_can_be_made_again_in_its_folder(shown, source):
    (source / "demo_course" / "submitted" / "ada" / "left over").mkdir(parents=True)
    course, planted = demo.make(Course(source), source / "demo_course", NAME)
    assert course.students(NAME) == sorted(one.student for one in planted)
    assert not (course.root / "submitted" / "ada" / "left over").exists()


def test_a_class_has_every_kind_of_student(source, tmp_path):
    _, planted = demo.make(Course(source), tmp_path / "new", NAME)
    kinds = {kind for one in planted for kind, _ in one.expected.values()}
    assert kinds == {"passed", "misconception", "unattempted", "timed out", "crashed"}
    met = {mistake for one in planted for _, mistake in one.expected.values() if mistake}
    assert met == {"forgets_the_square", "takes_the_root", "wraps_round"}
    assert len({one.student for one in planted}) == len(planted) == demo.CLASS_SIZE


def test_a_folder_with_something_in_it_is_left_alone(source, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    done = autograder("demo", tmp_path, here=source)
    assert done.status == 2
    assert done.err == f"autograder: {tmp_path} is not empty and no earlier demo: name another folder.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_of_the_folders_name_is_left_alone(source, tmp_path):
    (tmp_path / "thesis").write_text("mine")
    done = autograder("demo", tmp_path / "thesis", here=source)
    assert done.status == 2
    assert len(done.err.splitlines()) == 1
    assert (tmp_path / "thesis").read_text() == "mine"


def test_a_course_without_assignments_or_release_is_told(tmp_path):
    root = tiny_course.write_course(tmp_path)
    done = autograder("demo", tmp_path / "new", here=root)
    assert done.status == 2
    assert (
        done.err
        == f"autograder: {root / 'exercises' / NAME} is missing: run `autograder release {NAME}` first.\n"
    )
    (root / "solutions").rename(root / "elsewhere")
    done = autograder("demo", tmp_path / "newer", here=root)
    assert done.status == 2
    assert (
        done.err == f"autograder: no assignments in {root / 'solutions'}: a folder with a notebook is one.\n"
    )


def test_a_verdict_that_was_not_planted_is_a_surprise(source, tmp_path):
    _, planted = demo.make(Course(source), tmp_path / "new", NAME)
    one = next(one for one in planted if one.story == "the solution")
    right = {name: Verdict(name, PASSED, "Right.", 1.0) for name in one.expected}
    run = Run(None, 0, [Graded(one.student, right)], [], {})
    assert demo.surprises(run, [one]) == []
    wrong = dataclasses.replace(one, expected={**one.expected, "delay": ("misconception", "wraps_round")})
    assert demo.surprises(run, [wrong]) == [
        f"{one.student}, delay: planted wraps_round, judged passed: Right."
    ]
    looping = dataclasses.replace(one, expected={**one.expected, "delay": ("timed out", None)})
    assert demo.surprises(run, [looping]) == [
        f"{one.student}, delay: planted timed out, judged passed: Right."
    ]
    assert demo.surprises(Run(None, 0, [], [], {}), [one]) == [f"{one.student} was not graded."]
