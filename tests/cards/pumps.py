"""A pump as PURSE.md has it, in a few lines: real card frames on one side, real journal records on the other.

Not the firmware (tests of the core and the simulation are about that): a second opinion on the protocol that desk and
books have to get along with.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Engine

import desfire
from desfire import CardLost
from desfire_run import run
from pump.core import card_layout as layout
from pump.core import records
from station import sales
from station.cards import CardKeys
from station.platform import database
from station.platform.secrets import Secrets
from tests.station.world import PumpJournal, TestCard
from tools.bench.desfire_card import DesfireCard

Frames = Iterator[bytes]


@dataclass
class Sale:
    seq: int
    counter: int
    reserved_fen: int
    amount_fen: int
    is_certain: bool


@dataclass
class Pump:
    """The pump of one card, which visits no other; `unsettled` is its last sale while its end on the card is open."""

    engine: Engine
    secrets: Secrets
    card: DesfireCard
    card_no: str
    journal: PumpJournal
    unsettled: Sale | None = None
    sent: int = 0
    times: dict[str, int] = field(default_factory=dict)

    def visit(self, reserved_fen: int, volume_ml: int) -> str:
        """The customer comes with the card and fuels; what became of it."""
        try:
            outcome = self._visit(reserved_fen, volume_ml)
        except CardLost:
            outcome = "lost"
        self.card.tear_at(0)
        self.card.reset()
        self.times[outcome] = self.times.get(outcome, 0) + 1
        return outcome

    def upload(self, count: int) -> None:
        """The next records reach the station."""
        raw = b"".join(self.journal.written[self.sent : self.sent + count])
        self.sent = min(len(self.journal.written), self.sent + count)
        if raw:
            with database.write(self.engine) as conn:
                sales.ingest(conn, self.secrets, [sales.Batch("s1", "p1", raw)], self.journal.at)

    def _visit(self, reserved_fen: int, volume_ml: int) -> str:
        self._do(self._open())
        if self.unsettled is not None and not self._finish(self.unsettled):
            return "refused"
        if self.state[1]:
            return "refused"
        if self.balance_fen < reserved_fen:
            return "poor"
        truth = TestCard(self.card.uid, bytes.fromhex(self.card_no), self.state[0], self.balance_fen)
        seq = self.journal.start(truth, reserved_fen)
        self.unsettled = Sale(seq, truth.counter + 1, reserved_fen, 0, is_certain=False)
        try:
            self._do(self._reserve(seq, reserved_fen))
        except CardLost:
            self.journal.end(seq, truth, reserved_fen, 0, flags=records.FLAG_UNCERTAIN)
            raise
        self.journal.reserved((self.journal.device, seq), truth, reserved_fen)
        amount = self.journal.end(seq, truth, reserved_fen, volume_ml)
        self.unsettled = Sale(seq, truth.counter, reserved_fen, amount, is_certain=True)
        self._settle(self.unsettled, records.HOW_SALE)
        return "sold"

    def _finish(self, sale: Sale) -> bool:
        """Next contact: bring the last sale to its end; False if the card holds somebody else's."""
        counter, device, seq = self.state[:3]
        if (device, seq) == (self.journal.device, sale.seq):
            self._settle(sale, records.HOW_NEXT_CONTACT)
            self._do(self._open())
        elif device:
            return False
        elif counter >= sale.counter:
            self._note_settled(sale, self.balance_fen, records.HOW_OBSERVED)
        else:
            name = (self.journal.device, sale.seq)
            self.journal.write(records.VOID, (*name, self.card.uid, sale.counter, records.HOW_NEXT_CONTACT))
            self.unsettled = None
        return True

    def _settle(self, sale: Sale, how: int) -> None:
        self._do(self._return(sale))
        self._note_settled(sale, self.balance_fen, how)

    def _note_settled(self, sale: Sale, balance_fen: int, how: int) -> None:
        name = (self.journal.device, sale.seq)
        rest = sale.reserved_fen - sale.amount_fen
        self.journal.write(
            records.SETTLED,
            (*name, self.card.uid, sale.counter, sale.reserved_fen, sale.amount_fen, rest, balance_fen, how),
        )
        self.unsettled = None

    # -- on the card

    def _do(self, conversation: Frames) -> None:
        run(conversation, self.card.exchange)

    def _open(self) -> Frames:
        self.session = desfire.Session()
        yield from self.session.select(layout.AID)
        key = CardKeys.of(self.secrets, self.card.uid).pump
        yield from self.session.authenticate(layout.KEY_PUMP, key, bytes(range(16)))
        self.state = layout.unpack_state((yield from self.session.read_data(layout.FILE_STATE, 0, layout.STATE_SIZE)))
        self.balance_fen = yield from self.session.get_value(layout.FILE_PURSE)

    def _reserve(self, seq: int, fen: int) -> Frames:
        yield from self.session.debit(layout.FILE_PURSE, fen)
        opened = (self.state[0] + 1, self.journal.device, seq, fen, self.journal.at, *self.state[5:])
        yield from self.session.write_data(layout.FILE_STATE, 0, layout.pack_state(*opened))
        yield from self.session.commit()
        self.state, self.balance_fen = opened, self.balance_fen - fen

    def _return(self, sale: Sale) -> Frames:
        rest = sale.reserved_fen - sale.amount_fen
        yield from self.session.limited_credit(layout.FILE_PURSE, rest)
        closed = (self.state[0], 0, 0, 0, 0, *self.state[5:])
        yield from self.session.write_data(layout.FILE_STATE, 0, layout.pack_state(*closed))
        log = (self.journal.at, self.journal.device, sale.seq, sale.counter, 0, sale.amount_fen, 756, 1, 0, 1)
        yield from self.session.write_record(layout.FILE_LOG, layout.pack_log(*log))
        yield from self.session.commit()
        self.state, self.balance_fen = closed, self.balance_fen + rest
