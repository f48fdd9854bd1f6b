"""What comes over MQTT and is not as it should be (X1), what pumps ask, and what is answered."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from pump.core import records
from station import forecourt, sales
from station.mqtt import messages
from station.mqtt.messages import MalformedError
from station.mqtt.work import Message, work
from station.platform import database
from station.platform.secrets import Secrets
from station.sales import reasons
from tests.station.test_order import undone
from tests.station.world import T0, PumpJournal, TestCard, issue

NOW = T0 + 100_000
ROOT = "pumpside/v1/s1/p1"
STATE = b'{"v":1,"online":true,"device":257,"boot":3,"state":"idle","alarms":[2],"time":1790000000,"tariff":1}'


def ask(payload: bytes) -> Message:
    return Message(f"{ROOT}/ask", payload)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("state", b""),
        ("state", b"{"),
        ("state", b"[]"),
        ("state", b'{"v":2,"online":true}'),
        ("state", b'{"v":1,"online":"yes"}'),
        ("state", b'{"v":1,"online":true,"boot":-1}'),
        ("state", b'{"v":1,"online":true,"time":1.5}'),
        ("state", b'{"v":1,"online":true,"alarms":["<script>"]}'),
        ("state", b'{"v":1,"online":true,"x":NaN}'),
        ("state", b"\xff\xfe"),
        ("state", b'{"a":' * 700),
        ("live", b'{"ml":"12"}'),
        ("live", b'{"ml":1e400}'),
        ("live", b'{"s":5}'),
        ("live", b"x" * 5000),
        ("ask", b'{"id":"zz","ask":"time"}'),
        ("ask", b'{"id":"01","ask":"money"}'),
        ("ask", b'{"id":"01","ask":"unfinished","uid":"04","sale":[257,1]}'),
        ("ask", b'{"id":"01","ask":"unfinished","uid":"04112233445566","sale":[257]}'),
        ("ask", b'{"id":"01","ask":"unfinished","uid":"04112233445566","sale":[257,99999999999]}'),
        ("done", b'{"id":"01","ok":1}'),
        ("done", b'{"id":"01","ok":true,"why":[]}'),
    ],
)
def test_malformed_payloads_are_kept_and_answered_with_nothing(
    engine: Engine, secrets: Secrets, topic: str, payload: bytes
) -> None:
    assert work(engine, secrets, [Message(f"{ROOT}/{topic}", payload)], NOW) == []
    with database.read(engine) as conn:
        (row,) = sales.quarantine(conn)
        assert (row.reason, row.place, row.raw) == (reasons.MALFORMED, f"{ROOT}/{topic}", payload)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    some=st.lists(
        st.tuples(
            st.sampled_from(["journal", "ask", "state", "live", "done", "ack", "nonsense", ""]),
            st.sampled_from(["p1", "p9", "", "+"]),
            st.one_of(st.binary(max_size=300), st.text(max_size=60).map(str.encode), st.just(STATE)),
        ),
        max_size=12,
    )
)
def test_no_message_whatever_stops_the_queue(
    engine: Engine, secrets: Secrets, some: list[tuple[str, str, bytes]]
) -> None:
    """Whatever stands around it, the genuine question in the same batch is answered."""
    batch = [Message(f"pumpside/v1/s1/{pump}/{leaf}", payload) for leaf, pump, payload in some]
    replies = work(engine, secrets, [*batch, ask(b'{"id":"0a","ask":"time"}')], NOW)
    assert replies[-1].message == {"id": "0a", "time": NOW}


def test_a_message_that_breaks_the_code_is_kept_and_the_others_go_through(
    engine: Engine, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours in one message must not hold up the rest."""
    parse = messages.parse_ask

    def broken(payload: bytes) -> messages.Ask:
        if b"dead" in payload:
            raise RuntimeError("a bug")
        return parse(payload)

    monkeypatch.setattr(messages, "parse_ask", broken)
    pump = PumpJournal(secrets.device(257).journal)
    pump.sale(TestCard(), 5_000)
    journal = Message(f"{ROOT}/journal", b"".join(pump.written))
    replies = work(
        engine, secrets, [ask(b'{"id":"dead","ask":"time"}'), journal, ask(b'{"id":"01","ask":"time"}')], NOW
    )
    assert [(reply.leaf, reply.message) for reply in replies] == [
        ("ack", {"seq": 4, "device": 257}),
        ("answer", {"id": "01", "time": NOW}),
    ]
    with database.read(engine) as conn:
        assert "RuntimeError" in {row.detail for row in sales.quarantine(conn)}


