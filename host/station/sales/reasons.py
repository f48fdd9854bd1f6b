"""Why something lies in quarantine. Stable codes; texts for people stand in station.texts."""

DAMAGED = "damaged"  # length, version or CRC of a record
BAD_MAC = "bad_mac"  # does not continue its device's chain: forged, or another key
UNKNOWN_PUMP = "unknown_pump"  # a topic of no registered pump
WRONG_DEVICE = "wrong_device"  # the record names another device than the topic's
UNKNOWN_KIND = "unknown_kind"
UNKNOWN_CARD = "unknown_card"
UNKNOWN_GRADE = "unknown_grade"
IMPOSSIBLE = "impossible"  # amounts that contradict themselves or the price
CONTRADICTION = "contradiction"  # contradicts another record of the same sale or sequence
COUNTER_TWICE = "counter_twice"  # two sales with one purse counter: a clone or a fault
TOO_FAR_AHEAD = "too_far_ahead"  # beyond what a journal can hold unsent
MALFORMED = "malformed"  # an MQTT payload that is not what its topic carries
BAD_SETTLEMENT = "bad_settlement"  # a settlement of a sale nobody started

REASONS = (
    DAMAGED,
    BAD_MAC,
    UNKNOWN_PUMP,
    WRONG_DEVICE,
    UNKNOWN_KIND,
    UNKNOWN_CARD,
    UNKNOWN_GRADE,
    IMPOSSIBLE,
    CONTRADICTION,
    COUNTER_TWICE,
    TOO_FAR_AHEAD,
    MALFORMED,
    BAD_SETTLEMENT,
)
