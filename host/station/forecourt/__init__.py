"""The forecourt: pumps, nozzles and boards, their prices and lists, and what they show live."""

from station.forecourt.card_lists import (
    Blacklist,
    CardLists,
    blacklist,
    list_part,
    lists_message,
    lists_news,
    set_blacklist,
    set_whitelist,
    whitelist,
)
from station.forecourt.commands import Command, command_done, commands_due, give_command
from station.forecourt.live import LiveBoard, PumpLive
from station.forecourt.pulses import Timeline
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
from station.forecourt.timelines import ask_timeline, is_gone, keep_timeline, timeline
from station.forecourt.versions import (
    Tariff,
    coming_tariffs,
    current_tariff,
    set_tariff,
    tariffs,
)

__all__ = [
    "Timeline",
    "ask_timeline",
    "is_gone",
    "keep_timeline",
    "timeline",
    "Blacklist",
    "CardLists",
    "Command",
    "LiveBoard",
    "Nozzle",
    "Pump",
    "PumpLive",
    "Tariff",
    "blacklist",
    "coming_tariffs",
    "command_done",
    "commands_due",
    "current_tariff",
    "give_command",
    "list_part",
    "lists_message",
    "lists_news",
    "mark_state",
    "pump_named",
    "pump_of_device",
    "pumps",
    "pumps_table",
    "register_pumps",
    "set_blacklist",
    "set_tariff",
    "set_whitelist",
    "tariffs",
    "whitelist",
]
