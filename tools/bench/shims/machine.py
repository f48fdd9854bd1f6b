"""The parts of the ESP32's `machine` that Pumpside uses, on the wires of a simulated board."""

import gc
import select
import time

import wired

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
_ESTOP = 5  # the only switch on a GPIO of its own; wires: bit 4 of the switches
_SUPPLY = 34


def reset_cause():
    return wired.cause


def reset():
    wired.die(wired.DIED_RESET)


def soft_reset():
    wired.die(wired.DIED_SOFT)


def unique_id():
    return (wired.home.encode() + bytes(6))[-12:-6]


class Pin:
    IN, OUT, OPEN_DRAIN, PULL_DOWN, PULL_UP = 1, 3, 7, 1, 2

    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        self.id = id
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None):
        if value is not None:
            self.value(value)
        if mode > 0:
            wired.set_bit(wired.OUTPUTS, self.id, mode != Pin.IN)

    def value(self, x=None):
        if x is not None:
            wired.set_bit(wired.LEVELS, self.id, x)
            return None
        if self.id == _ESTOP:
            return wired.read()[0] >> 4 & 1
        return wired.board[wired.LEVELS + (self.id >> 5)] >> (self.id & 31) & 1


class ADC:
    ATTN_11DB = 3

    def __init__(self, pin, *, atten=3):
        self._divider = 11 if pin.id == _SUPPLY else 1

    def read_uv(self):
        return (wired.read()[1] >> 16 & 0xFFFF) * 1000 // self._divider


class UART:
    """The serial line to the card reader: a pseudo-terminal. Without a reader nothing ever answers."""

    def __init__(self, id, baudrate=115200, **_):
        try:
            self._line = open(wired.home + "/reader", "r+b")
        except OSError:
            self._line = open("/host/dev/null", "r+b")
        self._poll = select.poll()
        self._poll.register(self._line, 1)

    def any(self):
        for _, event in self._poll.ipoll(0):
            return event & 1
        return 0

    def read(self, n=64):
        return self._line.read(n) if self.any() else None

    def write(self, data):
        return self._line.write(data)


class I2C:
    """Two chips: a display behind a PCF8574, which the bench draws, and an MCP23017 with keypad and switches."""

    def __init__(self, id, **_):
        self._rows = 255
        self._lcd = None
        try:
            self._lcd = open(wired.home + "/lcd.fifo", "r+b")
            self._room = select.poll()
            self._room.register(self._lcd, 4)
        except OSError:
            pass

    def writeto(self, address, data, stop=True):
        if address == 0x20:
            if data[0] == 0:
                self._rows = data[1]
            return len(data)
        if address == 0x27 and self._lcd:
            for _ in self._room.ipoll(0):
                self._lcd.write(bytes((address, len(data))) + data)
                return len(data)
        raise OSError(19)

    def writeto_mem(self, address, register, data):
        self.writeto(address, bytes((register,)) + data)

    def readfrom_mem_into(self, address, register, buf):
        if address != 0x20:
            raise OSError(19)
        wires = wired.read()
        switches = wires[0]
        ports = [0xFF, ~switches & 15 | (switches >> 1 & 0x30) | 0xC0]  # nozzles close, tamper and seal open
        for row in range(4):
            if not self._rows >> row & 1:
                ports[0] &= ~((wires[1] >> 4 * row & 15) << 4) & ~(1 << row)
        for n in range(len(buf)):
            buf[n] = ports[register - 0x12 + n]


class WDT:
    def __init__(self, id=0, timeout=5000):
        self._last = 0
        wired.board[wired.WDT_TIMEOUT] = timeout
        self.feed()

    def feed(self):
        """Besides feeding: the control tick feeds, so the gap to the last time tells how late it came; and the heap."""
        now = time.native_us()
        late = now - self._last - 10000
        if self._last:
            wired.refresh()
            wired.board[wired.WORST_US] = max(wired.board[wired.WORST_US], late)
            wired.board[wired.HEAP] = max(wired.board[wired.HEAP], gc.mem_alloc())
        self._last = now
        wired.board[wired.WDT_FED] += 1
        wired.write()


class Timer:
    """The interpreter has no timers. Pumpside uses one for one thing only: to feed the dog while a person sits at the
    console. So a running Timer takes the dog's timeout away, and deinit gives it back."""

    PERIODIC = 1
    _timeout = 0

    def __init__(self, id):
        pass

    def init(self, *, mode=1, period=0, callback=None):
        Timer._timeout = wired.board[wired.WDT_TIMEOUT]
        wired.board[wired.WDT_TIMEOUT] = 0
        wired.write()

    def deinit(self):
        if Timer._timeout:
            wired.board[wired.WDT_TIMEOUT] = Timer._timeout
            Timer._timeout = 0
            wired.write()


class RTC:
    def datetime(self, when=None):
        if when is None:
            t = time.localtime()
            return t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0
        time.set_clock(time.mktime((when[0], when[1], when[2], when[4], when[5], when[6], 0, 0)))
        return None
