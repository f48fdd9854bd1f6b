"""Joins the bench's stand-ins for the chip's modules into one, `chip`, so that they take less of the simulated heap.

A module of its own costs 350 bytes before its first line. tools/bench/shims/start/power_on.py gives the one module the
names of all of them. A name may be defined at the top of one file only, but for those that come from an import.
"""

import ast
from collections.abc import Sequence


def join(sources: Sequence[tuple[str, str]]) -> str:
    """(module name, source) in the order in which they are to run -> source. ValueError if two define one name."""
    names = {name for name, _ in sources}
    owner: dict[str, str] = {}
    body: list[ast.stmt] = []
    for name, source in sources:
        for node in ast.parse(source, name).body:
            if isinstance(node, ast.Import):
                node.names = [a for a in node.names if a.name not in names]
                if not node.names:
                    continue
            elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign):
                for defined in _defined(node):
                    if owner.setdefault(defined, name) != name:
                        raise ValueError(f"{defined}: in {owner[defined]} and in {name}")
            body.append(_Flat(names).visit(node))
    return ast.unparse(ast.fix_missing_locations(ast.Module(body, []))) + "\n"


def _defined(node: ast.FunctionDef | ast.ClassDef | ast.Assign) -> set[str]:
    if isinstance(node, ast.Assign):
        return {
            n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
    return {node.name}


class _Flat(ast.NodeTransformer):
    """wired.read -> read."""

    def __init__(self, modules: set[str]) -> None:
        self._modules = modules

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in self._modules:
            return ast.Name(node.attr, node.ctx)
        return node
