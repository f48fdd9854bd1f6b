"""What the station lays down for good (tariff, settings, lists), and the files by which a pump that starts without the
network still knows it. A file holds the signed payload as it came and counts only if the signature still fits.
"""

import gc
import os

from pump.core import records, signed, standing
from pump.downlink import LEAVES, number

TAMPER_FILE = 2  # TAMPER.event: a kept file was not the station's; TAMPER.detail: its place in LEAVES
_LONGEST = 1280  # bytes, as mqtt.PACKET_MAX
_BEFORE = "lists_old"  # the last `lists` that fits the base in force, while the next base is being fetched


def take(ctl, leaf, text):
    """Hands on what was signed (a slice of the payload). True if the controller has this version now; otherwise False,
    KeyError, TypeError, AttributeError, IndexError or ValueError."""
    if leaf == "update":
        gc.collect()  # a long message and its signature
    message = signed.parse(text)
    if leaf == "lists":
        from pump.core import lists

        return lists.take(ctl, message)
    if leaf == "update":
        from pump import update

        return update.take(ctl, message)
    version = number(message["version"])
    if leaf == "tariff":
        for one in [message] + message.get("next", []):
            prices = {int(grade): number(price) for grade, price in one["prices"].items()}
            version = max(version, number(one["version"]))
            ctl.set_tariff(one["version"], number(one["effective"]), prices)
        return version == standing.newest_tariff(ctl)
    ctl.set_settings(version, message["values"])
    return version == ctl.settings.version


def keep(leaf, payload, aside=False):
    """Writes a payload that was taken, unless it is there already. May stall for a tenth of a second. False if the file
    system did not take it: then the old file stands, and the broker's next repetition is the next try. aside: the one
    before is kept as well."""
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
        if aside and not _exists(_name(_BEFORE)):
            os.rename(name, _name(_BEFORE))
    except OSError:  # there is none
        pass
    try:
        with open(name + ".new", "wb") as file:
            file.write(payload)
        os.rename(name + ".new", name)
        if not aside and leaf == "lists":
            _drop(_name(_BEFORE))
        return True
    except OSError:
        _drop(name + ".new")
        return False


def recall(ctl, key, base):
    """At start: as if each kept message came again. What is not believed is dropped and leaves a TAMPER record."""
    if ctl.list_flash:
        from pump.core import lists

        lists.find(ctl)
    for name in (_BEFORE,) + LEAVES:
        leaf = "lists" if name == _BEFORE else name
        try:
            with open(_name(name), "rb") as file:
                payload = file.read(_LONGEST)
            take(ctl, leaf, signed.text(key, base + leaf, payload))
        except (OSError, MemoryError):  # nothing kept, or nothing to be done: the line brings it
            pass
        except Exception:  # noqa: BLE001 - whatever the file holds, the pump starts
            _drop(_name(name))
            ctl.append(records.TAMPER, (TAMPER_FILE, 1, LEAVES.index(leaf)))


def _name(leaf):
    # Without "/" before it, which is where the board stands anyway: VfsPosix (the bench) renames no absolute paths.
    return "kept_" + leaf.replace("/", "_")


def _exists(name):
    try:
        os.stat(name)
        return True
    except OSError:
        return False


def _drop(name):
    try:
        os.remove(name)
    except OSError:
        pass
