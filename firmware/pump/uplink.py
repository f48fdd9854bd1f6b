"""What the link sends of its own accord: the pump's state, and the next batch of journal records."""

import asyncio
import json
from time import ticks_ms

BATCH = 8  # records


def state(link):
    """The payload of topic `state` (docs/mqtt.md)."""
    c, journal = link.controller, link.journal
    told = {
        "v": 1,
        "online": True,
        "device": link.device,
        "boot": link.boot,
        "sw": link.software,
        "nozzles": [[n, grade, c.prices.get(grade, 0)] for n, grade in enumerate(link.grades)],
        "state": c.view.state,
        "alarms": list(c.alarms),
        "locked": c.locked,
        "journal": {"head": journal.head - 1, "acked": journal.acked, "free": journal.free},
        "tariff": c.tariff,
        "lists": [c.lists[0], c.lists[2]],
        "time": link.clock.now_s(),
        "quality": link.clock.quality,
    }
    fetching = c.errand or c.image
    if fetching:
        told["fetch"] = [fetching.of, fetching.version, fetching.at, fetching.size]
    if c.update:
        told["update"] = list(c.update)
    return json.dumps(told).encode()


async def batch(link):
    """Up to BATCH records from the first that is not acknowledged on; empty if none can be read."""
    journal, record = link.journal, link.record
    link.sent_at, link.acked_at_send = ticks_ms(), journal.acked
    seq = max(journal.acked + 1, link.first)
    # What is remembered of acknowledgements may lag behind what the ring has reused: those are gone, and known.
    while seq < journal.head and not journal.read(seq, record):
        seq += 1
        if not seq % 64:
            await asyncio.sleep_ms(0)
    link.first = seq
    some = bytearray()
    while len(some) < BATCH * len(record) and journal.read(seq, record):
        some.extend(record)
        seq += 1
    return some
