"""The rig: a second board that is pump, hose, hand and switches to the board under test (docs/wiring.md has the wires).

It reads the relays of the board under test, lets fuel flow as they allow and as the hand squeezes, and makes the two
channels of the pulser from it, up to 2.2 kHz each; it lifts the nozzle, presses the emergency stop, opens cover and
seal, takes the 24 V away. One nozzle: a jumper leads it to any of the four. MicroPython >= 1.27 on any ESP32.

A line of JSON in, a line of JSON out, over the serial line: {"do": "lift"}, {"do": "trigger", "squeeze": "full"} ...;
Ctrl-C leaves to the REPL. `sale` takes it all in: what flowed since the nozzle was lifted, what the relays are, and how
long the permit relay took to open after the last command.
"""

import json
import select
import sys
import time

from machine import Pin

# GPIO of the rig. Outputs to the board under test, through optocouplers; switches are open-drain against ground.
PULSE_A, PULSE_B = 4, 13
LIFT, ESTOP, TAMPER, SEAL, POWER = 23, 32, 33, 25, 26
PERMIT, MOTOR, BIG, SMALL, SELECT = 34, 35, 36, 39, 27

FULL_HZ, HAND_HZ, SMALL_HZ = 67, 20, 8  # pulses a second and channel: 40, 12 and 5 L/min at 100 pulses per litre
MOST_HZ = 2200  # 130 L/min at 1,000 pulses per litre
CLOSING_MS = 120  # from full flow to none; opening takes as long
LOOK_US = 1000
_NOISY = {"noisy_a": 0, "noisy_b": 1}
_FAULT_EVERY = 3  # pulses: a pulser that drops, doubles or catches noise does it to every third


