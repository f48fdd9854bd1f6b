"""The floors of the house (docs/architecture.md): a room imports only from floors below, read from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE, STATION = ROOT / "firmware", ROOT / "host" / "station"
LIB = {path.stem for path in (FIRMWARE / "lib").glob("*.py")} | {"umqtt"}

# What a pure room may take from the language: no hardware, clock, socket, file or thread.
PURE = {"struct", "binascii", "hashlib", "json", "array", "micropython"}
LIB_ALLOWED = PURE | {"asyncio", "socket", "tls", "ssl", "errno", "cryptolib", "cryptography", "functools", "umqtt"}

FIELDS = {
    "cards", "members", "loyalty", "marketing", "sales", "forecourt", "wetstock", "staff", "service", "risk", "insight",
    "integrations", "accounts", "payments", "fleets", "tills", "network",
}  # fmt: skip
FACES = {"api", "mqtt", "dashboard", "portal", "cli", "broker"}
ROOTS = {"supervisor", "first_start", "setup", "__main__"}  # put the parts together; nothing but faces uses them


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of every import in the file, wherever it stands; `from a import b` gives a and a.b."""
    package = path.relative_to(ROOT / "host").parent.parts if path.is_relative_to(ROOT / "host") else ()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) + "." if node.level else ""
            module = base + (node.module or "")
            yield from ((f"{module.rstrip('.')}.{alias.name}", node.lineno) for alias in node.names)


def offences(paths: Iterator[Path], allowed_tops: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in paths
        for name, line in imports(path)
        if name.split(".")[0] not in allowed_tops
    ]


def test_the_core_imports_neither_hardware_nor_clock() -> None:
    core = (FIRMWARE / "pump" / "core").glob("*.py")
    found = offences(core, PURE | {"pump", "desfire", "cmac", "an10922"})
    found += [
        f"{path.name}:{line} imports {name}"
        for path in (FIRMWARE / "pump" / "core").glob("*.py")
        for name, line in imports(path)
        if name.split(".")[0] == "pump" and not name.startswith("pump.core")
    ]
    assert found == []


def test_lib_knows_nothing_of_fuel_hardware_or_clock() -> None:
    assert offences((FIRMWARE / "lib").glob("*.py"), LIB_ALLOWED | LIB) == []


def test_firmware_imports_nothing_of_the_host() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in FIRMWARE.rglob("*.py")
        for name, line in imports(path)
        if name.split(".")[0] in {"station", "tools", "tests", "hil_tests"}
    ]
    assert found == []


def room_of(path: Path) -> str:
    parts = path.relative_to(STATION).parts
    return parts[0] if len(parts) > 1 else path.stem


@pytest.mark.parametrize("path", sorted(STATION.rglob("*.py")), ids=lambda p: str(p.relative_to(STATION)))
def test_station_rooms_import_only_from_floors_below(path: Path) -> None:
    room = room_of(path)
    wrong = []
    for name, line in imports(path):
        parts = name.split(".")
        if parts[0] == "tools" and room not in FACES | ROOTS:
            wrong.append(f"line {line}: {name}")
        if parts[0] != "station" or len(parts) < 2:
            continue
        other = parts[1]
        if other == room:
            continue
        below = {
            "platform": set(),
            "ledger": {"platform"},
        }.get(room, {"platform", "ledger"} | FIELDS | ({"texts"} if room not in FIELDS else set()))
        if room in FACES | ROOTS | {"texts"}:
            below = below | FACES | ROOTS | {"texts"}
        if other not in below:
            wrong.append(f"line {line}: {name}")
        # A field is used only through what its __init__ names: station.field.name, never station.field.module.name.
        if other in FIELDS and room in FIELDS and len(parts) > 3:
            wrong.append(f"line {line}: {name} reaches past station/{other}/__init__.py")
    assert wrong == []


def test_fields_use_each_other_without_a_circle() -> None:
    uses: dict[str, set[str]] = {}
    for path in STATION.rglob("*.py"):
        room = room_of(path)
        if room in FIELDS:
            named = {name.split(".")[1] for name, _ in imports(path) if name.startswith("station.")}
            uses.setdefault(room, set()).update((named & FIELDS) - {room})

    def reaches(start: str, seen: tuple[str, ...]) -> list[str]:
        for other in sorted(uses.get(start, ())):
            if other in seen:
                return [*seen, other]
            found = reaches(other, (*seen, other))
            if found:
                return found
        return []

    assert [circle for room in uses if (circle := reaches(room, (room,)))] == []


@pytest.mark.parametrize(
    ("folder", "most"), [("firmware", 300), ("host", 400), ("tools", 400)], ids=["firmware", "host", "tools"]
)
def test_modules_stay_short(folder: str, most: int) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / folder).rglob("*.py")
        if (lines := path.read_text("utf-8").count("\n")) > most
    }
    assert long == {}


def test_main_is_under_sixty_lines() -> None:
    assert (FIRMWARE / "main.py").read_text("utf-8").count("\n") < 60
