"""`pumpside parameter`: what a manager decides while the station runs, with versions (O1)."""

from typing import Annotated

import typer

from station import texts
from station.cli.common import existing
from station.cli.sales import when
from station.platform import clock, database, parameters
from station.platform.parameters import PARAMETERS, Version

app = typer.Typer(help="参数 · parameters", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="参数名，如 cap.load · the parameter's name")]


@app.callback()
def group() -> None:
    """参数 · Parameters."""


@app.command("list")
def list_() -> None:
    """全部参数的现值与范围 · All parameters as they stand, with their bounds.

    例 Example: pumpside parameter list
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for name, known in PARAMETERS.items():
            bounds = f"{known.lowest} – {known.highest}"
            typer.echo(
                f"{name:<18}{parameters.value(conn, name):>12} {known.unit:<6} ({bounds})  {texts.parameter(name)}"
            )


@app.command("history")
def history(name: Name) -> None:
    """一个参数的历次版本，新的在前 · All versions of a parameter, newest first.

    例 Example: pumpside parameter history cap.load
    """
    with existing() as (_, engine), database.read(engine) as conn:
        _known(name)
        versions = parameters.history(conn, name)
    for version in versions:
        typer.echo(_line(version))
    typer.echo(f"v0  出厂值 as delivered  {PARAMETERS[name].default}")


@app.command("set")
def set_(
    name: Name,
    value: Annotated[
        int, typer.Argument(help="新值，按参数的单位（金额为分）· in the parameter's unit (money in fen)")
    ],
    by: Annotated[str, typer.Option("--by", help="经办人 · who decides")],
    why: Annotated[str, typer.Option("--why", help="理由 · the reason")],
) -> None:
    """更改参数，即时生效 · Another value from now on.

    例 Example: pumpside parameter set cap.load 150000 --by chen --why 节前从严
    """
    with existing() as (_, engine), database.write(engine) as conn:
        made = parameters.change(conn, name, value, by, why, clock.now())
    typer.echo(_line(made))


def _known(name: str) -> None:
    if name not in PARAMETERS:
        raise parameters.ParameterError(f"没有这个参数 there is no such parameter: {name}")


def _line(version: Version) -> str:
    return f"v{version.version}  {when(version.at)}  {version.by}  {version.value}  {version.why}"
