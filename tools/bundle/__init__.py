"""Joins the firmware's modules into one before they are compiled; what they do does not change.

On a board with little memory a module costs some 350 bytes before its first line, and every distinct name stays in a
table for ever (a qstr). The sources stay many, readable and runnable on CPython; for the board

- all modules become one, in the order in which they need each other; what nothing refers to is left out,
- module-level names, and attributes that only our own classes have, become short ones; two attributes share a short
  name where no class has both,
- what can be said with fewer classes and default arguments is (slim.py),
- modules named `lazy` stay files of their own, to be loaded and dropped again.

A name is kept as it is where the interpreter or a string could mean it too. Not supported, and refused or unused in the
firmware: `import *`, relative imports, names of modules used as values.
"""

import ast
import builtins
from graphlib import TopologicalSorter

from tools.bundle.names import short_attributes, short_globals, used_identifiers
from tools.bundle.scopes import Meaning, Module, Scoped, bind, dotted, import_meanings, resolve
from tools.bundle.shake import shake, words
from tools.bundle.slim import slim

BUNDLE = "app"
# What asyncio's own objects carry beside the names that dir() of a class tells.
_ASYNCIO = {"s", "e", "out_buf", "data", "state", "coro", "cur_task", "waiting", "ph_key"}


def bundle(
    trees: dict[str, ast.Module],
    clients: tuple[str, ...],
    lazy: tuple[tuple[str, ...], ...],
    foreign: set[str],
    free: set[str] | None = None,
) -> tuple[dict[str, str], dict[str, str]]:
    """(file -> source, short name -> what it stands for). `app.py` holds the bundle.

    trees: path -> parsed source. clients: paths that only use the bundle (main.py). lazy: paths loaded when needed, in
    groups that make one file each. foreign: attribute names that are not ours to change. free: names that stand in the
    interpreter, so that using them for something else costs nothing.
    """
    free = free or set()
    modules = {dotted(path): Module(dotted(path), tree) for path, tree in trees.items()}
    loaders = {dotted(path) for path in clients}
    files = {
        dotted(path): _file(dotted(group[0])) for group in (*lazy, *((path,) for path in clients)) for path in group
    }
    for module in modules.values():
        bind(module, modules)
    shake(modules, loaders)
    keep = foreign | _ASYNCIO | set(dir(builtins)) | words(modules)
    attributes = short_attributes(modules, keep, free)
    globals_ = short_globals(modules, loaders, files, used_identifiers(modules), free)
    writer = _Writer(modules, files, attributes, globals_)
    written: dict[str, list[ast.stmt]] = {}
    for file in (BUNDLE, *dict.fromkeys(files.values())):
        members = {name for name in modules if files.get(name, BUNDLE) == file}
        statements = [s for name in _order(modules, members) for s in writer.write(modules[name])]
        written[file] = _imports_first(statements)
    for file in written.keys() - loaders:
        others = [statements for name, statements in written.items() if name != file]
        written[file] = slim(written[file], others, file, set(attributes.values()))
    legend = {
        f"{files[module]}.{short}" if module in files else short: f"{module}.{name}"
        for (module, name), short in globals_.items()
    }
    for name, short in sorted(attributes.items()):
        legend[short] = f"{legend[short]} | .{name}" if short in legend else f".{name}"
    return {f"{file}.py": _text(statements) for file, statements in written.items()}, legend


def _file(module: str) -> str:
    """What a file of its own is called on the board: the folder is part of it, so that no local name is spelt alike."""
    return "_".join(module.split(".")[-2:])


def _text(body: list[ast.stmt]) -> str:
    return ast.unparse(ast.fix_missing_locations(ast.Module(body, []))) + "\n"


def _imports_first(body: list[ast.stmt]) -> list[ast.stmt]:
    """Each foreign module is imported once."""
    seen: set[str] = set()
    kept = []
    for node in body:
        text = ast.unparse(node) if isinstance(node, ast.Import | ast.ImportFrom) else ""
        if text and text in seen:
            continue
        seen.add(text)
        kept.append(node)
    return kept


