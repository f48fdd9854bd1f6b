"""The board's end of the wires (tools/bench/wires.py): registers in a small shared file, and how a board dies."""

import array

import uctypes

LEVELS, OUTPUTS, WDT_FED, WDT_TIMEOUT, BOOTS, WORST_US, PROGRAMS, ERASES, DIED, HEAP = 0, 2, 4, 5, 6, 7, 8, 9, 10, 11
LIVE = 12
DIED_RESET, DIED_SOFT, DIED_POWER = 1, 2, 3

plant = array.array("i", bytes(64))  # what the world does to the board, read-only here
board = array.array("I", bytes(64))  # what the board does to the world
home = ""
cause = 1
_file = None


def connect(directory, reset_cause):
    global home, cause, _file
    home, cause = directory, reset_cause
    _file = open(directory + "/wires", "r+b")
    read()
    _file.readinto(board)
    board[BOOTS] += 1
    board[DIED] = 0
    write()


def read():
    """Look at the wires; about a microsecond."""
    _file.seek(0)
    _file.readinto(plant)
    return plant


def write():
    _file.seek(64)
    _file.write(board)


def refresh():
    """Read the board's own half again: the bench may clear telemetry there."""
    _file.seek(64)
    _file.readinto(board)


def set_bit(register, bit, on):
    register += bit >> 5
    mask = 1 << (bit & 31)
    value = board[register] | mask if on else board[register] & ~mask
    if value != board[register]:  # a write of everything at every tick would undo what the bench has cleared
        board[register] = value
        write()


def die(how):
    """Stop at this very instruction, as a chip without power does: no clean-up, no exception handler runs."""
    board[DIED] = how
    write()
    uctypes.bytearray_at(0, 1)[0] = 0  # address 0 belongs to nobody: the process ends here
