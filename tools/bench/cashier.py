"""The bench's cashier: issues a fresh bench's first cards and, while customers come by themselves, tops theirs up.

All of it at the desk reader and through the card desk, as a person would: nothing is put into chips or books behind
the desk's back, so that the very first sums must already agree.
"""

import logging
from dataclasses import dataclass

from pump.core import card_layout, codes
from station import accounts
from station.cards import Desk, DeskError
from station.cards.issuing import ALL_GRADES, Order
from station.cards.reader import DeskReader, ReaderUnavailableError
from station.cards.rules import Rules
from station.platform import clock, database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from tools.bench import acts
from tools.bench.refusal import Refused
from tools.bench.world import World

PETROL = (codes.GRADE_92, codes.GRADE_95, codes.GRADE_98)
DIESEL = (codes.GRADE_DIESEL,)
ACCOUNT = 1  # number of the account of the bench's account card
FLEET = 7  # number of the company of the fleet's cards
LOOK_EVERY_S = 5.0
LOW_FEN, TOP_UP_FEN = 20_000, 60_000  # a card below the first is loaded with the second when its owner comes by

_log = logging.getLogger("pumpside.bench")


@dataclass(frozen=True)
class FirstCard:
    holder: str  # "" for an anonymous card
    plate: str
    grades: tuple[int, ...]
    load_fen: int
    kind: int = card_layout.KIND_REGISTERED
    company: int = 0
    rules: Rules = Rules()
    pin: str = ""
    note: str = ""  # what a person at the bench must know to use it


# Names, plates and document numbers are made up. The one with 10 yuan can hardly buy a litre and stays so; after it
# come cards that ask something of a person, or do something else than buy.
FIRST_CARDS = (
    FirstCard("张伟", "京A12345", ALL_GRADES, 200_000),
    FirstCard("王芳", "沪B67890", PETROL, 200_000),
    FirstCard("李强", "粤C24680", DIESEL, 200_000),
    FirstCard("陈静", "川D13579", ALL_GRADES, 150_000),
    FirstCard("刘洋", "浙E97531", PETROL, 100_000),
    FirstCard("", "", ALL_GRADES, 80_000),
    FirstCard("", "", ALL_GRADES, 1_000),
    FirstCard(
        "周敏", "京A20042", ALL_GRADES, 100_000, rules=Rules(day_fen=50_000, day_fills=3), pin="2468",
        note="密码 PIN 2468, 每日 500 元",
    ),
    FirstCard(
        "顺达物流", "京B77001", DIESEL, 200_000, company=FLEET, rules=Rules(needs_driver=True, odometer_km=800),
        note="车辆卡 vehicle: 驾驶员卡 + 里程 km",
    ),
    FirstCard("赵师傅", "", DIESEL, 0, card_layout.KIND_DRIVER, FLEET, pin="1357", note="驾驶员 driver PIN 1357"),
    FirstCard("安达车队", "京C88001", ALL_GRADES, 0, card_layout.KIND_ACCOUNT, ACCOUNT, note="账户卡 account"),
    FirstCard("孙丽", "", ALL_GRADES, 0, card_layout.KIND_STAFF, note="员工 staff"),
    FirstCard("吴刚", "", ALL_GRADES, 0, card_layout.KIND_STAFF, note="员工 staff"),
    FirstCard("郑站长", "", ALL_GRADES, 0, card_layout.KIND_MANAGER, note="站长 manager"),
    FirstCard("检定员", "", ALL_GRADES, 0, card_layout.KIND_TEST, note="检定 test"),
    FirstCard("维修员", "", ALL_GRADES, 0, card_layout.KIND_SERVICE, note="维修 service"),
)  # fmt: skip
POOR_FEN = 1_000
BLANK_HOLDER = "空白卡 blank"


class Cashier:
    """Works until the world closes; `run` is the body of a thread."""

    def __init__(self, world: World, settings: Settings) -> None:
        self._world = world
        self._engine = database.open_database(settings)
        secrets = Secrets.load(settings.secrets_path)
        self._desk = Desk(self._engine, secrets, settings.station_no, settings.issuer, by="bench")

    def run(self) -> None:
        try:
            try:
                self.issue_first_cards()
            finally:
                self._world.setting_up.discard("cards")
            while not self._world.closing.wait(LOOK_EVERY_S):
                if self._world.traffic.state()["on"]:
                    self.top_up()
        except (DeskError, ReaderUnavailableError, Refused, OSError) as error:
            if not self._world.closing.is_set():
                _log.exception("cashier")
                self._world.last_error = f"收银台 cashier: {error}"
        finally:
            self._engine.dispose()

    def issue_first_cards(self) -> None:
        """Goes on where an interrupted first start stopped; leaves a bench that has its cards alone."""
        self._open_account()
        cards = self._world.wallet.states({})
        made = sum(1 for card in cards if card["card_no"] is not None)
        for first in FIRST_CARDS[made:]:
            name = " ".join(filter(None, (first.holder, first.plate, first.note))) or "不记名 anonymous"
            self._issue(self._world.wallet.new_blank(name), first)
        if all(card["card_no"] is not None for card in cards):
            self._world.wallet.new_blank(BLANK_HOLDER)

    def _open_account(self) -> None:
        """The account of the bench's account card: a line of 5,000 yuan, 300 of it ahead to each pump."""
        with database.write(self._engine) as conn:
            if accounts.account(conn, ACCOUNT) is None:
                terms = accounts.Terms(500_000, 100_000, 30_000)
                accounts.open_account(conn, "安达车队", terms, clock.now(), "bench")

    def _issue(self, uid: str, first: FirstCard) -> None:
        kind = first.kind if first.holder else card_layout.KIND_ANONYMOUS
        document = f"DEMO-{uid}" if first.holder else ""
        order = Order(
            kind, first.holder, document, first.plate, first.company, first.grades, rules=first.rules, pin=first.pin
        )
        self._world.do(acts.desk_put(uid))
        try:
            with DeskReader(self._world.desk_port) as reader:
                self._desk.issue(reader, order)
                if first.load_fen:
                    self._desk.load(reader, first.load_fen)
        finally:
            self._world.do(acts.desk_take())

    def top_up(self) -> None:
        """Loads the cards in the wallet that run low; one that cannot be loaded now is left for later."""
        for card in self._world.wallet.states(self._world.where()):
            balance_fen = card["balance_fen"]
            if balance_fen is None or card["where"] != "wallet" or not POOR_FEN < balance_fen < LOW_FEN:
                continue
            if card["open_fen"] or not self._world.traffic.take(card["card"]):
                continue
            try:
                self._load(card["card"])
            except (DeskError, ReaderUnavailableError, Refused) as error:
                _log.warning("top-up of %s: %s", card["card_no"], error)
            finally:
                self._world.traffic.give_back(card["card"])

    def _load(self, uid: str) -> None:
        self._world.do(acts.desk_put(uid))
        try:
            with DeskReader(self._world.desk_port) as reader:
                contact = self._desk.resume(reader)  # one that was paid for and never reached the card
                if contact.view.open is None and contact.view.balance_fen < LOW_FEN:
                    self._desk.load(reader, TOP_UP_FEN)
        finally:
            self._world.do(acts.desk_take())
