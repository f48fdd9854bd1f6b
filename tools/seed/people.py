"""Who fuels: private drivers, taxis, anonymous cards and companies' vehicles, issued by the desk's own functions."""

import random
from dataclasses import dataclass

from sqlalchemy import Connection

from pump.core import card_layout
from station import accounts, cards, fleets, sales
from station.cards import customers, issuing
from station.platform.secrets import Secrets
from tools.journals import NOBODY, Card
from tools.seed.demand import GRADES

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = (
    "伟",
    "芳",
    "敏",
    "静",
    "强",
    "磊",
    "洋",
    "勇",
    "艳",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "秀英",
    "建华",
    "志强",
    "晓燕",
)
COMPANIES = ("顺达物流", "华通货运", "安捷快运", "城北公交", "绿源环卫", "鑫盛建材", "远大工程", "康泰医药")
CLERKS = ("王芳", "李娜", "赵敏")
CREDIT_LINE_FEN = 30_000_000
SALE_FEN = 300_000


@dataclass(frozen=True, slots=True)
class Habit:
    """A kind of customer: share of the cards in percent, days between fills, tank in litres."""

    kind: int
    share: int
    days: tuple[float, float]
    tank_l: tuple[int, int]
    grade: int = 0  # 0: as GRADES has them


PRIVATE = Habit(card_layout.KIND_REGISTERED, 84, (6.0, 15.0), (42, 62))
TAXI = Habit(card_layout.KIND_REGISTERED, 6, (1.0, 1.6), (40, 55), 1)
ANONYMOUS = Habit(card_layout.KIND_ANONYMOUS, 6, (8.0, 20.0), (30, 50))
COMPANY = Habit(card_layout.KIND_ACCOUNT, 4, (2.0, 5.0), (60, 240), 4)
HABITS = (PRIVATE, TAXI, ANONYMOUS, COMPANY)
FILLS_A_DAY = sum(habit.share / 50 / sum(habit.days) for habit in HABITS)  # of the average card


@dataclass(slots=True)
class Customer:
    """A card with its owner's habits. due: the next fill's day number; free_at: the card is in a reader until then."""

    card: Card
    habit: Habit
    grade: int
    tank_ml: int
    every_days: float
    due: int
    driver: bytes = NOBODY
    odometer_km: int = 0
    free_at: int = 0

    @property
    def card_no(self) -> str:
        return self.card.card_no.hex()

    @property
    def on_account(self) -> bool:
        return self.card.kind == card_layout.KIND_ACCOUNT


class Town:
    """The people and companies of a station; grows card by card."""

    def __init__(self, rng: random.Random, secrets: Secrets, station_no: int) -> None:
        self.rng, self.secrets, self.station_no = rng, secrets, station_no
        self.companies: list[int] = []
        self.customers: list[Customer] = []
        self._uids = 0

    def open_companies(self, conn: Connection, now: int) -> None:
        """Those that buy on account, with a line of credit and a price agreed for diesel."""
        terms = accounts.Terms(CREDIT_LINE_FEN, SALE_FEN, offline_fen=0)
        for number, name in enumerate(COMPANIES):
            unit = fleets.open_company(conn, name, terms, CLERKS[0], now, f"91110105MA{number:08d}", "调度")
            self.companies.append(unit.account)

    def join(self, conn: Connection, day: int, now: int) -> Customer:
        """One more card, of whatever kind the dice say."""
        rng = self.rng
        habit = rng.choices(HABITS, [one.share for one in HABITS])[0]
        plate = self._plate() if habit is not ANONYMOUS else ""
        company = rng.choice(self.companies) if habit is COMPANY else 0
        order = cards.Order(habit.kind, plate=plate, company=company)
        card = self.issue(conn, order, now)
        grade = habit.grade or rng.choices([g for g, _ in GRADES], [share for _, share in GRADES])[0]
        tank_ml = rng.randrange(*habit.tank_l) * 1000
        every = rng.uniform(*habit.days)
        made = Customer(card, habit, grade, tank_ml, every, day + int(rng.random() * every))
        if habit is COMPANY:
            made.odometer_km = rng.randrange(2_000, 260_000)
            vehicle = fleets.Vehicle(0, company, plate, tank_ml, grade, card_no=made.card_no)
            fleets.save(conn, vehicle, CLERKS[0], now)
        self.customers.append(made)
        return made

    def issue(self, conn: Connection, order: cards.Order, now: int) -> Card:
        """A card of this kind in the books, as the desk makes it; the chip is imagined."""
        rng, key = self.rng, ""
        self._uids += 1
        uid = bytes([4]) + self._uids.to_bytes(6, "big")
        holder = rng.choice(SURNAMES) + rng.choice(GIVEN)
        by = rng.choice(CLERKS)
        if order.kind != card_layout.KIND_ANONYMOUS:
            document = f"1101{rng.randrange(10**13):013d}X"
            key = customers.keep(conn, self.secrets, holder, document, f"138{rng.randrange(10**8):08d}", by, now)
            order = cards.Order(order.kind, holder, document, order.plate, order.company)
        order.check(now)
        card_no = issuing.begin(conn, uid, order, self.station_no, now, key)
        issuing.complete(conn, card_no, by, now)
        on_account = order.kind == card_layout.KIND_ACCOUNT
        sales.open_shadow(conn, card_no, uid.hex(), now, on_account)
        return Card(uid, bytes.fromhex(card_no), kind=order.kind, plate=order.plate.encode())

    def _plate(self) -> str:
        letters = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
        return f"京{self.rng.choice('AEFGHJKLMNPQ')}" + "".join(self.rng.choices(letters, k=5))
