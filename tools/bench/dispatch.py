"""From an act's path and body to the world's method, with the checks that keep nonsense out. The only list of paths."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tools.bench.acts import Act
from tools.bench.refusal import Refused
from tools.bench.state import KEYS, NETWORKS, PULSERS, TRIGGERS


class Field(NamedTuple):
    """One value of an act's body. A text has choices or a longest length, a number has bounds."""

    kind: type
    low: float = 0
    high: float = 64
    choices: tuple[str, ...] = ()
    default: object = None


_CARD = {"card": Field(str)}
_ON = {"on": Field(bool)}
# Path with {pump} and {nozzle} -> method of the world, fields of the body.
ROUTES: dict[str, tuple[str, dict[str, Field]]] = {
    "/pumps/{pump}/card/insert": ("insert", _CARD),
    "/pumps/{pump}/card/tap": ("tap", _CARD | {"hold_ms": Field(int, 50, 60_000, default=1500)}),
    "/pumps/{pump}/card/remove": ("remove", {}),
    "/pumps/{pump}/card/tear": ("tear", {"frames": Field(int, 1, 1000), "done": Field(bool, default=False)}),
    "/pumps/{pump}/keys": ("keys", {"keys": Field(str, 1, 16)}),
    "/pumps/{pump}/nozzle/{nozzle}/lift": ("lift", {}),
    "/pumps/{pump}/nozzle/{nozzle}/hang": ("hang", {}),
    "/pumps/{pump}/nozzle/{nozzle}/trigger": ("trigger", {"squeeze": Field(str, choices=TRIGGERS)}),
    "/pumps/{pump}/nozzle/{nozzle}/pulser": ("pulser", {"kind": Field(str, choices=PULSERS)}),
    "/pumps/{pump}/power/on": ("power_on", {}),
    "/pumps/{pump}/power/off": ("power_off", {}),
    "/pumps/{pump}/network": ("network", {"kind": Field(str, choices=NETWORKS)}),
    "/pumps/{pump}/estop": ("estop", _ON),
    "/pumps/{pump}/tamper": ("tamper", _ON),
    "/pumps/{pump}/seal": ("seal", _ON),
    "/pumps/{pump}/nozzle/{nozzle}/leak": ("leak", {"ml_s": Field(int, 0, 1000)}),
    "/desk/put": ("desk_put", _CARD),
    "/desk/take": ("desk_take", {}),
    "/cards": ("new_card", {}),
    "/broker/stop": ("broker_stop", {}),
    "/broker/start": ("broker_start", {}),
    "/broker/kill": ("broker_kill", {}),
    "/traffic/on": ("traffic_on", {"speed": Field(float, 0.1, 5.0, default=1.0)}),
    "/traffic/off": ("traffic_off", {}),
}


def resolve(act: Act) -> tuple[str, list[str | int], dict[str, Any]]:
    """(method, arguments from the path, arguments from the body). Refused: 404 unknown path, 422 bad value."""
    parts = act.path.split("/")
    for template, (method, fields) in ROUTES.items():
        wanted = template.split("/")
        if len(wanted) != len(parts):
            continue
        places: list[str | int] = []
        for want, part in zip(wanted, parts, strict=True):
            if want == "{pump}":
                places.append(part)
            elif want == "{nozzle}":
                places.append(int(part) if part.isascii() and part.isdigit() and len(part) < 3 else -1)
            elif want != part:
                break
        else:
            return method, places, _checked(fields, act.body)
    raise Refused(404, f"没有这个操作：{act.path[:80]}", f"no such act: {act.path[:80]}")


def _checked(fields: Mapping[str, Field], body: Mapping[str, object]) -> dict[str, Any]:
    if strangers := sorted(set(body) - set(fields)):
        raise Refused(422, f"多余的字段：{strangers[0][:40]}", f"unknown field: {strangers[0][:40]}")
    return {name: _value(name, field, body.get(name, field.default)) for name, field in fields.items()}


def _value(name: str, field: Field, value: object) -> object:
    if field.kind is float and type(value) is int:
        value = float(value)
    if type(value) is not field.kind:
        raise Refused(422, f"字段 {name} 缺失或类型不对", f"field {name} is missing or not a {field.kind.__name__}")
    if field.choices:
        if value not in field.choices:
            raise Refused(
                422, f"{name} 只能是 {'、'.join(field.choices)}", f"{name} must be one of {', '.join(field.choices)}"
            )
    elif isinstance(value, str):
        if not max(field.low, 1) <= len(value) <= field.high:
            raise Refused(422, f"{name} 长度不对", f"{name} must have 1 to {field.high:.0f} characters")
        if name == "keys" and (wrong := [key for key in value if key not in KEYS]):
            raise Refused(422, f"没有按键 {wrong[0]!r}", f"there is no key {wrong[0]!r}; keys are {KEYS}")
    elif isinstance(value, int | float) and not isinstance(value, bool) and not field.low <= value <= field.high:
        raise Refused(
            422, f"{name} 超出范围 {field.low:g}～{field.high:g}", f"{name} must be {field.low:g} to {field.high:g}"
        )
    return value
