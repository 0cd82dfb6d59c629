"""The files around the code: each fact stands once, and the files that repeat it agree.

Every rule is a function that returns the faults it finds. It is tried on the checkout and on input
that breaks it.
"""

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from nbgrader.apps import GenerateAssignmentApp
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from autograder.cli import DEMO_FOLDER

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
README = (ROOT / "README.md").read_text()
PACKAGES = ("autograder", "mlsp_tf")


def extraction():
    """`.ci/readme_commands.py` as a module."""
    spec = importlib.util.spec_from_file_location("readme_commands", ROOT / ".ci" / "readme_commands.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- one list of packages


def unbounded(requirements):
    """Those without a lower or an upper bound."""
    return [
        line
        for line in requirements
        for operators in [{part.operator for part in Requirement(line).specifier}]
        if not operators & {">=", ">", "==", "~="} or not operators & {"<", "<=", "==", "~="}
    ]


def declared(*extras):
    """What the package needs, and what these extras of it need."""
    optional = PROJECT["optional-dependencies"]
    return [*PROJECT["dependencies"], *(line for extra in extras for line in optional[extra])]


def names(requirements):
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def environment_faults(environment, project):
    """What makes an environment more than Python, pip and this package with an extra."""
    faults = []
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    pip = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    if sorted(re.split(r"[ <>=]", entry)[0] for entry in conda) != ["pip", "python"]:
        faults.append(f"conda installs {conda}")
    python = [SpecifierSet(entry.removeprefix("python")) for entry in conda if entry.startswith("python")]
    [lower] = SpecifierSet(project["requires-python"])
    if not python or lower not in set(python[0]):
        faults.append(f"python is {python}, the package requires {lower}")
    match = re.fullmatch(r"-e \.\[(\w+)\]", pip[0][0]) if len(pip) == 1 and len(pip[0]) == 1 else None
    if not match or match[1] not in project["optional-dependencies"]:
        faults.append(f"pip installs {pip}")
    return faults


def test_the_environment_is_the_package_and_nothing_else():
    assert environment_faults(yaml.safe_load((ROOT / "environment.yml").read_text()), PROJECT) == []


@pytest.mark.parametrize(
    ("dependencies", "fault"),
    [
        (["python >=3.11", "pip", "numpy", {"pip": ["-e .[test]"]}], "conda installs"),
        (["python >=3.10", "pip", {"pip": ["-e .[test]"]}], "python is"),
        (["python >=3.11", "pip", {"pip": ["-e .[test]", "pytest"]}], "pip installs"),
        (["python >=3.11", "pip", {"pip": ["-e .[nonsense]"]}], "pip installs"),
        (["python >=3.11", "pip"], "pip installs"),
    ],
)
def test_a_second_list_in_the_environment_is_found(dependencies, fault):
    [found] = environment_faults({"dependencies": dependencies}, PROJECT)
    assert found.startswith(fault)


def test_every_dependency_has_two_bounds():
    assert unbounded(declared(*PROJECT["optional-dependencies"])) == []
    assert names(declared()) >= {"tensorflow", "keras", "numpy", "matplotlib", "pytest", "nbgrader"}


def test_a_missing_bound_is_found():
    good = ["numpy>=2,<3", "numpy~=2.1", "numpy==2.4"]
    bad = ["numpy", "numpy>=2", "numpy<3", "numpy!=2.2"]
    assert unbounded([*good, *bad]) == bad


def imported(folder):
    """Top-level names of other people's packages that the `.py` files under a folder import."""
    files = sorted(folder.rglob("*.py"))
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(), str(file))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {*PACKAGES} - {file.stem for file in files}


def undeclared(folder, requirements):
    """Imports that no requirement brings; a package that is not installed counts as one."""
    distributions = packages_distributions()
    return {
        name
        for name in imported(folder)
        if not {canonicalize_name(one) for one in distributions.get(name, [])} & names(requirements)
    }


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("autograder", []),
        ("mlsp_tf", []),
        ("solutions", []),
        ("tests", ["test"]),
        ("benchmarks", ["test", "bench"]),
    ],
)
def test_every_import_is_declared(folder, extras):
    assert undeclared(ROOT / folder, declared(*extras)) == set()


def test_an_undeclared_import_is_found(tmp_path):
    (tmp_path / "helper.py").write_text("import os.path, helper\nfrom autograder import channel\n")
    (tmp_path / "module.py").write_text("def f():\n    import yaml.nodes\n    from nowhere.at import all\n")
    assert undeclared(tmp_path, ["numpy"]) == {"yaml", "nowhere"}
    assert undeclared(tmp_path, ["PyYAML"]) == {"nowhere"}


