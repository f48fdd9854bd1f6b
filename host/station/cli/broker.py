"""`pumpside broker` and `pumpside broker-config`: the embedded broker, or the files for a Mosquitto in its place."""

from pathlib import Path
from typing import Annotated

import typer

from station.broker import mosquitto
from station.broker import run as embedded
from station.platform.pki import PkiError
from station.platform.secrets import SecretsError
from station.platform.settings import SettingsError, load

app = typer.Typer()


@app.command()
def broker() -> None:
    """运行内置消息代理，Ctrl-C 停止 · Run the embedded message broker; Ctrl-C stops it.

    例 Example: pumpside broker
    """
    try:
        embedded.run(load())
    except (SettingsError, SecretsError, PkiError, OSError) as error:
        typer.echo(f"消息代理无法启动 · the broker cannot start: {error}", err=True)
        raise typer.Exit(1) from None


@app.command("broker-config")
def broker_config(
    kind: Annotated[str, typer.Argument(help="目前仅 mosquitto · mosquitto is the only kind")],
    directory: Annotated[Path, typer.Option("--to", help="写入的目录 · directory to write to")] = Path("mosquitto"),
) -> None:
    """为生产用的 Mosquitto 写配置、口令和权限文件 · Write configuration, passwords and access rules for a Mosquitto.

    例 Example: pumpside broker-config mosquitto --to /etc/mosquitto/pumpside
    """
    if kind != "mosquitto":
        typer.echo(f"不支持的代理 · unknown broker: {kind}", err=True)
        raise typer.Exit(2)
    try:
        written = mosquitto.write(load(), directory)
    except (SettingsError, SecretsError, PkiError, OSError) as error:
        typer.echo(f"无法写配置 · cannot write the configuration: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"已写入，启动方法 · written, start with: mosquitto -c {written}")
