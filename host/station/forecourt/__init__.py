"""The forecourt: pumps, nozzles and boards, their prices and lists, and what they show live."""

from station.forecourt.commands import Command, command_done, commands_due, give_command
from station.forecourt.live import LiveBoard, PumpLive
from station.forecourt.pumps import (
    Nozzle,
    Pump,
    mark_state,
    pump_named,
    pump_of_device,
    pumps,
    pumps_table,
    register_pumps,
)
from station.forecourt.versions import (
    Blacklist,
    Tariff,
    blacklist,
    current_tariff,
    next_tariff,
    set_blacklist,
    set_tariff,
    tariffs,
)

__all__ = [
    "Blacklist",
    "Command",
    "LiveBoard",
    "Nozzle",
    "Pump",
    "PumpLive",
    "Tariff",
    "blacklist",
    "command_done",
    "commands_due",
    "current_tariff",
    "give_command",
    "mark_state",
    "next_tariff",
    "pump_named",
    "pump_of_device",
    "pumps",
    "pumps_table",
    "register_pumps",
    "set_blacklist",
    "set_tariff",
    "tariffs",
]
