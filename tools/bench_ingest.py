"""`make bench-ingest`: durable sales per second from the broker to the commit, against plain inserts of the same rows.

Real broker, TLS, device credentials, real records, eight in a message. The broker holds all messages before the ingest
process wakes; from then to the last commit is measured: chain, ledger, shadows, stock, roll-up and risk in it. The
plain figure writes the very rows that came out by the driver's own executemany, without SQLAlchemy's compiler, into the
same tables (constraints, indices, triggers) of a second database with the same settings (SQLite: WAL, synchronous=FULL;
PostgreSQL: fsync) and as many commits. One JSON line a database; peak_rss_mb is the ingest process's.

`--flat 1000000` brings so many sales to the ingest without a broker and shows its memory every 100,000.
"""

import argparse
import contextlib
import getpass
import json
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from subprocess import PIPE
from typing import Any

from sqlalchemy import Engine, select

from pump.core import records
from station import first_start, ledger, sales, setup
from station.ledger import Transfer
from station.ledger.book import balances_table
from station.mqtt.service import BATCH_MESSAGES, IngestService
from station.mqtt.work import Message, work
from station.platform import database, logs
from station.platform.bulk import insert_rows
from station.platform.database import metadata
from station.platform.secrets import Secrets
from station.platform.settings import Settings, load
from station.platform.topics import device_user, topic
from tools import postgres
from tools.journals import Card, Fill, Journal
from tools.ports import free_port
from tools.postgres import NewUrl

