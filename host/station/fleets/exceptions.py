"""What in a vehicle's fills wants a look: odometer, consumption, tank, hours (C12); pure.

Consumption of a fill is its litres over the kilometres since the fill before, which is right where tanks are filled
up. It is held against the vehicle's norm, and against its own history by the modified z-score with the median absolute
deviation (Iglewicz and Hoaglin, How to Detect and Handle Outliers, ASQC 1993: 0.6745 (x - median) / MAD above 3.5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_high

from station.fleets.rules import moment
from station.sales import Fill

BACK, JUMP, ABOVE_NORM, UNUSUAL, ABOVE_TANK, OFF_HOURS = (
    "odometer_back", "odometer_jump", "above_norm", "unusual", "above_tank", "off_hours",
)  # fmt: skip
KM_PER_DAY = 1500  # an assumption: two drivers at 90 km/h hardly drive more
NORM_PERCENT = 130  # of the norm: load, cold and towns explain less
LEAST_KM = 50  # over less, a tank not quite filled up says more than the engine
LEAST_HISTORY = 6  # fills with a consumption, before a vehicle's own history says anything
SCORE, MAD_FACTOR = 3_500, 6_745  # 3.5, and 0.6745 in 1/10,000
LEAST_MAD_ML = 200  # per 100 km: a vehicle that always used the same must not alarm at a drop more


@dataclass(frozen=True, slots=True)
class Oddity:
    """kind: BACK ... OFF_HOURS. value, expected: km, ml per 100 km, ml, or the hour and the number of hours allowed."""

    kind: str
    fill: Fill
    value: int
    expected: int


def look(fills: Sequence[Fill], tank_ml: int, norm_ml_per_100km: int, hours: Sequence[int]) -> list[Oddity]:
    """The exceptions among one vehicle's fills (by time, oldest first). 0 or empty: not known, not looked at."""
    found: list[Oddity] = []
    history: list[int] = []
    before: Fill | None = None  # the last fill whose kilometres are known and believed
    since_ml = 0  # fuelled since then without telling kilometres
    for fill in fills:
        if tank_ml and fill.volume_ml > tank_ml:
            found.append(Oddity(ABOVE_TANK, fill, fill.volume_ml, tank_ml))
        hour = moment(fill.started or fill.ended)[2]
        if hours and hour not in hours:
            found.append(Oddity(OFF_HOURS, fill, hour, len(hours)))
        since_ml += fill.volume_ml
        if not fill.odometer_km:
            continue
        if before is not None:
            wrong = _odometer(before, fill)
            found += wrong
            if wrong and wrong[0].kind == BACK:
                continue
            if not wrong and fill.odometer_km - before.odometer_km >= LEAST_KM:
                used_ml = since_ml * 100 // (fill.odometer_km - before.odometer_km)
                found += _consumption(fill, used_ml, norm_ml_per_100km, history)
                history.append(used_ml)
        before, since_ml = fill, 0
    return found


def _odometer(before: Fill, fill: Fill) -> list[Oddity]:
    driven_km = fill.odometer_km - before.odometer_km
    if driven_km < 0:
        return [Oddity(BACK, fill, fill.odometer_km, before.odometer_km)]
    most_km = KM_PER_DAY * (1 + max(0, fill.ended - before.ended) // 86_400)
    return [Oddity(JUMP, fill, driven_km, most_km)] if driven_km > most_km else []


def _consumption(fill: Fill, used_ml: int, norm_ml: int, history: Sequence[int]) -> list[Oddity]:
    if norm_ml and used_ml * 100 > norm_ml * NORM_PERCENT:
        return [Oddity(ABOVE_NORM, fill, used_ml, norm_ml)]
    if len(history) >= LEAST_HISTORY:
        middle = median_high(history)
        spread = max(LEAST_MAD_ML, median_high([abs(one - middle) for one in history]))
        if abs(used_ml - middle) * MAD_FACTOR > SCORE * 10 * spread:
            return [Oddity(UNUSUAL, fill, used_ml, middle)]
    return []