def _order(modules: dict[str, Module], members: set[str]) -> list[str]:
    """These modules, each after those of them that it imports at module level."""
    needs: dict[str, set[str]] = {}
    for name in sorted(members):
        wanted: set[str] = set()
        for node in modules[name].tree.body:
            for meaning in import_meanings(node, modules).values():
                target = resolve(meaning, modules)[1]
                wanted |= {target} & members
        needs[name] = wanted - {name}
    return list(TopologicalSorter(needs).static_order())


class _Writer(Scoped):
    def __init__(
        self,
        modules: dict[str, Module],
        files: dict[str, str],
        attributes: dict[str, str],
        names: dict[tuple[str, str], str],
    ) -> None:
        """files: module -> file, of those that are not in the bundle."""
        super().__init__(modules)
        self._files, self._attributes, self._names = files, attributes, names

    def _file_of(self, module: str) -> str:
        return self._files.get(module, BUNDLE)

    def write(self, module: Module) -> list[ast.stmt]:
        self.module = module
        return [s for s in self._body(module.tree.body) if not isinstance(s, ast.Pass)]

    def _global(self, meaning: Meaning, ctx: ast.expr_context) -> ast.expr:
        owner, name = meaning[1], meaning[2]
        short = self._names.get((owner, name), name)
        file = self._file_of(owner)
        if file == self._file_of(self.module.name):
            return ast.Name(short, ctx)
        return ast.Attribute(ast.Name(file, ast.Load()), short, ctx)

    def visit_Name(self, node: ast.Name) -> ast.AST:  # noqa: N802
        meaning = self.meaning_of(node.id)
        if meaning and meaning[0] == "module":
            raise ValueError(f"{self.module.name}: module {node.id} used as a value")
        return self._global(meaning, node.ctx) if meaning and meaning[0] == "global" else node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:  # noqa: N802
        # The names by which lazy modules are dropped from sys.modules.
        names = node.value.split() if isinstance(node.value, str) else []
        if names and all(name in self._files for name in names):
            return ast.Constant(" ".join(dict.fromkeys(self._file_of(name) for name in names)))
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802
        meaning = self.meaning(node)
        if meaning and meaning[0] == "global":
            return self._global(meaning, node.ctx)
        node.value = self.visit(node.value)
        node.attr = self._attributes.get(node.attr, node.attr)
        return node

    def _defined(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, in_class: bool) -> None:
        if in_class:
            node.name = self._attributes.get(node.name, node.name)
        elif not self.scopes:
            node.name = self._names.get((self.module.name, node.name), node.name)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # noqa: N802
        self._defined(node, False)
        return super().visit_FunctionDef(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:  # noqa: N802
        self._defined(node, False)
        return super().visit_AsyncFunctionDef(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:  # noqa: N802
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                statement.name = "\0" + self._attributes.get(statement.name, statement.name)
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        target.id = self._attributes.get(target.id, target.id)
        node = super().visit_ClassDef(node)  # type: ignore[assignment]
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                statement.name = statement.name.removeprefix("\0")
        self._defined(node, False)
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:  # noqa: N802
        node.names = [self._names.get((self.module.name, n), n) for n in node.names]
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST | list[ast.AST] | None:  # noqa: N802
        ours = [a.name for a in node.names if a.name in self.modules]
        node.names = [a for a in node.names if a.name not in self.modules]
        return [*self._imports(ours), *([node] if node.names else [])] or None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.AST] | None:  # noqa: N802
        """What is in the same file is there already; of another file the file is imported."""
        base = node.module or ""
        owners = {a: full if (full := f"{base}.{a.name}") in self.modules else base for a in node.names}
        node.names = [a for a, owner in owners.items() if owner not in self.modules]
        ours = [self._owner(owner, a.name) for a, owner in owners.items() if owner in self.modules]
        return [*self._imports(ours), *([node] if node.names else [])] or None

    def _owner(self, module: str, name: str) -> str:
        """Where a name comes from that `module` may have imported itself."""
        if name in self.modules[module].names and f"{module}.{name}" not in self.modules:
            return resolve(("global", module, name), self.modules)[1]
        return module

    def _imports(self, modules: list[str]) -> list[ast.AST]:
        here = self._file_of(self.module.name)
        files = dict.fromkeys(self._file_of(m) for m in modules)
        return [ast.Import([ast.alias(file)]) for file in files if file != here]
