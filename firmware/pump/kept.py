"""What the station lays down for good (tariff, settings, blacklist), and the files by which a pump that starts without
the network still knows it. A file holds the signed payload as it came and counts only if the signature still fits.
"""

import binascii
import os

from pump.core import records, signed

LEAVES = ("tariff", "settings", "lists/black")
TAMPER_FILE = 2  # TAMPER.event: a kept file was not the station's; TAMPER.detail: its place in LEAVES
_LONGEST = 4096  # bytes, as mqtt.PACKET_MAX
_HEAD = 80  # bytes, in which `cards` has begun


def take(ctl, leaf, text):
    """Hands on what was signed (a slice of the payload). True if the controller has this version now; otherwise False,
    KeyError, TypeError, AttributeError, IndexError or ValueError."""
    if leaf == "lists/black":
        return _take_cards(ctl, text)
    message = signed.parse(text)
    version = number(message["version"])
    if leaf == "tariff":
        prices = {int(grade): number(price) for grade, price in message["prices"].items()}
        ctl.set_tariff(version, number(message["effective"]), prices)
        return version == (ctl.next_tariff[0] if ctl.next_tariff else ctl.tariff)
    ctl.set_settings(version, message["values"])
    return version == ctl.settings.version


def _take_cards(ctl, text):
    """As `take`. 180 numbers as JSON strings would want 20 KB that are not there, so they are read where they lie."""
    head = bytes(text[:_HEAD])
    at = head.index(b'"cards":[') + 9
    message = signed.parse(head[:at] + b"]}")
    cards = bytearray()
    while text[at] == 34:  # "6200010000000017", and so on
        if text[at + 17] != 34:
            raise ValueError("card number")
        cards.extend(binascii.unhexlify(text[at + 1 : at + 17]))
        at += 19 if text[at + 18] == 44 else 18
    if bytes(text[at:]) != b"]}":
        raise ValueError("cards")
    ctl.set_blacklist(number(message["version"]), number(message["made"]), bytes(cards))
    return message["version"] == ctl.blacklist_version


def keep(leaf, payload):
    """Writes a payload that was taken, unless it is there already. May stall for a tenth of a second. False if the file
    system did not take it: then the old file stands, and the broker's next repetition is the next try."""
    name = _name(leaf)
    seal = bytes(payload[-signed.SIGNATURE_SIZE :])
    try:
        with open(name, "rb") as file:
            file.seek(-len(seal), 2)
            if file.read() == seal:
                return True
    except OSError:  # there is none, or it is too short to be one
        pass
    try:
        with open(name + ".new", "wb") as file:
            file.write(payload)
        os.rename(name + ".new", name)
        return True
    except OSError:
        _drop(name + ".new")
        return False


def recall(ctl, key, base):
    """At start: as if each kept message came again. What is not believed is dropped and leaves a TAMPER record."""
    for leaf in LEAVES:
        try:
            with open(_name(leaf), "rb") as file:
                payload = file.read(_LONGEST)
            take(ctl, leaf, signed.text(key, base + leaf, payload))
        except (OSError, MemoryError):  # nothing kept, or nothing to be done: the line brings it
            pass
        except Exception:  # noqa: BLE001 - whatever the file holds, the pump starts
            _drop(_name(leaf))
            ctl.append(records.TAMPER, (TAMPER_FILE, 1, LEAVES.index(leaf)))


def number(value):
    """value, if it is a whole number of 32 bits; ValueError otherwise."""
    if type(value) is not int or not 0 <= value <= 0xFFFFFFFF:
        raise ValueError("number")
    return value


def _name(leaf):
    # Without "/" before it, which is where the board stands anyway: VfsPosix (the bench) renames no absolute paths.
    return "kept_" + leaf.replace("/", "_")


def _drop(name):
    try:
        os.remove(name)
    except OSError:
        pass
