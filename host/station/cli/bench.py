"""`pumpside bench ...`: the simulated forecourt in your hands on the command line."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from station.first_start import prepare
from station.platform.database import DatabaseError
from station.platform.portcheck import PortTakenError, check_free
from station.platform.secrets import SecretsError
from station.platform.settings import SettingsError, load
from tools.bench import acts, glass
from tools.bench.acts import Act
from tools.bench.client import BenchClient, BenchError
from tools.bench.state import PumpState

app = typer.Typer(help="模拟加油现场 · the simulated forecourt", no_args_is_help=True)

Pump = Annotated[str, typer.Argument(help="油机，如 p1 · pump, e.g. p1")]
Card = Annotated[str, typer.Argument(help="卡号或 UID · card number or UID")]
Nozzle = Annotated[int, typer.Option("--nozzle", "-n", help="油枪，0 起 · nozzle, counted from 0")]


class Squeeze(StrEnum):
    none = "none"
    slow = "slow"
    full = "full"


class Switch(StrEnum):
    on = "on"
    off = "off"


class NetworkKind(StrEnum):
    up = "up"
    cut = "cut"
    frozen = "frozen"
    slow = "slow"


class PulserKind(StrEnum):
    ok = "ok"
    dropped_a = "dropped_a"
    dropped_b = "dropped_b"
    stuck_a = "stuck_a"
    stuck_b = "stuck_b"
    doubled_a = "doubled_a"
    noisy_a = "noisy_a"
    noisy_b = "noisy_b"
    swapped = "swapped"
    reversed = "reversed"


class BrokerDo(StrEnum):
    stop = "stop"
    start = "start"
    kill = "kill"


def _client() -> BenchClient:
    settings = load(bench=True)
    return BenchClient(f"http://{settings.bench_host}:{settings.bench_port}")


def _do(act: Act) -> None:
    try:
        with _client() as bench:
            answer = bench.do(act)
    except (BenchError, SettingsError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(answer.get("card", "好 · done"))


@app.command()
def serve() -> None:
    """启动模拟台（油机、读卡器、油罐、接口） · Start the bench alone.

    例 Example: pumpside bench serve
    """
    from tools.bench.service import serve as serve_bench

    try:
        settings = load(bench=True)
        check_free({"PUMPSIDE_BENCH_PORT": ("模拟台 bench", settings.bench_port)})
        if not (settings.data_dir / "devices").is_dir():
            prepare(settings, typer.echo)
        serve_bench(settings)
    except (SettingsError, PortTakenError, SecretsError, DatabaseError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@app.command()
def state(as_json: Annotated[bool, typer.Option("--json", help="完整 JSON · the whole as JSON")] = False) -> None:
    """看现场：显示屏、油枪、卡 · Show displays, nozzles and cards.

    例 Example: pumpside bench state
    """
    try:
        with _client() as bench:
            seen = bench.state()
    except (BenchError, SettingsError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(seen, ensure_ascii=False, indent=1))
        return
    for pump in seen["pumps"]:
        typer.echo(_pump_text(pump))
    for card in seen["cards"]:
        balance = card["balance_fen"]
        money = "空白卡 blank" if balance is None else f"{balance // 100}.{balance % 100:02d} 元"
        typer.echo(f"{card['card']}  {card['card_no'] or '-':16}  {money:>14}  {card['where']}  {card['holder']}")


def _pump_text(pump: PumpState) -> str:
    power = "通电 on" if pump["power"] else "断电 off"
    head = f"{pump['pump']}  {power}  网络 {pump['network']}  卡 {pump['card'] or '-'}"
    nozzles = [
        f"  #{one['nozzle']} {'提起 lifted' if one['lifted'] else '挂好 hung'}  {one['sale_ml'] / 1000:.3f} L"
        for one in pump["nozzles"]
    ]
    return "\n".join([head, glass.text(pump["lcd"]), *nozzles])


@app.command()
def display(
    pump: Pump, svg: Annotated[Path | None, typer.Option(help="存为 SVG 图 · write a picture to this file")] = None
) -> None:
    """看油机的显示屏 · Show a pump's display as it stands.

    例 Example: pumpside bench display p1 --svg p1.svg
    """
    try:
        with _client() as bench:
            shown = next((one["lcd"] for one in bench.state()["pumps"] if one["pump"] == pump), None)
    except (BenchError, SettingsError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if shown is None:
        typer.echo(f"没有这台油机 · no such pump: {pump}", err=True)
        raise typer.Exit(1)
    typer.echo(glass.text(shown))
    if svg:
        svg.write_text(glass.svg(shown), "utf-8")


@app.command()
def tap(pump: Pump, card: Card, hold_ms: Annotated[int, typer.Option(help="停留毫秒 · how long")] = 1500) -> None:
    """刷卡后拿开 · Hold a card on the reader, then take it away.

    例 Example: pumpside bench tap p3 6200010000000017
    """
    _do(acts.tap(pump, card, hold_ms))


@app.command()
def insert(pump: Pump, card: Card) -> None:
    """插卡 · Insert a card.

    例 Example: pumpside bench insert p1 6200010000000017
    """
    _do(acts.insert(pump, card))


@app.command()
def remove(pump: Pump) -> None:
    """拔卡 · Pull the card away.

    例 Example: pumpside bench remove p1
    """
    _do(acts.remove(pump))


@app.command()
def lift(pump: Pump, nozzle: Nozzle = 0) -> None:
    """提枪 · Lift a nozzle.

    例 Example: pumpside bench lift p1 --nozzle 1
    """
    _do(acts.lift(pump, nozzle))


@app.command()
def hang(pump: Pump, nozzle: Nozzle = 0) -> None:
    """挂枪 · Hang a nozzle up.

    例 Example: pumpside bench hang p1
    """
    _do(acts.hang(pump, nozzle))


@app.command()
def trigger(pump: Pump, squeeze: Squeeze, nozzle: Nozzle = 0) -> None:
    """扳机：松开、慢、满 · Squeeze the trigger.

    例 Example: pumpside bench trigger p1 full
    """
    _do(acts.trigger(pump, squeeze.value, nozzle))


@app.command()
def key(pump: Pump, keys: Annotated[str, typer.Argument(help="0-9 A B C D * #")]) -> None:
    """按键 · Press keys, one after the other.

    例 Example: pumpside bench key p1 "A200#"
    """
    _do(acts.keys(pump, keys))


@app.command()
def power(pump: Pump, switch: Switch) -> None:
    """通电、断电 · Power on or off.

    例 Example: pumpside bench power p1 off
    """
    _do(acts.power(pump, switch is Switch.on))


@app.command()
def network(pump: Pump, kind: NetworkKind) -> None:
    """网络：通、断、冻结、慢 · The pump's network: up, cut, frozen, slow.

    例 Example: pumpside bench network p1 cut
    """
    _do(acts.network(pump, kind.value))


@app.command()
def pulser(pump: Pump, kind: PulserKind, nozzle: Nozzle = 0) -> None:
    """弄坏或修好脉冲器 · Break or mend a pulser.

    例 Example: pumpside bench pulser p1 stuck_a
    """
    _do(acts.pulser(pump, kind.value, nozzle))


@app.command()
def estop(pump: Pump, switch: Switch) -> None:
    """按下、复位急停 · Press or release the emergency stop.

    例 Example: pumpside bench estop p1 on
    """
    _do(acts.estop(pump, switch is Switch.on))


@app.command()
def seal(pump: Pump, switch: Switch) -> None:
    """启封、加封：计量系数的铅封开关 · Break or renew the seal over the calibration.

    例 Example: pumpside bench seal p1 on
    """
    _do(acts.seal(pump, switch is Switch.on))


@app.command()
def leak(
    pump: Pump,
    ml_s: Annotated[int, typer.Argument(min=0, max=1000, help="毫升每秒，0 为不漏 · ml per second, 0: tight")],
    nozzle: Nozzle = 0,
) -> None:
    """关着的阀漏油 · Let fuel past shut valves.

    例 Example: pumpside bench leak p1 50
    """
    _do(acts.leak(pump, ml_s, nozzle))


@app.command()
def broker(do: BrokerDo) -> None:
    """消息代理：冻结、恢复、杀死 · Freeze, wake or kill the broker.

    例 Example: pumpside bench broker stop
    """
    _do(acts.broker(do.value))


@app.command()
def desk(card: Annotated[str, typer.Argument(help='卡号或 UID；"-" 取走 · card, or "-" to take it away')]) -> None:
    """把卡放上发卡台，或取走 · Lay a card on the desk reader, or take it away.

    例 Example: pumpside bench desk 6200010000000017
    """
    _do(acts.desk_take() if card == "-" else acts.desk_put(card))


@app.command("new-card")
def new_card() -> None:
    """新空白卡 · A factory-blank card comes into the wallet.

    例 Example: pumpside bench new-card
    """
    _do(acts.new_card())


@app.command()
def traffic(switch: Switch, speed: Annotated[float, typer.Option(min=0.1, max=5.0)] = 1.0) -> None:
    """自动客流 · Customers by themselves.

    例 Example: pumpside bench traffic on --speed 2
    """
    _do(acts.traffic(switch is Switch.on, speed))
