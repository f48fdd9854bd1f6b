"""Runs under MicroPython: the real link, controller and journal on flash in memory; told what to do through a file.

    micropython pump_script.py <directory of identity.json and ca.der>

The directory is the pump's file system, mounted as /, and stays when the pump is started again.

Each line appended to <directory>/orders is obeyed within 20 ms: `records N`, `lift`, `hang`, `ask ID`, `ack N` (a lost
memory of what was acknowledged), `upload N` (pieces of a timeline), `hour` (ask
for the time), `quit`. What changes is printed as one JSON
object per line.
"""

# mypy: ignore-errors

import asyncio
import binascii
import json
import os
import sys
import time

import vfs

host = vfs.VfsPosix("/")
vfs.umount("/")
vfs.mount(vfs.VfsPosix(sys.argv[1]), "/")
vfs.mount(host, "/host")
sys.path[:] = [one if one.startswith(".") else "/host" + one for one in sys.path]
os.chdir("/")

from pump.core import standing, timekeeping
from pump.core.checkpoint import Checkpoint
from pump.core.config import Config
from pump.core.controller import Controller
from pump.core.journal import Journal
from pump.core.limits import Card
from pump.link import Link


class Flash:
    def __init__(self, sectors):
        self.sectors = sectors
        self.data = bytearray(b"\xff" * (4096 * sectors))

    def readinto(self, addr, buf):
        buf[:] = self.data[addr : addr + len(buf)]

    def program(self, addr, data):
        for i in range(len(data)):
            self.data[addr + i] &= data[i]

    def erase(self, sector):
        self.data[4096 * sector : 4096 * sector + 4096] = b"\xff" * 4096


class Clock:
    quality = 1
    offset = 0

    def now_s(self):
        return int(time.time()) + self.offset

    doubts = ()

    def set(self, unix_s):
        good, self.doubts = timekeeping.judge(self.now_s(), self.quality, unix_s, self.doubts)
        if not good:
            return self.doubts[-1]
        self.offset += unix_s - self.now_s()
        self.quality = 2
        return 0


def load(name):
    with open("/" + name, "rb") as file:
        return file.read()


identity = json.loads(load("identity.json"))
config = Config(identity)
controller = Controller(config, Journal(Flash(8), config.device, config.journal_key), Checkpoint(Flash(4)), os.urandom)
controller.list_flash = Flash(16)
clock = Clock()
controller.start(time.ticks_ms(), clock.now_s(), clock.quality, 1, b"\x12\x34\x56\x78\x9a\xbc\xde\xf0")
link = Link(
    identity,
    controller,
    controller.journal,
    clock,
    ca_der=load("ca.der"),
    software="123456789abcdef0",
    boot=controller.boot_id,
)


WATCHED = "6200010000000017"


def is_listed(number):
    card = Card(bytes(7))
    card.card_no = binascii.unhexlify(number)
    return controller.listed(card)[0] == 4


def obey(order):
    words = order.split()
    if words[0] == "records":
        for n in range(int(words[1])):
            controller.card_unreadable(bytes((n % 256,)) * 7)
    elif words[0] == "lift":
        controller.inputs.lifted = 1
    elif words[0] == "hang":
        controller.inputs.lifted = 0
    elif words[0] == "hour":
        link._time_at = None  # the time is asked for again, as it is every hour
    elif words[0] == "upload":
        controller.upload = (("trace", bytes((n,)) * 1024) for n in range(int(words[1])))
    elif words[0] == "ack":
        controller.journal.acked = int(words[1])
        link.first = 0  # as after a restart
    elif words[0] == "ask":
        controller.asking = {"id": words[1], "ask": "unfinished", "uid": "04" * 7, "sale": [258, 5], "counter": 9}


def situation():
    journal = controller.journal
    return {
        "up": link.up,
        "online": controller.link_online,
        "error": link.error,
        "rejected": link.rejected,
        "unkept": link.unkept,
        "acked": journal.acked,
        "newest": journal.head - 1,
        "locked": controller.locked,
        "tariff": controller.tariff,
        "prices": controller.prices,
        "lists": controller.lists[0],
        "made": controller.lists[1],
        "base": controller.lists[2],
        "blacks": sum(len(change[0]) for change in controller.lists[6]) // 7,
        "watched": is_listed(WATCHED),
        "settings": controller.settings.version,
        "no_flow_s": controller.settings.no_flow_s,
        "newest_tariff": standing.newest_tariff(controller),
        "quality": clock.quality,
        "offset": clock.offset // 10,
        "answered": controller.answered,
        "busy": controller.busy,
        "alarms": controller.alarms,
    }


async def control():
    told, seen = 0, ""
    while True:
        controller.step(time.ticks_ms(), clock.now_s(), clock.quality)
        controller.idle_work()
        try:
            lines = load("orders").split(b"\n")[:-1]
        except OSError:
            lines = []
        while told < len(lines):
            order = lines[told].decode()
            told += 1
            if order == "quit":
                return
            obey(order)
        now = json.dumps(situation())
        if now != seen:
            seen = now
            print(now)
        await asyncio.sleep_ms(20)


async def main():
    asyncio.create_task(link.run())
    await control()


asyncio.run(main())