def pin_faults(configuration, requirements):
    """Pinned tools outside the bounds that the package sets for them."""
    bounds = {canonicalize_name(one.name): one.specifier for one in map(Requirement, requirements)}
    faults = []
    for hook in (hook for repository in configuration["repos"] for hook in repository["hooks"]):
        for pin in map(Requirement, hook["additional_dependencies"]):
            [version] = pin.specifier
            if version.operator != "==" or version.version not in bounds.get(pin.name, SpecifierSet()):
                faults.append(f"{hook['id']}: {pin}")
    return faults


def test_pre_commit_and_the_test_extra_agree():
    configuration = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert pin_faults(configuration, PROJECT["optional-dependencies"]["test"]) == []
    hooks = {hook["id"]: hook["entry"] for hook in configuration["repos"][0]["hooks"]}
    assert set(hooks) == {"ruff-check", "ruff-format", "nbstripout"}
    assert "--keep-id" in hooks["nbstripout"]


@pytest.mark.parametrize("pin", ["ruff==0.16.9", "ruff>=0.17"])
def test_a_stale_pin_is_found(pin):
    hook = {"id": "ruff-check", "additional_dependencies": [pin]}
    assert pin_faults({"repos": [{"hooks": [hook]}]}, ["ruff>=0.17,<0.18"])


# -- what the README promises


def test_the_readme_has_exactly_the_two_setup_commands():
    assert extraction().setup_commands(README) == [
        "pip install -e . && autograder demo",
        "pip install -e '.[test]' && pytest",
    ]


