"""The handful of cards a fresh bench begins with: issued and loaded at the desk reader as a cashier does it.

Nothing is put into chips or books behind the desk's back, so that the very first sums must already agree.
"""

from dataclasses import dataclass

from pump.core import card_layout, codes
from station.cards.desk import Desk
from station.cards.issuing import ALL_GRADES, Order
from station.cards.reader import DeskReader
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from tools.bench import acts
from tools.bench.world import World

PETROL = (codes.GRADE_92, codes.GRADE_95, codes.GRADE_98)
DIESEL = (codes.GRADE_DIESEL,)


@dataclass(frozen=True)
class FirstCard:
    holder: str  # "" for an anonymous card
    plate: str
    grades: tuple[int, ...]
    load_fen: int


# Names, plates and document numbers are made up; the last one can hardly buy a litre.
FIRST_CARDS = (
    FirstCard("张伟", "京A12345", ALL_GRADES, 300_000),
    FirstCard("王芳", "沪B67890", PETROL, 200_000),
    FirstCard("李强", "粤C24680", DIESEL, 450_000),
    FirstCard("陈静", "川D13579", ALL_GRADES, 150_000),
    FirstCard("刘洋", "浙E97531", PETROL, 100_000),
    FirstCard("", "", ALL_GRADES, 80_000),
    FirstCard("", "", ALL_GRADES, 1_000),
)
BLANK_HOLDER = "空白卡 blank"


def issue_first_cards(world: World, settings: Settings) -> None:
    """Goes on where an interrupted first start stopped; leaves a bench that has its cards alone."""
    engine = database.open_database(settings)
    desk = Desk(engine, Secrets.load(settings.secrets_path), settings.station_no, settings.issuer, by="bench")
    try:
        for first in FIRST_CARDS[sum(1 for card in world.wallet.states({}) if card["balance_fen"]) :]:
            _issue(world, desk, first)
        if not any(card["card_no"] is None for card in world.wallet.states({})):
            world.wallet.new_blank(BLANK_HOLDER)
    finally:
        engine.dispose()


def _issue(world: World, desk: Desk, first: FirstCard) -> None:
    kind = card_layout.KIND_REGISTERED if first.holder else card_layout.KIND_ANONYMOUS
    name = f"{first.holder} {first.plate}".strip() or "不记名 anonymous"
    uid = world.wallet.new_blank(name)
    document = f"DEMO-{uid}" if first.holder else ""
    order = Order(kind, holder=first.holder, document=document, plate=first.plate, grades=first.grades)
    world.do(acts.desk_put(uid))
    try:
        with DeskReader(str(world.home / "desk" / "reader")) as reader:
            desk.issue(reader, order)
            desk.load(reader, first.load_fen)
    finally:
        world.do(acts.desk_take())