class Rig:
    """obey() takes a command, step() lets time pass."""

    def __init__(self):
        self._a = Pin(PULSE_A, Pin.OUT, value=0)
        self._b = Pin(PULSE_B, Pin.OUT, value=0)
        # Closed contacts to ground (0): stop not pressed, cover on, seal in place. A hung nozzle is open (1).
        self._lift = Pin(LIFT, Pin.OPEN_DRAIN, value=1)
        self._estop = Pin(ESTOP, Pin.OPEN_DRAIN, value=0)
        self._tamper = Pin(TAMPER, Pin.OPEN_DRAIN, value=0)
        self._seal = Pin(SEAL, Pin.OPEN_DRAIN, value=0)
        self._power = Pin(POWER, Pin.OUT, value=1)
        self._relays = [Pin(n, Pin.IN) for n in (PERMIT, MOTOR, BIG, SMALL, SELECT)]
        self.full_hz, self.hand_hz, self.small_hz = FULL_HZ, HAND_HZ, SMALL_HZ
        self.squeeze = "none"
        self.fault = "ok"
        self._levels = [0, 0]
        self._quarters = self._quarters_at_lift = 0  # of a pulse: the edges of both channels
        self._rate = 0  # thousandths of a pulse a second
        self._interval_us = 0
        now = time.ticks_us()
        self._due = self._looked = self._asked = now
        self._permit = 0
        self._off_us = -1
        self._late_us = 0
        self._leak_hz = 0

    def run(self):
        """For ever: edges when they are due, relays and commands in between."""
        poll = select.poll()
        poll.register(sys.stdin, select.POLLIN)
        while True:
            self.step(time.ticks_us())
            if poll.poll(0):
                line = sys.stdin.readline()
                if not line:
                    return
                print(json.dumps(self.answer(line)))
            if not self._interval_us or self._interval_us > 500:
                time.sleep_us(100)

    def answer(self, line):
        try:
            return self.obey(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            return {"ok": False, "error": str(error)}

    def step(self, now):
        """Let time pass up to now (ticks_us)."""
        if time.ticks_diff(now, self._looked) >= LOOK_US:
            passed_ms = time.ticks_diff(now, self._looked) // 1000
            self._looked = time.ticks_add(self._looked, passed_ms * 1000)
            self._look(now, min(passed_ms, 20))
        while self._interval_us and time.ticks_diff(now, self._due) >= 0:
            late = time.ticks_diff(now, self._due)
            if late > self._late_us:
                self._late_us = late
            if late > 5000:
                self._due = now  # after a stall fuel goes on from here: real pulses never come in bursts
            self._edge()
            self._due = time.ticks_add(self._due, self._interval_us)

    def _look(self, now, passed_ms):
        permit, motor, big, small, chosen = [pin.value() for pin in self._relays]
        if self._permit and not permit:
            self._off_us = time.ticks_diff(now, self._asked)
        self._permit = permit
        target = 0
        if permit and motor and chosen and self.squeeze != "none":
            target = self.full_hz if big else self.small_hz if small else 0
            if self.squeeze == "slow":
                target = min(target, self.hand_hz)
        target = max(target, self._leak_hz)
        target *= 1000
        step = self.full_hz * 1000 * passed_ms // CLOSING_MS
        before = self._rate
        self._rate = min(target, before + step) if target > before else max(target, before - step)
        self._interval_us = 250000000 // self._rate if self._rate >= 500 else 0  # four edges a pulse
        if self._interval_us and before < 500:
            self._due = time.ticks_add(now, self._interval_us)

    def _edge(self):
        """Forward: A rises, B rises, A falls, B falls."""
        place, third = self._quarters & 3, (self._quarters >> 2) % _FAULT_EVERY == 0
        self._quarters += 1
        channel, level = place & 1, 1 - (place >> 1)
        fault, name = self.fault, "ab"[channel]
        if fault == "swapped":
            channel = 1 - channel
        elif fault == "reversed" and channel:
            level = 1 - level
        if fault == "stuck_" + name or fault == "dropped_" + name and third:
            return
        noisy = _NOISY.get(fault) if third else None
        if noisy is not None and place == noisy + 2:
            self._put(noisy, 1)
        self._put(channel, level)
        if noisy is not None and place == noisy + 1:
            self._put(noisy, 0)  # a spike: gone for a quarter, until its own edge is due
        if fault == "doubled_" + name and third and level:
            self._put(channel, 0)
            self._put(channel, 1)

    def _put(self, channel, level):
        if self._levels[channel] != level:
            self._levels[channel] = level
            (self._b if channel else self._a).value(level)

    def obey(self, command):
        """One command; the state after it. ValueError for one that is not known."""
        what = command["do"]
        self._asked = time.ticks_us()
        if what != "sale":
            self._off_us = -1
        if what == "lift":
            self._quarters_at_lift = self._quarters
            self._late_us = 0
            self._lift.value(0)
        elif what == "hang":
            self.squeeze = "none"
            self._lift.value(1)
        elif what == "trigger":
            self.squeeze = command["squeeze"]
        elif what == "pulser":
            self.fault = command["kind"]
        elif what == "estop":
            self._estop.value(1 if command["on"] else 0)
        elif what == "tamper":
            self._tamper.value(1 if command["on"] else 0)
        elif what == "seal":
            self._seal.value(1 if command["on"] else 0)
        elif what == "power":
            self._power.value(1 if command["on"] else 0)
        elif what == "leak":
            self._leak_hz = (command["ml_s"] + 9) // 10  # 100 pulses per litre
        elif what == "rate":
            if not 0 < command["full_hz"] <= MOST_HZ:
                raise ValueError("1 to 2200 pulses a second")
            self.full_hz, self.small_hz = command["full_hz"], max(1, command["full_hz"] // 8)
            self.hand_hz = max(1, command["full_hz"] // 3)
        elif what != "sale":
            raise ValueError("unknown command " + str(what))
        return self.state()

    def state(self):
        """Relays as they are, quarters of a pulse since the lift, microseconds from the last command to permit off."""
        relays = [pin.value() for pin in self._relays]
        return {
            "ok": True, "permit": relays[0], "motor": relays[1], "big": relays[2], "small": relays[3],
            "select": relays[4], "quarters": self._quarters - self._quarters_at_lift, "flowing": self._rate > 0,
            "off_us": self._off_us, "late_us": self._late_us,
        }  # fmt: skip
