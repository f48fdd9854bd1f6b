"""What a pump must know again after a power cut, worked out anew from every record that it ever committed."""

from typing import Any

from pump.core import records
from pump.core.linkside import LOCK_NAME
from pump.core.record_fields import body_dict


def forgotten(controller: Any, committed: dict[int, bytes]) -> list[str]:
    """What the controller knows otherwise than its records say: factors, leases, locks, prices."""
    factors: dict[int, int] = {}
    leases: dict[int, tuple[int, ...]] = {}
    prices: dict[int, int] = {}
    locked = 0
    buf = bytearray(records.SIZE)
    last = max(committed, default=0)
    for seq in range(1, min(controller.journal.head, last + controller.journal.slots)):
        # One that was whole in flash when the power went, before the pump knew it, counts as well.
        raw = committed.get(seq) or (bytes(buf) if controller.journal.read(seq, buf) else b"")
        if not raw or raw[1] not in records.BODIES:
            continue
        kind, body = raw[1], body_dict(raw)
        if kind == records.CALIBRATION:
            factors[body["nozzle"]] = body["new_ppm"]
        elif kind == records.PRICE:
            prices[body["grade"]] = body["new_fen_per_l"]
        elif kind == records.SETTING and bytes(body["name"]).rstrip(b"\0") == LOCK_NAME:
            locked = body["new"]
        elif kind == records.LEASE:
            leases[body["lease"]] = (body["left_fen"], body["left_count"])
        elif kind == records.END and body["lease"] in leases:
            fen, count = leases[body["lease"]]
            leases[body["lease"]] = (fen - body["amount_fen"], count - 1)
    known = {lease[0]: (lease[2], lease[3]) for lease in controller.leases}
    found = []
    if known != {lease: left for lease, left in leases.items() if left[0] > 0}:
        found.append(f"leases {known}, by the records {leases}")
    for nozzle, ppm in factors.items():
        if controller.meters[nozzle].factor_ppm != ppm:
            found.append(f"factor {controller.meters[nozzle].factor_ppm} of nozzle {nozzle}, by the records {ppm}")
    if any(controller.prices.get(grade) != fen for grade, fen in prices.items()):
        found.append(f"prices {controller.prices}, by the records {prices}")
    if controller.locked != locked:
        found.append(f"locks {controller.locked}, by the records {locked}")
    return found
