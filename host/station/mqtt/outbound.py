"""What goes down without being asked for: tariffs and card lists (retained, again at every connection), commands."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from station import forecourt
from station.mqtt.work import Reply


@dataclass(frozen=True, slots=True)
class Sending:
    """A reply that may be retained by the broker."""

    reply: Reply
    retain: bool


@dataclass(slots=True)
class Outbound:
    """Remembers what was published since the connection was made."""

    sent: dict[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)

    def connected(self) -> None:
        """Forget everything: a broker may have lost what it was told to retain."""
        self.sent.clear()

    def due(self, conn: Connection, now: int) -> list[Sending]:
        """What the pumps do not have yet, in the order of sending."""
        (tariffs, known), news = _tariffs(conn, now), forecourt.lists_news(conn, now)
        lists: dict[str, Any] = {}
        orders = forecourt.update_orders(conn)
        sendings: list[Sending] = []
        for pump in forecourt.pumps(conn):
            if tariffs and self._is_new(pump.pump, "tariff", known):
                sendings.append(Sending(Reply(pump.station, pump.pump, "tariff", tariffs), True))
            if news[0] and self._is_new(pump.pump, "lists", news):
                lists = lists or forecourt.lists_message(conn, news[1])
                sendings.append(Sending(Reply(pump.station, pump.pump, "lists", lists), True))
            order = orders.get(pump.device, 0)
            if (order or (pump.pump, "update") in self.sent) and self._is_new(pump.pump, "update", (order,)):
                manifest = dict(forecourt.releases(conn, order)[0].manifest) if order else {"version": 0}
                sendings.append(Sending(Reply(pump.station, pump.pump, "update", manifest), True))
        for command in forecourt.commands_due(conn, now):
            content = {"id": command.id, "boot": command.boot, "do": command.do}
            sendings.append(Sending(Reply(command.station, command.pump, "command", content), False))
        return sendings

    def _is_new(self, pump: str, what: str, versions: tuple[int, ...]) -> bool:
        if self.sent.get((pump, what)) == versions:
            return False
        self.sent[pump, what] = versions
        return True


def _tariffs(conn: Connection, now: int) -> tuple[dict[str, Any], tuple[int, ...]]:
    """The tariff in force and those that are planned, in one message; and their versions."""
    current = forecourt.current_tariff(conn, now)
    known = ([current] if current else []) + forecourt.coming_tariffs(conn, now)
    if not known:
        return {}, ()
    contents = [
        {
            "version": tariff.version,
            "effective": tariff.effective,
            "prices": {str(grade): fen for grade, fen in tariff.prices.items()},
        }
        for tariff in known
    ]
    following = {"next": contents[1:]} if contents[1:] else {}
    return {**contents[0], **following}, tuple(tariff.version for tariff in known)
