"""What goes down without being asked for: tariff and blacklist (retained, again at every connection), and commands."""

from dataclasses import dataclass, field

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
        current, following = forecourt.current_tariff(conn, now), forecourt.next_tariff(conn, now)
        black = forecourt.blacklist(conn)
        sendings: list[Sending] = []
        for pump in forecourt.pumps(conn):
            # The broker keeps only the last: the tariff in force goes first, the coming one stays with it.
            wanted = [tariff for tariff in (current, following) if tariff is not None]
            if self._is_new(pump.pump, "tariff", tuple(tariff.version for tariff in wanted)):
                for tariff in wanted:
                    prices = {str(grade): fen for grade, fen in tariff.prices.items()}
                    content = {"version": tariff.version, "effective": tariff.effective, "prices": prices}
                    sendings.append(Sending(Reply(pump.station, pump.pump, "tariff", content), tariff is wanted[-1]))
            if black.version and self._is_new(pump.pump, "lists/black", (black.version,)):
                content = {"version": black.version, "made": black.made, "cards": list(black.cards)}
                sendings.append(Sending(Reply(pump.station, pump.pump, "lists/black", content), True))
        for command in forecourt.commands_due(conn, now):
            content = {"id": command.id, "boot": command.boot, "do": command.do}
            sendings.append(Sending(Reply(command.station, command.pump, "command", content), False))
        return sendings

    def _is_new(self, pump: str, what: str, versions: tuple[int, ...]) -> bool:
        if self.sent.get((pump, what)) == versions:
            return False
        self.sent[pump, what] = versions
        return True
