"""What a card demands, as it is typed and shown: the options of `card issue` and `card rules`."""

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from station.cards import CardView, Rules, yuan
from station.platform import typed

DAY_S = 86_400

FillLitres = Annotated[str | None, typer.Option("--fill-litres", help="每次最多升数 · litres per fill at most")]
DayYuan = Annotated[str | None, typer.Option("--day-yuan", help="每日最多金额，元 · yuan per day at most")]
DayFills = Annotated[int | None, typer.Option("--day-fills", help="每日最多次数 · fills per day at most", min=0)]
Stations = Annotated[str | None, typer.Option("--stations", help="可用油站编号，如 1,5 · stations by number")]
Hours = Annotated[str | None, typer.Option("--hours", help="可用时段，如 6-22 · from 6:00 until 22:00")]
OdometerKm = Annotated[
    int | None,
    typer.Option("--odometer-km", help="须输里程，两次加油至多相隔公里 · ask km; most between two fills", min=0),
]
NeedsDriver = Annotated[
    bool | None,
    typer.Option("--driver/--no-driver", help="须同单位驾驶员卡 · only with a driver's card", show_default=False),
]


def changed(
    rules: Rules,
    fill_litres: str | None,
    day_yuan: str | None,
    day_fills: int | None,
    stations: str | None,
    hours: str | None,
    odometer_km: int | None,
    driver: bool | None,
) -> Rules:
    """The rules with what was typed put in; None leaves as it is, 0 or "" takes a rule away. typer.BadParameter."""
    if fill_litres is not None:
        rules = replace(rules, fill_ml=_scaled(fill_litres, 1000, "--fill-litres"))
    if day_yuan is not None:
        rules = replace(rules, day_fen=_scaled(day_yuan, 100, "--day-yuan"))
    if day_fills is not None:
        rules = replace(rules, day_fills=day_fills)
    if stations is not None:
        rules = replace(rules, stations=_typed(typed.numbers, stations, "--stations"))
    if hours is not None:
        rules = replace(rules, hours=_typed(typed.hours, hours, "--hours"))
    if odometer_km is not None:
        rules = replace(rules, odometer_km=odometer_km)
    if driver is not None:
        rules = replace(rules, needs_driver=driver)
    try:
        rules.check()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return rules


def _scaled(text: str, unit: int, option: str) -> int:
    try:
        scaled = Decimal(text or "0") * unit
        if not scaled.is_finite() or scaled != int(scaled) or scaled < 0:
            raise ValueError
    except (InvalidOperation, ValueError):
        raise typer.BadParameter("数字如 50 或 50.5 a number like 50 or 50.5", param_hint=option) from None
    return int(scaled)


def _typed(parse: Callable[[str], tuple[int, ...]], text: str, option: str) -> tuple[int, ...]:
    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def lines(view: CardView) -> list[str]:
    """What a card demands and what it has used today, for people."""
    r, out = view.rules, []
    if r.fill_ml:
        out.append(f"每次 per fill    {r.fill_ml / 1000:g} L")
    if r.day_fen or r.day_fills:
        limits = [f"{yuan(r.day_fen)} 元"] * bool(r.day_fen) + [f"{r.day_fills} 次 fills"] * bool(r.day_fills)
        out.append(f"每日 per day     {'，'.join(limits)}")
    if r.stations:
        out.append(f"油站 stations    {', '.join(map(str, r.stations))}")
    if r.hours:
        out.append(f"时段 hours       {spans(r.hours)}")
    if r.odometer_km:
        out.append(f"里程 odometer    两次加油至多 at most {r.odometer_km} km")
    if r.needs_driver:
        out.append("驾驶员 driver    须同单位驾驶员卡 only with a driver's card of the company")
    if r.has_pin or view.tries:
        state = "已设 set" if r.has_pin else "无 none"
        out.append(f"密码 PIN         {state}，输错 wrong {view.tries} 次")
    if view.company:
        out.append(f"单位 company     {view.company}")
    if view.usage and r.needs_usage and view.usage.day:
        u = view.usage
        day = time.strftime("%Y-%m-%d", time.gmtime(u.day * DAY_S))
        km = f"，{u.odometer_km} km" if u.odometer_km else ""
        out.append(f"用量 used        {day}：{u.fills} 次，{yuan(u.fen)} 元，{u.ml / 1000:.2f} L{km}")
    return out


def spans(hours: tuple[int, ...]) -> str:
    """(6, 7, 8, 20) -> "6-9, 20-21"."""
    out: list[list[int]] = []
    for hour in sorted(hours):
        if out and out[-1][1] == hour:
            out[-1][1] = hour + 1
        else:
            out.append([hour, hour + 1])
    return ", ".join(f"{begin}-{end}" for begin, end in out)
