"""When people fuel: seasons, weekdays, pay days, holidays and hours of a Chinese town station, and what fuel costs."""

import random
from datetime import date, timedelta

from pump.core import codes

# Share of a day's customers by local hour: two rush hours, a quiet night. Sums to 1,000.
BY_HOUR = (6, 4, 3, 3, 6, 18, 42, 78, 82, 62, 50, 48, 46, 44, 44, 48, 60, 84, 88, 66, 46, 34, 24, 14)
WEEKDAYS = (0.98, 0.94, 0.93, 0.95, 1.12, 1.14, 0.94)  # Monday first: full tanks before the weekend
HOLIDAYS = ((1, 1), (4, 4), (4, 5), (5, 1), (5, 2), (5, 3), *((10, day) for day in range(1, 8)))
PAY_DAYS = (10, 15)
GRADES = ((codes.GRADE_92, 56), (codes.GRADE_95, 26), (codes.GRADE_98, 4), (codes.GRADE_DIESEL, 14))  # percent
PRICE_STEP_DAYS = 14  # the retail ceiling is looked at every ten working days
PRICE_STEPS_FEN = (-21, -14, -9, 0, 0, 7, 12, 19)


def factor(day: date) -> float:
    """How busy a day is beside the mean of the year."""
    season = {1: 1.05, 2: 0.92, 7: 1.06, 8: 1.08, 12: 1.02}.get(day.month, 1.0)
    if (day.month, day.day) in HOLIDAYS:
        season *= 1.28
    elif ((day + timedelta(1)).month, (day + timedelta(1)).day) in HOLIDAYS:
        season *= 1.18  # the evening before
    return season * WEEKDAYS[day.weekday()] * (1.07 if day.day in PAY_DAYS else 1.0)


BUSIEST = 1.6  # above any factor


def second_of_day(rng: random.Random, hours: range = range(24)) -> int:
    """When within a local day."""
    hour = rng.choices(hours, [BY_HOUR[hour] for hour in hours])[0]
    return hour * 3600 + rng.randrange(3600)


def next_prices(rng: random.Random, prices: dict[int, int]) -> dict[int, int]:
    """After a look at the market: all grades go the same way, diesel a little less."""
    step = rng.choice(PRICE_STEPS_FEN)
    return {
        grade: fen + (step * 9 // 10 if grade == codes.GRADE_DIESEL else step) for grade, fen in sorted(prices.items())
    }
