"""`make seed-data YEARS=1`: fills an empty station with a believable past, through the code that a real one runs.

Pumps, shifts, cards, companies, prices, deliveries, gauge readings, refusals and alarms follow from the seed and the
last day: the same two give the same database, but for keys and what is sealed or signed with them. The last line is
JSON. Example: python -m tools.seed_data --years 1 --seed 7 --data-dir var-demo
"""

import argparse
import json
import os
import random
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from station import sales, setup
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import load
from tools.seed.year import Year

DAYS_A_YEAR = 365
FILLS_A_DAY = 420  # of four pumps
SHOW_EVERY_S = 2.0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.seed_data", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--years", type=int, default=1, help="年数 · years, e.g. 1")
    parser.add_argument("--days", type=int, help="或天数 · or days, e.g. 14")
    parser.add_argument("--seed", type=int, default=1, help="种子 · seed, e.g. 7")
    parser.add_argument("--until", type=date.fromisoformat, default=date.today(), help="止于 · before this day")
    parser.add_argument("--fills", type=int, default=FILLS_A_DAY, help="日均笔数 · fills a day, e.g. 420")
    parser.add_argument("--data-dir", type=Path, default=Path("var-demo"), help="数据目录 · data directory")
    chosen = parser.parse_args(arguments)
    days = chosen.days or chosen.years * DAYS_A_YEAR
    try:
        print(json.dumps(seed_data(chosen.data_dir, chosen.seed, chosen.until, days, chosen.fills)))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def seed_data(data_dir: Path, seed: int, until: date, days: int, fills_a_day: int = FILLS_A_DAY) -> dict[str, Any]:
    """Lives the days before `until` in the station of data_dir. ValueError if it has sales already."""
    began = time.monotonic()
    first = until - timedelta(days)
    settings = load(data_dir=data_dir, bench=True)
    secrets = Secrets.load(settings.secrets_path)
    engine = setup.prepare(settings, int(datetime(first.year, first.month, first.day).timestamp()))
    rng = random.Random(seed)
    with patch("station.cards.loading.secrets", _Names(rng)):
        with database.write(engine) as conn:
            if sales.recent_count(conn):
                raise ValueError(f"{data_dir} 中已有交易 there are sales already: take an empty directory")
            year = Year(conn, settings, secrets, rng, first, days, fills_a_day)
        shown = time.monotonic()
        for day in range(days):
            with database.write(engine) as conn:
                year.live(conn, day)
            if time.monotonic() - shown > SHOW_EVERY_S and sys.stderr.isatty():
                shown = time.monotonic()
                print(f"\r{day + 1}/{days} 天 days, {year.sales} 笔 sales", end="", file=sys.stderr, flush=True)
    seconds = time.monotonic() - began
    with database.read(engine) as conn:
        invariant = sales.money_invariant(conn, year.at(days))
    engine.dispose()
    return {
        "seed": seed, "days": days, "cards": len(year.town.customers), "sales": year.sales,
        "seconds": round(seconds, 1), "sales_per_s": round(year.sales / seconds), "invariant_holds": invariant.holds,
    }  # fmt: skip


class _Names:
    """Loads are named by chance, so that no name ever comes again; here by the seed's, so that the past does."""

    def __init__(self, rng: random.Random) -> None:
        self.randbits = rng.getrandbits


if __name__ == "__main__":
    os.environ.pop("DATABASE_URL", None)
    sys.exit(main())
