"""Day by day: customers come, cards are loaded, tanks are filled and read, prices change, findings are looked at.

Everything goes the way that a station's own days go: records of the pumps through the ingest, money through the books'
own functions. A day is one transaction, as if the line to the pumps came back each midnight.
"""

import random
from collections import defaultdict
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from pump.core import card_layout, codes
from station import accounts, cards, fleets, forecourt, risk, sales, wetstock
from station.cards import loading
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from tools.journals import Card, Fill, Journal
from tools.seed import demand
from tools.seed.people import CLERKS, COMPANY, FILLS_A_DAY, PRIVATE, Customer, Town
from tools.seed.pump import SeedPump

SHIFTS_AT_S = (0, 8 * 3600, 16 * 3600)
MOST_A_SALE_FEN = 200_000
FLOW_ML_PER_S = 580
TRUCK_ML = 15_000_000
LOADS_FEN = (150_000, 200_000, 200_000, 300_000, 400_000)
WISHES_FEN = (10_000, 20_000, 20_000, 30_000)
DRAWERS = ("till1", "till1", "till2", "gateway:wechat", "gateway:alipay")
ALARMS = (codes.ALARM_NOZZLE_OFF, codes.ALARM_READER, codes.ALARM_SUPPLY, codes.ALARM_OVERRUN)
GROWTH = 0.25  # of the cards join during the time


