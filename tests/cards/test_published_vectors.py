"""Cryptography and frames of card and reader against published examples (D1, D20).

Sources: NIST SP 800-38B appendix D.1 and RFC 4493 (CMAC); NXP AN10922 section 2.2.1 and AN10957 pages 13-14 (key
diversification); the recorded exchanges with real cards in "DESFire EV1 Communication Examples" (Elmue, 2016), which
pydesfire repeats in its tests.
"""

from collections.abc import Callable

import pytest

import an10922
import cmac
import desfire
import pn532
from desfire_run import run
from station.cards.desfire_admin import AdminSession
from tools.bench import desfire_crypto
from tools.bench.desfire_card import DesfireCard
from tools.bench.desfire_crypto import Key
from tools.bench.desfire_state import Application

NIST_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
NIST_MESSAGE = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
NIST_CMACS = {
    0: "bb1d6929e95937287fa37d129b756746",
    16: "070a16b46b4d4144f79bdd9dd04a287c",
    40: "dfa66747de9ae63030ca32611497c827",
    64: "51f0bebf7e3b9d92fc49741779363cfe",
}


@pytest.mark.parametrize("length", NIST_CMACS)
def test_cmac_is_that_of_nist_on_board_and_card_side(length: int) -> None:
    message = NIST_MESSAGE[:length]
    assert cmac.mac(NIST_KEY, message).hex() == NIST_CMACS[length]
    assert desfire_crypto.cmac(Key("AES", NIST_KEY), bytes(16), message).hex() == NIST_CMACS[length]


def test_cmac_of_three_key_triple_des_is_that_of_nist() -> None:
    key = Key("3K3DES", bytes.fromhex("8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5"))
    assert desfire_crypto.cmac(key, bytes(8), b"").hex() == "b7a688e122ffaf95"
    assert desfire_crypto.cmac(key, bytes(8), NIST_MESSAGE[:20]).hex() == "743ddbe0ce2dc2ed"


def test_a_card_key_is_that_of_an10922() -> None:
    master = bytes.fromhex("00112233445566778899aabbccddeeff")
    uid, aid = bytes.fromhex("04782e21801d80"), bytes.fromhex("3042f5")
    assert an10922.diversify(master, uid, aid, b"NXP Abu").hex() == "a8dd63a3b89d54b37ca802473fda9175"


def test_a_short_diversification_input_is_padded_to_two_blocks() -> None:
    master = bytes.fromhex("f3f9377698707b688eaf84abe39e3791")
    assert an10922.diversify(master, bytes.fromhex("04deadbeeffeed"), b"", b"").hex() == (
        "0bb408baff98b6ee9f2e1585777f6a51"
    )


@pytest.mark.parametrize("length", [0, 32])
def test_diversification_refuses_what_an10922_does_not_allow(length: int) -> None:
    with pytest.raises(ValueError, match="AN10922"):
        an10922.diversify(bytes(16), bytes(length), b"", b"")


# key, RndB, RndA, then the card's challenge, the reader's token, the card's answer, the session key
AES_AUTHENTICATIONS = [
    (
        "00000000000000000000000000000000",
        "c05ddd714fd788a6b7b754f3c4d066e8",
        "f44b26f5686f3a391cd38ebd10772281",
        "b969fdfe56fd91fc9de6f6f213b8fd1e",
        "36aad7df6e436ba08d18613830a70d5ad43e3d3f4a8d47541eee623a934e4774",
        "800db680bc146bd121d6578f2d2e2059",
        "f44b26f5c05ddd7110772281c4d066e8",
    ),
    (
        "10182028303840485058606870788088",
        "626ffbd45caf334acca45599304f5b17",
        "40e7d27174cba675e8efbab99c530e3d",
        "b351cb2465d4f33ac627fd6e87a168f2",
        "044b6cac343a0865895149649ca8dde1f5ac4ec67bd208900af02f049e05f0b0",
        "a2ee144b1012fbeb7b2f11132d95a454",
        "40e7d271626ffbd49c530e3d304f5b17",
    ),
]


@pytest.mark.parametrize("vector", AES_AUTHENTICATIONS)
def test_aes_authentication_is_byte_for_byte_that_of_a_real_card(vector: tuple[str, ...]) -> None:
    key, rnd_b, rnd_a, challenge, token, answer, session_key = map(bytes.fromhex, vector)
    session, card = desfire.Session(), _card(Key("AES", key), rnd_b)
    asked = session.authenticate(0, key, rnd_a)
    assert next(asked) == b"\xaa\x00"
    assert card.exchange(b"\xaa\x00") == b"\xaf" + challenge
    assert asked.send(b"\xaf" + challenge) == b"\xaf" + token
    assert card.exchange(b"\xaf" + token) == b"\x00" + answer
    with pytest.raises(StopIteration):
        asked.send(b"\x00" + answer)
    assert session.key == session_key
    assert card.session is not None and card.session.key.data == session_key


