"""Says the same with fewer objects. Works on what is written already: one flat list of statements, names resolved.

On the 64-bit interpreter a class costs about 250 bytes, a default argument 32.

- A class that only has an __init__ becomes a function that fills an object of one class common to all of them.
- A class whose only use is to be the base of one other is folded into that one.
- A function of which only calls are known gets its default arguments written out where it is called.
"""

import ast
from collections import Counter

from tools.bundle.constants import spread

BAG = "_"  # the common class; short names begin with a letter, so nothing else is called that


def slim(body: list[ast.stmt], apart: list[list[ast.stmt]], bundle: str, ours: set[str]) -> list[ast.stmt]:
    """The bundle's statements, slimmer. apart: statements of other files, which say `bundle.X`; changed in place.
    ours: attribute names that only our own classes have."""
    body = spread(_fold(body, apart, bundle), apart, bundle)
    calls = _Calls(body, [s for file in apart for s in file], bundle)
    body = _factories(body, calls)
    _write_out_defaults(body, calls)
    _methods_once(body, [s for file in apart for s in file], ours)
    return body


class _Calls:
    """Where each top-level name is called, and which names are used in any other way."""

    def __init__(self, body: list[ast.stmt], apart: list[ast.stmt], bundle: str) -> None:
        self.calls: dict[str, list[ast.Call]] = {}
        self.others: Counter[str] = Counter()
        for statements, own in ((body, True), (apart, False)):
            self._look(statements, own, bundle)

    def _look(self, statements: list[ast.stmt], own: bool, bundle: str) -> None:
        called: set[int] = set()  # and names of attributes at the head of a class, which may be spelt alike
        for node in (n for s in statements for n in ast.walk(s)):
            if isinstance(node, ast.ClassDef):
                called |= {id(t) for s in node.body if isinstance(s, ast.Assign) for t in s.targets}
            if isinstance(node, ast.Call) and (name := _name(node.func, own, bundle)):
                self.calls.setdefault(name, []).append(node)
                called.add(id(node.func))
        for node in (n for s in statements for n in ast.walk(s) if id(n) not in called):
            if isinstance(node, ast.Name | ast.Attribute) and (name := _name(node, own, bundle)):
                self.others[name] += 1


def _name(node: ast.expr, own: bool, bundle: str) -> str | None:
    """What X in the bundle's own text and bundle.X elsewhere mean: a bare X of another file is that file's."""
    if own and isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == bundle:
        return node.attr
    return None


def _methods(node: ast.ClassDef) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return {s.name: s for s in node.body if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef)}


def _factories(body: list[ast.stmt], calls: _Calls) -> list[ast.stmt]:
    made: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.ClassDef) and not calls.others[node.name] and (maker := _maker(node)):
            if not any(isinstance(s, ast.ClassDef) and s.name == BAG for s in made):
                made.append(ast.ClassDef(BAG, [], [], [ast.Pass()], []))
            made.append(maker)
        else:
            made.append(node)
    return made


def _maker(node: ast.ClassDef) -> ast.FunctionDef | None:
    """def X(a): self = _(); ...; return self. None if the class is more than its __init__."""
    first = node.body[0]
    if node.bases or node.decorator_list or len(node.body) > 1 or not isinstance(first, ast.FunctionDef):
        return None
    if first.name != "__init__" or any(isinstance(n, ast.Return) for n in ast.walk(first)):
        return None
    this = first.args.args.pop(0).arg
    start = ast.Assign([ast.Name(this, ast.Store())], ast.Call(ast.Name(BAG, ast.Load()), [], []))
    statements = [start, *first.body, ast.Return(ast.Name(this, ast.Load()))]
    return ast.FunctionDef(node.name, first.args, statements, [])


