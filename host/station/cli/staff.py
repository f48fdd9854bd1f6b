"""`pumpside staff` and `audit`: who may do what, and who did what."""

import getpass
import json
from typing import Annotated

import typer

from station import staff, texts
from station.cli.common import existing
from station.cli.sales import when
from station.platform import audit, clock, database
from station.platform.sealing import Sealer
from station.platform.secrets import Secrets

app = typer.Typer()
people = typer.Typer(help="员工与权限 · staff and what they may do", no_args_is_help=True)
app.add_typer(people, name="staff")
By = Annotated[str, typer.Option("--by", help="经办人 · who decides")]
Name = Annotated[str, typer.Argument(help="登录名 · log-in name")]


@people.command("list")
def list_() -> None:
    """员工名单 · Everyone, with role and second factor.

    例 Example: pumpside staff list
    """
    with existing() as (_, engine), database.read(engine) as conn:
        everyone = staff.everyone(conn)
        for one in everyone:
            state = "" if one.active else "  已停用 off"
            code = "  动态码 code" if one.has_code else ""
            typer.echo(f"{one.name:<16}{one.full_name}  {_role(one.role)}{code}{state}")
        if not everyone:
            typer.echo("还没有员工：pumpside staff add · nobody yet: pumpside staff add")


@people.command("roles")
def roles() -> None:
    """角色与权限表 · Roles and the actions they hold.

    例 Example: pumpside staff roles
    """
    for role, actions in staff.ROLES.items():
        second = "  （须动态码 needs a one-time code）" if role in staff.SECOND_FACTOR else ""
        typer.echo(f"{_role(role)}{second}\n    {' '.join(sorted(actions))}")


@people.command("add")
def add(
    name: Name,
    role: Annotated[str, typer.Option("--role", help="角色 · " + ", ".join(staff.ROLES))],
    by: By,
    full_name: Annotated[str, typer.Option("--full-name", help="姓名 · full name")] = "",
) -> None:
    """新增员工，口令由键盘输入（或从标准输入读一行）· A new member of staff; the password is asked for.

    例 Example: pumpside staff add wangfang --role cashier --full-name 王芳 --by boss
    """
    password = _password()
    with existing() as (_, engine), database.write(engine) as conn:
        made = staff.add(conn, name, full_name, role, password, by, clock.now())
    typer.echo(f"{made.name}  {_role(made.role)}")
    if role in staff.SECOND_FACTOR:
        typer.echo(f"下一步 next: pumpside staff code {made.name} --by {by}")


@people.command("password")
def password(name: Name, by: By) -> None:
    """重设口令，其登录立即失效 · A new password; open sessions end.

    例 Example: pumpside staff password wangfang --by boss
    """
    typed = _password()
    with existing() as (_, engine), database.write(engine) as conn:
        staff.set_password(conn, name, typed, by, clock.now())
    typer.echo("已更改 · changed")


@people.command("role")
def role(name: Name, new_role: Annotated[str, typer.Argument(help="角色 · role")], by: By) -> None:
    """更换角色 · Another role.

    例 Example: pumpside staff role wangfang leader --by boss
    """
    with existing() as (_, engine), database.write(engine) as conn:
        staff.set_role(conn, name, new_role, by, clock.now())
    typer.echo(_role(new_role))


@people.command("off")
def off(
    name: Name, by: By, on: Annotated[bool, typer.Option("--on", help="重新启用 · switch on again")] = False
) -> None:
    """停用员工 · Switch a person off (or on again).

    例 Example: pumpside staff off wangfang --by boss
    """
    with existing() as (_, engine), database.write(engine) as conn:
        staff.set_active(conn, name, on, by, clock.now())
    typer.echo("已启用 · on" if on else "已停用 · off")


@people.command("code")
def code(name: Name, by: By) -> None:
    """启用动态码：显示一次二维码 · Set up one-time codes: shows a QR code once.

    例 Example: pumpside staff code boss --by boss
    """
    import segno

    with existing() as (settings, engine):
        sealer = Sealer(Secrets.load(settings.secrets_path).data_keys)
        with database.write(engine) as conn:
            address = staff.set_up_code(conn, sealer, name, by, clock.now())
    segno.make(address).terminal(compact=True)
    typer.echo(address)


@app.command("audit")
def audit_(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10000, help="行数 · rows")] = 30,
    who: Annotated[str, typer.Option("--who", help="只看某人 · of one person")] = "",
    check: Annotated[bool, typer.Option("--check", help="核对哈希链 · check the chain of hashes")] = False,
) -> None:
    """审计：何人何时改了什么 · Who changed what, newest first; --check finds a row that was edited.

    例 Example: pumpside audit --check
    """
    with existing() as (_, engine), database.read(engine) as conn:
        if check:
            breaks = list(audit.verify(conn))
            for one in breaks:
                typer.echo(one.text, err=True)
            rows, digest = audit.head(conn)
            typer.echo(f"{rows} 行 rows, {'有改动 altered' if breaks else '完整 whole'}, {digest}")
            if breaks:
                raise typer.Exit(1)
            return
        entries = audit.recent(conn, limit, who=who or None)
        for entry in entries:
            change = f"{json.dumps(entry.old, ensure_ascii=False)} → {json.dumps(entry.new, ensure_ascii=False)}"
            typer.echo(
                f"{entry.seq:>6}  {when(entry.at)}  {entry.who}  {entry.action}  {entry.subject}  {change}  {entry.why}"
            )
        if not entries:
            typer.echo("尚无记录 · nothing yet")


def _role(role: str) -> str:
    return f"{role} {texts.text(f'role.{role}')}"


def _password() -> str:
    typed = getpass.getpass("口令 password: ")
    if typed != getpass.getpass("再次 again: "):
        raise typer.BadParameter("两次口令不同 the two differ")
    return typed
