"""`pumpside card` as a cashier types it, on the emulated reader (C1, C5, D1)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from station.cli.cardjobs import app
from tests.cards.conftest import UID
from tools.bench.desfire_card import DesfireCard
from tools.bench.pn532_reader import Reader

Command = Callable[..., Result]
ISSUE = ("issue", "--holder", "张三", "--document", "110101199001011234", "--plate", "京A12345")


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """The bench's desk reader of a station in tmp_path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSIDE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("PUMPSIDE_BENCH", "1")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with Reader(tmp_path / "var" / "bench" / "desk" / "reader", realistic=False) as reader:
        yield reader


@pytest.fixture
def card(reader: Reader) -> Command:
    """Runs a command; waits for no card."""

    def run(*words: str, typed: str | None = None) -> Result:
        waits = words[0] in ("issue", "show", "load", "settle", "rules", "pin", "refund", "replace", "renew")
        return CliRunner().invoke(app, [*words, "--wait", "0"] if waits else [*words], input=typed)

    return run


def test_a_day_at_the_desk(card: Command, reader: Reader) -> None:
    reader.put(DesfireCard.blank(UID))
    issued = card(*ISSUE, "--load", "500")
    assert issued.exit_code == 0, issued.output
    assert "6200 0001 0000 0012" in issued.output and "500.00" in issued.output
    shown = card("show").output
    for part in ("6200 0001 0000 0012", "记名", "张三", "京A12345", "92#", "余额 balance 500.00", "一致 agrees"):
        assert part in shown
    assert "余额 balance: 520.05 元" in card("load", "20.05").output
    assert "没有未完成的交易" in card("settle").output
    assert card("block", "6200 0001 0000 0012", "--lost").exit_code == 0
    assert "停用 blocked: 1" in card("list", "张三").output
    assert "停用" in card("load", "1").stderr
    assert card("unblock", "6200000100000012").exit_code == 0
    assert card("load", "1").exit_code == 0


def test_a_torn_load_is_told_and_resumed(card: Command, reader: Reader) -> None:
    blank = DesfireCard.blank(UID)
    reader.put(blank)
    assert card(*ISSUE).exit_code == 0
    before = blank.frames
    assert card("load", "10").exit_code == 0
    reader.tear_after((blank.frames - before) // 2)
    torn = card("load", "10")
    assert (torn.exit_code, "勿重复收款" in torn.stderr) == (1, True)
    assert "没有卡" in card("show").stderr
    reader.put(blank)
    assert "已收款未写卡" in card("show").output
    assert "余额 balance: 20.00 元" in card("load", "--resume").output


@pytest.mark.parametrize("amount", ["0", "abc", "1.005", "NaN", "Infinity", "1e9", "١٢.٣٤٥"])
def test_an_amount_that_is_none_is_told_and_nothing_happens(card: Command, reader: Reader, amount: str) -> None:
    reader.put(DesfireCard.blank(UID))
    refused = card("load", amount)
    assert refused.exit_code == 2 and "金额" in refused.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show",), "没有卡"),
        (("show", "--port", "/nowhere"), "打不开读卡器"),
        (("block", "123"), "卡号"),
        (("unblock", "6200000100000012"), "没有卡号"),
        (ISSUE[:3], "没有卡"),
    ],
)
def test_what_cannot_be_done_is_told_without_a_traceback(card: Command, words: tuple[str, ...], told: str) -> None:
    refused = card(*words)
    assert refused.exit_code == 1 and told in refused.stderr
    assert "Traceback" not in refused.output


def test_an_unfinished_order_is_told_before_the_card_is_touched(card: Command, reader: Reader) -> None:
    reader.put(DesfireCard.blank(UID))
    assert "记名卡" in card("issue", "--holder", "张三").stderr
    assert "制卡" not in card("show").output and "未发行" in card("show").stderr
    assert card("issue", "--kind", "gold").exit_code == 2
    assert card("issue", "--kind", "anonymous", "--grades", "a").exit_code == 2
    assert card("issue", "--kind", "anonymous", "--grades", "1,2").exit_code == 0


def test_c8_c9_y8_the_rarer_jobs_and_the_reports(card: Command, reader: Reader) -> None:
    """C5, C10 as well."""
    reader.put(DesfireCard.blank(UID))
    assert card(*ISSUE, "--load", "500").exit_code == 0
    assert "第二人复核" in card("load", "2000.01").stderr
    assert card("load", "2000.01", "--second", "leader", typed="a password\n\n").exit_code == 1
    refused = card("refund", "600", "--why", "多充")
    assert refused.exit_code == 1 and "复核" in refused.stderr
    assert "请付款 pay: 100.00 元\n  desk: 100.00 元" in card("refund", "100", "--why", "多充").output
    assert card("block", "6200000100000012", "--lost").exit_code == 0
    reader.take()
    reader.put(DesfireCard.blank(b"\x04second"))
    assert "6200 0001 0000 0020，余额 balance 400.00" in card("replace", "6200000100000012").output
    told = card("history", "6200000100000012").output.splitlines()
    assert "转入新卡" in told[0] and "余额 balance 0.00" in told[0] and len(told) == 3
    assert "与登记一致 reconciles" in card("statistics").output
    assert "账面 books 400.00 元，逐卡 card by card 400.00 元" in card("float").output
    assert "incentive.card" in card("incentives").output
    assert "长期有效" in card("renew").stderr


EVERY = (
    "issue", "show", "load", "block", "unblock", "settle", "list", "refund", "replace", "renew", "history",
    "statistics", "float", "incentives",
)  # fmt: skip


@pytest.mark.parametrize("command", EVERY)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    text = CliRunner().invoke(app, [command, "--help"]).output
    assert "例 Example: pumpside card" in " ".join(text.split())


def test_d21_what_a_card_demands_is_ordered_changed_and_shown(card: Command, reader: Reader) -> None:
    reader.put(DesfireCard.blank(UID))
    issued = card(*ISSUE, "--day-yuan", "500", "--day-fills", "3", "--hours", "22-6", "--pin", typed="0123\n0123\n")
    assert issued.exit_code == 0, issued.output
    shown = card("show").output
    for part in ("500.00 元，3 次", "0-6, 22-24", "密码 PIN         已设"):
        assert part in shown
    changed = card("rules", "--hours", "", "--day-fills", "0", "--fill-litres", "60", "--odometer-km", "800")
    assert changed.exit_code == 0, changed.output
    shown = card("show").output
    for part in ("每次 per fill    60 L", "每日 per day     500.00 元\n", "800 km", "已设"):
        assert part in shown
    assert "hours" not in shown
    assert "已设" not in card("pin", "--remove").output + card("show").output
    assert card("pin", typed="77\n77\n").exit_code == 1
    assert card("pin", typed="778899\n778899\n").exit_code == 0
    assert "单位" in card("rules", "--driver").stderr
    assert card("rules", "--odometer-km", "850").exit_code == 2


@pytest.mark.parametrize("kind", ["staff", "manager", "test", "service", "driver", "account"])
def test_d23_cards_of_every_role_are_issued_and_hold_no_money(card: Command, reader: Reader, kind: str) -> None:
    reader.put(DesfireCard.blank(UID))
    issued = card("issue", "--kind", kind, "--holder", "李四", "--document", "E7", "--company", "7")
    assert issued.exit_code == 0, issued.output
    refused = card("load", "1")
    assert refused.exit_code == 1
    assert "不存钱" in refused.stderr
