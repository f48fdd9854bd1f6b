"""What is needed: everything that the entries refer to, by way of whatever that refers to."""

import ast

from tools.bundle.scopes import Module, Scoped, targets


class Uses(Scoped):
    """Collects the globals and attribute names that a statement refers to."""

    def __init__(self, modules: dict[str, Module]) -> None:
        super().__init__(modules)
        self.globals: set[tuple[str, str]] = set()
        self.attributes: set[str] = set()

    def of(self, module: Module, node: ast.AST) -> tuple[set[tuple[str, str]], set[str]]:
        self.module, self.globals, self.attributes = module, set(), set()
        self.visit(node)
        return self.globals, self.attributes

    def visit_Name(self, node: ast.Name) -> ast.AST:  # noqa: N802
        meaning = self.meaning_of(node.id)
        if meaning and meaning[0] == "global":
            self.globals.add((meaning[1], meaning[2]))
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802
        meaning = self.meaning(node)
        if meaning and meaning[0] == "global":
            self.globals.add((meaning[1], meaning[2]))
        elif not meaning:
            if isinstance(node.ctx, ast.Load):
                self.attributes.add(node.attr)
            self.visit(node.value)
        return node


def _is_plain(node: ast.stmt) -> bool:
    """A definition that does nothing by itself: may be left out if nobody refers to it."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def shake(modules: dict[str, Module], apart: set[str]) -> None:
    """Leaves out definitions and methods that nothing reachable from the entries refers to, and docstrings."""
    for module in modules.values():
        for node in ast.walk(module.tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and _is_docstring(body[0]):
                del body[0]
                if not body and not isinstance(node, ast.Module):
                    body.append(ast.Pass())
    uses = Uses(modules)
    needed: set[tuple[str, str]] = set()
    attributes: set[str] = words(modules)
    seen: set[int] = set()
    grown = True
    while grown:
        grown = False
        for name, module in modules.items():
            for node in module.tree.body:
                wanted = not _is_plain(node) or name in apart or any((name, t) in needed for t in targets(node))
                if not wanted:
                    continue
                parts: list[ast.AST] = [node]
                if isinstance(node, ast.ClassDef):
                    parts = [*node.bases, *(s for s in node.body if not _leavable(s, attributes))]
                for part in parts:
                    if id(part) in seen:
                        continue
                    seen.add(id(part))
                    grown = True
                    more, names = uses.of(module, part)
                    needed |= more
                    attributes |= names
    for name, module in modules.items():
        kept = []
        for node in module.tree.body:
            if _is_plain(node) and name not in apart and not any((name, t) in needed for t in targets(node)):
                continue
            if isinstance(node, ast.ClassDef):
                node.body = [s for s in node.body if not _leavable(s, attributes)] or [ast.Pass()]
            kept.append(node)
        module.tree.body = kept


def _leavable(statement: ast.stmt, attributes: set[str]) -> bool:
    if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return not statement.name.startswith("__") and statement.name not in attributes


def words(modules: dict[str, Module]) -> set[str]:
    """Identifiers that stand in strings: they may be names of attributes (settings) or keys."""
    found: set[str] = set()
    for module in modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {word for word in node.value.replace(",", " ").split() if word.isidentifier()}
    return found
