"""Runs on MicroPython in a small heap: the client's reading task is fed byte streams of a seed, without a socket.

Prints one line per outcome; anything but the ends that a broken line may have is an error that shows.
"""

import gc
import sys

import sockets

import mqtt

seed, rounds = int(sys.argv[1]), int(sys.argv[2])
state = seed * 2654435761 & 0x3FFFFFFF or 1
outcomes = {}
heard = [0, 0]


def rand(below):
    global state
    state = (state * 1103515245 + 12345) & 0x3FFFFFFF
    return (state >> 8) % below


def on_message(topic, payload):
    heard[0] += 1
    if payload is None:
        heard[1] += 1
    elif rand(5) == 0:
        raise ValueError("a reader that does not like it")


def publish(topic, payload, qos):
    return mqtt.packet(0x30 | qos << 1, mqtt.string(topic), b"\x00\x07" if qos else b"", payload)


def some_packets():
    out = bytearray()
    for _ in range(1 + rand(4)):
        kind = rand(9)
        if kind < 3:
            out.extend(publish(b"a/b", bytes(rand(300)), rand(2)))
        elif kind == 3:
            out.extend(b"\x40\x02\x00" + bytes((rand(3),)))
        elif kind == 4:
            out.extend(b"\xd0\x00")
        elif kind == 5:
            out.extend(b"\x90\x03\x00\x01\x01")
        elif kind == 6:
            out.extend(publish(b"a/b", bytes(1200 + rand(1500)), 1))
        elif kind == 7:  # a length that nobody will send
            out.extend(bytes((0x30, 0x80 | rand(128), 0x80 | rand(128), 0x80 | rand(128), rand(256))))
        else:
            out.extend(bytes([rand(256) for _ in range(rand(40))]))
    for _ in range(rand(4)):
        if out:
            out[rand(len(out))] ^= 1 << rand(8)
    return bytes(out[: 1 + rand(len(out))]) if out and rand(4) == 0 else bytes(out)


def run(data):
    client = mqtt.MQTT("c", "127.0.0.1", 1, "u", "p", 10)
    client.set_callback(on_message)
    at = 0

    def fill(sock, buf):
        nonlocal at
        if at + len(buf) > len(data):
            raise OSError(104)
        buf[:] = data[at : at + len(buf)]
        at += len(buf)
        return
        yield  # makes it awaitable, as the real one is

    sockets.fill = fill
    client.sock = client._fault = None
    client._waiting = 1
    client._quiet_ms = 0
    try:
        client._read().send(None)
        return "went on"
    except OSError as error:
        name = "OSError " + str(error.errno)
    except MemoryError:
        name = "MemoryError"
    assert len(client._outbox) < 12, "acknowledgements pile up"
    return name


gc.collect()
most = 0
for _ in range(rounds):
    name = run(some_packets())
    outcomes[name] = outcomes.get(name, 0) + 1
    gc.collect()
    most = max(most, gc.mem_alloc())
for name in sorted(outcomes):
    print(name, outcomes[name])
print("heard", heard[0], "too long", heard[1], "alloc", most)
print("ok")
