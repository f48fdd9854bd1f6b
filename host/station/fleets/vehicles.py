"""A company's vehicles and drivers, and which unit pays for which card."""

from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from station import cards, risk
from station.fleets import units
from station.fleets.tables import drivers, vehicles
from station.fleets.units import FleetError
from station.platform import audit

ACTIVE, GONE = "active", "gone"
MOST_TANK_ML, MOST_NORM_ML = 5_000_000, 200_000


@dataclass(frozen=True, slots=True)
class Vehicle:
    """unit: who pays for it. tank_ml, norm_ml_per_100km, grade: 0 if not known, or any. state: active, gone."""

    id: int
    unit: int
    plate: str
    tank_ml: int = 0
    grade: int = 0
    norm_ml_per_100km: int = 0
    card_no: str | None = None
    state: str = ACTIVE

    def check(self) -> None:
        """FleetError unless it can be one."""
        if not self.plate.strip() or len(self.plate.encode()) > cards.PLATE_BYTES:
            raise FleetError("车牌须填写，至多 12 字节 a plate is needed, of 12 bytes at most")
        if not (0 <= self.tank_ml <= MOST_TANK_ML and 0 <= self.norm_ml_per_100km <= MOST_NORM_ML):
            raise FleetError("油箱 0–5000 升，油耗 0–200 升/百公里 tank 0 to 5000 L, norm 0 to 200 L/100 km")
        if not 0 <= self.grade <= 15 or self.state not in (ACTIVE, GONE):
            raise FleetError("油品或状态不正确 no such grade or state")


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver of a company; card_no: the driver's card that a vehicle may demand."""

    id: int
    unit: int
    name: str
    card_no: str | None


def save(conn: Connection, wanted: Vehicle, by: str, now: int) -> Vehicle:
    """Adds a vehicle, or changes the one of that id, or (id 0) of that plate.

    FleetError: impossible, or it is another company's, or its card another vehicle's.
    """
    wanted = replace(wanted, plate=wanted.plate.strip().upper(), card_no=_card(conn, wanted.card_no, wanted.unit))
    wanted.check()
    old = vehicle(conn, wanted.id) if wanted.id else _of_plate(conn, wanted.plate)
    if old is not None and units.line_of(conn, old.unit)[-1] != units.line_of(conn, wanted.unit)[-1]:
        raise FleetError(
            "车辆属于另一单位，请先在原单位注销 the vehicle belongs to another company: take it off there first"
        )
    values = {name: value for name, value in asdict(wanted).items() if name != "id"}
    try:
        with conn.begin_nested():
            if old is None:
                conn.execute(insert(vehicles).values(**values))
            else:
                conn.execute(update(vehicles).where(vehicles.c.id == old.id).values(**values))
    except IntegrityError:
        raise FleetError("车牌或卡号已属于另一车辆 the plate or the card belongs to another vehicle") from None
    made = _of_plate(conn, wanted.plate)
    assert made is not None
    before = {} if old is None else {k: v for k, v in asdict(old).items() if v != getattr(made, k)}
    audit.record(conn, now, by, "fleet.vehicle", f"vehicle {made.plate}", before, asdict(made))
    risk.vehicle(conn, made.plate, made.tank_ml if made.state == ACTIVE else 0)
    return made


def vehicle(conn: Connection, identity: int) -> Vehicle:
    """One vehicle. FleetError."""
    row = conn.execute(select(vehicles).where(vehicles.c.id == identity)).first()
    if row is None:
        raise FleetError(f"没有车辆 {identity} there is no such vehicle")
    return Vehicle(**row._mapping)


def _of_plate(conn: Connection, plate: str) -> Vehicle | None:
    row = conn.execute(select(vehicles).where(vehicles.c.plate == plate)).first()
    return Vehicle(**row._mapping) if row else None


def vehicle_of(conn: Connection, card_no: str) -> Vehicle | None:
    """The vehicle whose card it is."""
    row = conn.execute(select(vehicles).where(vehicles.c.card_no == card_no)).first()
    return Vehicle(**row._mapping) if row else None


def vehicles_of(conn: Connection, company: int) -> list[Vehicle]:
    """All vehicles of a company and its parts, by plate."""
    query = select(vehicles).where(vehicles.c.unit.in_(units.tree(conn, company))).order_by(vehicles.c.plate)
    return [Vehicle(**row._mapping) for row in conn.execute(query)]


def is_listed(conn: Connection, company: int, plate: str) -> bool:
    """True if a vehicle of that plate drives for the company."""
    query = select(vehicles.c.unit).where(vehicles.c.plate == plate.strip().upper(), vehicles.c.state == ACTIVE)
    row = conn.execute(query).first()
    return row is not None and units.line_of(conn, row.unit)[-1] == company


def save_driver(conn: Connection, wanted: Driver, by: str, now: int) -> Driver:
    """Adds a driver (id 0) or changes one. FleetError."""
    wanted = replace(wanted, name=wanted.name.strip(), card_no=_card(conn, wanted.card_no, wanted.unit))
    if not wanted.name:
        raise FleetError("须写明姓名 a name is needed")
    values = {"unit": wanted.unit, "name": wanted.name, "card_no": wanted.card_no}
    try:
        with conn.begin_nested():
            if wanted.id:
                conn.execute(update(drivers).where(drivers.c.id == wanted.id).values(**values))
                identity = wanted.id
            else:
                identity = conn.execute(insert(drivers).values(**values).returning(drivers.c.id)).scalar_one()
    except IntegrityError:
        raise FleetError("该卡已属于另一驾驶员 the card belongs to another driver") from None
    audit.record(conn, now, by, "fleet.driver", f"driver {identity}", {}, values)
    return replace(wanted, id=identity)


def drivers_of(conn: Connection, company: int) -> list[Driver]:
    """All drivers of a company and its parts, by name."""
    query = select(drivers).where(drivers.c.unit.in_(units.tree(conn, company))).order_by(drivers.c.name, drivers.c.id)
    return [Driver(**row._mapping) for row in conn.execute(query)]


def payer(conn: Connection, card: cards.Card) -> int:
    """The account that pays for a card: its vehicle's unit, else the company whose number stands on it."""
    known = vehicle_of(conn, card.card_no)
    return known.unit if known is not None and known.state == ACTIVE else card.company


def _card(conn: Connection, card_no: str | None, unit: int) -> str | None:
    """The card's number as it is kept. FleetError: no such card, or another company's."""
    company = units.line_of(conn, units.unit(conn, unit).account)[-1]
    if not card_no:
        return None
    known = cards.card(conn, cards.parse(card_no))
    if known is None:
        raise FleetError(f"没有卡号 {card_no} 的卡 there is no card with this number")
    if known.company and units.line_of(conn, known.company)[-1] != company:
        raise FleetError("该卡属于另一单位 the card belongs to another company")
    return known.card_no
