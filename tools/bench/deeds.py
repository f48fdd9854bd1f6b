"""What the world does for each act. Runs on the world's thread; refuses in words what a person could not do either."""

from typing import TYPE_CHECKING, Any

from tools.bench.refusal import Refused
from tools.bench.state import Network, Pulser, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.bench.brokerproc import BrokerProcess
    from tools.bench.pn532_reader import Reader
    from tools.bench.rig import Rig
    from tools.bench.traffic import Traffic
    from tools.bench.wallet import Wallet

DESK = "desk"


class Deeds:
    """The acts as methods; `World` brings the things they act on."""

    pumps: "dict[str, Rig]"
    wallet: "Wallet"
    desk: "Reader"
    desk_card: str | None
    broker: "BrokerProcess"
    traffic: "Traffic"

    if TYPE_CHECKING:

        def later(self, delay_ms: int, job: "Callable[[], None]") -> None: ...

    def where(self) -> dict[str, str]:
        """UID -> place of the cards that are not in the wallet."""
        places = {rig.card: name for name, rig in self.pumps.items() if rig.card is not None}
        if self.desk_card is not None:
            places[self.desk_card] = DESK
        return places

    def _rig(self, pump: str) -> "Rig":
        try:
            return self.pumps[pump]
        except KeyError:
            known = ", ".join(self.pumps)
            raise Refused(
                404, f"没有油机 {pump[:20]}，现有：{known}", f"no pump {pump[:20]}, there are: {known}"
            ) from None

    def _nozzle(self, pump: str, nozzle: int) -> "Rig":
        rig = self._rig(pump)
        if not 0 <= nozzle < len(rig.grades):
            count = len(rig.grades)
            raise Refused(404, f"{pump} 只有 {count} 支油枪（0 起）", f"{pump} has {count} nozzle(s), counted from 0")
        return rig

    def _free_card(self, card: str) -> str:
        uid = self.wallet.find(card)
        if place := self.where().get(uid):
            raise Refused(409, f"此卡正在 {place}", f"this card is at {place}")
        return uid

    # -- cards

    def insert(self, pump: str, card: str) -> None:
        rig = self._rig(pump)
        if rig.card is not None:
            raise Refused(409, f"{pump} 已有卡，请先取走", f"{pump} already holds a card: remove it first")
        uid = self._free_card(card)
        rig.insert(uid, self.wallet.cards[uid])

    def tap(self, pump: str, card: str, hold_ms: int) -> dict[str, Any]:
        self.insert(pump, card)
        rig = self._rig(pump)
        uid = rig.card

        def away() -> None:
            if rig.card == uid:
                self._taken(rig.remove())

        self.later(hold_ms, away)
        return {}

    def remove(self, pump: str) -> None:
        rig = self._rig(pump)
        if rig.card is None:
            raise Refused(409, f"{pump} 没有卡", f"there is no card at {pump}")
        self._taken(rig.remove())

    def tear(self, pump: str, frames: int, done: bool) -> None:
        rig = self._rig(pump)
        if rig.card is None:
            raise Refused(409, f"{pump} 没有卡", f"there is no card at {pump}")
        rig.reader.tear_after(frames, done)

    def desk_put(self, card: str) -> None:
        if self.desk_card is not None:
            raise Refused(409, "发卡台上已有卡", "there is already a card on the desk reader")
        self.desk_card = self._free_card(card)
        self.desk.put(self.wallet.cards[self.desk_card])

    def desk_take(self) -> None:
        if self.desk_card is None:
            raise Refused(409, "发卡台上没有卡", "there is no card on the desk reader")
        uid, self.desk_card = self.desk_card, None
        self.desk.take()
        self._taken(uid)

    def new_card(self) -> dict[str, Any]:
        return {"card": self.wallet.new_blank()}

    def _taken(self, uid: str | None) -> None:
        if uid is not None:
            self.wallet.save(uid)

    # -- hands at the pump

    def keys(self, pump: str, keys: str) -> dict[str, Any]:
        return {"wait_ms": self._rig(pump).keys(keys)}

    def lift(self, pump: str, nozzle: int) -> None:
        rig = self._nozzle(pump, nozzle)
        if rig.lifted(nozzle):
            raise Refused(409, "油枪已提起", "the nozzle is already lifted")
        rig.lift(nozzle)

    def hang(self, pump: str, nozzle: int) -> None:
        rig = self._nozzle(pump, nozzle)
        if not rig.lifted(nozzle):
            raise Refused(409, "油枪已挂好", "the nozzle already hangs")
        rig.hang(nozzle)

    def trigger(self, pump: str, nozzle: int, squeeze: Trigger) -> None:
        rig = self._nozzle(pump, nozzle)
        if squeeze != "none" and not rig.lifted(nozzle):
            raise Refused(409, "请先提枪", "lift the nozzle first")
        rig.trigger(nozzle, squeeze)

    # -- faults

    def pulser(self, pump: str, nozzle: int, kind: Pulser) -> None:
        self._nozzle(pump, nozzle).pulser(nozzle, kind)

    def power_on(self, pump: str) -> None:
        self._rig(pump).power_on()

    def power_off(self, pump: str) -> None:
        self._rig(pump).power_off()

    def network(self, pump: str, kind: Network) -> None:
        self._rig(pump).proxy.set_soon(kind)

    def estop(self, pump: str, on: bool) -> None:
        self._rig(pump).estop(on)

    def tamper(self, pump: str, on: bool) -> None:
        self._rig(pump).tamper(on)

    def seal(self, pump: str, on: bool) -> None:
        self._rig(pump).seal(on)

    def leak(self, pump: str, nozzle: int, ml_s: int) -> None:
        self._nozzle(pump, nozzle).plant.set_leak(nozzle, ml_s * 1000)

    def broker_stop(self) -> None:
        self.broker.freeze()

    def broker_start(self) -> None:
        self.broker.resume()

    def broker_kill(self) -> None:
        self.broker.kill()

    def traffic_on(self, speed: float) -> None:
        self.traffic.start(speed)

    def traffic_off(self) -> None:
        self.traffic.stop()
