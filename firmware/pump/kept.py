"""What the station lays down for good (tariff, settings, blacklist), and the files by which a pump that starts without
the network still knows it. A file holds the signed payload as it came and counts only if the signature still fits.
"""

import binascii
import os

from pump.core import records, signed

LEAVES = ("tariff", "settings", "lists/black")
TAMPER_FILE = 2  # TAMPER.event: a kept file was not the station's; TAMPER.detail: its place in LEAVES
_LONGEST = 4096  # bytes, as mqtt.PACKET_MAX


def take(ctl, leaf, message):
    """Hands a verified message to the controller. True if the controller has this version now; the errors of bad JSON
    contents are KeyError, TypeError, AttributeError and ValueError."""
    version = number(message["version"])
    if leaf == "tariff":
        prices = {int(grade): number(price) for grade, price in message["prices"].items()}
        ctl.set_tariff(version, number(message["effective"]), prices)
        return version == (ctl.next_tariff[0] if ctl.next_tariff else ctl.tariff)
    if leaf == "settings":
        ctl.set_settings(version, message["values"])
        return version == ctl.settings.version
    names = message["cards"]
    names.sort()
    cards = bytearray()  # filled card by card: a sorted list of 180 numbers would take 9 KB beside the message
    for name in names:
        if len(name) != 16:
            raise ValueError("card number")
        cards.extend(binascii.unhexlify(name))
    ctl.set_blacklist(version, number(message["made"]), bytes(cards))
    return version == ctl.blacklist_version


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
            take(ctl, leaf, signed.verify(key, base + leaf, payload))
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
