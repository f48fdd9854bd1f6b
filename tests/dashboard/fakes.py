"""A station of fixed values for the pages: pumps that fuel by the clock, and a bench that remembers."""

import time
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from pump.core import codes
from pump.core.money import amount_fen
from station.accounts import Account, Lease, Terms
from station.cards import Load
from station.dashboard.source import (
    Accounts,
    CardRow,
    Issued,
    Metering,
    Overview,
    Page,
    Plan,
    PumpIssued,
    PumpView,
    SaleFilter,
    SaleTimeline,
    Shifts,
)
from station.forecourt import Release, Tariff, Timeline, UpdateState
from station.forecourt.pulses import TimelinePage
from station.sales import (
    DAY,
    SHIFT,
    EndPulses,
    Invariant,
    Measure,
    MeterEvent,
    MeterState,
    NozzleSum,
    Period,
    ProverState,
    QuarantineRow,
    SaleRow,
)
from station.wetstock import TankRow
from tools.bench.state import KEYS

CARD = "6200010000000017"
HOSTILE = "<img src=x onerror=alert(1)>"
FLOW_ML_S = 620
STEP_S = 0.1  # the fake pump tells ten times a second


def sale(seq: int, **changed: Any) -> SaleRow:
    """A settled sale of 25.10 L of 92#."""
    values: dict[str, Any] = {
        "device": 257,
        "seq": seq,
        "station": "s1",
        "pump": "p1",
        "state": "settled",
        "card_no": CARD,
        "counter": seq,
        "nozzle": 0,
        "grade": 1,
        "price_fen_per_l": 756,
        "plate": "",
        "started": 1_790_000_000 + seq * 300,
        "ended": 1_790_000_120 + seq * 300,
        "settled": 1_790_000_125 + seq * 300,
        "reserved_fen": 20001,
        "amount_fen": amount_fen(25_100 + seq, 756),
        "volume_ml": 25_100 + seq,
        "total_start_ml": 0,
        "total_end_ml": 25_100,
        "overrun_ml": 4,
        "duration_s": 60,
        "reason": codes.STOP_NOZZLE,
        "recovered": False,
        "returned_fen": 1,
        "balance_fen": 50_000,
        "how": 1,
    }
    return SaleRow(**{**values, **changed})


def invariant(difference_fen: int = 0) -> Invariant:
    return Invariant(1_234_500, 800_000, 10_000, 20_001, 404_499 - difference_fen, difference_fen, 6, (), (), True, 1)


