"""Puts the firmware onto a board: partition table with esptool; files, identity, clock with mpremote; and checks.

    python -m tools.flash --port /dev/ttyUSB0 --pump p1                      an ESP32 that runs MicroPython >= 1.27
    python -m tools.flash --port /dev/ttyUSB0 --pump p1 --firmware ESP32_GENERIC.bin   a new one, interpreter as well
    python -m tools.flash --port var/bench/p1/console --pump p1 --simulated  a simulated board

The pump must have been provisioned (`pumpside provision`, or the first `make run`). Journal and checkpoints are never
touched unless --erase is given: they may hold sales that have not reached the station.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from station.platform.settings import SettingsError, load
from tools import image, partitions

_INTERPRETER_AT = 0x1000  # the ESP32's MicroPython .bin holds boot loader, table and application from here
_PROMPT_TRIES = 10
# Takes away what an earlier firmware left, main.py first: until the new one is whole, the board stays at its prompt.
_CLEAR = """
import os
def clear(path):
    for name, kind, *_ in os.ilistdir(path):
        name = path + '/' + name
        if kind == 0x4000:
            clear(name)
            os.rmdir(name)
        else:
            os.remove(name)
for name in ('main.py', 'boot.py', 'crash.txt', 'slot'):
    try:
        os.remove('/' + name)
    except OSError:
        pass
for name in ('lib', 'pump'):
    try:
        clear('/' + name)
    except OSError:
        pass
try:
    os.mkdir('/lib')
except OSError:
    pass
"""
_DIGEST = """
import binascii, hashlib
for name in {names}:
    digest = hashlib.sha256()
    with open(name, 'rb') as file:
        while block := file.read(512):
            digest.update(block)
    print(binascii.hexlify(digest.digest()).decode())
"""


class FlashError(Exception):
    """Something did not work; the message says what and what to do, in Chinese and English."""


def identity_files(data_dir: Path, pump: str) -> dict[str, bytes]:
    """What makes a board this pump's: identity.json and ca.der. FlashError if the pump was never provisioned."""
    folder = data_dir / "devices" / pump
    try:
        return {name: (folder / name).read_bytes() for name in ("identity.json", "ca.der")}
    except FileNotFoundError:
        raise FlashError(
            f"油机 {pump} 尚未登记，先运行 pumpside provision · pump {pump} is not provisioned in {folder}; "
            f"run `pumpside provision {pump}` first"
        ) from None


def write_table(port: str, firmware: Path | None, erase: bool, romfs: bytes | None, say: Callable[[str], None]) -> None:
    """The esptool part: interpreter if given, partition table, ROMFS image if wanted."""
    if erase:
        say("擦除整片闪存 · erasing the whole flash")
        _esptool(port, "erase-flash")
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / "partitions.bin"
        table.write_bytes(partitions.binary(partitions.ours()))
        parts = [f"{partitions.ADDRESS:#x}", str(table)]
        if romfs is not None:
            rom = Path(scratch) / "romfs.bin"
            rom.write_bytes(romfs)
            at = next(one.offset for one in partitions.ours() if one.name == "romfs")
            parts += [f"{at:#x}", str(rom)]
        if firmware:
            say(f"写入解释器 {firmware.name} · writing the interpreter")
            _esptool(port, "write-flash", f"{_INTERPRETER_AT:#x}", str(firmware))
        say("写入分区表 · writing the partition table")
        _esptool(port, "write-flash", *parts)


def _esptool(port: str, *words: str) -> None:
    command = [sys.executable, "-m", "esptool", "--chip", "esp32", "--port", port, *words]
    if subprocess.run(command).returncode:
        raise FlashError(f"esptool 失败 · esptool failed: {' '.join(words)}")


def mpremote(port: str, *words: str) -> str:
    """`mpremote connect <port> <words>`; its output. FlashError with its own words if it fails."""
    command = [sys.executable, "-m", "mpremote", "connect", port, *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    except subprocess.TimeoutExpired:
        raise FlashError(f"板子没有应答 · the board does not answer on {port}") from None
    if done.returncode:
        raise FlashError(f"mpremote {words[0]}: {(done.stdout + done.stderr).strip()[-400:]}")
    return done.stdout


def wait_for_prompt(port: str) -> None:
    """After a reset the board needs a moment, a new one formats its file system first."""
    for attempt in range(_PROMPT_TRIES):
        try:
            mpremote(port, "exec", "pass")
            return
        except FlashError:
            if attempt == _PROMPT_TRIES - 1:
                raise
            time.sleep(1)


def write_files(port: str, files: dict[str, bytes], say: Callable[[str], None]) -> None:
    """Clears the old firmware, copies these (path on the board -> content, main.py last) and compares digests."""
    mpremote(port, "exec", _CLEAR)
    order = sorted(files, key=lambda name: (name == "/main.py", name))
    with tempfile.TemporaryDirectory() as scratch:
        for number, name in enumerate(order, 1):
            say(f"[{number}/{len(order)}] {name}  {len(files[name])} B")
            local = Path(scratch) / "file"
            local.write_bytes(files[name])
            mpremote(port, "fs", "cp", str(local), f":{name}")
    told = mpremote(port, "exec", _DIGEST.format(names=order)).split()
    for name, digest in zip(order, told, strict=True):
        if digest != hashlib.sha256(files[name]).hexdigest():
            raise FlashError(f"{name}：校验不符，请重试 · differs on the board, please try again")


def flash(port: str, pump: str, data_dir: Path, *, romfs: bool = False, say: Callable[[str], None] = print) -> str:
    """The mpremote part, on real and simulated boards alike; returns the software id. FlashError."""
    board_image = image.cached()
    files = {f"/{name}": data for name, data in board_image.files().items()}
    if not romfs:
        files |= {f"/lib/{name}": data for name, data in board_image.modules().items()}
    files |= {f"/{name}": data for name, data in identity_files(data_dir, pump).items()}
    wait_for_prompt(port)
    write_files(port, files, say)
    mpremote(port, "rtc", "--set")
    mpremote(port, "reset")
    return board_image.software_id


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.flash", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", required=True, help="串口 · serial port, or a simulated board's console")
    parser.add_argument("--pump", required=True, help="油机名 · the pump's name, e.g. p1")
    parser.add_argument("--firmware", type=Path, help="MicroPython 解释器 .bin · interpreter to be written first")
    parser.add_argument(
        "--erase", action="store_true", help="先擦除整片闪存，未上传的交易会丢失 · erase all, unsent sales are lost"
    )
    parser.add_argument("--romfs", action="store_true", help="解释器支持 ROMFS 时 · byte code into the romfs partition")
    parser.add_argument("--simulated", action="store_true", help="模拟油机，不用 esptool · simulated board: no esptool")
    chosen = parser.parse_args(arguments)
    try:
        data_dir = load().data_dir
        identity_files(data_dir, chosen.pump)
        if chosen.simulated and (chosen.firmware or chosen.erase or chosen.romfs):
            raise FlashError("模拟油机没有 esptool · a simulated board has no esptool: --firmware, --erase, --romfs")
        if not chosen.simulated:
            rom = image.cached().romfs if chosen.romfs else None
            write_table(chosen.port, chosen.firmware, chosen.erase, rom, print)
        software = flash(chosen.port, chosen.pump, data_dir, romfs=chosen.romfs)
    except (FlashError, SettingsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"完成 done: {chosen.pump}, 软件标识 software id {software}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
