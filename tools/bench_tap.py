"""How long a customer waits: from the card in the reader to fuel that may flow, on simulated boards with the line up.

python -m tools.bench_tap --times 5        the last line is JSON: medians and worst in ms

The board runs the real firmware behind a PN532 at 115,200 baud; broker and station are processes of their own. `alone`
is a card without anything special (aim: 1,000 ms), `load` one that money waits for (aim: 2,000 ms more), `account` one
that the station authorises.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from pump.core import card_layout
from station import accounts, cards, forecourt
from tools.bench import acts
from tools.bench.small_station import SmallStation

READY_S = 60.0
KINDS = ("alone", "load", "account")


def measure(station: SmallStation, what: str, company: int) -> float:
    """One customer of this kind; milliseconds."""
    account = what == "account"
    card = (
        station.issue(0, kind=card_layout.KIND_ACCOUNT, company=company) if account else station.issue(load_fen=30_000)
    )
    if what == "load":
        number = _seen(station, card, "card_no")
        station.write(lambda conn: cards.top_up(conn, str(number), 20_000, "bench", int(time.time())))
    station.world.do(acts.lift("p1"))
    time.sleep(1)  # the hand goes from the nozzle to the card
    begun = time.monotonic()
    station.world.do(acts.insert("p1", card))
    station.world.wait(lambda state: state["pumps"][0]["motor"], 20)
    taken_ms = (time.monotonic() - begun) * 1000
    station.world.do(acts.hang("p1"))
    station.world.wait(lambda state: _seen(station, card, "open_fen") == 0, 20)
    station.world.do(acts.remove("p1"))
    time.sleep(1)
    return taken_ms


def _seen(station: SmallStation, card: str, what: str) -> object:
    state = next(one for one in station.world.state()["cards"] if one["card"] == card)
    return dict(state)[what]


def _ready(station: SmallStation) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        pumps = station.read(forecourt.pumps)
        if any(pump.state.get("online") and pump.state.get("tariff") for pump in pumps):
            return
        time.sleep(0.2)
    raise TimeoutError(f"p1 没有连上 · p1 did not come on line\n{station.logs()}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench_tap", description="刷卡到出油的时间 · From the card to fuel that may flow."
    )
    parser.add_argument("--times", type=int, default=5, help="每种次数 · customers of each kind, e.g. 5")
    times = parser.parse_args(arguments).times
    taken: dict[str, list[float]] = {what: [] for what in KINDS}
    with tempfile.TemporaryDirectory() as directory, SmallStation(Path(directory)) as station:
        _ready(station)
        terms = accounts.Terms(limit_fen=5_000_000)
        fleet = station.write(lambda conn: accounts.open_account(conn, "台架 bench", terms, int(time.time())))
        for number in range(times):
            for what in KINDS:
                taken[what].append(measure(station, what, fleet.account))
                print(f"{number + 1}/{times} {what}: {taken[what][-1]:.0f} ms")
    figures = {f"{what}_ms": round(statistics.median(values)) for what, values in taken.items()}
    worst = {f"{what}_ms_worst": round(max(values)) for what, values in taken.items()}
    print(json.dumps({**figures, **worst}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
