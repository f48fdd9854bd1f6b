"""What a name means where it stands: local, built-in, or something of one of our modules."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

# A name's meaning: ("module", dotted) or ("global", module, name).
Meaning = tuple[str, ...]


@dataclass
class Module:
    name: str
    tree: ast.Module
    names: dict[str, Meaning] = field(default_factory=dict)  # module-level name -> meaning


def dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").removeprefix("lib/").replace("/", ".")


def import_meanings(node: ast.stmt, modules: dict[str, Module]) -> dict[str, Meaning]:
    """Names that an import statement binds to modules of ours or to what stands in them."""
    found: dict[str, Meaning] = {}
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name in modules:
                found[alias.asname or alias.name.split(".")[0]] = (
                    ("module", alias.name) if alias.asname else ("module", alias.name.split(".")[0])
                )
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        for alias in node.names:
            full = f"{base}.{alias.name}"
            if full in modules:
                found[alias.asname or alias.name] = ("module", full)
            elif base in modules:
                found[alias.asname or alias.name] = ("global", base, alias.name)
    return found


def targets(node: ast.AST) -> Iterator[str]:
    """Names that a statement binds in its own scope (nested functions and classes: only their name)."""
    stack: list[ast.AST] = [node]
    while stack:
        here = stack.pop()
        if isinstance(here, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield here.name
            continue
        if isinstance(here, (ast.Lambda, *_COMPREHENSIONS)):
            continue
        if isinstance(here, ast.Name) and isinstance(here.ctx, ast.Store | ast.Del):
            yield here.id
        elif isinstance(here, ast.ExceptHandler) and here.name:
            yield here.name
        elif isinstance(here, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.split(".")[0] for alias in here.names)
        stack.extend(ast.iter_child_nodes(here))


def bind(module: Module, modules: dict[str, Module]) -> None:
    for node in module.tree.body:
        for inner in ast.walk(node) if isinstance(node, ast.Try | ast.If) else [node]:
            if isinstance(inner, ast.Import | ast.ImportFrom):
                module.names.update(import_meanings(inner, modules))
        for name in targets(node):
            module.names.setdefault(name, ("global", module.name, name))


def resolve(meaning: Meaning, modules: dict[str, Module]) -> Meaning:
    """Follows `from x import y` of what x itself imported."""
    while meaning[0] == "global":
        further = modules[meaning[1]].names.get(meaning[2])
        if further is None or further == meaning:
            return meaning
        meaning = further
    return meaning


class Scoped(ast.NodeTransformer):
    """Walks with the scopes in mind: meaning_of(name) is a Meaning, or None for locals and built-ins."""

    def __init__(self, modules: dict[str, Module]) -> None:
        self.modules = modules
        self.module = next(iter(modules.values()))
        self.scopes: list[dict[str, Meaning | None]] = []

    def meaning_of(self, name: str) -> Meaning | None:
        for scope in reversed(self.scopes):
            if name in scope:
                found = scope[name]
                return resolve(found, self.modules) if found else None
        found = self.module.names.get(name)
        return resolve(found, self.modules) if found else None

    def meaning(self, node: ast.AST) -> Meaning | None:
        """Of a name or a chain of attributes on a module."""
        if isinstance(node, ast.Name):
            return self.meaning_of(node.id)
        if isinstance(node, ast.Attribute):
            base = self.meaning(node.value)
            if base and base[0] == "module":
                full = f"{base[1]}.{node.attr}"
                if full in self.modules:
                    return ("module", full)
                return resolve(("global", base[1], node.attr), self.modules)
        return None

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> ast.AST:
        arguments = node.args
        arguments.defaults = [self.visit(d) for d in arguments.defaults]
        arguments.kw_defaults = [d and self.visit(d) for d in arguments.kw_defaults]
        if not isinstance(node, ast.Lambda):
            node.decorator_list = [self.visit(d) for d in node.decorator_list]
        body = node.body if isinstance(node.body, list) else [node.body]
        scope: dict[str, Meaning | None] = dict.fromkeys(a.arg for a in ast.walk(arguments) if isinstance(a, ast.arg))
        loose: set[str] = set()
        for statement in body:
            scope.update(dict.fromkeys(targets(statement)))
            for inner in ast.walk(statement):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    scope.update(import_meanings(inner, self.modules))
                elif isinstance(inner, ast.Global | ast.Nonlocal):
                    loose |= set(inner.names)
        for name in loose:
            scope.pop(name, None)
        self.scopes.append(scope)
        if isinstance(node, ast.Lambda):
            node.body = self.visit(node.body)
        else:
            node.body = self._body(node.body)
        self.scopes.pop()
        return node

    def _body(self, body: list[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for statement in body:
            new = self.visit(statement)
            made += new if isinstance(new, list) else [new] if new is not None else []
        return made or [ast.Pass()]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # noqa: N802
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:  # noqa: N802
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:  # noqa: N802
        return self._function(node)

    def _comprehension(self, node: ast.AST) -> ast.AST:
        own: dict[str, Meaning | None] = {
            n.id: None
            for generator in getattr(node, "generators", [])
            for n in ast.walk(generator.target)
            if isinstance(n, ast.Name)
        }
        self.scopes.append(own)
        self.generic_visit(node)
        self.scopes.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:  # noqa: N802
        node.bases = [self.visit(base) for base in node.bases]
        # Names bound in the class body are seen there, not in its methods.
        own: dict[str, Meaning | None] = dict.fromkeys(n for s in node.body for n in targets(s))
        body: list[ast.stmt] = []
        for statement in node.body:
            if isinstance(statement, FUNCTIONS):
                body.append(self.visit(statement))
            else:
                self.scopes.append(own)
                body.append(self.visit(statement))
                self.scopes.pop()
        node.body = body
        return node
