"""Figures as people read them: yuan from fen, litres from millilitres, times. Integers in, text out; no float."""

from datetime import UTC, datetime

from pump.core.money import round_half_up_div

NOTHING = "—"


def _grouped(hundredths: int) -> str:
    sign = "−" if hundredths < 0 else ""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{sign}{whole:,}.{rest:02d}"


def yuan(fen: int | None) -> str:
    """12345 -> "123.45"; thousands by commas, as both languages write them."""
    return NOTHING if fen is None else _grouped(fen)


def litres(volume_ml: int | None) -> str:
    """Millilitres as litres with two places, rounded half up: 12345 -> "12.35"."""
    if volume_ml is None:
        return NOTHING
    rounded = round_half_up_div(abs(volume_ml), 10)
    return _grouped(-rounded if volume_ml < 0 else rounded)


def whole_litres(volume_ml: int | None) -> str:
    """Millilitres as whole litres for tanks: 12345678 -> "12,346"."""
    if volume_ml is None:
        return NOTHING
    return ("−" if volume_ml < 0 else "") + f"{round_half_up_div(abs(volume_ml), 1000):,}"


def litres_per_minute(flow_ml_per_s: int | None) -> str:
    """A flow as dispensers state it: 633 ml/s -> "38.0"."""
    if flow_ml_per_s is None:
        return NOTHING
    tenths = round_half_up_div(flow_ml_per_s * 60, 100)
    return f"{tenths // 10}.{tenths % 10}"


def card(card_no: str | None) -> str:
    """The 16 digits in groups of four, the way they are printed on the card."""
    if not card_no:
        return NOTHING
    return " ".join(card_no[i : i + 4] for i in range(0, len(card_no), 4))


def day(unix_s: int | None) -> str:
    """Local date of Unix seconds."""
    return NOTHING if not unix_s else datetime.fromtimestamp(unix_s, UTC).astimezone().strftime("%Y-%m-%d")


def clock(unix_s: int | None) -> str:
    """Local time of day, HH:MM:SS, of Unix seconds."""
    return NOTHING if not unix_s else datetime.fromtimestamp(unix_s, UTC).astimezone().strftime("%H:%M:%S")


def zone() -> str:
    """The zone in which all times are shown, as its distance from UTC: UTC+08:00."""
    hours = datetime.now().astimezone().strftime("%z")
    return f"UTC{hours[:3]}:{hours[3:]}"


def day_and_clock(unix_s: int | None) -> str:
    """Local date and time, ISO order (GB/T 7408), of Unix seconds."""
    return NOTHING if not unix_s else datetime.fromtimestamp(unix_s, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
