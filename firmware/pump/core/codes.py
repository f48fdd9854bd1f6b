"""Codes that travel in records and on the wire. Stable for ever: a code is never used for something else.

Texts for people stand where they are shown: host/station/texts.py (Chinese and English) and pump/screens.py.
"""

# Why a sale ended (END.reason).
STOP_NOZZLE = 1
STOP_PRESET = 2
STOP_CARD_LIMIT = 3
STOP_NO_FLOW = 4
STOP_REMOTE = 5
STOP_MAXIMUM = 6
STOP_PULSER = 7
STOP_OVERFLOW = 8
STOP_EMERGENCY = 9
STOP_POWER = 10
STOP_TANK_LOW = 11
STOP_CARD_VOLUME = 12
STOP_OVERRUN_LOCK = 13
STOP_CARD_PULLED = 14
STOP_UNCERTAIN = 15  # the reservation broke: nothing flowed
STOP_CANCELLED = 16  # before any flow, by key or time-out
STOP_TIME = 17  # the longest time of a delivery
STOP_TEST = 18  # a test measure, fuel returned to the tank

# Why a card was refused (REFUSAL.code).
REFUSE_WRONG_ISSUER = 1
REFUSE_WRONG_KEY = 2
REFUSE_EXPIRED = 3
REFUSE_BLACKLISTED = 4
REFUSE_UNFINISHED = 5
REFUSE_GRADE = 6
REFUSE_BALANCE = 7
REFUSE_UNREADABLE = 8
REFUSE_DAMAGED = 9  # content does not fit its mac or its format
REFUSE_LOCKED = 10  # the pump is locked or in fault
REFUSE_JOURNAL_FULL = 11
REFUSE_NO_PRICE = 12
REFUSE_NOT_A_PURSE = 13
REFUSE_STATION = 14
REFUSE_OTHER_CARD = 15  # not the card of the sale that waits to be settled
REFUSE_LIMIT = 16
REFUSE_PIN = 17
REFUSE_PIN_BLOCKED = 18
REFUSE_HOURS = 19
REFUSE_DAY_MONEY = 20
REFUSE_DAY_FILLS = 21
REFUSE_PAIR = 22  # driver and vehicle do not belong together, or one of them is missing
REFUSE_ODOMETER = 23
REFUSE_LIST_OLD = 24  # the pump's lists are older than their maximum age
REFUSE_ACCOUNT = 25  # the host declines
REFUSE_OFFLINE = 26  # an account card without the host and without a lease
REFUSE_SEAL = 27  # the seal switch is closed
REFUSE_ROLE = 28  # this card may not do that
REFUSE_NO_DUTY = 29  # nobody is on duty
REFUSE_CLOCK = 30  # a rule needs the time, which is not known

# Alarms (ALARM.code), each raised and cleared.
ALARM_PULSER = 1
ALARM_LEAK = 2  # fuel without authorisation, in ml
ALARM_READER = 3
ALARM_DISPLAY = 4
ALARM_JOURNAL = 5  # nearly full
ALARM_EMERGENCY = 6
ALARM_TAMPER = 7
ALARM_CLOCK = 8
ALARM_NOZZLE_OFF = 9
ALARM_OVERRUN = 10
ALARM_EXCEPTION = 11
ALARM_SUPPLY = 12
ALARM_CREEP = 13  # slow flow past shut valves, in ml
ALARM_METER_LOCK = 14  # five deliveries beyond 0.6 %, or a meter of another identity
ALARM_OVERFLOW = 15  # more flow than the meter is made for
ALARM_UPDATE = 16  # an update failed and was rolled back
ALARM_LIST_OLD = 17
ALARM_MEMORY = 18
ALARM_PREFLOW = 19  # flow before the valves were opened

# SHIFT.event
SHIFT_RESTATED, SHIFT_ON, SHIFT_OFF, SHIFT_DAY = 0, 1, 2, 3

# TEST_MEASURE.how
TEST_RETURN, TEST_PROVER = 1, 2

# CALIBRATION.how
FACTOR_RESTATED, FACTOR_PROVER, FACTOR_TYPED, FACTOR_STATION = 0, 1, 2, 3

# Grades: bit numbers in the card's grade set, and their numbers on the nozzle.
GRADE_92, GRADE_95, GRADE_98, GRADE_DIESEL = 1, 2, 3, 4

PRESET_NONE, PRESET_MONEY, PRESET_VOLUME, PRESET_FULL = 0, 1, 2, 3

# Reset causes (BOOT.cause), as machine.reset_cause() names them on the ESP32.
CAUSE_POWER, CAUSE_HARD, CAUSE_WATCHDOG, CAUSE_DEEPSLEEP, CAUSE_SOFT = 1, 2, 3, 4, 5