TABLES = ("records", "sales", "transfers", "sales_hourly", "card_shadows", "journals", "balances", "risk_histories")
PLAIN_RUNS = 3
CARDS = 2_000  # each fuels a few times in the week that risk looks at, as at a station
TIMEOUT_S = 300
PRICE_FEN_PER_L = 756
SALE_EVERY_S = 30  # of the station's four pumps together
PURSE_FEN = 10**9
FLAT_STEP = 100_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sales", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5, help="the median one counts")
    parser.add_argument("--backend", choices=postgres.BACKENDS, action="append", help="both, if not said")
    parser.add_argument("--broker", choices=("embedded", "mosquitto"), default=default_broker())
    parser.add_argument("--flat", type=int, metavar="SALES", help="instead: memory over so many sales")
    parser.add_argument("--ingest", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--publish", nargs=2, metavar=("PUMP", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ingest:
        return run_ingest(load())
    if options.publish:
        return publish(load(), options.publish[0], Path(options.publish[1]))
    for backend in options.backend or postgres.BACKENDS:
        with postgres.databases(backend) as new_url:
            if options.flat:
                figures = flat(options.flat, new_url)
            else:
                figures = compared(options.sales, options.rounds, options.broker, new_url)
        print(json.dumps({"backend": backend, **figures}), flush=True)
    return 0


def compared(number: int, rounds: int, broker_kind: str, new_url: NewUrl) -> dict[str, Any]:
    """The median of some rounds."""
    measured_rounds = [one_round(number, broker_kind, new_url) for _ in range(rounds)]
    for rate, plain, _ in measured_rounds:
        print(f"{rate:.0f} / {plain:.0f} = {rate / plain:.3f}", file=sys.stderr)
    rate, plain, _ = sorted(measured_rounds, key=lambda one: one[0] / one[1])[rounds // 2]
    return {
        "broker": broker_kind, "sales": number, "sales_per_s": round(rate), "plain_insert_per_s": round(plain),
        "ratio": round(rate / plain, 3), "peak_rss_mb": max(rss for _, _, rss in measured_rounds),
    }  # fmt: skip


def one_round(number: int, broker_kind: str, new_url: NewUrl) -> tuple[float, float, int]:
    """(sales per second, the same inserted plainly, the ingest's peak memory in MB) of a fresh station; shortly one
    after the other, so that a busy machine slows both."""
    with fresh_station(new_url) as settings:
        rate, commits, rss_mb, engine = measured(settings, number, broker_kind)
        plain = plain_rate(settings, engine, number, commits, new_url)
        engine.dispose()
    return rate, plain, rss_mb


@contextlib.contextmanager
def fresh_station(new_url: NewUrl) -> Iterator[Settings]:
    """A prepared station in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="pumpside-ingest-") as directory:
        os.environ["PUMPSIDE_CONFIG"] = str(Path(directory) / "none.toml")
        os.environ["DATABASE_URL"] = ""
        port = free_port()
        settings = load(data_dir=Path(directory) / "var", broker_port=port, bench=True, database_url=new_url())
        first_start.prepare(settings, lambda _text: None)
        yield settings


def measured(settings: Settings, number: int, broker_kind: str) -> tuple[float, int, int, Engine]:
    """(sales per second from the broker's first message to the last commit, commits, peak MB, the filled database).

    The ingest process sleeps until the broker holds everything, so that the senders are not measured; they are
    connected before, because a broker leaves who sleeps too long.
    """
    secrets = Secrets.load(settings.secrets_path)
    engine = database.open_engine(database.url_for(settings))
    files = Forecourt(settings, secrets, engine, number).files()
    expected = sum(path.stat().st_size for _, path in files) // records.SIZE
    with broker(settings, broker_kind), ingest(settings) as process:
        senders = [Child(settings, "--publish", pump, str(path)) for pump, path in files]
        for sender in senders:
            sender.hear("connected")
        process.send_signal(signal.SIGSTOP)
        for sender in senders:
            sender.tell()
        for sender in senders:
            assert sender.process.wait(TIMEOUT_S) == 0, "a sender failed"
        assert committed(engine) == 0
        began = time.monotonic()
        process.send_signal(signal.SIGCONT)
        while (seen := committed(engine)) < expected:
            assert time.monotonic() - began < TIMEOUT_S, f"only {seen} of {expected} records arrived"
            time.sleep(0.01)
        took_s = time.monotonic() - began
    with database.read(engine) as conn:
        assert sales.recent_count(conn) == number
        findings = sales.verify(conn, secrets)
        assert findings == [], findings[:5]
    assert process.stdout
    commits, rss_mb = process.stdout.read().split()
    return number / took_s, int(commits), int(rss_mb), engine


class Child:
    """This program again, as another part of the bench."""

    def __init__(self, settings: Settings, *argv: str) -> None:
        command = [sys.executable, "-m", "tools.bench_ingest", *argv]
        self.process = subprocess.Popen(command, env=environment(settings), stdin=PIPE, stdout=PIPE, text=True)

    def hear(self, word: str) -> None:
        """Waits for a line of its."""
        assert self.process.stdout and self.process.stdout.readline() == f"{word}\n", f"not {word}"

    def tell(self) -> None:
        """It may go on."""
        assert self.process.stdin
        self.process.stdin.close()


@contextlib.contextmanager
def ingest(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """The ingest as its own process, subscribed; at the end it prints how often it committed, and its memory."""
    child = Child(settings, "--ingest")
    child.hear("ready")
    process = child.process
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def run_ingest(settings: Settings) -> int:
    """The ingest's process: the product's service until SIGTERM."""
    logs.configure("warning", "ingest")
    engine = database.open_engine(database.url_for(settings))
    service = IngestService(settings, Secrets.load(settings.secrets_path), engine)
    signal.signal(signal.SIGTERM, lambda *_: service.stop())
    threading.Thread(target=lambda: service.ready.wait() and print("ready", flush=True), daemon=True).start()
    service.run()
    print(service.commits, peak_rss_mb())
    return 0


def peak_rss_mb() -> int:
    """This process's, so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def committed(engine: Engine) -> int:
    """How many records are acknowledged."""
    with database.read(engine) as conn:
        return sum(row.seq for row in conn.execute(select(metadata.tables["journals"].c.seq)))


def plain_rate(settings: Settings, engine: Engine, number: int, commits: int, new_url: NewUrl) -> float:
    """The median of a few runs: sales per second when only their rows are inserted."""
    with database.read(engine) as conn:
        rows = {name: [tuple(row) for row in conn.execute(select(metadata.tables[name]))] for name in TABLES}
    opening = {row[0] for row in rows["transfers"] if row[0].startswith("opening:")}
    rows["transfers"] = [row for row in rows["transfers"] if row[0] not in opening]
    for name in ("records", "sales"):  # in the order of their coming: all pumps side by side
        rows[name].sort(key=lambda row: (row[0] & 0xFFFFFFFF, row[0]))
    rates = []
    for run in range(PLAIN_RUNS):
        other = {"data_dir": settings.data_dir / f"plain{run}", "database_url": new_url()}
        target = setup.prepare(settings.model_copy(update=other))
        with database.write(target) as conn:
            conn.execute(balances_table.delete())
        began = time.monotonic()
        for part in range(commits):
            with database.write(target) as conn:
                for name in TABLES:
                    size = len(rows[name])
                    insert_rows(
                        conn, metadata.tables[name], rows[name][size * part // commits : size * (part + 1) // commits]
                    )
        rates.append(number / (time.monotonic() - began))
        target.dispose()
    return statistics.median(rates)


class Forecourt:
    """The pumps and many cards, known to the station, and so many sales, one after the other."""

    def __init__(self, settings: Settings, secrets: Secrets, engine: Engine, number: int) -> None:
        self.settings, self.number = settings, number
        self.began = int(time.time()) - (number + 100) * SALE_EVERY_S
        devices = {pump.pump: settings.device_id(pump) for pump in settings.pumps}
        self.journals = {
            pump: Journal(secrets.device(device).journal, device, self.began) for pump, device in devices.items()
        }
        self.cards = [Card(_uid(n), bytes.fromhex(f"6200{n:012d}"), PURSE_FEN) for n in range(CARDS)]
        with database.write(engine) as conn:
            for card in self.cards:
                name = card.card_no.hex()
                sales.open_shadow(conn, name, card.uid.hex(), 1)
                pending, purse = ledger.pending(name), ledger.purse(name)
                paid = [Transfer(ledger.cash("desk"), pending, card.fen), Transfer(pending, purse, card.fen)]
                ledger.post(conn, f"load:{name}", 1, paid)

    def sales(self) -> Iterator[tuple[str, bytes]]:
        """(pump, its four records) of each sale."""
        pumps = list(self.journals.items())
        for n in range(self.number):
            pump, journal = pumps[n % len(pumps)]
            fill = Fill(self.began + n * SALE_EVERY_S, 60, 5_000 + n % 1_000, 0, 1, PRICE_FEN_PER_L, 1, 20_001)
            yield pump, journal.sale(self.cards[n % CARDS], fill)

    def files(self) -> list[tuple[str, Path]]:
        """A journal file per pump with its share of the sales."""
        paths = {pump: self.settings.data_dir / f"{pump}.journal" for pump in self.journals}
        with contextlib.ExitStack() as stack:
            opened = {pump: stack.enter_context(path.open("wb")) for pump, path in paths.items()}
            for pump, raw in self.sales():
                opened[pump].write(raw)
        return list(paths.items())

    def messages(self) -> Iterator[Message]:
        """The sales as the pumps send them: eight records a message."""
        parts: dict[str, bytes] = {}
        for pump, raw in self.sales():
            parts[pump] = parts.get(pump, b"") + raw
            if len(parts[pump]) == 8 * records.SIZE:
                yield Message(topic(self.settings.station, pump, "journal"), parts.pop(pump))
        for pump, raw in parts.items():
            yield Message(topic(self.settings.station, pump, "journal"), raw)


def _uid(number: int) -> bytes:
    return bytes([4]) + number.to_bytes(6, "big")


def flat(number: int, new_url: NewUrl) -> dict[str, Any]:
    """Memory of the ingest's work over so many sales, and how fast it went (without a broker, journals made by the
    way in the same process)."""
    steps: list[int] = []
    with fresh_station(new_url) as settings:
        secrets = Secrets.load(settings.secrets_path)
        engine = database.open_engine(database.url_for(settings))
        messages = Forecourt(settings, secrets, engine, number).messages()
        done, began = 0, time.monotonic()
        while some := list(islice(messages, BATCH_MESSAGES)):
            work(engine, secrets, some, int(time.time()))
            done += sum(len(message.payload) for message in some) // records.SIZE // 4
            if done // FLAT_STEP > len(steps):
                steps.append(rss_mb())
                print(f"{done} sales, {steps[-1]} MB", file=sys.stderr)
        took_s = time.monotonic() - began
        engine.dispose()
    figures = {"sales": done, "sales_per_s": round(done / took_s), "rss_mb_by_100k": steps}
    return {**figures, "peak_rss_mb": peak_rss_mb()}


def rss_mb() -> int:
    """This process's memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 2**20


def publish(settings: Settings, pump: str, path: Path) -> int:
    """The sender's process: one pump that sends its journal, eight records a message, as fast as it is taken."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    from station.mqtt.client import tls_context

    device = next(settings.device_id(one) for one in settings.pumps if one.pump == pump)
    user = device_user(settings.station, pump)
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=user)
    client.username_pw_set(user, Secrets.load(settings.secrets_path).device(device).mqtt_password)
    client.tls_set_context(tls_context(settings.pki_dir / "ca.pem", settings.broker_name))
    client.max_queued_messages_set(0)
    client.on_connect = lambda *_: print("connected", flush=True)
    client.connect(settings.broker_host, settings.broker_port)
    client.loop_start()
    sys.stdin.read()
    raw, size = path.read_bytes(), 8 * records.SIZE
    sent = [
        client.publish(topic(settings.station, pump, "journal"), raw[at : at + size], 1)
        for at in range(0, len(raw), size)
    ]
    for one in sent:
        one.wait_for_publish(TIMEOUT_S)
    client.disconnect()
    client.loop_stop()
    return 0


def mosquitto_binary() -> str | None:
    return shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")


def default_broker() -> str:
    """The production broker where it is installed, else the embedded one, which is the bottleneck then."""
    return "mosquitto" if mosquitto_binary() else "embedded"


@contextlib.contextmanager
def broker(settings: Settings, kind: str) -> Iterator[None]:
    """The broker as its own process, until the block ends."""
    argv = [sys.executable, "-m", "station", "broker"]
    if kind == "mosquitto":
        from station.broker import mosquitto

        binary = mosquitto_binary() or "mosquitto"
        argv = [binary, "-c", str(mosquitto.write(settings, settings.data_dir / "mosquitto", user=getpass.getuser()))]
    process = subprocess.Popen(argv, env=environment(settings), stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with (
                contextlib.suppress(OSError),
                socket.create_connection((settings.broker_host, settings.broker_port), 1),
            ):
                break
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def environment(settings: Settings) -> dict[str, str]:
    """What a child needs to find this station."""
    here = {"PUMPSIDE_DATA_DIR": str(settings.data_dir), "PUMPSIDE_BROKER_PORT": str(settings.broker_port)}
    return {**os.environ, **here, "DATABASE_URL": settings.database_url}


if __name__ == "__main__":
    sys.exit(main())
