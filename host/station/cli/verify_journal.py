"""`pumpside verify-journal`: is the journal in this file what its pump wrote? Works without a station, too."""

import binascii
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from station import forecourt, sales
from station.cli.common import told_plainly
from station.platform import database, migrations
from station.platform.secrets import Secrets
from station.platform.settings import Settings, load
from station.sales.journal_file import CUT_SHORT, Fault, Known, Report, examine
from station.texts import journal as words

app = typer.Typer()

SHOWN = 20  # faults that are written out


@app.command()
def verify_journal(
    file: Annotated[Path, typer.Argument(help="日志分区映像或导出的记录 · image of the journal partition, or records")],
    device: Annotated[int | None, typer.Option("--device", "-d", help="设备号，如 257 · device number")] = None,
    key_file: Annotated[
        Path | None,
        typer.Option("--key-file", help="十六进制密钥或 identity.json · the journal key in hex, or identity.json"),
    ] = None,
    no_key: Annotated[bool, typer.Option("--no-key", help="只查 CRC 与次序 · CRC and order only")] = False,
) -> None:
    """离线核对油机日志：CRC、序号、校验链 · Verify a pump's journal offline: CRC, sequence, chain of macs.

    On a station its own keys and copies are used. Exit code 0: sound, 1: faults found, 2: it could not be checked.

    例 Example: pumpside verify-journal p1-journal.bin --device 257 --key-file identity.json
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        _give_up(f"读不到文件 cannot read {file}: {error.strerror}")
    with told_plainly(), _station() as (settings, known_devices, known):
        device = device if device is not None else _device_of(data)
        key = None if no_key else _key(key_file, settings, device, known_devices)
        report = examine(data, key, device, known.get(device or 0) if not no_key else None)
    _tell(report, file)
    if report.faults or not report.count:
        raise typer.Exit(1)


Copies = dict[int, Known]


@contextmanager
def _station() -> Iterator[tuple[Settings, set[int], Copies]]:
    """Settings, the devices this station has, and its copies of their records; nothing is made where nothing is."""
    settings = load()
    if not settings.database_url and not (settings.data_dir / "station.db").exists():
        yield settings, set(), {}
        return
    engine = database.open_engine(database.url_for(settings))
    try:
        migrations.require_current(engine)
        with database.read(engine) as conn:
            devices = {pump.device for pump in forecourt.pumps(conn)}
            yield settings, devices, {device: sales.record_copies(conn, device) for device in devices}
    finally:
        engine.dispose()


def _device_of(data: bytes) -> int | None:
    return examine(data, None).device


def _key(key_file: Path | None, settings: Settings, device: int | None, known: set[int]) -> bytes:
    if key_file is not None:
        try:
            text = key_file.read_text("utf-8").strip()
            key = bytes.fromhex(json.loads(text)["keys"]["journal"] if text.startswith("{") else text)
        except OSError as error:
            _give_up(f"读不到密钥文件 cannot read {key_file}: {error.strerror}")
        except (ValueError, KeyError, TypeError, binascii.Error):
            _give_up(f"{key_file} 不是 64 位十六进制密钥，也不是 identity.json neither 64 hex digits nor identity.json")
        if len(key) != 32:
            _give_up(f"密钥须为 32 字节 the key must have 32 bytes, not {len(key)}")
        return key
    if device is None or device not in known or not settings.secrets_path.exists():
        _give_up(
            f"没有设备 {device} 的密钥：请给出 --key-file，或用 --no-key 只查 CRC 与次序 "
            f"no key for device {device}: give --key-file, or --no-key to check CRC and order only"
        )
    return Secrets.load(settings.secrets_path).device(device).journal


def _tell(report: Report, file: Path) -> None:
    if not report.count:
        typer.echo(f"✗ {file}：没有一条完整的记录 not one whole record in it", err=True)
        return
    typer.echo(f"设备 device {report.device}：记录 records {report.first}–{report.last}，共 {report.count} 条 in all")
    if report.torn:
        places = "、".join(str(at) for at in report.torn[:SHOWN])
        typer.echo(f"断电残片 {len(report.torn)} 处，无害 · slots torn by power cuts, harmless, at {places}")
    for fault in report.faults[:SHOWN]:
        typer.echo(f"✗ {_line(fault)}", err=True)
    if len(report.faults) > SHOWN:
        typer.echo(f"… 另有 {len(report.faults) - SHOWN} 处 · and as many more", err=True)
    if not report.is_chained:
        typer.echo("! 未核对校验链：没有密钥 · the chain was not checked: no key")
    elif report.unproven:
        typer.echo(f"! 最早的记录 {report.first} 之前不在文件中 · what precedes the oldest record is not in the file")
    if len(report.faults) > 1:
        typer.echo(f"首个坏处 first: {_line(report.faults[0])}；共 {len(report.faults)} 处 in all", err=True)
    elif not report.faults:
        typer.echo("✓ 日志完好 · the journal is sound")


def _line(fault: Fault) -> str:
    place = f"偏移 offset {fault.offset} (0x{fault.offset:x})"
    chinese, english = words.FAULTS[fault.what]
    what = f"{chinese} {english}"
    if fault.what == CUT_SHORT:
        return f"{place}：{what}"
    if fault.bit:
        at, bit = fault.bit
        what += f"：字节 {at} 的第 {bit} 位 bit {bit} of byte {at}"
    number = "?" if fault.seq is None else fault.seq
    return f"{place}，记录 record {number}，{words.kind(fault.kind)}：{what}"


def _give_up(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)
