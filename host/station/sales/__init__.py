"""Sales: from the pumps' records to settled sales, postings, roll-ups and the cards' shadows.

What other fields and the faces may use is named here. A sale is named by its START record: (device, seq).
"""

from station.sales.decisions import admit, dismiss
from station.sales.intake import Ack, Batch, ingest
from station.sales.invariant import Invariant, money_invariant
from station.sales.isolation import isolate_message
from station.sales.queries import (
    GapRow,
    HourRow,
    QuarantineRow,
    RefusalRow,
    SaleRow,
    gaps,
    hourly,
    quarantine,
    quarantine_count,
    recent,
    recent_count,
    refusals,
    sale,
)
from station.sales.shadowing import Shadow, observe, open_shadow, shadow, shadows
from station.sales.unfinished import Unfinished, accept_end, settled_at_desk, unfinished, unfinished_of
from station.sales.verify import verify

__all__ = [
    "Ack",
    "Batch",
    "GapRow",
    "HourRow",
    "Invariant",
    "QuarantineRow",
from station.sales.shifts import DAY, SHIFT, NozzleSum, Period, on_duty, periods
    "RefusalRow",
    "SaleRow",
    "Shadow",
    "Unfinished",
    "FactorChange",
    "Measure",
    "MeterEvent",
    "MeterState",
    "event_log",
    "factor_history",
    "measures",
    "meters",
    "DAY",
    "SHIFT",
    "accept_end",
    "admit",
    "dismiss",
    "gaps",
    "hourly",
    "NozzleSum",
    "Period",
    "ingest",
    "isolate_message",
    "money_invariant",
    "observe",
    "open_shadow",
    "quarantine",
    "quarantine_count",
    "recent",
    "recent_count",
    "refusals",
    "sale",
    "settled_at_desk",
    "shadow",
    "shadows",
    "on_duty",
    "unfinished",
    "periods",
    "unfinished_of",
    "verify",
]
