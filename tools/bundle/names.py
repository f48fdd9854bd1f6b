"""Short names, as few as can be: module-level ones of the bundle, and attributes that only our own classes have."""

import ast
import builtins
import keyword
from collections import Counter, defaultdict
from collections.abc import Iterator

from tools.bundle.scopes import Module, targets
from tools.bundle.shake import Uses

# The interpreter looks for methods of these names by itself, so no attribute may be called so by chance.
_PROTOCOLS = {"send", "throw", "close", "readinto", "write", "ioctl", "readblocks", "writeblocks", "open", "mount"}
_COMPILER = {"const", "native", "viper", "asm_thumb"}  # means something to MicroPython's compiler


def used_identifiers(modules: dict[str, Module]) -> set[str]:
    return {
        value
        for module in modules.values()
        for node in ast.walk(module.tree)
        for key in ("id", "attr", "arg", "name", "asname")
        if isinstance(value := getattr(node, key, None), str)
    }


def _shorts(taken: set[str], free: set[str]) -> Iterator[str]:
    """Names that cost nothing because the interpreter has them, then A, B, ... Z, AA, ...: none of them `taken`."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    plain = [n for n in free if n.isidentifier() and not n.startswith("_") and not keyword.iskeyword(n)]
    taken = taken | _COMPILER
    for name in (
        *sorted(plain, key=lambda n: (len(n), n)),
        *letters,
        *(a + b for a in letters for b in letters + "0123456789"),
    ):
        if name not in taken:
            yield name
    raise ValueError("more names than short ones")


def _class_names(modules: dict[str, Module]) -> tuple[list[set[str]], set[str], set[str]]:
    """(attribute names per family of classes, names stored on other objects than self, all that ours define)."""
    members: dict[str, set[str]] = {}
    bases: dict[str, list[str]] = {}
    loose: set[str] = set()
    for module in modules.values():
        inside: set[int] = set()
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ClassDef):
                continue
            own = {n for s in node.body for n in targets(s)}
            for inner in ast.walk(node):
                if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and _is_self(inner.value):
                    own.add(inner.attr)
                    inside.add(id(inner))
            members.setdefault(node.name, set()).update(own)
            bases[node.name] = [b.id if isinstance(b, ast.Name) else getattr(b, "attr", "") for b in node.bases]
        loose |= {
            n.attr
            for n in ast.walk(module.tree)
            if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and id(n) not in inside
        }
    # A family is all classes joined by inheritance: what one has, the others' objects may carry too.
    family: dict[str, set[str]] = {name: {name} for name in members}
    for name, parents in bases.items():
        for parent in parents:
            if parent in family and family[parent] is not family[name]:
                joined = family[name] | family[parent]
                for member in joined:
                    family[member] = joined
    groups = {id(group): group for group in family.values()}
    return (
        [set().union(*(members[n] for n in g)) for g in groups.values()],
        loose,
        set().union(*members.values(), loose),
    )


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def short_attributes(modules: dict[str, Module], keep: set[str], free: set[str]) -> dict[str, str]:
    """Attribute -> short name. No two attributes of one family of classes share one. free: names that cost nothing."""
    families, loose, ours = _class_names(modules)
    held = set().union(*families) if families else set()
    used = Counter(n.attr for m in modules.values() for n in ast.walk(m.tree) if isinstance(n, ast.Attribute))
    rename = [n for n in ours if n not in keep and not (n.startswith("__") and n.endswith("__"))]
    neighbours: dict[str, set[str]] = defaultdict(set)
    for group in families:
        for name in group:
            neighbours[name] |= group
    alone = loose - held  # on objects we cannot tell: shares with nobody
    taken_anywhere = used_identifiers(modules) | set(dir(builtins)) | _PROTOCOLS
    shorts = list(zip(range(700), _shorts(taken_anywhere | (keep - free), free), strict=False))
    given: dict[str, str] = {}
    for name in sorted(rename, key=lambda n: (-used[n], n)):
        taken = {given[o] for o in (neighbours[name] | alone if name not in alone else set(given)) if o in given}
        given[name] = next(short for _, short in shorts if short not in taken)
    return given


def short_globals(
    modules: dict[str, Module], clients: set[str], files: dict[str, str], taken: set[str], free: set[str]
) -> dict[tuple[str, str], str]:
    """(module, name) -> short name in its file, most used first; names of foreign imports keep theirs, and so do names
    that clients use: the loader outlives the bundle that it was written with."""
    uses = Uses(modules)
    count: Counter[tuple[str, str]] = Counter()
    kept: set[tuple[str, str]] = set()
    for module in modules.values():
        for node in module.tree.body:
            used = uses.of(module, node)[0]
            if module.name in clients:
                kept |= used
            count.update(used)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign):
                for target in targets(node):
                    count[(module.name, target)] += 0
    taken = taken | set(dir(builtins))
    shorts: dict[str, Iterator[str]] = defaultdict(lambda: _shorts(taken, free))
    return {
        key: next(shorts[files.get(key[0], "")])
        for key, _ in sorted(count.items(), key=lambda item: (-item[1], item[0]))
        if key not in kept and key[0] not in clients and not _is_import(modules[key[0]], key[1])
    }


def _is_import(module: Module, name: str) -> bool:
    """Bound by an import of something foreign: keeps its name, which the interpreter mostly has already."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name.split(".")[0]) == name:
                    return True
    return False
