"""Another firmware: fetched into the slot that does not run, tried, kept or rolled back (docs/update.md, D26).

The loader, boot.py, reads the file `slot` and counts the starts of what is on trial; everything else is done here. A
release is signed by its maker (RSA) and named to this pump by its station (the message `update`, docs/mqtt.md). Nothing
is switched before the whole image was read back and its digest is the signed one; the switch is one renaming of a file.
"""

import asyncio
import binascii
import os

from pump.core import codes, fetch, records, release

BEGUN, SWITCHED, CONFIRMED, ROLLED_BACK, REFUSED = 1, 2, 3, 4, 5  # UPDATE.event; its detail is the release's version
TRIES = "3"  # starts within which a release on trial must become healthy
HEALTHY_S = 60  # without a break: link up, reader answering, journal taking records
PATIENCE_S = 900  # after that it is rolled back
_NO_NOZZLE = 255


def take(ctl, manifest):
    """The parsed message. True if it is understood, whatever comes of it; ctl.update is (version, why not or "")."""
    version = manifest["version"]
    if version == 0:  # taken back
        ctl.image = ctl.update = None
        return True
    if type(version) is not int or type(manifest["size"]) is not int:
        raise ValueError("manifest")
    why = refuse(ctl, manifest)
    if why is None or (version, why) == ctl.update:
        return True
    if ctl.image and ctl.image.version == version:
        return True
    ctl.update = (version, why)
    _record(ctl, REFUSED if why else BEGUN, manifest["sw"], version)
    if not why:
        _fetch(ctl, manifest)
    return True


def refuse(ctl, manifest):
    """Why this release is not taken; "": it is; None: there is nothing to do, it runs or was tried already."""
    running, words = software(), state()
    if manifest["sw"] == running or words[1].isdigit():
        return None
    if words[1] == "failed" and words[2] == manifest["sw"] and int(words[3]) >= manifest["version"]:
        return None
    if ctl.image_flash is None or not _read("/rom/software"):
        return "no slot"
    if manifest["version"] <= int(_read("/rom/release") or 0) and not manifest["older"]:
        return "older"
    if manifest["loader"] != loader():
        return "loader"
    if not release.verified(_release_key(), release.text(manifest), binascii.unhexlify(manifest["sig"])):
        return "signature"
    return ""


def _fetch(ctl, manifest):
    half = ctl.image_flash.sectors // 2
    slot = "a" if state()[0] == "b" else "b"
    sw, version, sha = manifest["sw"], manifest["version"], binascii.unhexlify(manifest["sha"])

    def done(good):
        ctl.image = None
        if good:
            _record(ctl, SWITCHED, sw, version)
            write([slot, TRIES, sw, str(version)])
            ctl.restart = True
        else:
            ctl.update = None  # the next time it is named it is fetched again

    first = half if slot == "b" else 0
    ctl.image = fetch.Fetch(ctl.image_flash, first, half, "image", version, manifest["size"], sha, b"", done)


def watch(ctl, link, healthy_s):
    """At start: None, or a task that looks after what is on trial. A release that was rolled back is told of."""
    words = state()
    if words[1].isdigit():
        return _trial(ctl, link, words, healthy_s)
    if words[-1] == "new":
        write(words[:4])
        _record(ctl, ROLLED_BACK, words[2], int(words[3]))
        ctl.raise_alarm(codes.ALARM_UPDATE, _NO_NOZZLE, int(words[3]) & 0x7FFFFFFF)
    return None


async def _trial(ctl, link, words, healthy_s):
    good_s = past_s = 0
    while good_s < healthy_s:
        await asyncio.sleep(1)
        past_s += 1
        good = link.up and codes.ALARM_READER not in ctl.alarms and ctl.journal.free > 0
        good_s = good_s + 1 if good else 0
        if past_s > PATIENCE_S and not ctl.busy:
            write(["a" if words[0] == "b" else "b", "failed", words[2], words[3], "new"])
            ctl.restart = True
            return
    write([words[0], "ok"])
    _record(ctl, CONFIRMED, words[2], int(words[3]))
    ctl.clear_alarm(codes.ALARM_UPDATE, _NO_NOZZLE)


def state():
    """The words of the file `slot`, at least four."""
    words = _read("/slot").split()
    return words if len(words) >= 4 else (words + ["a", "ok"][len(words) :] + ["", "0"])[:4]


def write(words):
    """At once or not at all."""
    with open("slot.new", "w") as file:
        file.write(" ".join(words))
    os.rename("slot.new", "slot")


def software():
    """The software id of what runs."""
    return _read("/rom/software") or _read("/software")


def loader():
    """What the files outside the slots are: first 16 hex digits of the SHA-256 over boot.py and main.py."""
    import hashlib

    digest = hashlib.sha256()
    for name in ("/boot.py", "/main.py"):
        digest.update(_read(name).encode())
    return binascii.hexlify(digest.digest()).decode()[:16]


def _release_key():
    """The modulus of the key that signs releases, bytes; looked for in the text, because parsed it would take 6 KB."""
    before = ""
    with open("/identity.json") as file:
        while piece := file.read(128):
            at = (before + piece).find('"release_key"')
            if at >= 0:
                return binascii.unhexlify(((before + piece)[at:] + file.read(1600)).split('"')[3])
            before = piece
    return b""


def _record(ctl, event, sw, version):
    ctl.append(records.UPDATE, (event, binascii.unhexlify(software()), binascii.unhexlify(sw), version))


def _read(name):
    try:
        with open(name) as file:
            return file.read()
    except OSError:
        return ""
