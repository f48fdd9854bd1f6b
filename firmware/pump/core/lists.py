"""Cards that are refused (black) and cards that are allowed (white): a base in flash, and changes beside it (D19).

The message `lists` (docs/mqtt.md) names a base and the cards added and removed since; the base itself is fetched part
by part into the flash slot that is not in use. Until it is whole the old base and its changes stay in force, and the
new changes count on top of them. ctl.lists is (version, made, base, slot, black pages, white pages, changes); changes:
newest first, each (black added, black removed, white added, white removed), sorted keys one after the other.

A key is the card number without its check digit, as seven bytes. The base holds sorted keys in pages of 64 bytes: the
first key whole, then the gap to the next as 7-bit groups, most significant first; a gap of 0 ends a page. All black
pages, then all white ones. A look-up is a binary search over the pages' first keys and one page decoded.
"""

import binascii
import struct

from pump.core import codes, records

NO_BASE = (0, -1, 0, 0)
LIST_BLACK = 1  # LIST.list: the message as a whole; its entries counts the black ones
SECTOR = 4096
PAGE = 64
KEY = 7
EXTRA = "<HH"  # black pages, white pages
MOST_CHANGES = 48  # cards in one message of about 1 KB


def key(digits):
    """Of a card number as 16 digits (str or bytes). ValueError if it is none."""
    if len(digits) != 16:
        raise ValueError("card number")
    return int(digits[:15]).to_bytes(KEY, "big")


def refuse(ctl, card):
    """(refusal code, detail) for what was read off a card; (0, 0) if the lists have nothing against it. The staff's
    cards need stand on no list, and are needed most when something is amiss."""
    wanted = key(binascii.hexlify(card.card_no))
    if listed(ctl, wanted, 0):
        return codes.REFUSE_BLACKLISTED, 0
    if ctl.settings.white_only and not card.role and not listed(ctl, wanted, 1):
        return codes.REFUSE_BLACKLISTED, 1
    if ctl.settings.list_old_stop and not card.role and ctl.lists_old():
        return codes.REFUSE_LIST_OLD, 0
    return 0, 0


def listed(ctl, wanted, white):
    """Is this key on the black (white 0) or white (1) list? The newest word on it counts."""
    _, _, _, slot, black_pages, white_pages, changes = ctl.lists
    for one in changes:
        if _among(one[2 * white], wanted):
            return True
        if _among(one[2 * white + 1], wanted):
            return False
    if slot < 0:
        return False
    at = slot * (ctl.list_flash.sectors // 2) * SECTOR
    if white:
        return _in_pages(ctl.list_flash, at + black_pages * PAGE, white_pages, wanted)
    return _in_pages(ctl.list_flash, at, black_pages, wanted)


def _among(keys, wanted):
    at = keys.find(wanted)
    while at > 0 and at % KEY:
        at = keys.find(wanted, at + 1)
    return at >= 0


def _in_pages(flash, at, pages, wanted):
    first = bytearray(KEY)
    low, high = 0, pages
    while low < high:
        middle = (low + high) // 2
        flash.readinto(at + middle * PAGE, first)
        if wanted < first:
            high = middle
        else:
            low = middle + 1
    if not low:
        return False
    page = bytearray(PAGE)
    flash.readinto(at + (low - 1) * PAGE, page)
    left = int.from_bytes(wanted, "big") - int.from_bytes(page[:KEY], "big")
    gap = 0
    for byte in memoryview(page)[KEY:]:
        if byte > 127:
            gap = (gap | byte & 127) << 7
        elif left <= 0 or not byte + gap:
            break
        else:
            left -= gap | byte
            gap = 0
    return left == 0


def find(ctl):
    """At start: the newest whole base of the two slots."""
    from pump.core import fetch

    half = ctl.list_flash.sectors // 2
    for slot in (0, 1):
        there = fetch.head(ctl.list_flash, slot * half, half)
        if there and there[4] and there[0] > ctl.lists[2]:
            black, white = struct.unpack_from(EXTRA, there[3])
            ctl.lists = (0, 0, there[0], slot, black, white, ())


def take(ctl, message):
    """The parsed message. True if the controller has this version now; False, KeyError, TypeError or ValueError if it
    is old or malformed, and then nothing was changed."""
    version, made = message["version"], message["made"]
    base, black_pages, white_pages, sha = message["base"]
    entries = message["count"][0]
    changes = tuple([_keys(cards) for name in ("black", "white") for cards in message[name]])
    if len(changes) != 4 or sum([len(keys) for keys in changes]) > MOST_CHANGES * KEY:
        raise ValueError("changes")
    for number in (version, made, base, black_pages, white_pages, entries):
        if type(number) is not int or not 0 <= number <= 0xFFFFFFFF:
            raise ValueError("number")
    old = ctl.lists
    if version < old[0] or version == old[0] and made < old[1]:
        return False
    if base and base != old[2]:
        if ctl.list_flash is None:
            return False
        _fetch(ctl, base, black_pages, white_pages, sha)
        ctl.lists = (version, made) + old[2:6] + ((changes,) + old[6][-1:],)
    else:
        ctl.lists = (version, made) + (old[2:6] if base else NO_BASE) + ((changes,),)
        if ctl.errand and ctl.errand.of == "lists":
            ctl.errand = None
    if version > old[0]:
        ctl.append(records.LIST, (LIST_BLACK, version, entries, made))
    return True


def _keys(cards):
    last, keys = b"", b""
    for card in cards:
        one = key(card)
        if not last < one:
            raise ValueError("order")
        last, keys = one, keys + one
    return keys


def _fetch(ctl, base, black_pages, white_pages, sha):
    """Begin to fetch a base into the slot that is not in use, unless that is under way."""
    from pump.core import fetch

    flash, running = ctl.list_flash, ctl.errand
    if running and running.of == "lists" and running.version == base:
        return
    half = flash.sectors // 2
    slot = 1 if ctl.lists[3] == 0 else 0

    def done(good):
        ctl.errand = None
        if good:
            version, made, _, _, _, _, changes = ctl.lists
            ctl.lists = (version, made, base, slot, black_pages, white_pages, changes[:1])

    size, extra = (black_pages + white_pages) * PAGE, struct.pack(EXTRA, black_pages, white_pages)
    ctl.errand = fetch.Fetch(flash, slot * half, half, "lists", base, size, binascii.unhexlify(sha), extra, done)
