"""D26: another firmware is fetched, tried, kept or rolled back; power cut at any step leaves a pump that starts."""

import builtins
import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import pump.update
from pump.core import codes, fetch, records
from pump.core import release as signing
from pump.core.record_fields import body_dict
from station import forecourt
from station.forecourt.updates import PUBLIC_KEY
from station.platform import database
from tests.core.rigs import Bench
from tools import image
from tools.bench import acts
from tools.bench.small_station import SmallStation
from tools.release import release
from tools.sim.flash import PowerCut, RamFlash

ROOT = Path(__file__).resolve().parents[2]
BOOT = (ROOT / "firmware/boot.py").read_text()
LOADER = {"boot.py": b"boot", "main.py": b"main"}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def modulus(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_numbers().n.to_bytes(key.key_size // 8, "big")


def manifest_of(content: bytes) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(content.split(b"\n", 1)[0])
    return made


# -- who signed


def test_d26_a_signature_of_the_key_counts_and_no_other(key: rsa.RSAPrivateKey) -> None:
    manifest = manifest_of(release(key, LOADER, {"app.mpy": b"one"}, 1))
    text, sig = signing.text(manifest), bytes.fromhex(manifest["sig"])
    assert signing.verified(modulus(key), text, sig)
    assert not signing.verified(modulus(key), text + b" ", sig)
    for at in (0, 100, 255):
        assert not signing.verified(modulus(key), text, sig[:at] + bytes((sig[at] ^ 1,)) + sig[at + 1 :])
    assert not signing.verified(modulus(key), text, sig[1:])
    assert not signing.verified(modulus(key), text, b"\xff" * 256)
    assert not signing.verified(b"", text, b"") and not signing.verified(modulus(key)[:128], text, sig[:128])
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert not signing.verified(modulus(other), text, sig)


def test_d26_the_board_checks_a_signature_of_2048_and_3072_bits_as_the_host_does(key: rsa.RSAPrivateKey) -> None:
    for one in (key, rsa.generate_private_key(public_exponent=65537, key_size=3072)):
        manifest = manifest_of(release(one, LOADER, {"app.mpy": b"one"}, 1))
        script = (
            "import binascii, time\nfrom pump.core.release import verified\n"
            f"n, t, s = {modulus(one)!r}, {signing.text(manifest)!r}, {bytes.fromhex(manifest['sig'])!r}\n"
            "print(verified(n, t, s), verified(n, t + b'x', s))\n"
        )
        command = [str(image.micropython()), "-X", "heapsize=50wK", "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, env={"MICROPYPATH": f"{ROOT}/firmware"})
        assert done.stdout.split() == ["True", "False"], done.stderr


# -- in one process: the pump's part, a file system and a flash that power can leave, and boot.py itself


class Board:
    """The slots, the files, and what boot.py makes of them. cut_at counts flash and file operations alike."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, key: rsa.RSAPrivateKey, old: bytes) -> None:
        self.directory, self.flash = directory, RamFlash(64)
        self.flash.data[: len(old)] = old
        self.key = key
        (directory / "identity.json").write_text(json.dumps({"release_key": modulus(key).hex()}))
        for name, data in LOADER.items():
            (directory / name).write_bytes(data)
        self.running = "a"
        fake_os: Any = ModuleType("os")
        fake_os.rename = self.rename
        monkeypatch.setattr(pump.update, "open", self.open, raising=False)
        monkeypatch.setattr(pump.update, "os", fake_os)
        self.fake_os = fake_os
        self.watchdogs: list[int] = []

    def slot(self, name: str) -> bytes:
        at = 0 if name == "a" else 32 * 4096
        return bytes(self.flash.data[at : at + 31 * 4096])

    def _step(self) -> None:
        if self.flash._cut():
            raise PowerCut

    def path(self, name: str) -> Path:
        if name.startswith("/rom/"):
            return self.directory / f"rom_{self.running}" / name[5:]
        return self.directory / name.removeprefix("/")

    def open(self, name: str, mode: str = "r") -> Any:
        if "w" in mode:
            self.path(name).write_text("")
            self._step()  # an empty file, as LittleFS may leave one
        return builtins.open(self.path(name), mode)

    def rename(self, old: str, new: str) -> None:
        self._step()
        os.replace(self.path(old), self.path(new))

    def boot(self) -> str:
        """Runs boot.py; which slot it mounted."""
        machine: Any = ModuleType("machine")
        machine.Pin = lambda *_, **__: None
        machine.Pin.OUT = 0
        machine.SOFT_RESET, machine.reset_cause = 5, lambda: 1
        machine.WDT = lambda timeout: self.watchdogs.append(timeout)
        vfs: Any = ModuleType("vfs")
        self.running = "a"
        vfs.rom_ioctl = lambda *_: b"ab"
        vfs.VfsRom = lambda half: half.decode()
        vfs.umount = lambda where: None

        def mount(rom: str, where: str) -> None:
            self.running = rom

        vfs.mount = mount
        with pytest.MonkeyPatch.context() as patch:
            for name, module in (("machine", machine), ("vfs", vfs), ("os", self.fake_os)):
                patch.setitem(__import__("sys").modules, name, module)
            exec(compile(BOOT, "boot.py", "exec"), {"open": self.open})  # noqa: S102
        return self.running

    def know(self, content: bytes, software: str, version: int) -> None:
        """What /rom would show once this image runs."""
        for name in "ab":
            if self.slot(name).startswith(content):
                folder = self.directory / f"rom_{name}"
                folder.mkdir(exist_ok=True)
                (folder / "software").write_text(software)
                (folder / "release").write_text(str(version))


@pytest.fixture
def old(key: rsa.RSAPrivateKey) -> bytes:
    return release(key, LOADER, {"app.mpy": b"old" * 3000}, 1)


@pytest.fixture
def new(key: rsa.RSAPrivateKey) -> bytes:
    return release(key, LOADER, {"app.mpy": b"new" * 3100}, 2)


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: rsa.RSAPrivateKey, old: bytes) -> Board:
    return made_board(tmp_path, monkeypatch, key, old)


def made_board(directory: Path, monkeypatch: pytest.MonkeyPatch, key: rsa.RSAPrivateKey, old: bytes) -> Board:
    directory.mkdir(exist_ok=True)
    made = Board(directory, monkeypatch, key, old.split(b"\n", 1)[1])
    know(made, old)
    return made


def know(board: Board, content: bytes) -> None:
    manifest = manifest_of(content)
    board.know(content.split(b"\n", 1)[1], manifest["sw"], manifest["version"])


def controller(board: Board) -> Any:
    ctl = Bench("slot", (1,)).controller
    ctl.image_flash = board.flash
    return ctl


def take(ctl: Any, content: bytes) -> None:
    """The station names it and answers every question for a part until it is there, or nothing is fetched."""
    line, _, whole = content.partition(b"\n")
    assert pump.update.take(ctl, json.loads(line))
    while ctl.image:
        question = ctl.next_part()
        if question:
            ctl.part(question, whole[question["at"] : question["at"] + fetch.PART])
        ctl.image and ctl.image.work()


def updates(ctl: Any) -> list[tuple[int, int]]:
    buf = bytearray(records.SIZE)
    found = []
    for seq in range(1, ctl.journal.head):
        if ctl.journal.read(seq, buf) and buf[1] == records.UPDATE:
            body = body_dict(buf)
            found.append((body["event"], body["detail"]))
    return found


class Up:
    up = True


def trial(ctl: Any, seconds: int, link: Any = Up) -> bool:
    """Lets what is on trial run so many seconds; True if it was confirmed."""
    task = pump.update.watch(ctl, link, 60)
    if task is None:
        return False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pump.update.asyncio, "sleep", _no_sleep)
        for _ in range(seconds):
            try:
                task.send(None)
            except StopIteration:
                return True
    task.close()
    return False


class _Tick:
    def __await__(self) -> Iterator[None]:
        yield


def _no_sleep(_: float) -> _Tick:
    return _Tick()


def test_d26_a_release_is_fetched_tried_and_kept(board: Board, new: bytes) -> None:
    ctl = controller(board)
    assert board.boot() == "a"
    take(ctl, new)
    know(board, new)
    assert ctl.restart and board.slot("b").startswith(new.split(b"\n", 1)[1])
    assert board.boot() == "b" and board.watchdogs == [30000], "what hangs before its own watchdog has failed as well"
    assert pump.update.software() == manifest_of(new)["sw"]
    ctl = controller(board)
    assert trial(ctl, 62)
    assert updates(ctl) == [(pump.update.CONFIRMED, 2)]
    for _ in range(5):
        assert board.boot() == "b"
    take(ctl, new)
    assert ctl.image is None and ctl.update is None, "it runs already"


def test_d26_three_starts_without_health_lead_back_to_the_old_one(board: Board, old: bytes, new: bytes) -> None:
    take(controller(board), new)
    know(board, new)
    assert [board.boot() for _ in range(5)] == ["b", "b", "b", "a", "a"]
    ctl = controller(board)
    assert pump.update.watch(ctl, Up, 60) is None
    assert updates(ctl) == [(pump.update.ROLLED_BACK, 2)] and codes.ALARM_UPDATE in ctl.alarms
    assert pump.update.watch(ctl, Up, 60) is None and len(updates(ctl)) == 1, "told once"
    take(ctl, new)
    assert ctl.image is None, "what has failed is not fetched again by itself"


def test_d26_without_a_link_or_a_reader_it_is_rolled_back_after_its_patience(board: Board, new: bytes) -> None:
    class Down:
        up = False

    take(controller(board), new)
    know(board, new)
    assert board.boot() == "b"
    ctl = controller(board)
    ctl.raise_alarm(codes.ALARM_READER, 255, 0)
    task = trial(ctl, pump.update.PATIENCE_S + 2)
    assert task and ctl.restart and updates(ctl) == []
    assert board.boot() == "a"
    assert pump.update.state()[1] == "failed"
    assert not trial(controller(board), 10, Down)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": 0x7FFFFFFF}, "signature"),
        ({"sha": "00" * 32}, "signature"),
        ({"sig": "00" * 256}, "signature"),
        ({"loader": "0" * 16}, "loader"),
        ({"version": 1, "older": 0}, "older"),
    ],
)
def test_d26_what_is_not_signed_not_newer_or_for_another_loader_is_refused_and_told(
    board: Board, new: bytes, change: dict[str, Any], why: str
) -> None:
    ctl = controller(board)
    manifest = manifest_of(new) | change
    for _ in range(3):
        assert pump.update.take(ctl, manifest)
    assert ctl.image is None and ctl.update == (manifest["version"], why)
    assert updates(ctl) == [(pump.update.REFUSED, manifest["version"])]


def test_d26_an_older_version_needs_the_makers_permission(board: Board, key: rsa.RSAPrivateKey) -> None:
    ctl = controller(board)
    take(ctl, release(key, LOADER, {"app.mpy": b"back" * 900}, 1, older=True))
    assert ctl.restart


@pytest.mark.parametrize("tear", [0, 2, 4])
def test_d26_power_cut_at_every_step_of_an_update_always_leaves_a_pump_that_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: rsa.RSAPrivateKey, old: bytes, new: bytes, tear: int
) -> None:
    """Flash and files; the start after it too; and after all of it the update still comes to its end."""
    images = {content.split(b"\n", 1)[1] for content in (old, new)}
    steps, done = 0, False
    while not done:
        steps += 1
        board = made_board(tmp_path / str(steps), monkeypatch, key, old)
        board.flash.data[32 * 4096 : 40 * 4096] = bytes(range(256)) * 128  # something older lies in the other slot
        board.flash.cut_at, board.flash.tear = steps, tear
        try:
            take(controller(board), new)
            know(board, new)
            board.boot()
            trial(controller(board), 62)
            done = board.flash.cut_at > 0
        except PowerCut:
            pass
        board.flash.cut_at = 0
        know(board, new)
        running = board.boot()
        assert any(board.slot(running).startswith(one) for one in images), steps
        ctl = controller(board)
        trial(ctl, 62)
        take(ctl, new)
        know(board, new)
        assert board.boot() == "b" and board.slot("b").startswith(new.split(b"\n", 1)[1]), steps
        assert trial(controller(board), 62) or pump.update.state()[1] == "ok"
    assert steps > 30


# -- on a simulated board, over TLS, in its real heap


@contextlib.contextmanager
def station_with(directory: Path, key: rsa.RSAPrivateKey) -> Iterator[SmallStation]:
    directory.mkdir()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (directory / PUBLIC_KEY).write_bytes(public)
    with SmallStation(directory, pumps=("p1",)) as station:
        yield station


def order(station: SmallStation, key: rsa.RSAPrivateKey, version: int, modules: dict[str, bytes]) -> str:
    """Takes a release in and orders it for p1; its software id."""
    built = image.cached()
    loader = {name: data for name, data in built.files().items() if name != "software"}
    content = release(key, loader, built.modules() | modules, version)
    engine = database.open_engine(database.url_for(station.settings))
    try:
        with database.write(engine) as conn:
            made = forecourt.add_release(conn, content, key.public_key(), "test", int(time.time()))
            forecourt.order_update(conn, 257, version, "test", int(time.time()))
    finally:
        engine.dispose()
    return made.software


def running(station: SmallStation) -> dict[str, Any]:
    return station.read(lambda conn: dict(forecourt.pumps(conn)[0].state))


def update_records(station: SmallStation) -> list[tuple[int, int]]:
    data = (station.world.pumps["p1"].board.home / "journal.bin").read_bytes()[: 64 * 4096]
    slots = (data[at : at + records.SIZE] for at in range(0, len(data), records.SIZE))
    bodies = [body_dict(slot) for slot in slots if records.is_whole(slot) and slot[1] == records.UPDATE]
    return [(body["event"], body["detail"]) for body in bodies]


def shorten_trial(station: SmallStation) -> None:
    file = station.world.pumps["p1"].board.home / "flash/identity.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"trial_s": 3}))
    station.world.pumps["p1"].board.reset()


def wait(station: SmallStation, look: Callable[[], object], timeout_s: float = 120.0) -> None:
    def told() -> str:
        return f"{running(station)}\n{update_records(station)}\n{station.logs()}"

    end = time.monotonic() + timeout_s
    while not look():
        assert time.monotonic() < end, told()
        time.sleep(0.5)


@pytest.mark.timeout(300)
def test_d26_on_a_simulated_board_a_good_release_stays_and_a_bad_one_goes(
    tmp_path: Path, key: rsa.RSAPrivateKey
) -> None:
    with station_with(tmp_path / "station", key) as station:
        shorten_trial(station)
        wait(station, lambda: running(station).get("online"))
        good = order(station, key, 5, {"note": b"another firmware"})
        assert good != image.cached().software_id
        wait(station, lambda: running(station).get("sw") == good)
        wait(station, lambda: update_records(station)[-1:] == [(pump.update.CONFIRMED, 5)])
        (bad_source := tmp_path / "bad.py").write_text("import machine\nmachine.reset()\n")
        image.compile_module(bad_source.read_text(), tmp_path / "bad.mpy", "app.py")
        order(station, key, 6, {"note": b"a bad one", "app.mpy": (tmp_path / "bad.mpy").read_bytes()})
        wait(station, lambda: update_records(station)[-1:] == [(pump.update.ROLLED_BACK, 6)])
        wait(station, lambda: codes.ALARM_UPDATE in running(station).get("alarms", []))
        assert running(station)["sw"] == good
        states = station.read(forecourt.update_states)
        assert [(one.ordered, one.code) for one in states if one.pump == "p1"] == [(6, "failed")]
        card = station.issue(load_fen=30_000)
        station.world.do(acts.insert("p1", card))
        station.world.do(acts.lift("p1", 0))
        station.world.do(acts.trigger("p1", "full", 0))
        wait(station, lambda: station.world.state()["pumps"][0]["nozzles"][0]["sale_ml"] > 500)
        station.world.do(acts.hang("p1", 0))