@dataclass
class FakeSource:
    """`mode`: full, empty, failing or unbalanced."""

    mode: str = "full"
    began: float = field(default_factory=time.monotonic)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    fetched: bool = False  # a timeline was asked for
    ordered: int = 6  # the release that pumps are to run
    stored: list[SaleRow] = field(default_factory=lambda: [_variety(n) for n in range(130, 0, -1)])

    def forecourt(self) -> tuple[PumpView, ...]:
        if self.mode == "empty":
            return ()
        steps = int((time.monotonic() - self.began) / STEP_S) % 600
        volume_ml = int(steps * STEP_S * FLOW_ML_S)
        return (
            PumpView(
                "p1",
                True,
                "fuelling",
                0,
                1,
                756,
                volume_ml,
                amount_fen(volume_ml, 756),
                30_000,
                FLOW_ML_S,
                CARD,
                ((0, 1, 756), (1, 2, 806), (2, 3, 906), (3, 4, 722)),
                (),
                2,
            ),
            PumpView("p2", True, "idle", nozzles=((0, 1, 756), (1, 2, 806)), unsent=0),
            PumpView(
                "p3",
                True,
                "locked",
                0,
                2,
                806,
                12_340,
                9_946,
                20_000,
                0,
                "6200010000000025",
                ((0, 2, 806),),
                (codes.ALARM_PULSER, codes.ALARM_TAMPER),
                0,
            ),
            PumpView("p4", False, "idle", nozzles=((0, 4, 722),), seen_s_ago=42, unsent=7),
        )

    def _may_fail(self) -> None:
        if self.mode == "failing":
            raise ConnectionError("no database here")

    def overview(self) -> Overview:
        self._may_fail()
        if self.mode == "empty":
            return Overview()
        difference = 1 if self.mode == "unbalanced" else 0
        return Overview(tuple(self.stored[:12]), tuple(self.tanks()), invariant(difference), 2)

    def sales(self, wanted: SaleFilter, offset: int, limit: int) -> Page[SaleRow]:
        self._may_fail()
        self.asked.append(("sales", wanted, offset, limit))
        rows = [
            s
            for s in (self.stored if self.mode != "empty" else [])
            if wanted.pump in (None, s.pump)
            and wanted.grade in (None, s.grade)
            and (wanted.card_no is None or wanted.card_no in (s.card_no or ""))
            and (wanted.since is None or (s.ended or 0) >= wanted.since)
            and (wanted.until is None or (s.ended or 0) < wanted.until)
        ]
        return Page(rows[offset : offset + limit], len(rows))

    def tanks(self) -> list[TankRow]:
        self._may_fail()
        if self.mode == "empty":
            return []
        return [
            TankRow("s1", 1, 30_000_000, 21_974_900, 3_000_000, "ok", 21_943_700, 1_790_000_000, -31_200, "gauge"),
            TankRow("s1", 2, 30_000_000, 17_991_230, 3_000_000, "ok", 17_992_000, 1_790_000_060, 770, "dip"),
            TankRow("s1", 3, 30_000_000, 2_400_000, 3_000_000, "low"),
            TankRow("s1", 4, 30_000_000, -12_000, 3_000_000, "unexplained"),
        ]

    def shifts(self) -> Shifts:
        self._may_fail()
        if self.mode == "empty":
            return Shifts()
        at = 1_790_000_000
        good = NozzleSum(0, 1, 1_000_000, 1_037_016, 2, 16_766, 12_675, 20_250)
        bad = NozzleSum(1, 2, 500, 10_517, 1, 10_000, 8_060, 0)
        running = NozzleSum(0, 1, 1_037_016, None, 1, 1_000, 756, 0)
        shifts = (
            Period(SHIFT, 257, "p1", 2, CARD, at + 30_000, None, (running,), None, None, None),
            Period(SHIFT, 257, "p1", 1, CARD, at, at + 28_800, (good, bad), 3, 26_766, 20_735),
        )
        days = (Period(DAY, 257, "p1", 0, "", at, at + 86_400, (good,), None, None, None),)
        return Shifts(shifts, days, {"p1": CARD}, {CARD: HOSTILE})

    def issued(self) -> Issued:
        self._may_fail()
        if self.mode == "empty":
            return Issued()
        at = 1_790_000_000
        prices = ((5, 856, "planned"), (4, 806, "in_force"), (3, 799, "void"))
        plans = tuple(Plan(Tariff(n, at + n, {1: fen, 4: fen - 40}, at, HOSTILE), state) for n, fen, state in prices)
        told = (("fetching", "37 %"), ("refused", "signature"), ("done", ""), ("failed", ""))
        pumps = tuple(
            PumpIssued(4, 12, UpdateState(f"p{n}", 256 + n, "0123456789abcdef", self.ordered, code, detail))
            for n, (code, detail) in enumerate(told, 1)
        )
        return Issued(plans, pumps, (12, 99_321, 0), (Release(7, "fedcba9876543210", 71_456, at, HOSTILE, {}),))

    def order_update(self, version: int) -> None:
        self.ordered = version

    def accounts(self) -> Accounts:
        self._may_fail()
        if self.mode == "empty":
            return Accounts()
        at = 1_790_000_000
        fleet = Account(1, HOSTILE, "active", Terms(3_000_000), at, 1_234_567, 250_000)
        stopped = Account(2, "物流公司", "stopped", Terms(0, offline_fen=0), at, -10_050, 0)
        leases = tuple(
            Lease(7 + n, 1, 257 + n, how, 200_000, 5, at, at + 90_000, "12ab34cd", 50, 4_000, 1, 1, None, None, None)
            for n, how in enumerate(("sale", "offline"))
        )
        return Accounts(
            (fleet, stopped), leases, (Load(5, CARD, 20_000, "gateway:wechat", "pending", at),), {257: "p1"}
        )

    def top_up(self, card_no: str, amount_fen: int) -> str:
        self.topped_up = (card_no, amount_fen)
        return ""

    def metering(self) -> Metering:
        self._may_fail()
        if self.mode == "empty":
            return Metering()
        readings = [
            Measure(
                257, 900 + run, 1_790_000_000 + 90 * run, "p1", 0, 1, 20_000 + 9 * run, run, 20_000, 450 * run, CARD
            )
            for run in (3, 2, 1)
        ]
        drawn = Measure(258, 77, 1_790_001_000, "p2", 1, 2, 20_140, 1, None, None, CARD)
        bad = Measure(258, 79, 1_790_001_100, "p2", 1, 2, 20_140, 1, 20_000, 7_000, CARD)
        meters = [
            MeterState(257, "p1", 0, 1, 12_345_678, -1_250, 3, False, readings[0]),
            MeterState(257, "p1", 1, 2, 8_000_001, 0, 0, False, None),
            MeterState(258, "p2", 1, 2, 99_000, 400, 1, True, bad),
        ]
        events = [
            MeterEvent(258, 80, 1_790_001_200, "p2", "lock", None, 0, 8),
            MeterEvent(258, 79, 1_790_001_150, "p2", "alarm", 1, codes.ALARM_METER_LOCK, 5),
            MeterEvent(257, 910, 1_790_000_500, "p1", "factor", 0, 0, -1_250),
            MeterEvent(257, 5, 1_789_000_500, "p1", "meter", None, 2, 123),
        ]
        provers = [
            ProverState(257, "p1", 0, 1_790_000_000, "done", 3, (4_000, 4_100, 3_900), 4_000, 200, -3_984),
            ProverState(258, "p2", 1, 1_790_000_000, "reading", 2, (7_000,)),
        ]
        return Metering(meters, [bad, drawn, *readings], events, provers)

    def timeline(self, pump: str, sale_seq: int) -> SaleTimeline:
        """Sale 1: nothing yet, 2: not kept any more, 3: a page missing, others whole."""
        self._may_fail()
        if pump != "p1":
            raise ValueError("no pump")
        if sale_seq == 1 and not self.fetched:
            return SaleTimeline(pump, sale_seq, None, None)
        if sale_seq == 2:
            return SaleTimeline(pump, sale_seq, Timeline(2, (), (), False), None)
        samples = tuple((6 + n % 2, 6 + (n + 1) % 2) for n in range(200))
        pages = [TimelinePage(sale_seq, number, samples, number == 4) for number in range(5)]
        missing = (2,) if sale_seq == 3 else ()
        line = Timeline(sale_seq, tuple(page for page in pages if page.number not in missing), missing, True)
        return SaleTimeline(pump, sale_seq, line, EndPulses(3_250, 3_250, 32_500))

    def ask_timeline(self, pump: str, sale_seq: int) -> None:
        if sale_seq == 4:
            raise ValueError("offline")
        self.fetched = True

    def cards(self, search: str, offset: int, limit: int) -> Page[CardRow]:
        self._may_fail()
        rows = (
            []
            if self.mode == "empty"
            else [
                CardRow(
                    CARD, "张三", "京A12345", "active", None, 80_000, 59_999, 20_001, 0, "waiting", 2, 1_790_000_000
                ),
                CardRow("6200010000000025", HOSTILE, "", "blocked", 1_900_000_000),
            ]
        )
        rows = [r for r in rows if search in r.card_no or search in r.holder]
        return Page(rows[offset : offset + limit], len(rows))

    def quarantine(self, offset: int, limit: int) -> Page[QuarantineRow]:
        self._may_fail()
        at = 1_790_000_000
        odd = QuarantineRow(2, "bad_mac", "257/12", 257, 12, "not of this chain", bytes(128), 1, at, 3, None, None)
        hostile = QuarantineRow(1, "malformed", HOSTILE, None, None, HOSTILE, b"{[", 1, at, 1, at + 100, "discarded")
        rows = [] if self.mode == "empty" else [odd, hostile]
        return Page(rows[offset : offset + limit], len(rows))


