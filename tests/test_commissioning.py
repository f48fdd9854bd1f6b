"""docs/commissioning.md promises only what stands: commands, targets, and what the display says at each step."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pump import guide, pages, texts
from station.cli.main import app
from station.portal import pages as portal
from tools.codes import LOCK_HELP

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/commissioning.md").read_text("utf-8")
COMMANDS = sorted(set(re.findall(r"`pumpside ((?:[a-z-]+)(?: (?:set|list|issue|verify))?)", PAGE)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_it_names_exists(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "--help"])
    assert done.exit_code == 0, done.output


def test_every_make_target_it_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", PAGE)) <= targets


def test_what_it_quotes_from_the_display_is_what_the_display_says() -> None:
    tables = (texts.NOTICES, texts.REFUSALS, texts.REASONS, texts.STATES, texts.LOCKS, pages.TITLES, guide.WORDS)
    shown = {word.split("|")[0] for table in tables for word in table.decode("gb2312").split("\n")}
    shown |= {text for _, _, text, _ in portal._BOOKS.values()} | {text for text, _ in LOCK_HELP.values()}
    quoted = re.findall("“([^”]*[\u4e00-\u9fff][^”]*)”", PAGE)
    assert len(quoted) >= 8
    assert [quote for quote in quoted if not any(quote in text for text in shown)] == []