def test_a_pump_that_meets_a_foreign_unfinished_card_learns_what_flowed(engine: Engine, secrets: Secrets) -> None:
    """D20: journal of p1 and question of p2 in one batch; only the card of the sale gets an answer."""
    pump, card = PumpJournal(secrets.device(257).journal), TestCard()
    seq = pump.start(card, 20_001)
    pump.reserved((257, seq), card, 20_001)
    question = b'{"id":"01","ask":"unfinished","uid":"04112233445566","sale":[257,1],"counter":1}'
    stranger = b'{"id":"02","ask":"unfinished","uid":"04999999999999","sale":[257,1],"counter":1}'
    with database.write(engine) as conn:
        issue(conn, TestCard())
    first = Message(f"{ROOT}/journal", b"".join(pump.written))
    replies = work(engine, secrets, [Message("pumpside/v1/s1/p2/ask", question), first], NOW)
    assert {"id": "01", "unknown": True} in [reply.message for reply in replies], "it has not ended yet"
    amount = pump.end(seq, card, 20_001, 10_000)
    last = Message(f"{ROOT}/journal", pump.written[-1])
    asked = [Message("pumpside/v1/s1/p2/ask", raw) for raw in (question, stranger)]
    ack, answer, refused = work(engine, secrets, [*asked, last], NOW)
    assert ack.message == {"seq": 3, "device": 257}
    assert (answer.pump, answer.leaf) == ("p2", "answer")
    assert answer.message == {
        "id": "01", "sale": [257, 1], "amount_fen": amount, "volume_ml": 10_000, "grade": 1, "price": 756, "reason": 1,
    }  # fmt: skip
    assert refused.message == {"id": "02", "unknown": True}


def test_an_uncertain_sale_is_answered_with_nothing_flowed(engine: Engine, secrets: Secrets) -> None:
    pump, card = PumpJournal(secrets.device(257).journal), TestCard()
    seq = pump.start(card, 20_001)
    pump.end(seq, card, 20_001, 0, flags=records.FLAG_UNCERTAIN, reason=15)
    question = b'{"id":"01","ask":"unfinished","uid":"04112233445566","sale":[257,1],"counter":1}'
    journal = Message(f"{ROOT}/journal", b"".join(pump.written))
    _, answer = work(engine, secrets, [journal, Message("pumpside/v1/s1/p2/ask", question)], NOW)
    assert (answer.message["amount_fen"], answer.message["volume_ml"]) == (0, 0)


def test_states_are_kept_when_they_tell_something_and_no_oftener_than_needed(engine: Engine, secrets: Secrets) -> None:
    """D9: the last state stands in the database; the will only takes `online` away."""

    def kept() -> forecourt.Pump:
        with database.read(engine) as conn:
            found = forecourt.pump_named(conn, "s1", "p1")
            assert found is not None
            return found

    state = Message(f"{ROOT}/state", STATE)
    work(engine, secrets, [state], NOW)
    assert (kept().state["boot"], kept().state["online"], kept().state_at) == (3, True, NOW)
    work(engine, secrets, [state], NOW + 5)
    assert kept().state_at == NOW
    work(engine, secrets, [state], NOW + 10)
    assert kept().state_at == NOW + 10
    work(engine, secrets, [Message(f"{ROOT}/state", b'{"v":1,"online":false}')], NOW + 11)
    assert (kept().state["boot"], kept().state["online"], kept().state_at) == (3, False, NOW + 11)


def test_the_parsers_take_what_the_contract_shows() -> None:
    live = b'{"s":"fuelling","n":0,"g":1,"p":756,"ml":12345,"fen":9333,"limit":20000,"card":"62","link":1,"a":[]}'
    assert messages.parse_live(live)["ml"] == 12345
    assert messages.parse_state(b'{"v":1,"online":false}') == {"v": 1, "online": False}
    assert messages.parse_done(b'{"id":"0a","ok":false,"why":"boot"}') == messages.Done("0a", False, "boot")
    with pytest.raises(MalformedError):
        messages.parse_object(b'{"a":1}' + b" " * messages.JSON_LIMIT)


def test_one_message_changes_nothing_when_its_transaction_fails(engine: Engine, secrets: Secrets) -> None:
    """The undo helper of the property tests really leaves nothing behind."""
    with undone(engine) as conn:
        issue(conn, TestCard())
    with database.read(engine) as conn:
        assert sales.shadow(conn, TestCard().number) is None