def _variety(n: int) -> SaleRow:
    pump, grade, price = (("p1", 1, 756), ("p2", 2, 806), ("p3", 2, 806), ("p4", 4, 722))[n % 4]
    volume_ml = 5_000 + n * 1_237 % 45_000
    changed: dict[str, Any] = {
        "pump": pump,
        "device": 256 + int(pump[1]),
        "grade": grade,
        "price_fen_per_l": price,
        "volume_ml": volume_ml,
        "amount_fen": amount_fen(volume_ml, price),
        "reason": (1, 2, 3, 1, 14)[n % 5],
    }
    if n == 130:
        changed |= {"state": "open", "ended": None, "amount_fen": None, "volume_ml": None, "reason": None}
    if n == 127:
        changed |= {"recovered": True, "reason": codes.STOP_POWER}
    if n == 128:
        changed |= {"state": "ended"}
    return sale(n, **changed)


class FakeBench:
    """The bench's API as the page sees it: remembers acts and changes its state by them."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, dict[str, Any]]] = []
        self.dead = False
        glyphs = [[0x04, 0x0E, 0x1F, 0x04, 0x04, 0x04, 0x04, 0x00]] + [[0] * 8] * 7
        self.state: dict[str, Any] = {
            "ready": True,
            "uptime_ms": 1,
            "broker": "running",
            "desk": None,
            "desk_port": "",
            "last_error": "",
            "traffic": {"on": False, "speed": 1.0, "customers": 3, "seed": 1},
            "tanks": [],
            "cards": [
                self._card("04aabbccddee01", CARD, "张三", "wallet", 80_000),
                self._card("04aabbccddee02", "6200010000000025", "", "wallet", 12_345, 20_001),
                self._card("04aabbccddee03", None, "", "wallet", None),
            ],
            "pumps": [
                self._pump(n, mode, grades, glyphs)
                for n, mode, grades in (
                    ("p1", "slot", (1, 2, 3, 4)),
                    ("p2", "slot", (1, 2)),
                    ("p3", "tap", (2,)),
                    ("p4", "tap", (4,)),
                )
            ],
        }

    @staticmethod
    def _card(
        uid: str, card_no: str | None, holder: str, where: str, balance_fen: int | None, open_fen: int = 0
    ) -> dict[str, Any]:
        return {
            "card": uid,
            "card_no": card_no,
            "holder": holder,
            "where": where,
            "balance_fen": balance_fen,
            "open_fen": open_fen,
        }

    @staticmethod
    def _pump(name: str, mode: str, grades: tuple[int, ...], glyphs: list[list[int]]) -> dict[str, Any]:
        lines = [line.ljust(20) for line in (f"PUMP {name[1]}  <b>READY</b>", "\ue000 7.56 /L", "INSERT CARD", "")]
        return {
            "pump": name,
            "device": 256 + int(name[1]),
            "mode": mode,
            "power": True,
            "boots": 1,
            "network": "up",
            "linked": True,
            "estop": False,
            "tamper": False,
            "seal": False,
            "permit": False,
            "motor": False,
            "buzzer": False,
            "card": None,
            "lcd": {
                "kind": "character",
                "on": True,
                "backlight": True,
                "lines": lines,
                "glyphs": glyphs,
                "picture": [],
            },
            "nozzles": [
                {
                    "nozzle": i,
                    "grade": g,
                    "lifted": False,
                    "trigger": "none",
                    "big_valve": False,
                    "small_valve": False,
                    "flow_ml_s": 0,
                    "sale_ml": 0,
                    "total_ml": 0,
                    "pulser": "ok",
                }
                for i, g in enumerate(grades)
            ],
        }

    def do(self, path: str, body: dict[str, Any]) -> JSONResponse:
        self.acts.append((path, body))
        parts = path.split("/")
        if parts[0] == "pumps":
            return self._pump_act(next(p for p in self.state["pumps"] if p["pump"] == parts[1]), parts[2:], body)
        if parts[0] == "traffic":
            self.state["traffic"]["on"] = parts[1] == "on"
        if parts[0] == "desk":
            self.state["desk"] = body["card"] if parts[1] == "put" else None
        if parts[0] == "broker":
            self.state["broker"] = {"stop": "stopped", "kill": "down", "start": "running"}[parts[1]]
        return JSONResponse({"ok": True})

    def _pump_act(self, pump: dict[str, Any], act: list[str], body: dict[str, Any]) -> JSONResponse:
        if act[0] == "nozzle":
            nozzle = pump["nozzles"][int(act[1])]
            if act[2] in ("lift", "hang"):
                nozzle["lifted"] = act[2] == "lift"
            elif act[2] == "trigger":
                nozzle["trigger"] = body["squeeze"]
            else:
                nozzle["pulser"] = body["kind"]
        elif act[0] == "power":
            pump["power"] = pump["lcd"]["on"] = act[1] == "on"
        elif act[0] == "network":
            pump["network"], pump["linked"] = body["kind"], body["kind"] == "up"
        elif act[0] in ("estop", "tamper", "seal"):
            pump[act[0]] = body["on"]
        elif act[0] == "keys":
            if body["keys"] not in KEYS:
                return JSONResponse({"error": {"zh": "没有这个键", "en": "no such key"}}, 422)
            pump["lcd"]["lines"][3] = (pump["lcd"]["lines"][3].strip() + body["keys"]).ljust(20)
        elif act[:2] == ["card", "insert"]:
            if pump["card"]:
                return JSONResponse({"error": {"zh": "卡位已有卡", "en": "the slot is taken"}}, 409)
            pump["card"] = body["card"]
            next(c for c in self.state["cards"] if c["card"] == body["card"])["where"] = pump["pump"]
        elif act[:2] == ["card", "remove"]:
            pump["card"] = None
        return JSONResponse({"ok": True})

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/state")
        def state() -> JSONResponse:
            return JSONResponse(self.state if not self.dead else {}, 200 if not self.dead else 500)

        @app.post("/{path:path}")
        async def act(path: str, request: Request) -> JSONResponse:
            return self.do(path, await request.json())

        return app
