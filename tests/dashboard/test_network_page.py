"""O7, C13: the page of several stations, in a browser over a real database."""

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import insert

from station import network
from station.network import moves
from station.platform import clock, database
from station.sales import tables as sales_tables
from tests.dashboard.conftest import OfficeRun, Viewer
from tests.dashboard.test_look import CHINESE, CONTRAST


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_o7_c13_the_tree_says_who_is_silent_and_the_clearing_who_owes_whom(
    clerk: Viewer, office: OfficeRun, lang: str
) -> None:
    now = clock.now()
    with database.write(office.engine) as conn:
        if not network.tree(conn):
            for unit in (
                network.Unit("zj", network.REGION, None, "Zhejiang"),
                network.Unit("s1", network.STATION, "zj", "West Lake"),
                network.Unit("s2", network.STATION, "zj", "Harbour"),
            ):
                network.add(conn, unit, "admin", now)
            for number in (1, 2):
                network.join(conn, f"s{number}", number, "admin", now)
            heard = network.tables.members.update().where(network.tables.members.c.station == "s1")
            conn.execute(heard.values(heard_at=now - 3_600))
            moves.keep(conn, [moves.Move(moves.SALE, 2, 1, 5, "6200000100000012", 12_345, 1, None, now)])
            row = {"station": "s2", "grade": 1, "hour": now // 3600 * 3600, "sales": 1, "volume_ml": 16_330}
            conn.execute(insert(sales_tables.hours), row | {"amount_fen": 12_345})
    page = clerk.open("/network", lang=lang)
    harbour = page.locator("tr", has_text="Harbour")
    expect(harbour).to_contain_text("123.45")
    expect(harbour).to_contain_text("not heard yet" if lang == "en" else "尚未联系")
    expect(page.locator("tr", has_text="West Lake")).to_contain_text("silent since" if lang == "en" else "失联")
    due = page.locator("section", has_text="Clearing" if lang == "en" else "清算").locator("tbody tr")
    expect(due).to_have_count(1)
    expect(due).to_contain_text("s1")
    expect(due).to_contain_text("123.45")
    if lang == "en":
        assert re.findall(CHINESE, page.locator("body").inner_text().replace("中文", "")) == []
    for dark in (False, True):
        page.evaluate("dark => { document.body.classList.toggle('body--dark', dark) }", dark)
        page.wait_for_timeout(250)
        assert page.evaluate(CONTRAST) == [], f"dark: {dark}"
