"""The channel check (D14) on signals: two wires, the chip's counters, the board's adapter and the core's judgement.

docs/metering.md states how soon each fault is found; these are its promises for the usual pulsers, and its admissions.
"""

import pytest

from tools.pulser_table import FLOWS, distance_ml


@pytest.mark.parametrize(("pulses_per_l", "l_min"), FLOWS)
def test_d14_a_sound_pulser_is_never_called_broken(pulses_per_l: int, l_min: int) -> None:
    found, wrong_ml = distance_ml("none", pulses_per_l, l_min, seed=11, most_l=40)
    assert found is None
    assert wrong_ml <= 12, "one pulse, and one tick's worth"


@pytest.mark.parametrize(
    ("fault", "pulses_per_l", "l_min", "most_ml"),
    [
        ("stuck_a", 100, 40, 700), ("stuck_b", 100, 40, 700), ("stuck_a", 1000, 130, 500), ("stuck_b", 400, 60, 900),
        ("swapped", 100, 40, 300), ("reversed", 1000, 130, 300), ("doubled_a", 100, 40, 800),
        ("lost_a 1/3", 100, 40, 2_500), ("lost_a 1/10", 100, 40, 7_000), ("lost_b 1/10", 1000, 130, 6_000),
        ("noisy_a", 1000, 130, 4_000),
    ],
)  # fmt: skip
def test_d14_faults_are_found_within_the_stated_litres(fault: str, pulses_per_l: int, l_min: int, most_ml: int) -> None:
    for seed in range(3):
        found, _ = distance_ml(fault, pulses_per_l, l_min, seed, most_l=20)
        assert found is not None and found <= most_ml, (seed, found)


def test_d14_noise_on_one_channel_costs_not_a_millilitre() -> None:
    for seed in range(3):
        _, wrong_ml = distance_ml("noisy_a", 100, 40, seed, most_l=15)
        assert abs(wrong_ml) <= 12


def test_d14_pulses_lost_on_both_channels_at_once_leave_no_trace() -> None:
    """The limit of two channels that share one wheel: only the tank's gauge (D32) and the prover see it."""
    found, wrong_ml = distance_ml("lost_both 1/10", 100, 40, seed=1, most_l=20)
    assert found is None and wrong_ml > 1_500