def _fold(body: list[ast.stmt], apart: list[list[ast.stmt]], bundle: str) -> list[ast.stmt]:
    classes = {s.name: s for s in body if isinstance(s, ast.ClassDef)}
    everything = [*body, *(s for file in apart for s in file)]
    uses = Counter(_name(n, True, bundle) for s in everything for n in ast.walk(s) if isinstance(n, ast.expr))
    gone: set[str] = set()
    for node in classes.values():
        base = classes.get(_name(node.bases[0], True, bundle) or "") if len(node.bases) == 1 else None
        if base is None or base.bases or uses[base.name] != 1:
            continue
        own = _methods(node)
        through = _through_super(node)
        if not through <= {"__init__"}:
            continue
        inherited: list[ast.stmt] = []
        for statement in base.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == "__init__" and "__init__" in own:
                if through:
                    statement.name = BAG + base.name
                    inherited.append(statement)
            elif not _overridden(statement, node):
                inherited.append(statement)
        _Super(BAG + base.name).visit(node)
        node.body = [*inherited, *node.body]
        node.bases = []
        gone.add(base.name)
    return [s for s in body if not (isinstance(s, ast.ClassDef) and s.name in gone)]


def _through_super(node: ast.ClassDef) -> set[str]:
    return {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and _is_super(n.value)}


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _overridden(statement: ast.stmt, by: ast.ClassDef) -> bool:
    names = set(_methods(by))
    names |= {t.id for s in by.body if isinstance(s, ast.Assign) for t in s.targets if isinstance(t, ast.Name)}
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return statement.name in names and not statement.decorator_list
    return isinstance(statement, ast.Pass)


class _Super(ast.NodeTransformer):
    """super().__init__(...) -> self._Base(...)."""

    def __init__(self, name: str) -> None:
        self._to = name

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802
        self.generic_visit(node)
        if _is_super(node.value):
            return ast.Attribute(ast.Name("self", ast.Load()), self._to, node.ctx)
        return node


def _write_out_defaults(body: list[ast.stmt], calls: _Calls) -> None:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not calls.others[node.name]:
            _write_out(node, calls.calls.get(node.name, []), node.args.args)
        elif isinstance(node, ast.ClassDef):
            first = _methods(node).get("__init__")
            if first and not calls.others[node.name]:
                _write_out(first, calls.calls.get(node.name, []), first.args.args[1:])


def _methods_once(body: list[ast.stmt], apart: list[ast.stmt], ours: set[str]) -> None:
    """The same for methods whose name only one class has and that are only called."""
    everything = [n for s in (*body, *apart) for n in ast.walk(s)]
    classes = [n for n in everything if isinstance(n, ast.ClassDef)]
    count = Counter(name for c in classes for name in _methods(c))
    calls: dict[str, list[ast.Call]] = {}
    for node in everything:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            calls.setdefault(node.func.attr, []).append(node)
    mentions = Counter(n.attr for n in everything if isinstance(n, ast.Attribute))
    for owner in classes:
        for name, method in _methods(owner).items():
            places = calls.get(name, [])
            if name in ours and count[name] == 1 and mentions[name] == len(places) and not method.decorator_list:
                _write_out(method, places, method.args.args[1:])


def _write_out(node: ast.FunctionDef | ast.AsyncFunctionDef, places: list[ast.Call], parameters: list[ast.arg]) -> None:
    arguments = node.args
    if not arguments.defaults or arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
        return
    if not all(isinstance(d, ast.Constant) for d in arguments.defaults):
        return
    given = [_given(call, parameters, arguments.defaults) for call in places]
    if any(g is None for g in given):
        return
    for call, values in zip(places, given, strict=True):
        call.args, call.keywords = values or [], []
    arguments.defaults = []


def _given(call: ast.Call, parameters: list[ast.arg], defaults: list[ast.expr]) -> list[ast.expr] | None:
    """What each parameter gets in this call, in order; None if nobody can tell, or acts would change places."""
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return None
    if not all(isinstance(k.value, ast.Constant | ast.Name) for k in call.keywords):
        return None
    names = [a.arg for a in parameters]
    values: dict[str, ast.expr] = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    values.update(zip(names, call.args, strict=False))
    values.update({str(k.arg): k.value for k in call.keywords})
    return [values[n] for n in names] if set(values) == set(names) else None
