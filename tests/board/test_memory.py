"""The board's memory: what one customer can ask for at most, and a test measure, in the heap that a board has (budget:
50 K words). A board that runs out of it starts again, which the bench tells."""

from pathlib import Path

import pytest

from tools import bench_memory

FUELLING_KB = 86  # live, of 100: beside it a frame, a record and the link's garbage must fit in one piece


@pytest.mark.timeout(240)
def test_d20_d24_d28_the_worst_visit_and_a_test_measure_fit_into_the_boards_memory(tmp_path: Path) -> None:
    """A list of cards and a receipt, then money to load, driver, PIN and kilometres in one visit; then the prover."""
    told: list[str] = []
    try:
        figures = bench_memory.measure(tmp_path, bench_memory.HEAP, say=told.append)
    except TimeoutError as error:
        pytest.fail("\n".join((*told, str(error))))
    assert figures["sale_completed"] is True
    fuelling_kb = figures["fuelling_kb"]
    assert isinstance(fuelling_kb, float) and 0 < fuelling_kb <= FUELLING_KB, told
