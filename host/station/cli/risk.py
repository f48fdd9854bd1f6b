"""`pumpside risk`: what the rules found, the queue of what waits for a person, and the rules themselves."""

import json
from typing import Annotated

import typer

from station import cards, risk, texts
from station.cli.common import existing
from station.cli.sales import when
from station.platform import clock, database

app = typer.Typer(help="风控 · risk", no_args_is_help=True)
By = Annotated[str, typer.Option("--by", help="经办人 · who decides")]
Why = Annotated[str, typer.Option("--why", help="理由 · the reason")]
Case = Annotated[int, typer.Argument(help="编号 · number of the finding")]


@app.callback()
def group() -> None:
    """风控 · Risk."""


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="包括已处理与仅提示 · decided ones and alerts too")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="条数 · how many")] = 30,
) -> None:
    """待审核的发现 · Findings that wait for a decision.

    例 Example: pumpside risk list --all
    """
    with existing() as (_, engine), database.read(engine) as conn:
        cases = risk.cases(conn, limit, state=None if every else "open")
    for case in cases:
        decided = f"  {case.decided_by}: {case.why}" if case.decided_by else ""
        typer.echo(
            f"{case.id:>5}  {when(case.at)}  {texts.risk_rule(case.rule)}  {case.subject}  {case.value} > {case.over}"
            f"  {texts.risk_state(case.state)}{decided}"
        )
    if not cases:
        typer.echo("没有待审核的发现 · nothing waits for a decision")


@app.command("confirm")
def confirm(case: Case, by: By, why: Why) -> None:
    """认定为异常 · It is what it looks like.

    例 Example: pumpside risk confirm 12 --by 王芳 --why 持卡人报失
    """
    _decide(case, "confirm", by, why)


@app.command("block")
def block(case: Case, by: By, why: Why) -> None:
    """认定为异常并停卡 · It is what it looks like: block the card.

    例 Example: pumpside risk block 12 --by 王芳 --why 两机同时用卡
    """
    _decide(case, "block", by, why)


@app.command("clear")
def clear(case: Case, by: By, why: Why) -> None:
    """排除；由此发现停用的卡随即恢复 · It is harmless; a card that this finding blocked is good again.

    例 Example: pumpside risk clear 12 --by 王芳 --why 车队集中加油
    """
    _decide(case, "clear", by, why)


@app.command("rules")
def rules() -> None:
    """现行规则 · The rules in force, as JSON lines that `set` takes.

    例 Example: pumpside risk rules
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for rule in risk.rules(conn):
            typer.echo(json.dumps(risk.to_json(rule), ensure_ascii=False))


@app.command("set")
def set_(rule: Annotated[str, typer.Argument(help="JSON")], by: By, why: Why) -> None:
    """新增规则或发布其新版本 · A new rule, or a new version of one.

    未写的字段保持原值 · fields not named keep their value.

    例 Example: pumpside risk set '{"name": "burst_count", "over": 6}' --by 王芳 --why 节假日
    """
    with existing() as (_, engine), database.write(engine) as conn:
        given = json.loads(rule)
        if not isinstance(given, dict):
            raise ValueError("规则须为 JSON 对象 a rule is a JSON object")
        old = next((risk.to_json(one) for one in risk.rules(conn) if one.name == given.get("name")), {})
        version = risk.set_rule(conn, risk.parse({**old, **given}), by, clock.now(), why)
    typer.echo(f"v{version}")


def _decide(case: int, verdict: str, by: str, why: str) -> None:
    with existing() as (_, engine), database.write(engine) as conn:
        found = cards.review(conn, case, verdict, by, clock.now(), why)
    typer.echo(texts.risk_state(found.state))
