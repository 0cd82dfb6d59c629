"""A name in `checks.py` in, source that stands alone out.

What runs beside a student's code may hold nothing but itself. So a probe, and in the reference run a
misconception or an equivalent, is sent as source: the function, and of the module only the imports,
plain helpers and constants that it names, directly or through another.
"""

import ast
import copy
import symtable
from collections import defaultdict

from autograder.question import CourseError


class Traveller:
    """Cuts single definitions out of one `checks.py`."""

    def __init__(self, source, filename):
        self.filename = filename
        self.tree = ast.parse(source, filename)
        self.roles = {}  # name → "question", "misconception" or "equivalent"
        self.binders = defaultdict(list)  # name → indices of the statements that bind it or change its value
        self.bare = [_bare(node) for node in self.tree.body]
        self.tables = [symtable.symtable(ast.unparse(node), filename, "exec") for node in self.bare]
        imported = set()
        for index, (node, table) in enumerate(zip(self.tree.body, self.tables, strict=True)):
            if any(isinstance(part, ast.alias) and part.name == "*" for part in ast.walk(node)):
                raise CourseError(
                    f"{filename}, line {node.lineno}: import what you use by its name, not by `*`."
                )
            for symbol in table.get_symbols():
                if symbol.is_assigned() or symbol.is_imported():
                    self.binders[symbol.get_name()].append(index)
                if symbol.is_imported():
                    imported.add(symbol.get_name())
            if role := _role(node):
                self.roles[node.name] = role
        for name, role in self.roles.items():
            if len(self.binders[name]) > 1:
                raise CourseError(f"{filename}: the {role} `{name}` shares its name: rename one of the two.")
        for index, node in enumerate(self.tree.body):
            for name in _changed(node) - imported - self.roles.keys():
                if index not in self.binders[name]:
                    self.binders[name].append(index)

    def probe(self, question):
        """A question's probe; it must not name a stand-in, which would carry the answer to the student."""
        if self.roles.get(question.name) != "question":
            raise CourseError(
                f"{self.filename}: `{question.name}` must be a `def` right under `@question(...)`."
            )
        return self._cut(question.name, question.name, forbidden=("question", "misconception", "equivalent"))

    def stand_in(self, name, answer_to):
        """A misconception or equivalent, under the name that the student's answer has."""
        return self._cut(name, answer_to, forbidden=("question",))

    def _cut(self, name, new_name, forbidden):
        own = self._definition(name)
        used, wanted = set(), set()
        queue = [own, *(index for index, node in enumerate(self.bare) if _is_future(node))]
        while queue:
            index = queue.pop()
            if index in wanted:
                continue
            wanted.add(index)
            for other in sorted(_used(self.tables[index])):
                used.add(other)
                if other == name:
                    continue
                if self.roles.get(other) in forbidden:
                    raise CourseError(
                        f"{self.filename}: `{name}` uses `{other}`, which is a {self.roles[other]}. "
                        "It travels alone to where student code runs; write out what it needs."
                    )
                queue += self.binders.get(other, [])
        parts = []
        for index in sorted(wanted):
            node = copy.copy(self.bare[index])
            if isinstance(node, (ast.Import, ast.ImportFrom)) and not _is_future(node):
                node.names = [alias for alias in node.names if _bound(alias) in used]
            if index == own:
                node.name = new_name
            parts.append(ast.unparse(node))
            if index == own and new_name != name and name in used:  # recursion, or a helper that calls back
                parts.append(f"{name} = {new_name}")
        return "\n\n".join(parts) + "\n"

    def _definition(self, name):
        index = self.binders.get(name, [None])[-1]
        if index is None or not isinstance(self.tree.body[index], (ast.FunctionDef, ast.ClassDef)):
            raise CourseError(
                f"{self.filename}: `{name}` must be a `def` or `class` at the module's top level, "
                "so that it can be sent as source."
            )
        return index


def _used(table):
    """Names that a statement takes from the module, from whatever scope within it."""
    kind = table.get_type()
    names = {
        symbol.get_name()
        for symbol in table.get_symbols()
        # in a class body, `x = x` reads the module's x
        if (symbol.is_global() and kind != "module") or (symbol.is_referenced() and kind != "function")
    }
    return names.union(*map(_used, table.get_children()))


def _changed(node):
    """Names whose values a statement changes: `TABLE[k] = v`, `TABLE.update(...)`."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return set()
    names = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
            part = part.value.func
        elif isinstance(getattr(part, "ctx", None), ast.Load):
            continue
        if isinstance(part, (ast.Attribute, ast.Subscript)):
            while isinstance(part, (ast.Attribute, ast.Subscript, ast.Call)):
                part = part.func if isinstance(part, ast.Call) else part.value
            names |= {part.id} if isinstance(part, ast.Name) else set()
    return names


def _bare(node):
    """A copy without what makes it a question or a stand-in, and without the docstring, which tells."""
    node = copy.copy(node)
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        node.decorator_list = [one for one in node.decorator_list if _decorator_role(one) is None]
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return node


def _role(node):
    return next(filter(None, map(_decorator_role, getattr(node, "decorator_list", []))), None)


def _decorator_role(decorator):
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = getattr(target, "id", None) or getattr(target, "attr", None)
    return name if name in ("question", "misconception", "equivalent") else None


def _is_future(node):
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _bound(alias):
    return alias.asname or alias.name.split(".")[0]
