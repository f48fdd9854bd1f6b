"""What the display shows, as values; texts are made in pump/screens.py and on the dashboard."""

# State names travel in `live` and `state` (docs/mqtt.md).
IDLE, NOZZLE, CARD, AUTHORISED, STARTING, FUELLING, SLOW, STOPPING, SETTLING, LOCKED = (
    "idle",
    "nozzle",
    "card",
    "authorised",
    "starting",
    "fuelling",
    "slow",
    "stopping",
    "settling",
    "locked",
)

# Notices: one line of advice beside the state.
NOTICE_NONE = 0
NOTICE_READING = 1  # card is being read, keep it there
NOTICE_LIFT = 2  # lift the nozzle
NOTICE_LIFT_THEN_TAP = 3  # several nozzles and none lifted: lift one, then tap again
NOTICE_TAP_TO_SETTLE = 4  # tap the same card again for the unused money
NOTICE_REINSERT = 5  # the card was pulled: put it back for the unused money
NOTICE_SETTLED = 6  # done; balance is shown
NOTICE_REFUSED = 7  # refusal holds the code (codes.REFUSE_*)
NOTICE_CARD_FIRST = 8  # nozzle is up: insert or tap a card
NOTICE_HANG_UP = 9  # hang the nozzle up first
NOTICE_ASKING = 10  # the station is being asked, keep the card there
NOTICE_AGAIN = 11  # the card left too early: once more
NOTICE_REMOVE = 12  # take the card out
NOTICE_PIN = 13  # type the PIN, then #
NOTICE_ODOMETER = 14  # type the kilometres, then #
NOTICE_DRIVER = 15  # now the driver's card
NOTICE_VEHICLE = 16  # now the vehicle's card
NOTICE_ON_DUTY = 17
NOTICE_OFF_DUTY = 18
NOTICE_DAY_CLOSED = 19
NOTICE_UNLOCKED = 20
NOTICE_LOADING = 21  # money is being put on the card, keep it there
NOTICE_LOADED = 22
NOTICE_TEST = 23  # test measure: the fuel goes back into the tank
NOTICE_PROVER = 24  # type what the prover shows, then #
NOTICE_FACTOR = 25  # a new factor is proposed: # takes it
NOTICE_SEAL = 26  # open the seal first
NOTICE_TAP_AGAIN = 27  # typed: tap the card again
NOTICE_UPDATING = 28
NOTICE_MENU = 29  # a digit chooses; figures hold MENU_*
MENU_MANAGER, MENU_TEST, MENU_SERVICE = 1, 2, 3

BEEP_NONE, BEEP_KEY, BEEP_OK, BEEP_REFUSED, BEEP_ALARM = 0, 1, 2, 3, 4

PAGES = 3  # behind key D: 0 the sale, 1 software, 2 time and link; then one for each nozzle

# Bits of `locked`.
LOCK_REMOTE, LOCK_PULSER, LOCK_OVERRUN, LOCK_METER = 1, 2, 4, 8


class View:
    """Overwritten in place by the controller; -1 or 0 where nothing is known."""

    def __init__(self):
        self.state = IDLE
        self.notice = NOTICE_NONE
        self.refusal = 0  # codes.REFUSE_* while notice is NOTICE_REFUSED
        self.reason = 0  # codes.STOP_* of the last sale
        self.nozzle = -1
        self.grade = 0
        self.price_fen_per_l = 0
        self.volume_ml = 0
        self.amount_fen = 0
        self.limit_fen = 0  # authorised money of the running sale
        self.flow_ml_s = 0
        self.balance_fen = -1
        self.card_no = b""  # 8 bytes of BCD, empty: no card
        self.preset_kind = 0  # codes.PRESET_*
        self.preset_value = 0  # fen or ml
        self.entry = ""  # digits being typed
        self.entry_kind = 0  # codes.PRESET_* being typed
        self.sale_seq = 0
        self.page = 0
        # What belongs to the notice: PIN (tries left,); ON_DUTY (shift,); OFF_DUTY (shift, sales, ml, fen);
        # LOADED (fen,); FACTOR (mean error, repeatability[, new factor], ppm); MENU (MENU_*[, error of the last run]).
        self.figures = ()
