"""Runs on MicroPython and on CPython, prints what must be equal: the records of some sales with a scripted card.

The card is a small stand-in that answers DESFire frames (the emulated one needs CPython): one application, AES, files
by number, value with debit and limited credit, commit.
"""

import binascii
import struct

import an10922
import cmac
import desfire
from pump.core import card_layout, records
from pump.core.checkpoint import Checkpoint
from pump.core.config import Config
from pump.core.controller import Controller
from pump.core.journal import Journal

PUMP_KEY, ISSUER_KEY = b"\x22" * 16, b"\x44" * 16
UID = b"\x04\x01\x02\x03\x04\x05\x06"


class Flash:
    def __init__(self, sectors):
        self.sectors = sectors
        self.data = bytearray(b"\xff" * (sectors * 4096))

    def readinto(self, addr, buf):
        buf[:] = self.data[addr : addr + len(buf)]

    def program(self, addr, data):
        for i in range(len(data)):
            self.data[addr + i] &= data[i]

    def erase(self, sector):
        self.data[sector * 4096 : sector * 4096 + 4096] = b"\xff" * 4096


class Card:
    def __init__(self, balance_fen, kind=1, number="6200000000000017", limits=None, uid=UID):
        self.uid = uid
        limits = limits or card_layout.pack_limits(b"TEST")
        self.key = an10922.diversify(PUMP_KEY, uid, card_layout.AID, card_layout.SYSTEM)
        identity = card_layout.pack_identity(
            kind, 1, bytes.fromhex(number), 7, 30, 2000000000, 0, 1, card_layout.FLAG_USAGE
        )
        self.files = {
            card_layout.FILE_IDENTITY: identity + cmac.mac(ISSUER_KEY, uid + identity),
            card_layout.FILE_LIMITS: limits + cmac.mac(ISSUER_KEY, uid + limits),
            card_layout.FILE_STATE: card_layout.pack_state(0),
            card_layout.FILE_USAGE: bytes(card_layout.USAGE_SIZE),
        }
        self.value = balance_fen
        self.rest = b""
        self.tear = 0

    def exchange(self, frame):
        self.tear -= 1
        if self.tear == 0:
            raise desfire.CardLost()
        code = frame[0]
        if code == 0x5A:
            self.pending = {}
            self.delta = 0
            return b"\0"
        if code == 0xAA:
            self.rnd_b = bytes(range(16))
            self.challenge = cmac.cbc_encrypt(self.key, cmac.ZERO, self.rnd_b)
            self.session = None
            return b"\xaf" + self.challenge
        if code == 0xAF and self.session is None:
            clear = cmac.cbc_decrypt(self.key, self.challenge, frame[1:])
            a, b = clear[:16], self.rnd_b
            answer = cmac.cbc_encrypt(self.key, frame[17:33], a[1:] + a[:1])
            self.session = cmac.Cmac(a[:4] + b[:4] + a[12:] + b[12:])
            self.iv = cmac.ZERO
            return b"\0" + answer
        if code == 0xAF:
            data, self.rest = self.rest[:59], self.rest[59:]
            return (b"\xaf" if self.rest else b"\0") + data
        sealed = code in (0xDC, 0x1C, 0x3D, 0x3B)
        self.iv = self.session.of(frame[:-8] if sealed else frame, self.iv)
        if sealed and self.iv[:8] != frame[-8:]:
            return b"\x1e"
        data = self.command(code, frame)
        self.iv = self.session.of(data + b"\0", self.iv)
        data += self.iv[:8]
        data, self.rest = data[:59], data[59:]
        return (b"\xaf" if self.rest else b"\0") + data

    def command(self, code, frame):
        if code == 0xBD:
            length = frame[5] | frame[6] << 8
            return self.files[frame[1]][:length]
        if code == 0x6C:
            return struct.pack("<i", self.value)
        if code == 0xDC or code == 0x1C:
            amount = struct.unpack_from("<i", frame, 2)[0]
            self.delta += -amount if code == 0xDC else amount
        elif code == 0x3D:
            self.pending[frame[1]] = frame[8:-8]
        elif code == 0xC7:
            self.value += self.delta
            self.files.update(self.pending)
            self.pending, self.delta = {}, 0
        return b""


def pump(job, card):
    answer = None
    try:
        while True:
            try:
                frame = job.send(answer)
                answer = card.exchange(frame)
            except desfire.CardLost as lost:
                job.throw(lost)
    except StopIteration as end:
        return end.value


