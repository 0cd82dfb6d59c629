"""nbgrader's view of this course; every nbgrader command and `autograder` read it."""

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory

c = get_config()

c.CourseDirectory.course_id = "mlsp"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"

# Whole lists: nbgrader reads this file twice, and `append` would add twice.
c.CourseDirectory.ignore = [*CourseDirectory.ignore.default(), "checks.py"]
c.GenerateAssignment.preprocessors = [
    *GenerateAssignment.preprocessors.default(),
    "autograder.release.WriteSelfCheck",
]
