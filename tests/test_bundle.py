"""The bundle does what the modules did: names may be short and code may be gone, results may not differ."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools.bundle import bundle
from tools.image import micropython
from tools.shrink import inline

ENTRY = "from shop import till\ntill.open_shop()\n"
SOURCES = {
    "main.py": ENTRY,
    "shop/money.py": '''
"""Money."""
FEN = 100
RATE = FEN * 3
def half_up(numerator, denominator):
    return (2 * numerator + denominator) // (2 * denominator)
def never_called():
    return half_up(1, 2)
''',
    "shop/goods.py": """
import struct
from shop import money as m
class Named:
    def __init__(self, label):
        self.label = label
        self.read_count = 0
    def read(self):
        self.read_count += 1
        return self.label
    def never_called(self):
        return 1
class Good(Named):
    kind = 7
    def __init__(self, label, price_fen):
        super().__init__(label)
        self.price_fen = price_fen
    def total(self, count, discount=0):
        def less(amount):
            return amount - discount
        return sum(less(n) for n in [self.price_fen] * count)
    def packed(self):
        return struct.pack("<BI", self.kind, self.price_fen * m.RATE)
""",
    "shop/till.py": '''
from shop.goods import Good
from shop import money
_open = False
class Till:
    """Settings come by name, so `limit` must keep its own."""
    def __init__(self):
        self.limit = 3
        self.takings = 0
        for name in ("limit",):
            setattr(self, name, getattr(self, name) + 1)
    def sell(self, good, count):
        self.takings += good.total(count, discount=1)
        return money.half_up(self.takings, self.limit)
def open_shop():
    global _open
    _open = True
    from shop import audit, boxes
    print(boxes.try_all())
    till = Till()
    tea = Good("tea", 250)
    print(till.sell(tea, 2), till.takings, tea.read(), tea.packed(), _open, audit.check(till))
    money_names = {money.half_up(n, 2): n for n in range(3)}
    print(sorted(money_names.items()), [g.label for g in (tea,)])
''',
    "shop/audit.py": """
from shop import boxes, money, proof
def check(till):
    return till.takings == money.half_up(till.takings, 1) and proof.seal(boxes.SEAL) == 3
""",
    "shop/proof.py": """
from shop import boxes
class Odd(boxes.Empty):
    pass
def seal(data, extra=1):
    return len(data) + extra
""",
    "shop/boxes.py": """
SEAL = bytes(1) + b"x"
WIDTHS = (1, 2) + (3,)
class Box:
    def __init__(self, label, width=2):
        self.label = label
        self.width = width
class Empty(ValueError):
    pass
class Heavy(ValueError):
    pass
def box(label, width=1, times=2):
    if not label:
        raise Empty("label")
    if width > 9:
        raise Heavy(width)
    return Box(label, width * times)
def try_all():
    told = [box("a").width, box("b", 3).width, box("c", times=5).width, Box("d").width, SEAL, WIDTHS]
    for label, width in (("", 1), ("e", 10)):
        try:
            box(label, width)
        except Empty as error:
            told.append(str(error))
        except ValueError as error:
            told.append(error.args)
    return told
""",
}


def said(command: list[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=20).stdout


@pytest.fixture
def bundled(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    files, names = bundle(
        inline(dict(SOURCES)), clients=("main.py",), lazy=(("shop/audit.py", "shop/proof.py"),), foreign={"read"}
    )
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path, names


@pytest.mark.parametrize("interpreter", [sys.executable, str(micropython())], ids=["cpython", "micropython"])
def test_the_bundle_says_what_the_modules_say(
    interpreter: str, bundled: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    plain = tmp_path_factory.mktemp("plain")
    for name, text in SOURCES.items():
        (plain / name).parent.mkdir(exist_ok=True)
        (plain / name).write_text(text)
    expected = said([interpreter, "main.py"], plain)
    assert "tea" in expected
    assert said([interpreter, "main.py"], bundled[0]) == expected


def test_what_nothing_refers_to_is_left_out_and_names_are_explained(bundled: tuple[Path, dict[str, str]]) -> None:
    folder, names = bundled
    text = (folder / "app.py").read_text()
    assert sorted(p.name for p in folder.glob("*.py")) == ["app.py", "main.py", "shop_audit.py"]
    defined = {n.name for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    assert "never_called" not in text and "never_called" not in str(names.values())
    assert "read" in defined, "a name that the interpreter's objects have is kept"
    assert "limit" in text, "a name that stands in a string is kept"
    assert "takings" not in text and ".takings" in " ".join(names.values())
    assert "shop.till.Till" in " ".join(names.values())
    assert "def open_shop" in text, "what the loader calls keeps its name"


def test_the_bundle_has_fewer_objects(bundled: tuple[Path, dict[str, str]]) -> None:
    """Data-only and base-only classes, words for exceptions, fixed values and default arguments cost a board heap."""
    folder, names = bundled
    tree = ast.parse((folder / "app.py").read_text())
    short = {meaning.split(" | ")[0]: name for name, meaning in names.items()}
    classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    assert short["shop.boxes.Box"] in functions and short["shop.goods.Named"] not in classes
    assert short["shop.boxes.Heavy"] not in classes, "nobody catches it by name"
    assert short["shop.boxes.Empty"] in classes, "somebody does"
    assert all(not n.args.defaults for n in functions.values())
    assert [ast.unparse(n) for n in tree.body if isinstance(n, ast.Assign)] == [f"{short['shop.till._open']} = False"]
    assert "import app" in (folder / "shop_audit.py").read_text(), "two modules, one file"


def test_a_module_as_a_value_is_refused_by_name() -> None:
    sources = {"main.py": "from shop import a\na.go()\n", "shop/a.py": "from shop import b\ndef go():\n    print(b)\n",
               "shop/b.py": "X = [1]\n"}  # fmt: skip
    with pytest.raises(ValueError, match=r"shop\.a: module b used as a value"):
        bundle(inline(sources), clients=("main.py",), lazy=(), foreign=set())
