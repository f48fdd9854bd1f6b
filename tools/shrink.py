"""Makes firmware modules small before they are compiled; what they do does not change.

MicroPython keeps every name that is used anywhere in one table in RAM (a qstr). On a board with 100 KB that table costs
more than the code. The sources stay readable and run on CPython as they are; for the board

- integer and short constants (NAME = 5, also those imported from another firmware module) are put where they are used,
- private names (_name) become short ones that all modules share,
- so do the parameters of functions that nobody calls by keyword.

The names of one image stand beside it in names.json, to read a traceback with.
"""

import ast
import builtins
import keyword
import string
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import count

Constant = int | str
_SHORT_TEXT = 24
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def shrink(sources: dict[str, str], keep: Iterable[str] = ()) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Module path -> source, shrunk, and per module its private names (short -> original).

    `keep` names modules whose source stays as it is (not ours, or run as text). Raises SyntaxError.
    """
    kept = set(keep)
    trees = {path: ast.parse(source, path) for path, source in sources.items()}
    ours = {path: tree for path, tree in trees.items() if path not in kept}
    constants = {_module(path): _constants(tree) for path, tree in ours.items()}
    names: dict[str, dict[str, str]] = {}
    for path, tree in ours.items():
        _Inline(constants, constants[_module(path)]).visit(tree)
    _drop_unused_constants(ours, trees, constants)
    private = _private_names(trees, ours)
    keywords = _keywords(trees)
    for path, tree in ours.items():
        _Rename(private[path]).visit(tree)
        _shorten(tree, keywords)
        names[path] = {short: name for name, short in private[path].items()}
    shrunk = {path: ast.unparse(ast.fix_missing_locations(tree)) + "\n" for path, tree in ours.items()}
    return {path: shrunk.get(path, sources[path]) for path in sources}, names


def inline(sources: dict[str, str]) -> dict[str, ast.Module]:
    """The modules' trees with constants where they are used and short parameters; names stay. Raises SyntaxError."""
    trees = {path: ast.parse(source, path) for path, source in sources.items()}
    constants = {_module(path): _constants(tree) for path, tree in trees.items()}
    for path, tree in trees.items():
        _Inline(constants, constants[_module(path)]).visit(tree)
    _drop_unused_constants(trees, trees, constants)
    keywords = _keywords(trees)
    for tree in trees.values():
        _shorten(tree, keywords)
    return trees


def _keywords(trees: dict[str, ast.Module]) -> set[str | None]:
    """Every name that is passed by keyword somewhere."""
    return {k.arg for tree in trees.values() for n in ast.walk(tree) if isinstance(n, ast.Call) for k in n.keywords}


def _shorten(tree: ast.Module, keywords: set[str | None]) -> None:
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            _short_parameters(node, keywords)


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").removeprefix("lib/").replace("/", ".")


