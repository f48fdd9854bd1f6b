"""What the bench service tells about itself: the shape of `GET /state`, shared by service, dashboard, CLI and tests.

Everything here is what a person standing at the forecourt could see or measure, not what the firmware believes: the
litres are the plant's true litres, a card's balance is what is really on the card.
"""

from typing import Literal, TypedDict

Trigger = Literal["none", "slow", "full"]
Network = Literal["up", "cut", "frozen", "slow"]
Pulser = Literal[
    "ok", "dropped_a", "dropped_b", "stuck_a", "stuck_b", "doubled_a", "swapped", "reversed", "noisy_a", "noisy_b"
]  # fmt: skip
Broker = Literal["running", "stopped", "down"]

TRIGGERS: tuple[Trigger, ...] = ("none", "slow", "full")
NETWORKS: tuple[Network, ...] = ("up", "cut", "frozen", "slow")
PULSERS: tuple[Pulser, ...] = (
    "ok", "dropped_a", "dropped_b", "stuck_a", "stuck_b", "doubled_a", "swapped", "reversed", "noisy_a", "noisy_b",
)  # fmt: skip
KEYS = "123A456B789C*0#D"  # row major, the index of a key is its bit in the wires


class LcdState(TypedDict):
    """The pump's display: `character` is 20 x 4, `graphic` 128 x 64 dots with 16 x 4 columns of text."""

    kind: Literal["character", "graphic"]
    on: bool
    backlight: bool
    lines: list[str]  # 4 lines of 20 characters, or of 16 columns of which a Chinese character takes two
    glyphs: list[list[int]]  # character: 8 own glyphs (U+E000.. in `lines`), 8 rows of 5 bits, bit 4 is the left dot
    picture: list[str]  # graphic: 64 rows of 128 dots in hex while a picture is shown, else none


class NozzleState(TypedDict):
    nozzle: int  # 0..3
    grade: int  # 1: 92#, 2: 95#, 3: 98#, 4: diesel 0#
    lifted: bool
    trigger: Trigger
    big_valve: bool  # as the board drives it
    small_valve: bool
    flow_ml_s: int
    sale_ml: int  # true millilitres since the nozzle was last lifted
    total_ml: int  # true millilitres since the bench was made
    pulser: Pulser


class CardState(TypedDict):
    card: str  # id in all acts: the UID, 14 hex digits
    card_no: str | None  # 16 digits; None on a card that was never issued
    holder: str  # a name for people, "" if none
    where: str  # "wallet", "desk" or the pump's name
    balance_fen: int | None  # what is really on the card; None on a blank one
    open_fen: int  # reservation open on the card, 0: none


class PumpState(TypedDict):
    pump: str  # "p1"
    device: int
    mode: Literal["slot", "tap"]
    power: bool
    boots: int  # how often the board was started since the bench runs
    network: Network
    linked: bool  # a TCP connection board <-> broker is open through the bench's proxy
    estop: bool
    tamper: bool
    seal: bool
    permit: bool  # as the board drives it
    motor: bool
    buzzer: bool
    card: str | None  # id of the card in or on the reader
    lcd: LcdState
    nozzles: list[NozzleState]


class TankState(TypedDict):
    grade: int
    true_ml: int  # what is really in the tank
    capacity_ml: int


class TrafficState(TypedDict):
    on: bool
    speed: float  # 1.0: a customer per pump about every 40 s
    customers: int  # served since the bench runs
    seed: int


class State(TypedDict):
    ready: bool  # False while boards and first cards are still being set up
    uptime_ms: int
    slipped_ms: int  # how long fuel stood still because this machine was too busy to move it
    broker: Broker
    traffic: TrafficState
    pumps: list[PumpState]
    cards: list[CardState]
    desk: str | None  # id of the card on the desk reader
    desk_port: str  # serial port name of the desk reader
    tanks: list[TankState]
    last_error: str  # last thing that went wrong in the bench itself, "" if nothing
