"""`make bench-ingest`: durable sales per second from the broker to the commit, against plain inserts of the same rows.

Real broker, TLS, device credentials, real records, eight in a message. The broker holds all messages before the ingest
process wakes; from then to the last commit is measured. The plain figure writes the very rows that came out by the
sqlite3 driver's own executemany, without SQLAlchemy's compiler, into the same tables (constraints, indices, triggers)
of a second database with the same settings (WAL, synchronous=FULL) and as many commits. Ends with one JSON line.
"""

import argparse
import contextlib
import getpass
import json
import os
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
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

from sqlalchemy import Engine, select

from pump.core import money, records
from station import first_start, ledger, sales, setup
from station.ledger import Transfer
from station.ledger.book import balances_table
from station.mqtt.service import IngestService
from station.platform import database, logs
from station.platform.bulk import insert_rows
from station.platform.database import metadata
from station.platform.secrets import Secrets
from station.platform.settings import Settings, load
from tools.ports import free_port

TABLES = ("records", "sales", "transfers", "sales_hourly", "card_shadows", "journals", "balances")
PLAIN_RUNS = 3
CARDS = 200
TIMEOUT_S = 300
PRICE_FEN_PER_L = 756


@dataclass
class Card:
    """A card's truth."""

    uid: bytes
    card_no: bytes
    counter: int = 0
    fen: int = 1_000_000_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sales", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5, help="the median one counts")
    parser.add_argument("--broker", choices=("embedded", "mosquitto"), default=default_broker())
    parser.add_argument("--ingest", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--publish", nargs=2, metavar=("PUMP", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ingest:
        return run_ingest(load())
    if options.publish:
        return publish(load(), options.publish[0], Path(options.publish[1]))
    rounds = [one_round(options.sales, options.broker) for _ in range(options.rounds)]
    for rate, plain in rounds:
        print(f"{rate:.0f} / {plain:.0f} = {rate / plain:.3f}", file=sys.stderr)
    rate, plain = sorted(rounds, key=lambda pair: pair[0] / pair[1])[len(rounds) // 2]
    figures = {
        "backend": "sqlite", "broker": options.broker, "sales": options.sales, "sales_per_s": round(rate),
        "plain_insert_per_s": round(plain), "ratio": round(rate / plain, 3),
    }  # fmt: skip
    print(json.dumps(figures))
    return 0


def one_round(number: int, kind: str) -> tuple[float, float]:
    """(sales per second, the same inserted plainly) of a fresh station; shortly one after the other, so that a busy
    machine slows both."""
    with tempfile.TemporaryDirectory(prefix="pumpside-ingest-") as directory:
        os.environ["PUMPSIDE_CONFIG"] = str(Path(directory) / "none.toml")
        settings = load(
            data_dir=Path(directory) / "var", broker_port=free_port(), bench=True, database_url="sqlite:///"
        )
        settings = settings.model_copy(update={"database_url": ""})
        first_start.prepare(settings, lambda _text: None)
        rate, commits, engine = measured(settings, number, kind)
        plain = plain_rate(settings, engine, number, commits)
        engine.dispose()
    return rate, plain


def measured(settings: Settings, number: int, kind: str) -> tuple[float, int, Engine]:
    """(sales per second from the broker's first message to the last commit, commits, the filled database).

    The ingest process sleeps until the broker holds everything, so that the senders are not measured.
    """
    secrets = Secrets.load(settings.secrets_path)
    engine = database.open_engine(database.url_for(settings))
    files = write_journals(settings, secrets, number)
    expected = sum(path.stat().st_size for _, path in files) // records.SIZE
    with broker(settings, kind), ingest(settings) as process:
        process.send_signal(signal.SIGSTOP)
        argv = [sys.executable, "-m", "tools.bench_ingest", "--publish"]
        senders = [subprocess.Popen([*argv, pump, str(path)], env=environment(settings)) for pump, path in files]
        for sender in senders:
            assert sender.wait(TIMEOUT_S) == 0, "a sender failed"
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
    return number / took_s, int(process.stdout.read()), engine


@contextlib.contextmanager
def ingest(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """The ingest as its own process, subscribed; at the end it prints how often it committed."""
    argv = [sys.executable, "-m", "tools.bench_ingest", "--ingest"]
    process = subprocess.Popen(argv, env=environment(settings), stdout=PIPE)
    assert process.stdout and process.stdout.readline() == b"ready\n", "the station could not subscribe"
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
    print(service.commits)
    return 0


def committed(engine: Engine) -> int:
    """How many records are acknowledged."""
    with database.read(engine) as conn:
        return sum(row.seq for row in conn.execute(select(metadata.tables["journals"].c.seq)))


def plain_rate(settings: Settings, engine: Engine, number: int, commits: int) -> float:
    """The median of a few runs: sales per second when only their rows are inserted."""
    with database.read(engine) as conn:
        rows = {name: [tuple(row) for row in conn.execute(select(metadata.tables[name]))] for name in TABLES}
    opening = {row[0] for row in rows["transfers"] if row[0].startswith("opening:")}
    rows["transfers"] = [row for row in rows["transfers"] if row[0] not in opening]
    for name in ("records", "sales"):  # in the order of their coming: all pumps side by side
        rows[name].sort(key=lambda row: (row[0] & 0xFFFFFFFF, row[0]))
    rates = []
    for run in range(PLAIN_RUNS):
        target = setup.prepare(settings.model_copy(update={"data_dir": settings.data_dir / f"plain{run}"}))
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


def write_journals(settings: Settings, secrets: Secrets, number: int) -> list[tuple[str, Path]]:
    """A journal file per pump with its share of whole sales; the cards are known to the station."""
    engine = database.open_engine(database.url_for(settings))
    cards = [Card(bytes([4]) + card.to_bytes(6, "big"), bytes.fromhex(f"6200{card:012d}")) for card in range(CARDS)]
    with database.write(engine) as conn:
        for card in cards:
            name = card.card_no.hex()
            sales.open_shadow(conn, name, card.uid.hex(), 1)
            pending, purse = ledger.pending(name), ledger.purse(name)
            paid = [Transfer(ledger.cash("desk"), pending, card.fen), Transfer(pending, purse, card.fen)]
            ledger.post(conn, f"load:{name}", 1, paid)
    engine.dispose()
    files = []
    at = int(time.time()) - 100_000
    for share, pump in enumerate(settings.pumps):
        device, mac, seq, total_ml = settings.device_id(pump), records.CHAIN_START, 0, 0
        path = settings.data_dir / f"{pump.pump}.journal"
        with path.open("wb") as file:
            for sale in range(share, number, len(settings.pumps)):
                card, volume_ml, reserved, start = cards[sale % CARDS], 5_000 + sale % 1_000, 20_001, seq + 1
                amount = money.amount_fen(volume_ml, PRICE_FEN_PER_L)
                card.counter, card.fen = card.counter + 1, card.fen - amount
                head = (card.uid, card.card_no, card.counter)
                end = (start, *head, 0, 1, 1, 0, PRICE_FEN_PER_L, 1, reserved, amount, volume_ml, total_ml)
                less = card.fen + amount - reserved
                back = (reserved, amount, reserved - amount, card.fen, 1)
                tail = (1, 0, bytes(8), 0)  # kind, lease, driver, odometer
                bodies = (
                    (
                        records.START,
                        (*head, reserved, 0, 1, PRICE_FEN_PER_L, 1, total_ml, card.fen + amount, 0, 0, b"", *tail),
                    ),
                    (records.RESERVED, (device, start, card.counter, reserved, less, total_ml, card.uid)),
                    (records.END, (*end, total_ml + volume_ml, 0, 0, 0, 60, 700, 1, 0)),
                    (records.SETTLED, (device, start, card.uid, card.counter, *back)),
                )
                total_ml += volume_ml
                for kind, body in bodies:
                    seq, at = seq + 1, at + 1
                    record = records.build(secrets.device(device).journal, mac, kind, device, seq, 1, seq, at, 2, body)
                    mac = record[records.MAC_AT : records.CRC_AT]
                    file.write(record)
        files.append((pump.pump, path))
    return files


def publish(settings: Settings, pump: str, path: Path) -> int:
    """The sender's process: one pump that sends its journal, eight records a message, as fast as it is taken."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    from station.mqtt.client import tls_context
    from station.platform.topics import device_user, topic

    device = next(settings.device_id(one) for one in settings.pumps if one.pump == pump)
    user = device_user(settings.station, pump)
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=user)
    client.username_pw_set(user, Secrets.load(settings.secrets_path).device(device).mqtt_password)
    client.tls_set_context(tls_context(settings.pki_dir / "ca.pem", settings.broker_name))
    client.max_queued_messages_set(0)
    client.connect(settings.broker_host, settings.broker_port)
    client.loop_start()
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
    return {**os.environ, **here}


if __name__ == "__main__":
    sys.exit(main())
