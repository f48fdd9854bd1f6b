"""`pumpside card ...`, the rarer jobs: refund, replacement, renewal, history, statistics, float, incentives."""

from typing import Annotated

import typer

from station import cards, texts
from station.cards import CardLink, Contact, Desk, yuan
from station.cli.card import (
    KIND_TEXTS,
    STATE_TEXTS,
    Number,
    Port,
    SecondName,
    Wait,
    _at_reader,
    _day,
    _fen,
    app,
    second_person,
)  # fmt: skip
from station.cli.common import clock_of, existing, told_plainly
from station.platform import clock, database

Why = Annotated[str, typer.Option("--why", help="原因 · the reason")]
Days = Annotated[int, typer.Option("--days", help="天数 · days", min=1, max=366)]
LINE_TEXTS = {
    "sale": "加油 fuel", "load": "充值 load", "refund": "退款 refund", "replaced_in": "旧卡转入 from the old card",
    "replaced_out": "转入新卡 to the new card",
}  # fmt: skip


@app.command()
def refund(
    amount: Annotated[str, typer.Argument(help="金额，元；不写为全退销户 · yuan; none: all, and close")] = "",
    why: Why = "",
    drawer: Annotated[str, typer.Option(help="付款钱箱 · the drawer that pays")] = "desk",
    second: SecondName = "",
    port: Port = "",
    wait: Wait = 5.0,
) -> None:
    """从卡上取出并退款，原路退回 · Take money off the card and pay it back to where it came from.

    例 Example: pumpside card refund 100 --why 多充

    销户 Close it: pumpside card refund --why 不再使用 --second leader
    """
    fen, signs = _fen(amount) if amount else None, second_person(second)

    def act(desk: Desk, link: CardLink) -> None:
        done = desk.refund(link, fen, why, drawer, signs).refunded
        if done is not None:
            typer.echo(f"请付款 pay: {yuan(done.amount_fen)} 元")
            for place, part in done.sources:
                typer.echo(f"  {place}: {yuan(part)} 元")

    _at_reader(port, wait, act)


@app.command()
def replace(number: Number, second: SecondName = "", why: Why = "", port: Port = "", wait: Wait = 5.0) -> None:
    """补卡：读卡器上放空白卡，旧卡须已挂失 · The blank card takes the place of a reported one, with its balance.

    例 Example: pumpside card replace 6200000100000012
    """
    signs = second_person(second)

    def act(desk: Desk, link: CardLink) -> None:
        view = desk.replace(link, number, signs, why).view
        typer.echo(f"新卡 new card: {cards.shown(view.card_no)}，余额 balance {yuan(view.balance_fen)} 元")

    _at_reader(port, wait, act)


@app.command()
def renew(port: Port = "", wait: Wait = 5.0) -> None:
    """续期，年限与新卡相同 · Valid for as long again as a new card of its kind.

    例 Example: pumpside card renew
    """

    def act(desk: Desk, link: CardLink) -> None:
        found: Contact = desk.renew(link)
        typer.echo(f"有效期至 valid until: {_day(found.view.expiry)}")

    _at_reader(port, wait, act)


@app.command()
def history(number: Number, limit: Annotated[int, typer.Option(min=1, max=1000, help="行数 · lines")] = 50) -> None:
    """一张卡的往来与余额 · What moved a card's money, newest first.

    例 Example: pumpside card history 6200000100000012
    """
    with existing() as (_, engine), database.read(engine) as conn, told_plainly():
        card_no = cards.parse(number)
        lines = cards.history(conn, card_no)
        for line in lines[:limit]:
            volume = f"  {texts.grade(line.grade)} {line.volume_ml / 1000:.2f} L" if line.sale else ""
            typer.echo(
                f"{clock_of(line.at)}  {LINE_TEXTS[line.kind]}  {yuan(line.change_fen)}  "
                f"余额 balance {yuan(line.balance_fen)}  {line.place} {line.sale}{volume}".rstrip()
            )
        if not lines:
            typer.echo("还没有往来 nothing has moved yet")
        elif not cards.history_agrees(conn, card_no, lines):
            typer.echo("明细与账不符！does not add up to the books")
            raise typer.Exit(1)


@app.command()
def statistics(days: Days = 30) -> None:
    """各卡种各状态张数及期间变动，须与登记一致 · Cards by kind and state, and how they came there.

    例 Example: pumpside card statistics --days 7
    """
    with existing() as (settings, engine), database.read(engine) as conn:
        now = clock.now()
        for one in cards.movements(conn, now - days * clock.DAY_S, now + 1):
            closing = "，".join(f"{STATE_TEXTS[state]} {count}" for state, count in one.closing.items())
            typer.echo(
                f"{KIND_TEXTS.get(one.kind, one.kind)}：期初 opening {sum(one.opening.values())}，"
                f"发行 issued {one.events['issued']}，期末 closing {sum(one.closing.values())}（{closing}）"
            )
        off = cards.disagreeing(conn, settings.station_no)
        typer.echo("与登记一致 reconciles" if not off else f"不符 differ: {', '.join(off)}")
        if off:
            raise typer.Exit(1)


@app.command("float")
def prepaid(days: Days = 7) -> None:
    """预付款余额，每日：期初 + 收款 − 加油 − 退款 = 期末 · The prepaid float by day.

    例 Example: pumpside card float --days 30
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for day in cards.float_by_day(conn, days, clock.now()):
            typer.echo(
                f"{_day(day.day)}  期初 opening {yuan(day.opening_fen)}  收 in {yuan(day.loaded_fen)}  "
                f"油 fuel {yuan(day.sold_fen)}  退 out {yuan(day.refunded_fen)}  其他 other {yuan(day.other_fen)}  "
                f"期末 closing {yuan(day.closing_fen)}"
            )
        books, by_card = cards.float_now(conn), sum(fen for _, fen in cards.float_by_kind(conn).values())
        typer.echo(f"账面 books {yuan(books)} 元，逐卡 card by card {yuan(by_card)} 元")
        if books != by_card:
            raise typer.Exit(1)


@app.command("incentives")
def incentives() -> None:
    """办卡奖励 · What the staff earned by the cards they issued.

    例 Example: pumpside card incentives
    """
    with existing() as (_, engine), database.read(engine) as conn:
        found = cards.incentive_report(conn)
        for one in found:
            typer.echo(
                f"{one.name}：{one.cards} 张 cards，追回 taken back {one.taken_back}，应付 owed {yuan(one.fen)} 元"
            )
        if not found:
            typer.echo("还没有奖励（参数 incentive.card）nobody has earned any (parameter incentive.card)")
