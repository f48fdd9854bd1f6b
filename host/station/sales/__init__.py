"""Sales: from the pumps' records to settled sales, postings, roll-ups and the cards' shadows.

What other fields and the faces may use is named here. A sale is named by its START record: (device, seq).
"""

from station.sales.abroad import Finished, finished, heads, records_after, sale_name
from station.sales.decisions import admit, dismiss
from station.sales.intake import BATCH_BYTES, Ack, Batch, ingest, observe, used_away
from station.sales.invariant import Invariant, money_invariant
from station.sales.isolation import isolate_message
from station.sales.metrology import (
    EndPulses,
    FactorChange,
    Measure,
    MeterEvent,
    MeterState,
    ProverState,
    end_pulses,
    event_log,
    factor_history,
    measures,
    meters,
    provers,
)
from station.sales.on_account import Bought, Fill, bought, fills, fills_by_id
from station.sales.proof import Sealed, raw_records, record_copies, sealed, sealed_sale
from station.sales.pump_lists import list_versions
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
from station.sales.receipts import Receipt, in_the_books, read_receipt
from station.sales.shadowing import Shadow, make_guest, open_shadow, others_heard, shadow, shadows
from station.sales.shifts import DAY, SHIFT, NozzleSum, Period, on_duty, periods
from station.sales.unfinished import Unfinished, accept_end, settled_at_desk, unfinished, unfinished_of
from station.sales.verify import verify

__all__ = [
    "others_heard",
    "make_guest",
    "used_away",
    "sale_name",
    "records_after",
    "heads",
    "finished",
    "Finished",
    "BATCH_BYTES",
    "EndPulses",
    "FactorChange",
    "Measure",
    "MeterEvent",
    "MeterState",
    "ProverState",
    "end_pulses",
    "event_log",
    "factor_history",
    "measures",
    "meters",
    "provers",
    "DAY",
    "SHIFT",
    "Ack",
    "Bought",
    "Fill",
    "bought",
    "fills",
    "fills_by_id",
    "Batch",
    "GapRow",
    "HourRow",
    "Invariant",
    "NozzleSum",
    "Period",
    "QuarantineRow",
    "Receipt",
    "RefusalRow",
    "SaleRow",
    "Sealed",
    "Shadow",
    "Unfinished",
    "accept_end",
    "admit",
    "dismiss",
    "gaps",
    "hourly",
    "in_the_books",
    "ingest",
    "isolate_message",
    "list_versions",
    "money_invariant",
    "observe",
    "on_duty",
    "open_shadow",
    "periods",
    "quarantine",
    "quarantine_count",
    "read_receipt",
    "raw_records",
    "recent",
    "recent_count",
    "record_copies",
    "refusals",
    "sale",
    "sealed",
    "sealed_sale",
    "settled_at_desk",
    "shadow",
    "shadows",
    "unfinished",
    "unfinished_of",
    "verify",
]
