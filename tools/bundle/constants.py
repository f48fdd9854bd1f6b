"""Puts fixed values where they are used, and base classes where a class says nothing of its own.

A name at the top of the bundle costs 16 bytes and more on the 64-bit interpreter; a fixed value stands once in the
table of constants, however often it is used. An exception class that nobody catches by name costs 190 bytes for a word.
"""

import ast
import builtins
import copy
import operator
from collections import Counter

_SUMS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.LShift: operator.lshift,
    ast.FloorDiv: operator.floordiv,
}  # fmt: skip


def spread(body: list[ast.stmt], apart: list[list[ast.stmt]], bundle: str) -> list[ast.stmt]:
    """The bundle's statements without such names; files apart, which say `bundle.X`, are changed in place."""
    everything = [*body, *(s for file in apart for s in file)]
    stores = Counter(
        n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    )
    written = {n.attr for s in everything for n in ast.walk(s) if isinstance(n, ast.Attribute) and _stored(n, bundle)}
    loose = {name for s in body for n in ast.walk(s) if isinstance(n, ast.Global) for name in n.names} | written
    known: dict[str, ast.expr] = {}
    kept: list[ast.stmt] = []
    for node in body:
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        if isinstance(node, ast.Assign) and isinstance(target, ast.Name):
            value = _fixed(node.value, known)
            if value is not None and stores[target.id] == 1 and target.id not in loose:
                known[target.id] = value
                continue
        kept.append(node)
    kept, renamed = _bare(kept, apart, bundle)
    for own, statements in ((True, kept), *((False, file) for file in apart)):
        putter = _Put(known, renamed, own, bundle)
        statements[:] = [putter.visit(s) for s in statements]
    return kept


def _stored(node: ast.Attribute, bundle: str) -> bool:
    return isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == bundle


def _fixed(node: ast.expr, known: dict[str, ast.expr]) -> ast.expr | None:
    """The value as a literal, if it is a number, text, bytes, or a tuple of such."""
    folded = _fold(node, known)
    try:
        value = ast.literal_eval(folded)
    except (ValueError, TypeError):
        return None
    return folded if isinstance(value, int | str | bytes | tuple) else None


def _fold(node: ast.expr, known: dict[str, ast.expr]) -> ast.expr:
    if isinstance(node, ast.Name) and node.id in known:
        return copy.deepcopy(known[node.id])
    if isinstance(node, ast.Tuple):
        return ast.Tuple([_fold(part, known) for part in node.elts], ast.Load())
    try:
        if isinstance(node, ast.BinOp) and type(node.op) in _SUMS:
            left, right = (ast.literal_eval(_fold(side, known)) for side in (node.left, node.right))
            return ast.parse(repr(_SUMS[type(node.op)](left, right)), mode="eval").body
        if isinstance(node, ast.Call) and not node.keywords and len(node.args) == 1:
            argument = ast.literal_eval(node.args[0])
            match ast.unparse(node.func):
                case "bytes":
                    return ast.Constant(bytes(argument))
                case "bytes.fromhex":
                    return ast.Constant(bytes.fromhex(argument))
    except (ValueError, TypeError):
        pass
    return node


def _bare(body: list[ast.stmt], apart: list[list[ast.stmt]], bundle: str) -> tuple[list[ast.stmt], dict[str, ast.expr]]:
    """Leaves out classes that add nothing to their base and are only raised; what to say instead of each."""
    bases = {
        s.name: s.bases[0]
        for s in body
        if isinstance(s, ast.ClassDef) and len(s.bases) == 1 and all(isinstance(part, ast.Pass) for part in s.body)
    }
    raised: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for own, statements in ((True, body), *((False, file) for file in apart)):
        for node in (n for s in statements for n in ast.walk(s)):
            if isinstance(node, ast.Raise) and node.exc is not None:
                said = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                raised[_name(said, own, bundle)] += 1
            if isinstance(node, ast.Name | ast.Attribute):
                used[_name(node, own, bundle)] += 1
    gone = {name: base for name, base in bases.items() if name and raised[name] == used[name]}
    return [s for s in body if not (isinstance(s, ast.ClassDef) and s.name in gone)], gone


def _name(node: ast.expr, own: bool, bundle: str) -> str:
    if own and isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == bundle:
        return node.attr
    return ""


class _Put(ast.NodeTransformer):
    def __init__(self, known: dict[str, ast.expr], renamed: dict[str, ast.expr], own: bool, bundle: str) -> None:
        self._known, self._renamed, self._own, self._bundle = known, renamed, own, bundle

    def _instead(self, node: ast.Name | ast.Attribute) -> ast.expr | None:
        name = _name(node, self._own, self._bundle)
        if name in self._known and isinstance(node.ctx, ast.Load):
            return copy.deepcopy(self._known[name])
        if name in self._renamed:
            base = self._renamed[name]
            if self._own or not isinstance(base, ast.Name) or hasattr(builtins, base.id):
                instead: ast.expr = self.visit(copy.deepcopy(base))
            else:
                instead = self.visit(ast.Attribute(ast.Name(self._bundle, ast.Load()), base.id, ast.Load()))
            return instead
        return None

    def visit_Name(self, node: ast.Name) -> ast.AST:  # noqa: N802
        return self._instead(node) or node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802
        instead = self._instead(node)
        return instead if instead is not None else self.generic_visit(node)
