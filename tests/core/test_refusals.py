"""D2: each bad state of a card has its own refusal code, text and beep, is journalled and opens no valve."""

from collections.abc import Callable

import pytest

from pump import texts as at_the_pump
from pump.core import card_layout, codes, records, view
from station import texts
from station.cards.rules import Rules
from tests.core.rigs import Bench
from tools.bench import desfire_files
from tools.bench.desfire_card import DesfireCard
from tools.sim import cards

Prepare = Callable[[Bench], DesfireCard]


def wrong_issuer(bench: Bench) -> DesfireCard:
    bench.controller.config.issuer += 1
    return bench.card()


def wrong_key(bench: Bench) -> DesfireCard:
    card = bench.card()
    bench.controller.config.pump_key = bytes(16)
    return card


def expired(bench: Bench) -> DesfireCard:
    bench.pump.clock_offset_s += cards.EXPIRY - bench.controller.now_s
    return bench.card()


def unfinished(bench: Bench) -> DesfireCard:
    other = Bench("tap", (1,), device=258)
    card = other.card()
    other.authorise(card)
    card.reset()
    return card


def wrong_grade(bench: Bench) -> DesfireCard:
    return bench.card(grades=1 << codes.GRADE_DIESEL)


def poor(bench: Bench) -> DesfireCard:
    return bench.card(50)


def damaged(bench: Bench) -> DesfireCard:
    card = bench.card()
    limits = card.applications[card_layout.AID].files[card_layout.FILE_LIMITS]
    assert isinstance(limits, desfire_files.DataFile)
    limits.content = limits.content[:20] + b"\xff" + limits.content[21:]
    return card


def locked(bench: Bench) -> DesfireCard:
    bench.controller.command("lock")
    return bench.card()


def no_price(bench: Bench) -> DesfireCard:
    bench.controller.prices = {}
    return bench.card()


def blank(bench: Bench) -> DesfireCard:
    return DesfireCard.blank(b"\x04\1\2\3\4\5\6", bench.rng.randbytes)


def station(bench: Bench) -> DesfireCard:
    return bench.card(rules=Rules(stations=(77,)))


def small_preset(bench: Bench) -> DesfireCard:
    bench.keys("5A#")
    return bench.card()


def blocked_pin(bench: Bench) -> DesfireCard:
    card = bench.card(pin="1234")
    state = card.applications[card_layout.AID].files[card_layout.FILE_STATE]
    assert isinstance(state, desfire_files.DataFile)
    state.content = card_layout.pack_state(0, tries=3)
    return card


def wrong_hour(bench: Bench) -> DesfireCard:
    hour = (bench.controller.now_s + card_layout.DAY_OFFSET_S) // 3600 % 24
    return bench.card(rules=Rules(hours=((hour + 12) % 24,)))


def day_spent(bench: Bench) -> DesfireCard:
    return bench.card(rules=Rules(day_fen=50))


def no_clock(bench: Bench) -> DesfireCard:
    bench.pump.quality = records.TIME_UNKNOWN
    return bench.card(rules=Rules(day_fills=1))


def nobody_on_duty(bench: Bench) -> DesfireCard:
    bench.controller.set_settings(1, {"duty_required": 1})
    return bench.card()


def account_offline(bench: Bench) -> DesfireCard:
    return bench.card(0, kind=card_layout.KIND_ACCOUNT, company=7)


BAD = {
    codes.REFUSE_WRONG_ISSUER: wrong_issuer,
    codes.REFUSE_WRONG_KEY: wrong_key,
    codes.REFUSE_EXPIRED: expired,
    codes.REFUSE_UNFINISHED: unfinished,
    codes.REFUSE_GRADE: wrong_grade,
    codes.REFUSE_BALANCE: poor,
    codes.REFUSE_DAMAGED: damaged,
    codes.REFUSE_LOCKED: locked,
    codes.REFUSE_NO_PRICE: no_price,
    codes.REFUSE_NOT_A_PURSE: blank,
    codes.REFUSE_STATION: station,
    codes.REFUSE_LIMIT: small_preset,
    codes.REFUSE_PIN_BLOCKED: blocked_pin,
    codes.REFUSE_HOURS: wrong_hour,
    codes.REFUSE_DAY_MONEY: day_spent,
    codes.REFUSE_CLOCK: no_clock,
    codes.REFUSE_NO_DUTY: nobody_on_duty,
    codes.REFUSE_OFFLINE: account_offline,
}


@pytest.mark.parametrize("mode", ["slot", "tap"])
@pytest.mark.parametrize("code", sorted(BAD), ids=lambda code: texts.refusal(code, "en"))
def test_d2_each_bad_state_is_refused_by_name_once_with_a_beep_and_no_flow(code: int, mode: str) -> None:
    bench = Bench(mode, (1,))
    card = BAD[code](bench)
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.controller.outputs.buzzer = view.BEEP_NONE
    bench.pump.plant.set_trigger(0, "full")
    bench.pump.put(card)
    bench.wait(3)
    assert [r["code"] for r in bench.of(records.REFUSAL)] == [code]
    refusal = bench.of(records.REFUSAL)[0]
    assert refusal["uid"] == card.uid
    assert (bench.view.notice, bench.view.refusal) == (view.NOTICE_REFUSED, code)
    assert bench.controller.outputs.buzzer == view.BEEP_REFUSED
    assert bench.dark()
    assert bench.pump.plant.true_ul(0) == 0


def test_d2_every_refusal_has_a_text_of_its_own_at_the_pump_and_on_the_pages_in_both_languages() -> None:
    known = sorted(value for name, value in vars(codes).items() if name.startswith("REFUSE_"))
    lines = at_the_pump.REFUSALS.decode("gb2312").strip().splitlines()
    assert len(lines) == len(known) == known[-1]
    for half in (0, 1):
        shown = [line.split("|")[half] for line in lines]
        assert all(shown) and len(set(shown)) == len(shown)
    for lang in texts.LANGUAGES:
        told = [texts.refusal(code, lang) for code in known]
        assert all(told) and len(set(told)) == len(told)
