"""What a card itself demands at every pump, online or not: its limits, its PIN, its driver and its odometer."""
# mypy: allow-untyped-calls

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

import cmac
from pump.core import card_layout, prompts
from station.cards.keys import CardKeys

HOURS = range(24)
MOST_STATIONS = 4
PIN_DIGITS = (4, prompts.PIN_DIGITS)
MOST_FILL_ML = 999_000
MOST_DAY_FEN = 9_999_999
MOST_ODOMETER_KM = 255 * card_layout.ODOMETER_STEP_KM


class RulesError(ValueError):
    """Rules that no card can carry; the message (Chinese, then English) says why."""


@dataclass(frozen=True)
class Rules:
    """0 or empty: no such rule. Litres and money per fill and day, station numbers, hours of the day (China time).

    odometer_km: the most that may lie between two fills, in steps of 100 km. needs_driver: fuels only together with a
    driver's card of the same company. salt, digest: the PIN, see `with_pin`.
    """

    fill_ml: int = 0
    day_fen: int = 0
    day_fills: int = 0
    stations: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    odometer_km: int = 0
    needs_driver: bool = False
    salt: bytes = field(default=bytes(4), repr=False)
    digest: bytes = field(default=prompts.NO_PIN, repr=False)

    @property
    def has_pin(self) -> bool:
        return self.digest != prompts.NO_PIN

    @property
    def needs_usage(self) -> bool:
        """Whether pumps keep the day's sums or the odometer on the card."""
        return bool(self.day_fen or self.day_fills or self.odometer_km)

    def check(self) -> None:
        """RulesError unless a card can carry them."""
        if not 0 <= self.fill_ml <= MOST_FILL_ML or 0 < self.fill_ml < 1000:
            raise RulesError("每次加油量须为 1 至 999 升 litres per fill must be 1 to 999")
        if not 0 <= self.day_fen <= MOST_DAY_FEN or not 0 <= self.day_fills <= 255:
            raise RulesError("每日金额或次数超出范围 money or fills per day are out of range")
        if len(self.stations) > MOST_STATIONS or any(not 0 < number <= 0xFFFF for number in self.stations):
            raise RulesError("最多四个站号 at most four station numbers")
        if any(hour not in HOURS for hour in self.hours):
            raise RulesError("时段须在 0 至 23 点 hours are 0 to 23")
        if not 0 <= self.odometer_km <= MOST_ODOMETER_KM or self.odometer_km % card_layout.ODOMETER_STEP_KM:
            raise RulesError(
                f"里程间隔须为 100 公里的整数倍，至多 {MOST_ODOMETER_KM} "
                f"the distance between fills is a multiple of 100 km, at most {MOST_ODOMETER_KM}"
            )

    def with_pin(self, keys: CardKeys, pin: str, random: Callable[[int], bytes]) -> Self:
        """The same with this PIN, or without one if it is empty. RulesError unless 4 to 6 digits."""
        check_pin(pin)
        if not pin:
            return replace(self, salt=bytes(4), digest=prompts.NO_PIN)
        salt = random(4)
        return replace(self, salt=salt, digest=prompts.pin_digest(cmac.Cmac(keys.issuer), keys.uid, salt, pin))

    def packed(self, plate: str) -> bytes:
        """The 80 signed bytes of the limits file."""
        packed: bytes = card_layout.pack_limits(
            plate.encode(),
            self.fill_ml,
            self.day_fen,
            self.day_fills,
            tuple(self.stations) + (0,) * (MOST_STATIONS - len(self.stations)),
            sum(1 << hour for hour in set(self.hours)),
            self.salt,
            self.digest,
            self.odometer_km // card_layout.ODOMETER_STEP_KM,
            card_layout.RULE_DRIVER if self.needs_driver else 0,
        )
        return packed


def check_pin(pin: str) -> None:
    """RulesError unless it has 4 to 6 digits, or is empty: no PIN."""
    least, most = PIN_DIGITS
    if pin and not (pin.isascii() and pin.isdigit() and least <= len(pin) <= most):
        raise RulesError(f"密码须为 {least} 至 {most} 位数字 a PIN has {least} to {most} digits")


def unpacked(limits: bytes) -> tuple[str, Rules]:
    """(plate, rules) of a limits file. ValueError for an unknown version."""
    plate, fill_ml, day_fen, day_fills, stations, hours, salt, digest, odometer, flags = card_layout.unpack_limits(
        limits
    )
    return plate.decode(), Rules(
        fill_ml,
        day_fen,
        day_fills,
        tuple(number for number in stations if number),
        tuple(hour for hour in HOURS if hours >> hour & 1),
        odometer * card_layout.ODOMETER_STEP_KM,
        bool(flags & card_layout.RULE_DRIVER),
        bytes(salt),
        bytes(digest),
    )
