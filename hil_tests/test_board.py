"""The board by itself: safe from the first instruction on, and open to the tools people use."""

from pathlib import Path

from hil_tests.driver import OUTPUTS, READ_OUTPUTS, Driver

ALL_OFF = str([0] * len(OUTPUTS))


def test_d13_boots_safe(pump: Driver) -> None:
    """After boot.py alone every output is driven low: valves, motor and permit are off before anything else runs."""
    assert pump.mpremote("soft-reset", "exec", READ_OUTPUTS).strip() == ALL_OFF
    pump.restart()
    assert pump.live().get("s") == "idle"


def test_d13_a_person_at_the_console_stops_the_pump_safely_and_the_watchdog_leaves_them_alone(pump: Driver) -> None:
    boot = pump.state()["boot"]
    outputs = pump.mpremote("resume", "exec", READ_OUTPUTS, "sleep", "5", "exec", READ_OUTPUTS)
    assert outputs.split("\n")[:2] == [ALL_OFF, ALL_OFF]
    pump.restart()
    assert pump.state()["boot"] == boot + 1  # the watchdog (3 s) did not bite meanwhile


def test_d29_mpremote_round_trip(pump: Driver, tmp_path: Path) -> None:
    """exec, eval, run, files there and back, soft reset: as on any MicroPython board."""
    assert pump.mpremote("exec", "print(6 * 7)").strip() == "42"
    assert pump.mpremote("eval", "2 ** 10").strip() == "1024"
    script = tmp_path / "there.py"
    script.write_text("print('ran', len(open('/software').read()))\n")
    assert pump.mpremote("run", str(script)).strip() == "ran 16"
    sent = bytes(range(256)) * 8
    (tmp_path / "sent.bin").write_bytes(sent)
    pump.mpremote("fs", "cp", str(tmp_path / "sent.bin"), ":/round_trip.bin")
    assert "round_trip.bin" in pump.mpremote("fs", "ls", ":/")
    pump.mpremote("fs", "cp", ":/round_trip.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == sent
    pump.mpremote("fs", "rm", ":/round_trip.bin")
    assert "round_trip.bin" not in pump.mpremote("fs", "ls", ":/")
    pump.restart()


def test_d25_the_software_id_it_tells_is_the_one_on_its_file_system(pump: Driver) -> None:
    told = pump.state()["sw"]
    assert pump.mpremote("exec", "print(open('/software').read())").strip() == told
    pump.restart()
