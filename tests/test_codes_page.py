"""docs/codes.md says what pump and station really show, and every code that can be met is explained. D2."""

from pathlib import Path

from pump import beeps
from pump.core import codes, view
from station import texts
from tools import codes as page

ROOT = Path(__file__).resolve().parent.parent
REFUSALS = [value for name, value in vars(codes).items() if name.startswith("REFUSE_")]


def test_the_page_is_what_the_tables_say() -> None:
    assert (ROOT / "docs/codes.md").read_text("utf-8") == page.page(), "python -m tools.codes > docs/codes.md"


def test_every_alarm_and_every_lock_says_what_to_do() -> None:
    alarms = {value for name, value in vars(codes).items() if name.startswith("ALARM_")}
    assert set(page.ALARM_HELP) == set(texts.ALARMS) == alarms
    assert set(page.LOCK_HELP) == set(range(1, 8))


def test_d2_every_refusal_has_a_beep_of_its_own() -> None:
    """The tones of a refusal, then tens as long tones and ones as short ones, which can be counted."""
    heard = {code: page.tune(view.BEEP_REFUSED, code) for code in REFUSALS}
    assert len(set(heard.values())) == len(REFUSALS) == 30
    refused = page.tune(view.BEEP_REFUSED)
    for code, tune in heard.items():
        assert tune.startswith(refused + "·····"), "the tones of a refusal come first"
        tones = tune[len(refused) :].replace("·", " ").split()
        assert (tones.count("▇▇▇▇"), tones.count("▇")) == divmod(code, 10)
        assert len(tune) * 50 <= 2500, "heard within two and a half seconds"


def test_beeps_that_are_no_refusal_tell_no_code() -> None:
    for beep in (view.BEEP_KEY, view.BEEP_OK, view.BEEP_ALARM):
        assert beeps.pattern(beep, codes.REFUSE_CLOCK) == beeps.pattern(beep, 0)
    assert beeps.pattern(view.BEEP_NONE, 0) == 0
