"""The parts of the ESP32's `machine` that Pumpside uses, on the wires of a simulated board."""

import gc
import select
import time

import esp32
import wired

WDT_RESET, SOFT_RESET = 3, 5
_ESTOP = 5  # the only switch on a GPIO of its own; wires: bit 4 of the switches


def unique_id():
    return wired.home[-6:].encode()


def reset_cause():
    return wired.cause


def reset():
    wired.die(wired.DIED_RESET)


def soft_reset():
    wired.die(wired.DIED_SOFT)


_hoard = []


def _break(how):
    """A fault of the board (tools/bench/wires.py, FAULT), where the firmware meets it."""
    if how == 1:
        raise RuntimeError("fault")
    while how == 2:
        esp32.run_events()  # interrupts still come
    while how == 3:
        _hoard.append(bytearray(64))  # ends with a MemoryError, and stays
    if how == 4:
        raise OSError(19)
    time.sleep_ms(500)


class Pin:
    """And what is measured at one: the supply monitor behind its divider of 1 : 11 is the only one."""

    IN, OUT, PULL_UP, ATTN_11DB = 1, 3, 2, 3

    def __init__(self, id, mode=-1, pull=-1, value=None, atten=0):
        self.id = id
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

    def read_uv(self):
        if 0 < wired.plant[14] < 10:
            _break(wired.plant[14])
        return (wired.read()[1] >> 16 & 0xFFFF) * 1000 // 11


ADC = Pin


class UART:
    """The serial line to the card reader: a pseudo-terminal. Without a reader nothing ever answers."""

    def __init__(self, id, baudrate=115200, **_):
        try:
            self._line = open(wired.home + "/reader", "r+b")
        except OSError:
            self._line = open("/host/dev/null", "r+b")
        self.write = self._line.write
        self._poll = select.poll()
        self._poll.register(self._line, 1)

    def read(self, n):
        for _, event in self._poll.ipoll(0):
            if event & 1:
                return self._line.read(n)
        return None


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
        if address == 0x27 and wired.plant[14] > 10:
            _break(wired.plant[14] - 10)
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
            if wired.plant[13]:
                gc.collect()
                wired.board[wired.LIVE] = gc.mem_alloc()
        self._last = now
        wired.board[wired.WDT_FED] += 1
        wired.write()


class Timer:
    """The interpreter has no timers. Pumpside uses one for one thing only: to feed the dog while a person sits at the
    console. So a running Timer takes the dog's timeout away, and deinit gives it back."""

    PERIODIC = 1
    _timeout = 0

    def __init__(self, id=0):
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

    def datetime(self, when):
        """Of the RTC, which needs nothing else: set the clock."""
        time.set_clock(time.mktime((when[0], when[1], when[2], when[4], when[5], when[6], 0, 0)))


RTC = Timer