@pytest.mark.parametrize(
    ("kind", "vector"),
    [
        (
            "DES",
            (
                "00102031405060708090a0b0b0a09080",
                "bcd8299747332daf",
                "530e3d90f7a201c4",
                "b295579926155ae3",
                "70f349740c945dae159ba9fedbcc461a",
                "b8fd7fe56b241fc4",
                "520e3c90bcd82896f6a200c446322cae",
            ),
        ),
        (
            "3K3DES",
            (
                "00" * 24,
                None,
                "36c5f8bf4a09ac239e8da0c73251d4ab",
                "bc1c570bc948156187132364e4dce176",
                "dddc9a77597f03a40c7faa362f45a8eadbe46a115d98198cbf36a6e51b39d87c",
                "7244d935ed9a1306cd8c841a7c1de39a",
                "36c4f8be306e6c76ac229e8cf824ba303250d4aa643656a2",
            ),
        ),
    ],
)
def test_the_card_authenticates_by_triple_des_as_a_real_one(kind: str, vector: tuple[str, ...]) -> None:
    key = Key(kind, bytes.fromhex(vector[0]))
    challenge, token, answer, session_key = map(bytes.fromhex, vector[3:])
    rnd_b = bytes.fromhex(vector[1]) if vector[1] else desfire_crypto.receive(key, bytes(8), challenge)
    card = _card(key, rnd_b)
    assert card.exchange(b"\x1a\x00") == b"\xaf" + challenge
    assert card.exchange(b"\xaf" + token) == b"\x00" + answer
    assert card.session is not None
    # The lowest bit of each byte is parity, which the recording has cleared.
    assert bytes(byte & 0xFE for byte in card.session.key.data) == bytes(byte & 0xFE for byte in session_key)


def test_the_chained_mac_of_a_command_is_that_of_a_real_card() -> None:
    session = desfire.Session()
    session._begin(bytes.fromhex("90f7a20191036845ec63decd544b9931"))
    asked = session.command(b"\x64\x00")
    assert next(asked) == b"\x64\x00"
    assert session._iv.hex() == "257fc538618a944a3a20967b6f314348"
    with pytest.raises(StopIteration) as end:
        asked.send(bytes.fromhex("00108a8fa36f55cd210d"))
    assert end.value.value == b"\x10"


def test_an_answer_with_one_bit_changed_is_no_answer() -> None:
    session = desfire.Session()
    session._begin(bytes.fromhex("90f7a20191036845ec63decd544b9931"))
    asked = session.command(b"\x64\x00")
    next(asked)
    with pytest.raises(desfire.CardLost):
        asked.send(bytes.fromhex("00118a8fa36f55cd210d"))


NEW_KEY = bytes.fromhex("00102030405060708090a0b0b0a09080")


def test_changing_the_authenticated_key_is_byte_for_byte_that_of_a_real_card() -> None:
    key, rnd_b, rnd_a, *_ = map(bytes.fromhex, AES_AUTHENTICATIONS[0])
    session, card = AdminSession(), _card(Key("AES", key), rnd_b)
    run(session.authenticate(0, key, rnd_a), card.exchange)
    frames = []

    def exchange(frame: bytes) -> bytes:
        frames.append(frame)
        return card.exchange(frame)

    run(session.change_key(0, NEW_KEY, 0x10), exchange)
    assert frames == [
        bytes.fromhex("c400e9f85e219496c2b58c1090dc3935fae9e840cf61b383d9531946256b1f110c10"),
    ]
    assert card.selected.keys[0] == Key("AES", NEW_KEY, 0x10)


def test_changing_another_key_is_byte_for_byte_that_of_a_real_card() -> None:
    session = AdminSession()
    session._begin(bytes.fromhex("c2a1e47bd8100044fe6d00a74d7ab17c"))
    asked = session.change_key(1, NEW_KEY, 0x10, old=bytes(16))
    assert next(asked) == bytes.fromhex("c401e7eccb6bd1ca64bc161a12b1c024f71430337408c8a87eacab7a1ff18951fca3")
    with pytest.raises(StopIteration):
        asked.send(bytes.fromhex("002128d3cd9c9acfff"))


@pytest.mark.parametrize(
    "recorded",
    [
        "00 00 ff 05 fb d4 40 01 aa 00 41 00",
        "00 00 ff 05 fb d4 40 01 64 00 87 00",
        "00 00 ff 25 db d4 40 01 c4 00 e9 f8 5e 21 94 96 c2 b5 8c 10 90 dc 39 35 fa e9 e8 40 cf 61 b3 83 d9 53 19 46 25"
        " 6b 1f 11 0c 10 d8 00",
    ],
)
def test_a_frame_to_the_reader_is_that_of_a_recording(recorded: str) -> None:
    frame = bytes.fromhex(recorded)
    assert pn532.frame(frame[6:-2]) == frame


def _card(key: Key, rnd_b: bytes) -> DesfireCard:
    """A card with an application whose keys are `key`, about to draw rnd_b."""
    card = DesfireCard.blank(bytes.fromhex("04112233445566"), random=_once(rnd_b))
    application = Application(b"\x16\xae\x00", 0x0F, key.kind, [key, key])
    card.applications[application.aid] = application
    card.select(application)
    return card


def _once(drawn: bytes) -> Callable[[int], bytes]:
    numbers = iter([drawn])
    return lambda size: next(numbers)
