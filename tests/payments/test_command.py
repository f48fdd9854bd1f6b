"""Y1, Y7 at the command line: a code in the terminal, what came of it, the day's statement."""

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from station import payments
from station.cli.payment import app
from station.payments.gateway import china_day
from station.platform import clock, database
from station.platform.settings import load
from station.setup import prepare
from tests.payments.conftest import issue
from tools.bench.gateway.app import Gateway
from tools.bench.gateway.keys import equip

CARD = "6200000300000010"


def test_y1_y7_a_payment_and_a_statement_at_the_command_line(
    bench: tuple[Gateway, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load(data_dir=tmp_path, bench=True)
    engine = prepare(settings)
    with database.write(engine) as conn:
        issue(conn, CARD)
    equip(tmp_path / "payments", bench[0].keys, bench[1], "http://127.0.0.1:9")
    for name, value in (("PUMPSIDE_DATA_DIR", str(tmp_path)), ("PUMPSIDE_BENCH", "true"), ("USER", "wang")):
        monkeypatch.setenv(name, value)

    def told(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == code, done.output
        return done.output

    assert "微信支付 WeChat Pay" in told("gateways")
    shown = told("ask", CARD, "200", "--gateway", "alipay")
    assert "█" in shown or "▄" in shown
    order_no = next(word for word in shown.split() if word.startswith("P") and len(word) == 23)
    bench[0].trades.pay(bench[0].trades.get("alipay", order_no), clock.now())
    assert "已付款" in told("look", order_no)
    assert "applied" in told("show", order_no)
    assert "placed" in told("refund", order_no, "1", "--why", "x", code=1)
    yesterday = (china_day(clock.now()) - timedelta(days=1)).isoformat()
    with database.write(engine) as conn:
        conn.execute(payments.tables.payments.update().values(paid_at=clock.now() - 86_400))
    assert "ours, not theirs" in told("reconcile", "alipay", yesterday, code=1)
    assert "check digit" in told("ask", "6200000300000011", "200", code=1)
    engine.dispose()


@pytest.mark.parametrize("command", ["gateways", "list", "ask", "show", "look", "refund", "reconcile"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    assert f"pumpside payment {command}" in CliRunner().invoke(app, [command, "--help"]).output