def _value(node: ast.expr) -> Constant | None:
    """The constant's value if it is worth repeating where it is used."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return None if isinstance(value, str) and len(value) > _SHORT_TEXT else value


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr, ast.Assign]]:
    """Module-level NAME = value, also NAME, OTHER = value, value."""
    for node in tree.body:
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Name):
            yield target.id, value, node
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, its in zip(target.elts, value.elts, strict=True):
                if isinstance(one, ast.Name):
                    yield one.id, its, node


def _constants(tree: ast.Module) -> dict[str, Constant]:
    """Upper-case names that are given a plain value once at module level and never again."""
    written = Counter(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    found: dict[str, Constant] = {}
    for name, value, _ in _assigned(tree):
        if name.isupper() and written[name] == 1:
            folded = _value(_Inline({}, found).visit(_copy(value)))
            if folded is not None:
                found[name] = folded
    return found


def _copy(node: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(node), mode="eval").body


class _Inline(ast.NodeTransformer):
    """Puts constants where their names are read, and takes their imports away."""

    def __init__(self, modules: dict[str, dict[str, Constant]], own: dict[str, Constant]) -> None:
        self._modules = modules
        self._known = dict(own)
        self._aliases: dict[str, str] = {}

    def visit_Import(self, node: ast.Import) -> ast.Import:  # noqa: N802
        for alias in node.names:
            if alias.name in self._modules and "." not in alias.name:
                self._aliases[alias.asname or alias.name] = alias.name
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:  # noqa: N802
        constants = self._modules.get(node.module or "", {})
        left = []
        for alias in node.names:
            if alias.name in constants:
                self._known[alias.asname or alias.name] = constants[alias.name]
            else:
                left.append(alias)
                if f"{node.module}.{alias.name}" in self._modules:
                    self._aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        node.names = left
        return node if left else None

    def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802
        if isinstance(node.ctx, ast.Load) and node.id in self._known:
            return ast.copy_location(ast.Constant(self._known[node.id]), node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name):
            constants = self._modules.get(self._aliases.get(node.value.id, ""), {})
            if node.attr in constants:
                return ast.copy_location(ast.Constant(constants[node.attr]), node)
        return node


def _drop_unused_constants(
    ours: dict[str, ast.Module], everything: dict[str, ast.Module], constants: dict[str, dict[str, Constant]]
) -> None:
    """Takes away the constants that are now read nowhere, and imports of modules that nothing is read from any more."""
    read: Counter[str] = Counter()
    for tree in everything.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                read[node.id] += 1
            elif isinstance(node, ast.Attribute):
                read[node.attr] += 1
            elif isinstance(node, ast.ImportFrom):
                read.update(alias.name for alias in node.names)
    for path, tree in ours.items():
        own = constants[_module(path)]
        body: list[ast.stmt] = []
        for node in tree.body:
            names = (
                [n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
                if isinstance(node, ast.Assign)
                else []
            )
            if not names or not all(name in own and not read[name] for name in names):
                body.append(node)
        tree.body = body
        _drop_unread_imports(tree)


def _drop_unread_imports(tree: ast.Module) -> None:
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    for holder in [tree, *(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))]:
        for node in list(holder.body):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pump"):
                node.names = [a for a in node.names if (a.asname or a.name) in used]
                if not node.names:
                    holder.body.remove(node)


def _private_names(trees: dict[str, ast.Module], ours: dict[str, ast.Module]) -> dict[str, dict[str, str]]:
    """Short names for private ones. A name used in one module only shares its short form with other modules' names; one
    used in several gets a form that is its own. Modules that inherit from another module share nothing."""
    where: dict[str, set[str]] = defaultdict(set)
    for path, tree in trees.items():
        for name in _identifiers(tree):
            where[name].add(path)
    taken = {name for name, paths in where.items() if not _is_private(name) or paths - set(ours)}
    taken |= {a.name for tree in trees.values() for a in ast.walk(tree) if isinstance(a, ast.alias)}
    taken |= set(where) - {name for tree in ours.values() for name in _defined(tree)}  # parts of the interpreter's own
    several = sorted(n for n, paths in where.items() if _is_private(n) and n not in taken and len(paths) > 1)
    shorts = _short_names(taken)
    common = {name: next(shorts) for name in several}
    pool = [next(shorts) for _ in range(600)]
    result: dict[str, dict[str, str]] = {}
    for path, tree in ours.items():
        used = _identifiers(tree)
        local = [n for n, _ in used.most_common() if _is_private(n) and n not in taken and n not in common]
        own = shorts if _inherits(tree) else iter(pool)
        result[path] = {name: next(own) for name in local} | {n: common[n] for n in used if n in common}
    return result


def _is_private(name: str) -> bool:
    return len(name) > 1 and name.startswith("_") and not name.startswith("__")


def _identifiers(tree: ast.Module) -> Counter[str]:
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                found[value] += 1
        if isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
    return found


def _defined(tree: ast.Module) -> Iterator[str]:
    """Names that are given a value somewhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg


def _inherits(tree: ast.Module) -> bool:
    """True if a class of this module has a base that is not defined here."""
    classes = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    plain = {"Exception", "OSError", "ValueError", "object"}
    bases = [b for n in ast.walk(tree) if isinstance(n, ast.ClassDef) for b in n.bases]
    return any(not (isinstance(b, ast.Name) and b.id in classes | plain) for b in bases)


def _short_names(taken: set[str]) -> Iterator[str]:
    """_a, _b, ... _aa, _ab, ..., without those in `taken`."""
    letters = string.ascii_lowercase
    for n in count():
        name = "_" + (letters[n] if n < 26 else letters[n // 26 - 1] + letters[n % 26])
        if name not in taken:
            yield name


class _Rename(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field in ("id", "attr", "arg", "name", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str) and value in self._names:
                setattr(node, field, self._names[value])
        if isinstance(node, ast.Global | ast.Nonlocal):
            node.names = [self._names.get(n, n) for n in node.names]
        return super().generic_visit(node)


def _short_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, keywords: set[str | None]) -> None:
    """Parameters become a, b, c ... unless somebody, somewhere, passes that name by keyword."""
    inside = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    inside |= {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)}
    inside |= {name for n in ast.walk(node) if isinstance(n, ast.Global | ast.Nonlocal) for name in n.names}
    inner = [n for n in ast.walk(node) if n is not node and isinstance(n, _FUNCTIONS)]
    shadowed = {a.arg for n in inner for a in ast.walk(n.args) if isinstance(a, ast.arg)}
    shadowed |= {n.name for n in ast.walk(node) if isinstance(n, ast.ExceptHandler) and n.name}
    free = (
        c for c in string.ascii_lowercase if c not in inside and not keyword.iskeyword(c) and not hasattr(builtins, c)
    )
    names: dict[str, str] = {}
    for parameter in [*node.args.posonlyargs, *node.args.args]:
        name = parameter.arg
        if name != "self" and len(name) > 1 and name not in keywords and name not in shadowed:
            short = next(free, None)
            if short is None:
                break
            names[name] = short
    if names:
        defaults = node.args.defaults, node.args.kw_defaults
        node.args.defaults, node.args.kw_defaults = [], []  # evaluated outside: their names are not ours
        _rename_parameters(node, names)
        node.args.defaults, node.args.kw_defaults = defaults


def _rename_parameters(node: ast.AST, names: dict[str, str]) -> None:
    """Only names and parameters, not attributes or keywords, which may be spelt alike."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and inner.id in names:
            inner.id = names[inner.id]
        elif isinstance(inner, ast.arg) and inner.arg in names:
            inner.arg = names[inner.arg]
        elif isinstance(inner, ast.Global | ast.Nonlocal):
            inner.names = [names.get(n, n) for n in inner.names]
