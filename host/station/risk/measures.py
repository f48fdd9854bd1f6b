"""The measures that rules compare: each takes an event's history and gives a whole number.

history: events of the same subject, oldest first, the event itself last, within the rule's window. ABOUT names the
kind of event that a measure is for; others may stand before it in the history.
A measure that does not apply gives -1, which is above no threshold.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from pump.core import codes
from station.risk.events import LOAD, REFUND, REFUSAL, SALE, Event, Place, Subject

Measure = Callable[[Sequence[Event], Subject, Mapping[str, Place]], int]
_EARTH_KM = 6371  # mean radius, IUGG
_NONE = -1


def count(history: Sequence[Event], _: Subject, __: Mapping[str, Place]) -> int:
    """Sales in the window."""
    return sum(event.kind == SALE for event in history)


def amount(history: Sequence[Event], _: Subject, __: Mapping[str, Place]) -> int:
    """fen spent in the window."""
    return sum(event.amount_fen for event in history if event.kind == SALE)


def tank_share_percent(history: Sequence[Event], subject: Subject, _: Mapping[str, Place]) -> int:
    """Litres filled in the window, in percent of the vehicle's tank."""
    if not subject.tank_ml:
        return _NONE
    return sum(event.volume_ml for event in history if event.kind == SALE) * 100 // subject.tank_ml


def overlap_s(history: Sequence[Event], _: Subject, __: Mapping[str, Place]) -> int:
    """Seconds for which the card fuelled at two pumps at once."""
    last = history[-1]
    return max(
        (
            min(last.at, other.at) - max(last.since, other.since)
            for other in history[:-1]
            if other.kind == SALE and other.device != last.device
        ),
        default=_NONE,
    )


def speed_km_h(history: Sequence[Event], _: Subject, places: Mapping[str, Place]) -> int:
    """The speed that the card would have needed from the station before."""
    last = history[-1]
    before = next((e for e in reversed(history[:-1]) if e.kind == SALE and e.station != last.station), None)
    if before is None or last.station not in places or before.station not in places:
        return _NONE
    seconds = max(60, last.since - before.at)  # clocks of two stations differ a little
    return distance_km(places[before.station], places[last.station]) * 3600 // seconds


def odometer_back_km(history: Sequence[Event], _: Subject, __: Mapping[str, Place]) -> int:
    """Kilometres by which the odometer has gone back."""
    last = history[-1]
    before = next((e for e in reversed(history[:-1]) if e.kind == SALE and e.odometer_km), None)
    if not last.odometer_km or before is None:
        return _NONE
    return before.odometer_km - last.odometer_km


def pin_failures(history: Sequence[Event], _: Subject, __: Mapping[str, Place]) -> int:
    """Wrong PINs in the window."""
    wrong = (codes.REFUSE_PIN, codes.REFUSE_PIN_BLOCKED)
    if history[-1].code not in wrong:
        return _NONE
    return sum(event.kind == REFUSAL and event.code in wrong for event in history)


def refunds(history: Sequence[Event], _: Subject, __: Mapping[str, Place]) -> int:
    """Refunds in the window."""
    return sum(event.kind == REFUND for event in history)


def refund_after_load_percent(history: Sequence[Event], _: Subject, __: Mapping[str, Place]) -> int:
    """The newest refund in percent of what the same card was loaded with in the window: money that passed through."""
    last = history[-1]
    loaded = sum(event.amount_fen for event in history if event.kind == LOAD and event.card_no == last.card_no)
    return last.amount_fen * 100 // loaded if loaded else _NONE


def distance_km(one: Place, other: Place) -> int:
    """Great-circle distance by the haversine formula (Sinnott, Sky and Telescope 68, 1984)."""
    a, b = math.radians(one.latitude_e6 / 1e6), math.radians(other.latitude_e6 / 1e6)
    across = math.radians((other.longitude_e6 - one.longitude_e6) / 1e6)
    h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(across / 2) ** 2
    return int(2 * _EARTH_KM * math.asin(math.sqrt(h)))


MEASURES: Mapping[str, Measure] = {
    measure.__name__: measure
    for measure in (
        count, amount, tank_share_percent, overlap_s, speed_km_h, odometer_back_km, pin_failures, refunds,
        refund_after_load_percent,
    )
}  # fmt: skip
ABOUT: Mapping[str, str] = dict.fromkeys(MEASURES, SALE) | {
    "pin_failures": REFUSAL, "refunds": REFUND, "refund_after_load_percent": REFUND,
}  # fmt: skip
