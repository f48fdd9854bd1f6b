"""Every code and every text on a page has its words in Chinese and English, in one place (station.texts)."""

import ast
import re
import string
from pathlib import Path

import pytest

from pump.core import codes, view
from station import texts
from station.sales import reasons
from tools.bench import state as bench

ROOT = Path(__file__).resolve().parent.parent
DASHBOARD = ROOT / "host" / "station" / "dashboard"
PAGES_OF_ALL = [*DASHBOARD.glob("*.py"), *(DASHBOARD.parent / "api").glob("*.py"), DASHBOARD.parent / "cli/staff.py"]
KEY = re.compile(r"[a-z_]+(\.[a-z_]+)+|brand")
CHINESE = re.compile("[\u4e00-\u9fff]")
TABLES = {
    "STOP_": texts.STOP_REASONS,
    "REFUSE_": texts.REFUSALS,
    "ALARM_": texts.ALARMS,
    "GRADE_": texts.GRADES,
    "PRESET_": texts.PRESETS,
    "CAUSE_": texts.RESET_CAUSES,
}


@pytest.mark.parametrize("prefix", TABLES)
def test_every_code_that_travels_has_both_texts(prefix: str) -> None:
    in_use = {value for name, value in vars(codes).items() if name.startswith(prefix)}
    assert in_use == set(TABLES[prefix])


def test_every_state_reason_and_bench_kind_has_both_texts() -> None:
    states = {value for name, value in vars(view).items() if name.isupper() and isinstance(value, str)}
    assert states
    assert states <= set(texts.STATES)
    assert set(reasons.REASONS) == set(texts.QUARANTINE)
    for prefix, kinds in (
        ("bench.trigger", bench.TRIGGERS), ("bench.network", bench.NETWORKS), ("bench.pulser", bench.PULSERS),
    ):  # fmt: skip
        assert {f"{prefix}.{kind}" for kind in kinds} <= set(texts.PAGES)


def test_chinese_is_chinese_english_is_english_and_both_take_the_same_values() -> None:
    tables = [t for t in vars(texts).values() if isinstance(t, dict) and all(isinstance(v, tuple) for v in t.values())]
    assert len(tables) >= 12
    for table in tables:
        for key, (zh, en) in table.items():
            assert zh.strip() and en.strip(), key
            if not str(key).startswith("frame.language"):  # each names the other language
                assert not CHINESE.search(en), key
            fields = [sorted(f for _, f, _, _ in string.Formatter().parse(words) if f) for words in (zh, en)]
            assert fields[0] == fields[1], key


def test_the_pages_ask_for_no_text_that_is_missing_and_none_lies_unused() -> None:
    asked: set[str] = set()
    begun: set[str] = set()  # f"bench.trigger.{v}": the beginning is what can be known
    for path in PAGES_OF_ALL:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.fullmatch(node.value):
                asked.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                begun.add(str(node.values[0].value))
            if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant):
                begun.add(str(node.left.value))
    heads = {key.split(".")[0] for key in texts.PAGES}
    prefixes = tuple(b for b in begun if "." in b and b.split(".")[0] in heads)
    missing = {key for key in asked if key.split(".")[0] in heads and key not in texts.PAGES}
    assert {key for key in missing if not any(b.startswith(key) for b in prefixes)} == set()
    unused = {key for key in texts.PAGES if key not in asked and not key.startswith(prefixes)}
    assert unused == set()


def test_a_code_of_newer_firmware_is_named_by_its_number() -> None:
    assert texts.stop_reason(250, texts.ZH) == "代码 250"
    assert texts.alarm(250, texts.EN) == "code 250"
    assert texts.state("hovering", texts.EN) == "hovering"


def test_every_account_kind_and_risk_rule_has_both_texts() -> None:
    from station.ledger import chart
    from station.risk.rules import DEFAULTS
    from station.texts import books

    assert set(books.ACCOUNT_KINDS) == set(chart.CLASSES)
    assert set(books.ACCOUNT_CLASSES) == set(chart.CLASSES.values())
    assert {rule.name for rule in DEFAULTS} == set(books.RISK_RULES)


def test_every_parameter_and_every_measure_of_risk_has_both_texts() -> None:
    from station.platform.parameters import PARAMETERS
    from station.risk.measures import MEASURES
    from station.risk.rules import ACTIONS
    from station.texts import supervision

    assert set(supervision.PARAMETER_NAMES) == set(PARAMETERS)
    assert {f"parameters.unit.{one.unit}" for one in PARAMETERS.values()} <= set(texts.PAGES)
    assert set(supervision.RISK_METRICS) == set(supervision.RISK_UNITS) == set(MEASURES)
    assert set(supervision.RISK_ACTIONS) == set(ACTIONS)
