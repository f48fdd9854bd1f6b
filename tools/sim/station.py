"""What the station would know: every record once and in order, the postings of the purse, the answers it can give.

Every record is checked as it comes: chain, sequence, arithmetic, totalizers. What does not hold is a ViolationError.
"""

from collections import defaultdict
from typing import Any

from pump.core import card_layout, codes, money, records
from pump.core.record_fields import body_dict
from tools.sim.lending import Lending
from tools.sim.loads import Loads
from tools.sim.pump import ViolationError

Sale = tuple[int, int]


def _require(truth: bool, what: str) -> None:
    if not truth:
        raise ViolationError(what)


class Station:
    """lending: what it lends on account; None: sales on account are not held against leases."""

    def __init__(self, keys: dict[int, bytes], loads: Loads, lending: Lending | None = None) -> None:
        self.loads, self.lending = loads, lending
        self._keys = keys
        self.acked: dict[int, int] = dict.fromkeys(keys, 0)
        self._mac = dict.fromkeys(keys, records.CHAIN_START)
        self.starts: dict[Sale, dict[str, Any]] = {}
        self.ends: dict[Sale, dict[str, Any]] = {}
        self.settled: dict[Sale, dict[str, Any]] = {}
        self.voided: set[Sale] = set()
        self._posted: set[Sale] = set()
        self._past: dict[bytes, int] = defaultdict(int)  # counters of a card up to which nothing is open any more
        self._taken: dict[tuple[bytes, int], Sale] = {}  # which sale took money under a card's counter
        self.unreturned: dict[bytes, set[Sale]] = defaultdict(set)  # posted sales whose rest is not back yet
        self.purse: dict[bytes, int] = {}
        self.in_flight: dict[bytes, int] = defaultdict(int)
        self.sold: dict[bytes, int] = defaultdict(int)
        self.totals: dict[tuple[int, int], int] = defaultdict(int)
        self.refusals = 0
        self.measures: set[Sale] = set()  # test measures that began

    def take(self, device: int, record: bytes) -> None:
        """One record as it came. A repetition must be the same bytes; a gap is a violation."""
        _require(records.is_whole(record), "record is not whole")
        kind, _, its_device, seq, _, _, _ = records.header(record)
        _require(its_device == device, "record of another device")
        if seq <= self.acked[device]:
            return
        _require(seq == self.acked[device] + 1, f"gap before {seq} of {device}")
        mac = records.mac(self._keys[device], self._mac[device], record)
        _require(mac == record[records.MAC_AT : records.CRC_AT], f"chain broken at {seq} of {device}")
        self._mac[device] = mac
        self.acked[device] = seq
        self._book(device, seq, kind, body_dict(record))
        if self.lending:
            self.lending.heard(device, seq)

    def _book(self, device: int, seq: int, kind: int, body: dict[str, Any]) -> None:
        if kind == records.START:
            self.starts[device, seq] = body
            if self.lending and body["kind"] == card_layout.KIND_ACCOUNT:
                self.lending.begun(device, body)
            self._totals_go_on(device, body["nozzle"], body["total_start_ml"])
            self.past(body["uid"], body["counter"] - 1)
        elif kind == records.RESERVED:
            self._post_start((device, body["sale_seq"]))
        elif kind == records.END:
            self._end((device, body["sale_seq"]), body)
        elif kind == records.SETTLED:
            self._settle((body["sale_device"], body["sale_seq"]), body)
        elif kind == records.VOID:
            sale = (device, body["sale_seq"])
            _require(sale not in self._posted, f"void of a reservation that was posted {sale}")
            self.voided.add(sale)
        elif kind == records.ALARM and body["volume_ml"]:
            self.totals[device, body["nozzle"]] += body["volume_ml"]
            self._totals_go_on(device, body["nozzle"], body["total_ml"])
        elif kind == records.TEST_MEASURE:
            self._measure((device, seq), body)
        elif kind == records.LEASE and self.lending:
            self.lending.written(device, seq, body)
        elif kind in (records.BOOT, records.SHIFT):
            for nozzle in range(4):
                self._totals_go_on(device, nozzle, body[f"total{nozzle}_ml"])
        elif kind == records.REFUSAL:
            self.refusals += 1

    def _totals_go_on(self, device: int, nozzle: int, total_ml: int) -> None:
        known = self.totals[device, nozzle]
        _require(total_ml == known, f"totalizer {device}/{nozzle} says {total_ml}, its records sum to {known}")

    def _measure(self, measure: Sale, body: dict[str, Any]) -> None:
        """What a test measure drew stands in the totalizer; what the prover said of it moves nothing."""
        self.measures.add(measure)
        if body["how"] == codes.TEST_RETURN:
            key = measure[0], body["nozzle"]
            self._totals_go_on(*key, body["total_start_ml"])
            self.totals[key] += body["volume_ml"]
            self._totals_go_on(*key, body["total_end_ml"])

    def _post_start(self, sale: Sale) -> None:
        if sale not in self._posted:
            self._posted.add(sale)
            start = self.starts[sale]
            self._reserve(start, start["reserved_fen"])
            self.unreturned[start["uid"]].add(sale)
            other = self._taken.setdefault((start["uid"], start["counter"]), sale)
            _require(other == sale, f"{sale} and {other} took money under one counter")

    def _reserve(self, start: dict[str, Any], fen: int) -> None:
        """From the card to what is in flight; an account's card holds no money."""
        if start["kind"] != card_layout.KIND_ACCOUNT:
            self.purse[start["uid"]] -= fen
            self.in_flight[start["uid"]] += fen

    def _end(self, sale: Sale, body: dict[str, Any]) -> None:
        device = sale[0]
        _require(sale in self.starts and sale not in self.ends, f"END of {sale} without START, or twice")
        start = self.starts[sale]
        same = ("uid", "card_no", "counter", "nozzle", "grade", "price_fen_per_l", "reserved_fen")
        _require(all(body[name] == start[name] for name in same), f"END of {sale} is not of its START")
        fen = money.amount_fen(body["volume_ml"], body["price_fen_per_l"])
        _require(body["amount_fen"] == min(fen, body["reserved_fen"] - 1), f"amount of {sale}")
        self._totals_go_on(device, body["nozzle"], body["total_start_ml"])
        self.totals[device, body["nozzle"]] += body["volume_ml"]
        self._totals_go_on(device, body["nozzle"], body["total_end_ml"])
        self.ends[sale] = body
        if body["kind"] == card_layout.KIND_ACCOUNT:
            if self.lending:
                self.lending.ended(body)
        elif sale in self._posted:
            self.in_flight[body["uid"]] -= body["amount_fen"]
            self.sold[body["uid"]] += body["amount_fen"]
        if sale in self._posted:
            if body["counter"] <= self._past[body["uid"]]:
                self._return(sale)
        else:
            _require(body["amount_fen"] == 0, f"fuel of {sale} without a reservation")

    def _settle(self, sale: Sale, body: dict[str, Any]) -> None:
        if sale in self.settled:
            _require(self.settled[sale]["returned_fen"] == body["returned_fen"], f"{sale} settled twice, differently")
            return
        _require(sale in self.ends, f"{sale} settled before its end is known")
        end = self.ends[sale]
        if body["how"] == records.HOW_OBSERVED and sale not in self._posted:
            return  # its card is past an uncertain start: perhaps with a sale of another pump
        returned = end["reserved_fen"] - end["amount_fen"]
        _require(body["returned_fen"] == returned >= 1, f"{sale} settled with {body['returned_fen']}, not {returned}")
        _require(sale not in self.voided, f"{sale} both void and settled")
        self._post_start(sale)
        self.settled[sale] = body
        self._return(sale)

    def past(self, uid: bytes, counter: int) -> None:
        """The card was seen with nothing open up to this counter: what was reserved on it before was settled, whether
        or not anyone could report it."""
        self._past[uid] = max(self._past[uid], counter)
        for sale in sorted(self.unreturned[uid]):
            if sale in self.ends and self.ends[sale]["counter"] <= counter:
                self._return(sale)

    def _return(self, sale: Sale) -> None:
        """The rest of an ended sale goes back in the books, once."""
        end = self.ends[sale]
        if sale in self.unreturned[end["uid"]]:
            self.unreturned[end["uid"]].remove(sale)
            self._reserve(self.starts[sale], end["amount_fen"] - end["reserved_fen"])

    def explains(self, uid: bytes, counter: int) -> bool:
        """Is it known which sale this counter of the card stands for, or at least that it was an uncertain one?"""
        if (uid, counter) in self._taken:
            return True
        tries = [sale for sale, start in self.starts.items() if (start["uid"], start["counter"]) == (uid, counter)]
        return any(sale not in self.voided for sale in tries)

    def answer(self, device: int, question: dict[str, Any], now_s: int) -> dict[str, Any]:
        """For topic `answer`: how the sale that is open on a card ended, or what a card is to be told."""
        if question["ask"] == "authorise" and self.lending:
            return self.lending.answer(device, question, now_s)
        if question["ask"] in ("load", "relay"):
            return self.loads.answer(device, question)
        if question["ask"] != "unfinished":
            return {"id": question["id"], "unknown": True}
        end = self.ends.get((question["sale"][0], question["sale"][1]))
        if end is None or end["uid"].hex() != question["uid"]:
            return {"id": question["id"], "unknown": True}
        return {
            "id": question["id"],
            "sale": question["sale"],
            "amount_fen": end["amount_fen"],
            "volume_ml": end["volume_ml"],
            "grade": end["grade"],
            "price": end["price_fen_per_l"],
            "reason": end["reason"],
        }
