"""`pumpside journal`: the pumps' own records, as they were written."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from station import forecourt, sales
from station.cli.common import existing
from station.platform import database

app = typer.Typer(no_args_is_help=True)


@app.callback()
def journal() -> None:
    """油机日志原始记录 · The pumps' raw records.

    例 Example: pumpside journal export p1.jnl --pump p1
    """


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="写入的文件，- 为标准输出 · file to write, - for standard output")],
    pump: Annotated[str, typer.Option("--pump", "-p", help="油机，如 p1 · pump")],
    first: Annotated[int, typer.Option("--first", min=1, help="起始序号 · first sequence number")] = 1,
    last: Annotated[int | None, typer.Option("--last", min=1, help="末尾序号 · last sequence number")] = None,
) -> None:
    """导出一台油机的原始记录，可离线核对 · Write a pump's raw records to a file that verify-journal checks.

    例 Example: pumpside journal export p1.jnl --pump p1 --first 1000 --last 1999
    """
    with existing() as (_, engine), database.read(engine) as conn:
        found = next((its for its in forecourt.pumps(conn) if its.pump == pump), None)
        if found is None:
            raise ValueError(f"没有油机 {pump} · there is no pump {pump}")
        raw = b"".join(sales.raw_records(conn, found.device, first, last))
        if not raw:
            raise ValueError(f"{pump} 在该范围内没有记录 · no records of {pump} in this range")
        if str(file) == "-":
            sys.stdout.buffer.write(raw)
            return
        try:
            file.write_bytes(raw)
        except OSError as error:
            raise ValueError(f"写不了文件 cannot write {file}: {error.strerror}") from None
    count = len(raw) // 128
    typer.echo(f"{count} 条记录写入 {file} · {count} records of device {found.device} written")