class Bench:
    def __init__(self):
        self.journal_flash, self.small_flash = Flash(8), Flash(3)
        self.ms = (1 << 30) - 9000  # the ticks wrap in the first sale
        self.edges = 0
        self.start()

    def start(self, mode="slot"):
        identity = {
            "device": 257, "issuer": 1, "mode": mode,
            "nozzles": [{"grade": 1, "pulses_per_l": 100}],
            "keys": {"journal": "55" * 32, "pump": "22" * 16, "issuer": "44" * 16},
        }  # fmt: skip
        config = Config(identity)
        journal = Journal(self.journal_flash, 257, config.journal_key)
        self.edges = 0  # the counters begin anew with the power
        self.ctl = Controller(config, journal, Checkpoint(self.small_flash), lambda n: bytes(range(n)))
        self.ctl.start(self.ms, 1790000000, 2, 1, b"portable")

    def run(self, ms, flow_per_tick=0):
        ctl = self.ctl
        for _ in range(ms // 10):
            self.ms = (self.ms + 10) & 0x3FFFFFFF
            if ctl.outputs.permit and ctl.outputs.small:
                self.edges += flow_per_tick if ctl.outputs.big else min(1, flow_per_tick)
            ctl.inputs.edges[0], ctl.inputs.edges[1] = (self.edges + 1) // 2, self.edges // 2
            ctl.step(self.ms, 1790000000, 2)
            if not ctl.busy:
                ctl.idle_work()

    def sale(self, card, keys, flow_ms):
        ctl = self.ctl
        ctl.inputs.lifted = 1
        self.run(100)
        for ch in keys:
            ctl.key(ch)
        ctl.card_arrived(UID)
        self.visit(card)
        self.run(flow_ms, 3)
        ctl.inputs.lifted = 0
        self.run(2000)
        self.visit(card)
        ctl.card_left()
        self.run(500)

    def visit(self, card):
        job = self.ctl.take_job()
        if job:
            try:
                self.ctl.card_done(pump(job, card))
            except desfire.CardLost as lost:
                self.ctl.card_failed(lost)
                self.ctl.card_left()

    def tell_all(self):
        buf = bytearray(128)
        for seq in range(1, self.ctl.journal.head):
            assert self.ctl.journal.read(seq, buf)
            print("record", seq, records.body(buf), binascii.hexlify(buf[108:124]))

    def tell(self):
        self.tell_all()
        print("card", self.card.value, card_layout.unpack_state(self.card.files[card_layout.FILE_STATE]))
        print(
            "totals", self.ctl.meters[0].total_ml, "unsettled", len(self.ctl.unsettled), sorted(self.ctl.live().items())
        )


def main():
    bench = Bench()
    bench.card = card = Card(50000)
    assert bench.ctl.set_tariff(1, 0, {1: 756})
    bench.run(1000)
    bench.sale(card, "B5#", 30000)  # ends at its preset
    bench.sale(card, "", 4000)  # ends at the nozzle
    card.tear = 12  # the reservation's commit is not carried out
    bench.sale(card, "", 4000)
    bench.sale(card, "50A#", 3000)
    bench.ctl.inputs.lifted = 1
    bench.run(100)
    bench.ctl.card_arrived(UID)
    bench.visit(card)
    bench.run(3000, 3)
    print("learned", bench.ctl.cutoff, bench.ctl.checkpoint.learned)
    bench.start()  # power was away in mid-sale
    bench.run(500)
    bench.sale(card, "", 2000)
    bench.ctl.set_settings(1, {"no_flow_s": 45})
    from pump.core import lists

    lists.take(
        bench.ctl,
        {
            "version": 1,
            "made": 0,
            "count": [1, 0],
            "base": [0, 0, 0, ""],
            "black": [["6200000000000017"], []],
            "white": [[], []],
        },
    )
    bench.ctl.command("lock")
    bench.sale(card, "", 1000)
    bench.tell()
    assert card.value == 50000 - sum_of_ends(bench)
    print("ok")


def sum_of_ends(bench):
    buf, total = bytearray(128), 0
    for seq in range(1, bench.ctl.journal.head):
        bench.ctl.journal.read(seq, buf)
        if buf[1] == records.END:
            total += records.body(buf)[11]
    return total


if __name__ == "__main__":
    main()
