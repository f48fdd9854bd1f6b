"""`pumpside update`: releases of the firmware and which pump takes which (docs/update.md)."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from station import forecourt
from station.cli.common import existing
from station.cli.sales import when
from station.platform import clock, database

app = typer.Typer(help="固件更新 · firmware updates", no_args_is_help=True)
By = Annotated[str, typer.Option("--by", help="经办人 · who decides")]


@app.command("trust")
def trust(
    key: Annotated[Path, typer.Argument(help="发布公钥 · the releases' public key, e.g. release.pem.pub", exists=True)],
) -> None:
    """信任此发布公钥；之后登记的油机才会带上它 · Trust this key; pumps provisioned from now on carry it.

    例 Example: pumpside update trust release.pem.pub
    """
    with existing() as (settings, _):
        forecourt.trust_key(settings.data_dir, key.read_bytes())
    typer.echo(
        f"{settings.data_dir / 'release.pub'}；请重新登记油机并 make flash · provision the pumps again, make flash"
    )


@app.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="发布文件 · release file, e.g. pumpside-3.release", exists=True)],
    by: By = getpass.getuser(),
) -> None:
    """收下一个固件发布文件，先核对签名 · Take a release in; its signature is checked first.

    例 Example: pumpside update add pumpside-3.release --by 王芳
    """
    with existing() as (settings, engine), database.write(engine) as conn:
        key = forecourt.public_key(settings.data_dir)
        if key is None:
            raise ValueError("先运行 pumpside update trust · run `pumpside update trust` first")
        made = forecourt.add_release(conn, file.read_bytes(), key, by, clock.now())
    typer.echo(f"v{made.version}  {made.software}  {made.size} B")


@app.command("start")
def start(
    pump: Annotated[str, typer.Argument(help="油机，如 p1 · pump")],
    version: Annotated[int, typer.Argument(help="版本；0：撤回 · version; 0: take the order back", min=0)],
    by: By = getpass.getuser(),
) -> None:
    """让一台油机更新到此版本 · Let a pump update to this version.

    例 Example: pumpside update start p1 3 --by 王芳
    """
    with existing() as (settings, engine), database.write(engine) as conn:
        one = forecourt.pump_named(conn, settings.station, pump)
        if one is None:
            raise ValueError(f"没有油机 {pump} there is no pump {pump}")
        forecourt.order_update(conn, one.device, version, by, clock.now())
    typer.echo(f"{pump} → v{version}")


@app.command("status")
def status() -> None:
    """各油机的版本与更新进度 · The pumps' versions and how their updates stand.

    例 Example: pumpside update status
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for one in forecourt.releases(conn):
            typer.echo(f"v{one.version}  {one.software}  {one.size} B  {when(one.made)}  ({one.made_by})")
        for row in forecourt.update_states(conn):
            wanted = f"v{row.ordered}" if row.ordered else "-"
            typer.echo(f"{row.pump}  {row.software or '-'}  {wanted}  {row.text}")
