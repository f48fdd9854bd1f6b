"""Names of the MQTT topics and who may publish and subscribe to what.

A device's user name is `<station>/<pump>`; the station itself is STATION_USER. Both brokers are set up from here.
"""

PREFIX = "pumpside/v1"
STATION_USER = "station"
UP = ("state", "live", "journal", "ask", "done", "trace")
DOWN = ("ack", "tariff", "settings", "lists", "update", "command", "answer")


def device_user(station: str, pump: str) -> str:
    """The MQTT user name, and the only client id, of a pump: `s1/p1`."""
    return f"{station}/{pump}"


def topic(station: str, pump: str, leaf: str) -> str:
    """`pumpside/v1/<station>/<pump>/<leaf>`."""
    return f"{PREFIX}/{station}/{pump}/{leaf}"


def may_publish(user: str, topic: str) -> bool:
    """True if this user may publish on this topic, will messages included."""
    pump, leaf = _split(topic)
    if user == STATION_USER:
        return bool(pump) and _is_down(leaf)
    return pump == user and leaf in UP


def may_subscribe(user: str, topic_filter: str) -> bool:
    """True if this user may subscribe to this filter: a device to its own downward topics, the station to all."""
    if user == STATION_USER:
        return topic_filter.startswith(f"{PREFIX}/")
    pump, leaf = _split(topic_filter)
    return pump == user and _is_down(leaf)


def may_receive(user: str, topic: str) -> bool:
    """True if a message on this topic may be handed to this user, whatever was subscribed."""
    pump, leaf = _split(topic)
    return bool(pump) and (user == STATION_USER or (pump == user and _is_down(leaf)))


def may_use_client_id(user: str, client_id: str) -> bool:
    """A device has one client id, its name; the station's processes have any that does not look like a device's."""
    if user == STATION_USER:
        return client_id != "" and "/" not in client_id
    return client_id == user


def _is_down(leaf: str) -> bool:
    return leaf in DOWN


def _split(topic: str) -> tuple[str, str]:
    """(`<station>/<pump>`, rest) of a topic of ours, else two empty strings. Wildcards are nobody's pump."""
    parts = topic.split("/")
    if len(parts) < 5 or "/".join(parts[:2]) != PREFIX or any(p in ("", "+", "#") for p in parts[2:4]):
        return "", ""
    return "/".join(parts[2:4]), "/".join(parts[4:])
