"""Two stations and their head office, each with its own database; the line between them breaks as a test wants."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, insert

from station import cards, ledger, network, risk, sales
from station.cards import loading, registry
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import Settings, load
from station.setup import prepare
from tests.station.world import T0, PumpJournal, TestCard

KEEPS, LOSES_REPORT, LOSES_ANSWER = "keeps", "loses the report", "loses the answer"


class CutError(Exception):
    """The line broke."""


@dataclass
class Office:
    """Head office; `line` is how the next exchange goes."""

    engine: Engine
    secrets: Secrets
    line: str = KEEPS
    now: int = T0


@dataclass
class Town:
    """A station: its database, one pump's journal, and how many cards it issued."""

    settings: Settings
    engine: Engine
    secrets: Secrets
    office: Office
    pump: PumpJournal
    member: network.Member
    issued: int = 0
    sold: list[int] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.settings.station_no

    def issue(self, fen: int) -> TestCard:
        """A registered card with money loaded for cash."""
        self.issued += 1
        uid = bytes([4, self.number]) + self.issued.to_bytes(5, "big")
        with database.write(self.engine) as conn:
            number = registry.next_number(conn, self.number)
            row = {"card_no": number, "uid": uid.hex(), "kind": 1, "state": "active", "holder": "张伟", "grades": 30}
            row |= {"expiry": 0, "upper_fen": 500_000, "key_version": 1, "issued_at": self.office.now}
            conn.execute(insert(cards.tables.cards), row)
            registry.note(conn, number, self.office.now, "issued", "li")
            sales.open_shadow(conn, number, uid.hex(), self.office.now)
        card = TestCard(uid, bytes.fromhex(number), 0, 0)
        if fen:
            self.load(card, fen)
        return card

    def load(self, card: TestCard, fen: int) -> None:
        """Money for a card that is at this desk; what a risk rule holds (many loads) is looked at and cleared."""
        self.office.now += 1
        with database.write(self.engine) as conn:
            for case in risk.cases(conn, 100, state="open"):
                cards.review(conn, case.id, "clear", "wang", self.office.now, "核实无误")
            taken = loading.pay(conn, card.number, fen, "desk", self.office.now)
            loading.done(conn, taken, "li", self.office.now)
            card.fen += fen
            sales.observe(conn, card.number, card.counter, card.fen, self.office.now)

    def sell(self, card: TestCard, volume_ml: int) -> None:
        """A whole sale at this station's pump, taken into its books."""
        self.pump.at = max(self.pump.at, self.office.now)
        begun = len(self.pump.written)
        self.pump.sale(card, volume_ml, reserved_fen=min(card.fen, 20_001))
        self.take(begun)
        self.office.now = max(self.office.now, self.pump.at)

    def take(self, begun: int) -> None:
        batch = sales.Batch(self.settings.station, "p1", b"".join(self.pump.written[begun:]))
        with database.write(self.engine) as conn:
            sales.ingest(conn, self.secrets, [batch], self.office.now)

    def step(self, line: str = KEEPS) -> bool:
        """One exchange with head office, over the bytes that would travel; True if there is more to say."""

        def exchange(report: network.Report) -> network.Answer:
            told = network.Report.model_validate_json(report.model_dump_json())
            if line == LOSES_REPORT:
                raise CutError
            with database.write(self.office.engine) as conn:
                known = network.member_named(conn, self.settings.station)
                assert known is not None
                answer = network.take(conn, self.office.secrets, known, told, self.office.now)
            if line == LOSES_ANSWER:
                raise CutError
            return network.Answer.model_validate_json(answer.model_dump_json())

        self.office.now += 1
        return network.step(self.engine, self.secrets, self.settings.station, self.number, exchange, self.office.now)

    def purse(self, card: TestCard) -> int:
        with database.read(self.engine) as conn:
            return ledger.balance(conn, ledger.purse(card.number))

    def balance(self, account: str) -> int:
        with database.read(self.engine) as conn:
            return ledger.balance(conn, account)

    def state_of(self, card: TestCard) -> str:
        with database.read(self.engine) as conn:
            found = cards.card(conn, card.number)
        return found.state if found else "unknown"


def heal(*towns: Town) -> None:
    """Exchanges until nobody has anything to say, twice round so that each hears what the others told."""
    for _ in range(3):
        for town in towns:
            for _ in range(50):
                if not town.step():
                    break
            else:
                raise AssertionError("the stations never stop talking")


def founded(directory: Path) -> Path:
    """Prepared databases of head office and both stations, to be copied for each course of events."""
    for number in (1, 2, 9):
        prepare(town_settings(directory, number), T0).dispose()
    return directory


def town_settings(directory: Path, number: int) -> Settings:
    """9 is head office."""
    name = "head" if number == 9 else f"s{number}"
    return load(data_dir=directory / name, station=name, station_no=number, bench=True)


@contextmanager
def towns(head: Engine, head_secrets: Secrets, directory: Path) -> Iterator[tuple[Office, Town, Town]]:
    """Head office and the stations s1 and s2, joined."""
    office = Office(head, head_secrets)
    made = []
    for number in (1, 2):
        settings = town_settings(directory, number)
        engine = database.open_engine(database.url_for(settings))
        secrets = Secrets.load(settings.secrets_path)
        device = number * 256 + 1
        with database.write(head) as conn:
            network.join(conn, settings.station, number, "admin", T0)
            member = network.member_named(conn, settings.station)
        assert member is not None
        pump = PumpJournal(secrets.device(device).journal, device)
        made.append(Town(settings, engine, secrets, office, pump, member))
    try:
        yield office, made[0], made[1]
    finally:
        for town in made:
            town.engine.dispose()
