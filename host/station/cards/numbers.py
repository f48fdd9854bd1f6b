"""Card numbers: 16 digits, 620, five of the issuing station, seven running, a Luhn check digit (ISO/IEC 7812-1)."""

PREFIX = "620"
MAX_SERIAL = 9_999_999


def check_digit(digits: str) -> str:
    """The Luhn digit that goes after `digits`."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def make(station_no: int, serial: int) -> str:
    """The number of a station's serial-th card. ValueError when the range is used up."""
    if not 1 <= station_no <= 65535 or not 1 <= serial <= MAX_SERIAL:
        raise ValueError("卡号已用完 no card numbers left")
    digits = f"{PREFIX}{station_no:05d}{serial:07d}"
    return digits + check_digit(digits)


def serial_of(card_no: str) -> int:
    """The running part of a number made by make()."""
    return int(card_no[8:15])


def parse(text: str) -> str:
    """A number as people type it (blanks, dashes), as 16 digits. ValueError with a reason for people."""
    digits = text.replace(" ", "").replace("-", "")
    if len(digits) != 16 or not (digits.isascii() and digits.isdigit()):
        raise ValueError("卡号应为 16 位数字 a card number is 16 digits")
    if check_digit(digits[:15]) != digits[15]:
        raise ValueError("卡号校验位不符，请核对 the card number's check digit is wrong")
    return digits


def to_bcd(card_no: str) -> bytes:
    """Eight bytes as they stand on the card."""
    return bytes.fromhex(card_no)


def from_bcd(data: bytes) -> str:
    """The 16 digits. ValueError if they are not decimal."""
    return parse(data.hex())


def shown(card_no: str) -> str:
    """In groups of four, for people."""
    return " ".join(card_no[i : i + 4] for i in range(0, 16, 4))