class Year:
    """A station's life from `first` on, by the dice of `rng`."""

    def __init__(
        self, conn: Connection, settings: Settings, secrets: Secrets, rng: random.Random, first: date, days: int,
        fills_a_day: int,
    ) -> None:  # fmt: skip
        self.settings, self.secrets, self.rng, self.first, self.days = settings, secrets, rng, first, days
        self.sales = 0
        self.town = Town(rng, secrets, settings.station_no)
        began = self.at(0)
        self.pumps = [
            SeedPump(pump, Journal(secrets.device(pump.device).journal, pump.device, began))
            for pump in forecourt.pumps(conn)
        ]
        tariff = forecourt.current_tariff(conn, began)
        assert tariff is not None, "setup made one"
        self.tariff = tariff
        self.town.open_companies(conn, began)
        for company in self.town.companies:
            fleets.agree(conn, company, codes.GRADE_DIESEL, fleets.DISCOUNT, 15, began, 0, CLERKS[0], "年度协议", began)
        self.cards = max(10, int(fills_a_day / FILLS_A_DAY))
        self.due: defaultdict[int, list[Customer]] = defaultdict(list)
        self._join(conn, 0, int(self.cards * (1 - GROWTH)))
        self.staff = [self.town.issue(conn, cards.Order(card_layout.KIND_STAFF), began) for _ in range(3 * 2)]

    def at(self, day: int, second: int = 0) -> int:
        """Unix seconds of a local day's second."""
        then = self.first + timedelta(day)
        return int(datetime(then.year, then.month, then.day).timestamp()) + second

    def live(self, conn: Connection, day: int) -> None:
        """One day, in the caller's transaction."""
        today = self.first + timedelta(day)
        if day % demand.PRICE_STEP_DAYS == demand.PRICE_STEP_DAYS - 1:
            self._reprice(conn, self.at(day))
        self._join(conn, day, self._newcomers(day))
        shifts = list(SHIFTS_AT_S)
        for second, customer in self._visitors(day, today):
            while shifts and second >= shifts[0]:
                self._relieve(day, shifts.pop(0))
            self._visit(conn, customer, self.at(day, second))
        for second in shifts:
            self._relieve(day, second)
        if self.rng.random() < 0.2:
            last = max(pump.free_at for pump in self.pumps)
            self.rng.choice(self.pumps).alarm(self.rng.choice(ALARMS), last, self.rng.randrange(60, 900))
        end = max(self.at(day + 1), *(pump.free_at for pump in self.pumps))
        sales.ingest(conn, self.secrets, [batch for pump in self.pumps for batch in pump.batches()], end)
        self._tanks(conn, today, end)
        self._companies(conn, today, day)
        for case in risk.cases(conn, 100, state="open"):
            cards.review(conn, case.id, "clear", CLERKS[2], end, "与持卡人核实无误")

    # -- customers

    def _join(self, conn: Connection, day: int, number: int) -> None:
        for _ in range(number):
            customer = self.town.join(conn, day, self.at(day))
            self.due[customer.due].append(customer)

    def _newcomers(self, day: int) -> int:
        total = int(self.cards * GROWTH)
        return total * (day + 1) // self.days - total * day // self.days

    def _visitors(self, day: int, today: date) -> list[tuple[int, Customer]]:
        """Who comes, in the order of the clock; a slack day leaves some for the morrow."""
        rng, busy = self.rng, demand.factor(today) / demand.BUSIEST
        come = []
        for customer in self.due.pop(day, []):
            if rng.random() < busy:
                hours = range(5, 23) if customer.habit is COMPANY and rng.random() > 0.003 else range(24)
                come.append((demand.second_of_day(rng, hours), customer))
                rest = customer.every_days * rng.uniform(0.7, 1.3) - 1 / busy + 1
                self.due[day + max(1, round(rest))].append(customer)
            else:
                self.due[day + 1].append(customer)
        return sorted(come, key=lambda one: one[0])

    def _visit(self, conn: Connection, customer: Customer, at: int) -> None:
        rng, card = self.rng, customer.card
        fitting = [pump for pump in self.pumps if pump.nozzle_of(customer.grade) is not None]
        pump = min(fitting, key=lambda pump: pump.free_at)
        at = max(at, pump.free_at, customer.free_at)
        if rng.random() < 0.006:
            wrong_grade = next((n.grade for n in pump.pump.nozzles if n.grade != customer.grade), customer.grade)
            code = rng.choice((codes.REFUSE_PIN, codes.REFUSE_UNREADABLE, codes.REFUSE_GRADE))
            pump.refuse(card, at, code, wrong_grade if code == codes.REFUSE_GRADE else customer.grade)
            at = pump.free_at
        price = self.tariff.prices[customer.grade]
        volume_ml = int(customer.tank_ml * rng.uniform(0.45, 0.92))
        if customer.habit is PRIVATE and rng.random() < 0.4:
            volume_ml = min(volume_ml, rng.choice(WISHES_FEN) * 1000 // price)
        wanted_fen = volume_ml * price // 1000 + 2
        if customer.on_account:
            reserved_fen, lease = self._lent(conn, pump, customer, at, wanted_fen)
        else:
            at = self._loaded(conn, pump, customer, at, wanted_fen)
            reserved_fen, lease = min(card.fen, MOST_A_SALE_FEN + 1), 0
        if reserved_fen < wanted_fen:
            return
        if customer.odometer_km:
            customer.odometer_km += rng.randrange(120, 620)
        seconds = 12 + volume_ml // FLOW_ML_PER_S
        nozzle = pump.nozzle_of(customer.grade) or 0
        fill = Fill(
            at, seconds, volume_ml, nozzle, customer.grade, price, self.tariff.version, reserved_fen, lease,
            customer.driver, customer.odometer_km,
        )  # fmt: skip
        pump.sell(card, fill)
        customer.free_at = pump.free_at
        self.sales += 1

    def _lent(self, conn: Connection, pump: SeedPump, customer: Customer, at: int, wanted_fen: int) -> tuple[int, int]:
        """(what the station lets the pump reserve, its lease); a refusal at the pump if it declines."""
        journal = pump.journal
        name = f"{journal.device}-{journal.seq}"
        asked = accounts.Question(name, journal.device, wanted_fen, 0, journal.seq + 1, customer.card_no)
        word = fleets.authorise(conn, customer.card.uid, asked, customer.grade, at)
        if word.grant is None:
            pump.refuse(customer.card, at, word.code or codes.REFUSE_ACCOUNT, customer.grade)
            return 0, 0
        return word.grant.sale.amount_fen + 1, word.grant.sale.lease

    def _loaded(self, conn: Connection, pump: SeedPump, customer: Customer, at: int, wanted_fen: int) -> int:
        """Sees to it that the card holds enough; when the customer is at the pump."""
        rng, card = self.rng, customer.card
        if card.fen > wanted_fen:
            return at
        if rng.random() < 0.05:  # only the pump made them notice
            pump.refuse(card, at, codes.REFUSE_BALANCE, customer.grade)
        upper_fen = loading.upper_fen(card.kind)
        paid_fen = min(rng.choice(LOADS_FEN), upper_fen - card.fen)
        try:
            load = loading.pay(conn, customer.card_no, paid_fen, rng.choice(DRAWERS), at, rng.choice(CLERKS))
        except risk.HeldError:
            return at
        loading.done(conn, load, load.by, at + 30)
        card.fen += load.amount_fen
        sales.observe(conn, customer.card_no, card.counter, card.fen, at + 30)
        return max(at + 90, pump.free_at)

    # -- the station

    def _reprice(self, conn: Connection, at: int) -> None:
        old = dict(self.tariff.prices)
        new = demand.next_prices(self.rng, old)
        at = max(at, *(pump.free_at for pump in self.pumps))
        if new != old:
            self.tariff = forecourt.set_tariff(conn, new, at, CLERKS[0], at)
            for pump in self.pumps:
                pump.reprice(at, self.tariff.version, old, new)

    def _relieve(self, day: int, second: int) -> None:
        turn = SHIFTS_AT_S.index(second)
        for number, pump in enumerate(self.pumps):
            staff: Card = self.staff[turn * 2 + number % 2]
            at = max(self.at(day, second), pump.free_at)
            pump.relieve(staff, at, day_ends=second == 0 and day > 0)
            pump.free_at = at + 15

    def _tanks(self, conn: Connection, today: date, at: int) -> None:
        """A truck where a tank runs low, and every tank read."""
        for tank in wetstock.tanks(conn):
            stock_ml = tank.stock_ml
            if stock_ml < tank.capacity_ml * 2 // 5:
                came_ml = min(TRUCK_ML, tank.capacity_ml - stock_ml)
                wetstock.deliver(conn, tank.grade, came_ml, f"{today:%Y%m%d}-{tank.grade}", at)
                stock_ml += came_ml
            read_ml = min(tank.capacity_ml, max(0, stock_ml + int(self.rng.gauss(0, 12_000))))
            wetstock.record_gauge(conn, tank.grade, read_ml, at + 60, "gauge", "gauge")

    def _companies(self, conn: Connection, today: date, day: int) -> None:
        """Statements on the first of the month, paid by the bank some days later."""
        for number, company in enumerate(self.town.companies):
            if today.day == 1 and day:
                fleets.make(conn, company, self.at(day), CLERKS[0], self.at(day + 1))
            elif today.day == 8 + number and (statement := fleets.newest(conn, company)) is not None:
                unpaid_fen = fleets.unpaid_fen(conn, statement)
                if unpaid_fen > 0:
                    key = f"bank-{company}-{statement.number}"
                    fleets.top_up(conn, company, unpaid_fen, "gateway:bank", key, CLERKS[0], self.at(day + 1))
