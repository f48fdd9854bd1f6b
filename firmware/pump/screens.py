"""What the 20 x 4 display says: a view becomes four lines of 20 bytes. Pure.

The display's character set is ASCII with eight characters of our own (lcd.py), which serve for the Chinese that fits;
full sentences in Chinese stand on the dashboard, which shows the same codes.
"""

from pump.core import view as v
from pump.core.codes import PRESET_MONEY, PRESET_NONE
from pump.core.money import round_half_up_div

YUAN, LITRE, PRICE, LEFT, CARD, OIL, NUMBER, ADD = b"\x00\x01\x02\x03\x04\x05\x06\x07"

# One text per line, by code; 20 characters at most. Long strings cost the board far less than many short ones.
_NOTICES = """
Reading the card ...
Lift the nozzle
Lift, then tap again
Tap card: money back
Insert card again
Done - thank you
Refused
Card first, please
Hang up the nozzle
Asking the station
Once more, please
Take out the card
Type PIN, then #
Type km, then #
Now driver's card
Now vehicle's card
On duty
Off duty
Day closed
Unlocked
Loading: keep card
Money loaded
Test: back to tank
Type prover, then #
New factor? # = yes
Open the seal first
Tap card again
Updating ...
Choose: 1 2 3 ..."""
_REFUSALS = """
Card of other issuer
Card key is wrong
Card has expired
Card is blocked
Unfinished: to desk
Wrong grade for card
Balance too low
Card not readable
Card is damaged
Pump is locked
Memory is full
No price yet
Not a purse card
Not for this station
Other card, please
Limit reached
Wrong PIN
PIN is blocked
Not at this hour
Day money used up
Day fills used up
Driver or vehicle?
Check the kilometres
Lists are too old
Account declines
Offline: no credit
Open the seal first
Not with this card
Nobody on duty
Clock is not set"""
_REASONS = """
Nozzle hung up
Preset reached
Card limit reached
No flow
Stopped remotely
Maximum reached
Pulser fault
Over-flow
EMERGENCY STOP
Power failed
Tank is low
Card litres reached
Over-run lock
Card pulled
Reservation broke
Cancelled
Longest time reached
Test: back to tank"""
_LOCKED = "Out of service"
_IDLE = "Welcome"
_ESTOP = "EMERGENCY STOP"


def _pick(texts, code):
    """The code-th line, codes from 1; empty for an unknown code."""
    at = 0
    for _ in range(code):
        at = texts.find("\n", at) + 1
        if not at:
            return ""
    end = texts.find("\n", at)
    return texts[at:] if end < 0 else texts[at:end]


def hundredths(value):
    """12345 -> b"123.45"."""
    return b"%d.%02d" % (value // 100, value % 100)


def _line(left, right=b""):
    """Left and right aligned in 20 columns."""
    return bytearray((left + b" " * 20)[: 20 - len(right)] + right)


def _litres(volume_ml):
    return hundredths(round_half_up_div(volume_ml, 10))


def message(view):
    """The line of advice, as text."""
    if view.notice == v.NOTICE_REFUSED:
        return _pick(_REFUSALS, view.refusal)
    if view.notice:
        return _pick(_NOTICES, view.notice)
    if view.state == v.LOCKED:
        return _LOCKED
    if view.state == v.IDLE:
        return _pick(_REASONS, view.reason) if view.amount_fen or view.volume_ml else _IDLE
    return view.state


def _top(view):
    """What is being keyed or was preset, else card and balance."""
    if view.entry_kind != PRESET_NONE:
        unit = YUAN if view.entry_kind == PRESET_MONEY else LITRE
        return _line(b"Preset", view.entry.encode() + b"_ " + bytes((unit,)))
    if view.preset_kind == PRESET_MONEY:
        return _line(b"Preset", hundredths(view.preset_value) + b" " + bytes((YUAN,)))
    if view.preset_kind != PRESET_NONE:
        return _line(b"Preset", _litres(view.preset_value) + b" " + bytes((LITRE,)))
    return None


def lines(view, software, pump, link_up, clock_s):
    """Four lines of 20 bytes each. software: 16 hex digits; pump: its name; clock_s: Unix seconds, 0 if unknown."""
    if view.page:
        return _about(software, pump, link_up, clock_s)
    money = _line(b"", hundredths(view.amount_fen) + b" " + bytes((YUAN,)))
    volume = _line(b"", _litres(view.volume_ml) + b" " + bytes((LITRE,)))
    third = _top(view)
    if third is None:
        left = bytes((PRICE,)) + b" " + hundredths(view.price_fen_per_l) if view.price_fen_per_l else b""
        right = b""
        if view.balance_fen >= 0:
            right = bytes((LEFT,)) + b" " + hundredths(view.balance_fen)
        elif view.nozzle >= 0:
            right = bytes((NUMBER,)) + b"%d" % (view.nozzle + 1)
        third = _line(left, right)
    return [money, volume, third, _line(message(view).encode())]


def _about(software, pump, link_up, clock_s):
    """The page behind key D: software id (D25), name, link, time of day in China (UTC+8)."""
    t = (clock_s + 28800) % 86400
    clock = b"%02d:%02d" % (t // 3600, t // 60 % 60) if clock_s else b"--:--"
    return [
        _line(b"Pumpside", pump.encode()),
        _line(b"sw", software.encode()),
        _line(b"station", b"online" if link_up else b"offline"),
        _line(b"time", clock),
    ]
