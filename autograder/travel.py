"""A name in `checks.py` in, source that stands alone out.

What runs beside a student's code may hold nothing but itself. So a probe, and in the reference run a
misconception or an equivalent, is sent as source: the function, and of the module only the imports,
plain helpers and constants that it names, directly or through another.
"""

import ast
import builtins

from autograder.question import CourseError


class Traveller:
    """Cuts single definitions out of one `checks.py`."""

    def __init__(self, source, filename):
        self.filename = filename
        self.tree = ast.parse(source, filename)
        self.position = {}  # name → index of the statement that binds it
        for index, node in enumerate(self.tree.body):
            for name in _bound_names(node):
                self.position[name] = index

    def probe(self, question):
        """A question's probe; it must not name a stand-in, which would carry the answer to the student."""
        return self._cut(question.name, question.name, forbid_stand_ins=True)

    def stand_in(self, name, answer_to):
        """A misconception or equivalent, under the name that the student's answer has."""
        return self._cut(name, answer_to, forbid_stand_ins=False)

    def _cut(self, name, new_name, forbid_stand_ins):
        wanted, queue = set(), [self._definition(name)]
        while queue:
            index = queue.pop()
            if index in wanted:
                continue
            wanted.add(index)
            for used in _free_names(_bare(self.tree.body[index])):
                position = self.position.get(used)
                if position is None or position == self._definition(name):
                    continue
                role = _role(self.tree.body[position])
                if role == "question" or (role and forbid_stand_ins):
                    raise CourseError(
                        f"{self.filename}: `{name}` uses `{used}`, which is a {role}. "
                        "It travels alone to where student code runs; write out what it needs."
                    )
                queue.append(position)
        parts = []
        for index in sorted(wanted):
            node = _bare(self.tree.body[index])
            if index == self._definition(name) and new_name != name:
                node = _Rename(name, new_name).visit(node)
            parts.append(ast.unparse(ast.fix_missing_locations(node)))
        return "\n\n".join(parts) + "\n"

    def _definition(self, name):
        index = self.position.get(name)
        if index is None or not isinstance(self.tree.body[index], (ast.FunctionDef, ast.ClassDef)):
            raise CourseError(
                f"{self.filename}: `{name}` must be a `def` or `class` at the module's top level, "
                "so that it can be sent as source."
            )
        return index


def _bound_names(node):
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
    return []


def _free_names(node):
    """Names that the statement reads; a local of the same name as a global is taken for the global."""
    own = {
        part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    own |= {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    read = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return read - own - set(dir(builtins))


def _bare(node):
    """A copy without decorators and without the docstring (a misconception's names the mistake)."""
    copy = ast.parse(ast.unparse(node)).body[0]
    if isinstance(copy, (ast.FunctionDef, ast.ClassDef)):
        copy.decorator_list = []
        if ast.get_docstring(copy) is not None:
            copy.body = copy.body[1:] or [ast.Pass()]
    return copy


def _role(node):
    for decorator in getattr(node, "decorator_list", []):
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(target, ast.Name) and target.id == "question":
            return "question"
        if isinstance(target, ast.Attribute) and target.attr in ("misconception", "equivalent"):
            return target.attr
    return None


class _Rename(ast.NodeTransformer):
    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit_FunctionDef(self, node):
        if node.name == self.old:
            node.name = self.new
        return self.generic_visit(node)

    visit_ClassDef = visit_FunctionDef  # noqa: N815  (ast's own spelling)

    def visit_Name(self, node):
        if node.id == self.old:
            node.id = self.new
        return node
