"""What comes down the link: checked, then handed to the controller. What is not signed, well-formed and new is counted
and dropped; it frees nothing and changes nothing.
"""

from pump.core import codes, signed

LEAVES = ("tariff", "settings", "lists")  # what is laid down for good, and kept in files (pump/kept.py)
LASTING = LEAVES + ("update",)  # what the broker holds for a pump that has no time for it
COMMANDS_KEPT = 8
_HEAD = 80  # bytes, in which the JSON of an answer with a part of a file ends


def heard(link, topic, payload):
    """A message on one of our topics; payload: memoryview, None if it was too long for the memory."""
    taken, leaf = False, ""
    try:
        name = str(topic, "utf-8")
        leaf = name[len(link.base) :]
        if leaf in LASTING and (payload is None or link.controller.busy):
            # No memory, or memory and time are the sale's: not held but asked for again, because the broker has it.
            link.missed = True
            return
        taken = _take(link, leaf, signed.text(link.key, name, payload))
    except MemoryError:
        link.missed = True
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError):
        pass
    if not taken:
        link.rejected += 1
    elif leaf in LEAVES:
        from pump import kept

        if not kept.keep(leaf, payload, leaf == "lists" and len(link.controller.lists[6]) > 1):
            link.unkept += 1


def number(value):
    """value, if it is a whole number of 32 bits; ValueError otherwise."""
    if type(value) is not int or not 0 <= value <= 0xFFFFFFFF:
        raise ValueError("number")
    return value


def _take(link, leaf, text):
    c = link.controller
    if leaf in LASTING:
        from pump import kept

        return kept.take(c, leaf, text)
    if leaf == "answer":
        end = bytes(text[:_HEAD]).find(b"\n")  # behind a line feed: bytes of a file, as they are
        return _answer(link, signed.parse(text[:end] if end > 0 else text), text[end + 1 :] if end > 0 else b"")
    message = signed.parse(text)
    if leaf == "ack":
        seq = number(message["seq"])
        if message["device"] != link.device or not link.journal.acked < seq < link.journal.head:
            return seq == link.journal.acked  # the station says it again: true, but nothing new
        c.journal_ack(seq)
        return True
    return leaf == "command" and _command(link, message)


def _answer(link, message, data):
    if message["id"] == link.time_id:
        told_s = number(message["time"])
        doubt_s = link.clock.set(told_s)
        link.time_id = "doubted" if doubt_s else ""  # which is asked again soon
        if doubt_s:
            link.controller.raise_alarm(codes.ALARM_CLOCK, 255, max(-0x7FFFFFFF, min(0x7FFFFFFF, doubt_s)))
        else:
            link.controller.clear_alarm(codes.ALARM_CLOCK, 255)
    elif message["id"] == link.part_id:
        link.part_id = ""
        link.controller.part(message, data)
    else:
        link.controller.answer(message)
    return True


def _command(link, message):
    """Runs a command once; a repeated one gets the same acknowledgement again."""
    name, do = message["id"], message["do"]
    if not isinstance(name, str) or not isinstance(do, str):
        return False
    for known, result in link.results:
        if known == name:
            if result not in link.done:
                link.done.append(result)
            return True
    # A command from before this start may be a replay: the memory of what was done is gone.
    why = link.controller.command(do) if message["boot"] == link.boot else "boot"
    result = {"id": name, "ok": False, "why": why} if why else {"id": name, "ok": True}
    link.results.append((name, result))
    del link.results[:-COMMANDS_KEPT]
    link.done.append(result)
    return True
