"""Accounts (fleets), the station's side: what it lends to pumps for the sale in hand and for times without it.

The rule of docs/accounts.md told a second time, in plain dictionaries. Every sale on account is held against the lease
that it names: a ViolationError if it is another pump's, taken back, used up or beyond the account's line.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from pump.core import records
from tools.sim.pump import ViolationError

AHEAD_FEN, AHEAD_COUNT, VALID_S = 30_000, 3, 86_400  # lent to a pump for times without the station
SALE_FEN = 20_000  # the most for one fill
LEAST_FEN = 100


@dataclass
class Lease:
    number: int
    account: int
    device: int
    fen: int
    count: int
    is_ahead: bool
    used_fen: int = 0
    begun: int = 0
    ended: int = 0
    until_seq: int | None = None  # once the device's journal is in up to here, it can be used no more
    closed: bool = False

    def ends_with(self, seq: int) -> None:
        """No record of its device after this one can begin a sale under it."""
        self.until_seq = seq if self.until_seq is None else min(self.until_seq, seq)


class Lending:
    """lines: the credit line of each account in fen; accounts: the account of each card."""

    def __init__(self, lines: dict[int, int]) -> None:
        self.lines = lines
        self.accounts: dict[bytes, int] = {}
        self.owed: dict[int, int] = defaultdict(int)
        self.leases: dict[int, Lease] = {}

    def _open(self, account: int) -> list[Lease]:
        return [lease for lease in self.leases.values() if lease.account == account and not lease.closed]

    def _available(self, account: int) -> int:
        lent = sum(lease.fen - lease.used_fen for lease in self._open(account))
        return self.lines[account] - self.owed[account] - lent

    def answer(self, device: int, question: dict[str, Any], now_s: int) -> dict[str, Any]:
        """To a question `authorise` of a pump."""
        account = self.accounts[bytes.fromhex(question["uid"])]
        for lease in self._open(account):
            if lease.device == device and not (lease.is_ahead and lease.number == question["held"]):
                lease.ends_with(question["head"] - 1)
        fen = min(question["want"], SALE_FEN, self._available(account))
        if fen < LEAST_FEN:
            return {"id": question["id"], "exhausted": True}
        sale = self._lend(account, device, fen, 1, False)
        answer = {"id": question["id"], "lease": sale.number, "fen": sale.fen}
        held = self.leases.get(question["held"])
        ahead_fen = min(AHEAD_FEN, self._available(account))
        half_gone = not held or held.closed or 2 * held.ended >= held.count or 2 * held.used_fen >= held.fen
        if half_gone and ahead_fen >= LEAST_FEN:
            ahead = self._lend(account, device, ahead_fen, AHEAD_COUNT, True)
            answer["offline"] = [ahead.number, ahead.fen, ahead.count, now_s + VALID_S]
        return answer

    def _lend(self, account: int, device: int, fen: int, count: int, is_ahead: bool) -> Lease:
        lease = Lease(len(self.leases) + 1, account, device, fen, count, is_ahead)
        self.leases[lease.number] = lease
        return lease

    # -- what the pump's journal says of it

    def begun(self, device: int, start: dict[str, Any]) -> None:
        """A START on account."""
        lease = self.leases[start["lease"]]
        lease.begun += 1
        if lease.device != device or lease.account != self.accounts[start["uid"]] or lease.closed:
            raise ViolationError(f"{device} sells under a lease that is not its own, or was taken back: {lease}")
        if lease.begun > lease.count or start["reserved_fen"] - 1 > lease.fen - lease.used_fen:
            raise ViolationError(f"{device} sells more than it was lent: {lease}")

    def ended(self, end: dict[str, Any]) -> None:
        """An END on account."""
        lease = self.leases[end["lease"]]
        lease.ended += 1
        lease.used_fen += end["amount_fen"]
        self.owed[lease.account] += end["amount_fen"]
        if self.owed[lease.account] > self.lines[lease.account]:
            raise ViolationError(f"account {lease.account} owes more than its line: {self.owed[lease.account]}")

    def written(self, device: int, seq: int, record: dict[str, Any]) -> None:
        """A LEASE record: a newer lease takes the place of the one before, or the lease is over."""
        if record["how"] == records.LEASE_RESTATED:
            return
        last = record["lease"] - (record["how"] == records.LEASE_GRANTED)
        for lease in self._open(record["account"]):
            if lease.device == device and lease.is_ahead and lease.number <= last:
                lease.ends_with(seq)

    def heard(self, device: int, seq: int) -> None:
        """The device's journal is in up to here: what can be used no more comes back."""
        for lease in self.leases.values():
            if lease.device == device and not lease.closed and lease.begun == lease.ended:
                over = lease.until_seq is not None and lease.until_seq <= seq
                lease.closed = over or lease.ended >= lease.count