def test_continuous_integration_takes_its_commands_from_the_readme():
    run = ROOT / ".ci" / "run"
    script = run.read_text()
    assert ".ci/readme_commands.py README.md" in script
    assert "pip install" not in script
    assert f"\ndemo={DEMO_FOLDER} " in script
    assert f"`{DEMO_FOLDER}/`" in README
    assert os.access(run, os.X_OK)
    subprocess.run(["bash", "-n", str(run)], check=True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("## Set up\n", "## Install\n"),
        ("```bash\npip install -e . ", "```\npip install -e . "),
        ("autograder demo\n", "autograder demo\nautograder doctor\n"),
        ("## With conda\n\n```\n", "```bash\n"),
        ("pip install -e . && autograder demo\n", "\n"),
    ],
)
def test_a_stale_readme_ends_continuous_integration(tmp_path, old, new):
    assert README.count(old) == 1
    (tmp_path / "README.md").write_text(README.replace(old, new))
    command = [sys.executable, str(ROOT / ".ci" / "readme_commands.py"), str(tmp_path / "README.md")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert "README.md: expected" in result.stderr
    assert result.stdout == ""


def table_faults(readme, modules):
    """Modules that the table leaves out, names twice, or invents."""
    section = readme.partition("\n## How it works\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    return {name for name in {*listed, *modules} if listed.count(name) != list(modules).count(name)}


def test_the_readme_lists_every_module():
    modules = [file.stem for file in (ROOT / "autograder").glob("*.py") if not file.stem.startswith("__")]
    assert table_faults(README, modules) == set()


def test_a_module_that_the_readme_does_not_list_is_found():
    readme = "\n## How it works\n\n| `judge` | a |\n| `old` | b |\n| `old` | c |\n\n## End\n\n| `new` | d |\n"
    assert table_faults(readme, ["judge"]) == {"old"}
    assert table_faults(readme, ["judge", "old", "new"]) == {"old", "new"}
    assert table_faults(readme, ["judge", "old", "old"]) == set()


def test_the_sample_question_in_the_readme_is_one():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    [sample] = [block for block in blocks if "@question" in block]
    scope = {}
    exec(compile(sample, "README.md", "exec"), scope)
    question = scope["fir_filter"]
    [example] = question.examples
    right = scope["cut_from_the_full_convolution"](*example)
    wrong = scope["correlates_instead_of_convolving"](*example)
    assert question.compare.outcome(right, right).ok
    assert not question.compare.outcome(right, wrong).ok
    assert list(question.misconceptions) == ["correlates_instead_of_convolving"]
    assert question.equivalents == ["cut_from_the_full_convolution"]


def test_the_newest_changelog_entry_is_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE)[1] == PROJECT["version"]


# -- nbgrader's view


def configured(folder, monkeypatch):
    """The course directory and the release step as nbgrader sets them up in a folder."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])  # nbgrader prepends the folder
    app = GenerateAssignmentApp()
    app.initialize([])
    return app.coursedir, GenerateAssignment(coursedir=app.coursedir, parent=app)


def config_faults(folder, monkeypatch):
    course, release = configured(folder, monkeypatch)
    wanted = {
        "source_directory": (course.source_directory, "solutions"),
        "release_directory": (course.release_directory, "exercises"),
        "ignore": (course.ignore, [*CourseDirectory.ignore.default(), "checks.py"]),
        "db_url": (course.db_url, f"sqlite:///{folder}/gradebook.db"),
        "preprocessors": (
            release.preprocessors,
            [*GenerateAssignment.preprocessors.default(), "autograder.release.WriteSelfCheck"],
        ),
    }
    return [name for name, (got, expected) in wanted.items() if got != expected]


def test_nbgrader_finds_the_folders_and_withholds_the_checks(tmp_path, monkeypatch):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    assert config_faults(tmp_path, monkeypatch) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"solutions"', '"source"', "source_directory"),
        ('"exercises"', '"release"', "release_directory"),
        (', "checks.py"]', "]", "ignore"),
        # nbgrader reads the file twice
        ('ignore = [*CourseDirectory.ignore.default(), "checks.py"]', 'ignore.append("checks.py")', "ignore"),
        ('    "autograder.release.WriteSelfCheck",\n', "", "preprocessors"),
    ],
)
def test_a_broken_configuration_is_found(tmp_path, monkeypatch, old, new, fault):
    text = (ROOT / "nbgrader_config.py").read_text()
    assert text.count(old) == 1
    (tmp_path / "nbgrader_config.py").write_text(text.replace(old, new))
    assert config_faults(tmp_path, monkeypatch) == [fault]


# -- what is committed


def ignored(folder, paths):
    """The paths that git leaves out under this checkout's `.gitignore`."""
    shutil.copy(ROOT / ".gitignore", folder)
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    command = ["git", "-C", str(folder), "check-ignore", "--", *paths]
    return set(subprocess.run(command, capture_output=True, text=True).stdout.split())


def test_what_grading_makes_is_not_committed_and_what_is_taught_is(tmp_path):
    made = {
        "gradebook.db",
        "gradebook.db-journal",
        "submitted/ada/01_x/x.ipynb",
        "autograded/ada/01_x/x.ipynb",
        "feedback/ada/01_x/x.html",
        "reports/01_x/ada.html",
        f"{DEMO_FOLDER}/gradebook.db",
        ".autograder/cache",
        "autograder/__pycache__/judge.pyc",
    }
    kept = {
        "solutions/01_x/x.ipynb",
        "solutions/01_x/checks.py",
        "exercises/01_x/x.ipynb",
        "exercises/01_x/self_check.json",
        "autograder/feedback.py",
        "autograder/templates/feedback.html",
        "mlsp_tf/datasets/build.py",
        "docs/feedback.png",
        ".ci/run",
    }
    assert ignored(tmp_path, sorted(made | kept)) == made


def notebook_faults(notebook):
    """What must not be in a committed notebook: outputs, counts, cells without an id of their own."""
    faults, seen = [], set()
    for position, cell in enumerate(notebook["cells"]):
        if cell.get("outputs"):
            faults.append(f"cell {position} has outputs")
        if cell.get("execution_count") is not None:
            faults.append(f"cell {position} has an execution count")
        if not cell.get("id") or cell["id"] in seen:
            faults.append(f"cell {position} has no id of its own")
        seen.add(cell.get("id"))
    return faults


def test_notebooks_have_no_outputs_and_every_cell_an_id():
    for folder in ("solutions", "exercises"):
        notebooks = sorted((ROOT / folder).glob("*/*.ipynb"))
        assert notebooks
        faults = {file.name: notebook_faults(json.loads(file.read_text())) for file in notebooks}
        assert {name: found for name, found in faults.items() if found} == {}


def test_an_executed_notebook_is_found():
    cells = [
        {"cell_type": "markdown", "id": "a"},
        {"cell_type": "code", "id": "a", "outputs": [{}], "execution_count": 3},
        {"cell_type": "code", "outputs": [], "execution_count": None},
    ]
    assert notebook_faults({"cells": cells}) == [
        "cell 1 has outputs",
        "cell 1 has an execution count",
        "cell 1 has no id of its own",
        "cell 2 has no id of its own",
    ]
