"""Names of the record bodies' fields, in the order of records.BODIES. Host side and tests; the board does without."""

from pump.core import records

# `sale_device, sale_seq` name the sale's START record. BOOT totals are the nozzles' totalizers as recovered; torn counts
# torn slots skipped. ALARM.volume_ml is fuel outside any sale, already counted into total_ml.
FIELDS = {
    records.BOOT: (
        "cause", "software", "torn", "lost_uptime_s", "total0_ml", "total1_ml", "total2_ml", "total3_ml",
    ),
    records.START: (
        "uid", "card_no", "counter", "reserved_fen", "nozzle", "grade", "price_fen_per_l", "tariff",
        "total_start_ml", "balance_before_fen", "preset_kind", "preset_value", "plate",
    ),
    records.RESERVED: (
        "sale_device", "sale_seq", "counter", "reserved_fen", "balance_fen", "total_start_ml", "uid",
    ),
    records.END: (
        "sale_seq", "uid", "card_no", "counter", "nozzle", "grade", "reason", "flags", "price_fen_per_l",
        "tariff", "reserved_fen", "amount_fen", "volume_ml", "total_start_ml", "total_end_ml", "pulses_a",
        "pulses_b", "overrun_ml", "duration_s", "flow_max_ml_s",
    ),
    records.SETTLED: (
        "sale_device", "sale_seq", "uid", "counter", "reserved_fen", "amount_fen", "returned_fen",
        "balance_fen", "how",
    ),
    records.VOID: (
        "sale_device", "sale_seq", "uid", "counter", "how",
    ),
    records.REFUSAL: (
        "uid", "card_no", "code", "nozzle", "grade", "detail", "balance_fen", "counter",
    ),
    records.TEST_MEASURE: (
        "nozzle", "grade", "volume_ml", "total_start_ml", "total_end_ml", "pulses_a", "pulses_b",
    ),
    records.SHIFT: (
        "uid", "event", "total0_ml", "total1_ml", "total2_ml", "total3_ml",
    ),
    records.PRICE: (
        "tariff", "nozzle", "grade", "old_fen_per_l", "new_fen_per_l", "effective",
    ),
    records.LIST: (
        "list", "version", "entries", "made",
    ),
    records.SETTING: (
        "version", "name", "old", "new",
    ),
    records.ALARM: (
        "code", "nozzle", "raised", "value", "volume_ml", "total_ml",
    ),
    records.UPDATE: (
        "event", "old", "new",
    ),
    records.TAMPER: (
        "event", "count", "detail",
    ),
}


def body_dict(record):
    """The body of a whole record by field name. KeyError for an unknown kind."""
    return dict(zip(FIELDS[record[1]], records.body(record)))
