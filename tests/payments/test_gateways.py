"""Y1: what a gateway is: one module and one directory; and the local gateway is as strict as the real ones."""

import base64
import json
import secrets
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from wechatpayv3.utils import build_authorization

from station import payments
from station.payments import gateway, wechat
from station.payments.gateway import GatewayError, NotGenuineError, Order, fen_of
from station.platform import clock, database
from tests.payments.conftest import FACES, Shop
from tools.bench.gateway.app import Gateway
from tools.bench.gateway.callbacks import of_payment
from tools.bench.gateway.keys import MCHID, equip, public_pem


def test_y1_a_third_gateway_is_one_module_and_one_directory(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "payments/acme").mkdir(parents=True)
    (tmp_path / "payments/acme/settings.toml").write_text('module = "tests.payments.acme"\nword = "sesame"\n')
    ready = payments.gateways(tmp_path).ready
    assert list(ready) == ["acme"]
    with database.write(shop.engine) as conn:
        made = payments.make(conn, "acme", f"load:{shop.card}", 700, "wang", clock.now())
    made = payments.present(shop.engine, ready, made.order_no, clock.now())
    assert made.code == f"acme:{made.order_no}"
    body = json.dumps({"id": "7", "order": made.order_no, "fen": 700}).encode()
    assert payments.receive(shop.engine, ready["acme"], {}, body, clock.now()).status == 400
    assert payments.receive(shop.engine, ready["acme"], {"word": "sesame"}, body, clock.now()).status == 200
    assert shop.books("acme", made.order_no) == (700, 0, 700)


def test_y1_wrong_settings_of_one_gateway_are_told_and_leave_the_others_working(
    shop: Shop, bench: tuple[Gateway, str], tmp_path: Path
) -> None:
    equip(tmp_path / "payments", bench[0].keys, bench[1], "http://none")
    (tmp_path / "payments/alipay/settings.toml").write_text('appid = "1"\n')
    (tmp_path / "payments/nothing").mkdir()
    (tmp_path / "payments/nothing/settings.toml").write_text("")
    (tmp_path / "payments/wechat/apiv3_key.txt").chmod(0o644)
    found = payments.gateways(tmp_path)
    assert set(found.faults) == {"alipay", "nothing", "wechat"} and not found.ready
    assert "notify_url" in found.faults["alipay"] and "600" in found.faults["wechat"]


def test_y1_without_settings_there_is_no_gateway_and_what_is_asked_of_it_is_told(shop: Shop, tmp_path: Path) -> None:
    assert payments.gateways(tmp_path) == payments.Gateways({}, {})
    order = shop.order("wechat", 100)
    with pytest.raises(GatewayError, match="wechat"):
        payments.look(shop.engine, {}, order.order_no, clock.now())


@pytest.mark.parametrize("face", FACES)
def test_y1_the_sdks_speak_with_the_gateway_by_signatures_both_check(shop: Shop, face: str, tmp_path: Path) -> None:
    """Keys of another merchant, then answers of another gateway: neither side takes the other's word."""
    order = Order(f"P{secrets.token_hex(8)}{face}", 100, "Pumpside", clock.now() + 900)
    other = Gateway(tmp_path / "other")
    url = shop.bench.trades and gateway.settings(shop.settings.data_dir / "payments" / face)["url"]
    equip(tmp_path / "payments", other.keys, url.removesuffix("/wechat").removesuffix("/alipay/gateway.do"), "http://n")
    stranger = payments.gateways(tmp_path).ready[face]
    with pytest.raises(GatewayError):
        stranger.create(order)
    with pytest.raises(NotGenuineError):
        trade = shop.bench.trades.make(face, order.order_no + "x", 100, "t", "u", 0)
        shop.bench.trades.pay(trade, clock.now())
        headers, body = of_payment(other.keys, trade, clock.now())
        shop.gateways[face].notice({name.lower(): v for name, v in headers.items()}, body, clock.now())


def test_y1_the_local_gateway_refuses_replays_old_requests_and_other_keys(bench: tuple[Gateway, str]) -> None:
    own, url = bench
    path = f"/v3/pay/transactions/out-trade-no/none?mchid={MCHID}"

    def asks(authorization: str, path: str = path) -> int:
        headers = {"Authorization": authorization}
        return httpx.get(f"{url}/wechat{path}", headers=headers, trust_env=False).status_code

    signed = build_authorization(path, "GET", MCHID, own.keys.merchant_serial, own.keys.merchant)
    assert [asks(signed), asks(signed)] == [404, 401], "the second is a replay"
    again = build_authorization(path, "GET", MCHID, own.keys.merchant_serial, own.keys.merchant)
    assert asks(again, path.replace("none", "nine")) == 401, "signed for another order"
    assert asks(build_authorization(path, "GET", MCHID, "00", own.keys.merchant)) == 401
    assert asks(build_authorization(path, "GET", MCHID, own.keys.merchant_serial, own.keys.app)) == 401
    assert asks("") == 401
    old, nonce = clock.now() - 400, "N1"
    text = f"GET\n{path}\n{old}\n{nonce}\n\n".encode()
    signature = base64.b64encode(own.keys.merchant.sign(text, PKCS1v15(), hashes.SHA256())).decode()
    stale = f'mchid="{MCHID}",nonce_str="{nonce}",signature="{signature}",timestamp="{old}",'
    assert asks(f'WECHATPAY2-SHA256-RSA2048 {stale}serial_no="{own.keys.merchant_serial}"') == 401


def test_y1_strangers_serial_numbers_fetch_certificates_once_in_a_while_only(shop: Shop) -> None:
    """Each unknown serial number makes wechatpayv3 fetch the platform's certificates: a flood must not."""
    face = wechat.connect(shop.settings.data_dir / "payments/wechat")
    now = clock.now()
    trade = shop.pays(shop.order("wechat", 100))
    headers, body = of_payment(shop.bench.keys, trade, now)
    strange = {name.lower(): value for name, value in headers.items()} | {"wechatpay-serial": "ABCDEF"}
    fetched = 0
    update = face._client._core._update_certificates

    def counted() -> None:
        nonlocal fetched
        fetched += 1
        update()

    face._client._core._update_certificates = counted
    for _ in range(5):
        with pytest.raises(NotGenuineError):
            face.notice(strange, body, now)
    assert fetched == 1
    assert face.notice({name.lower(): value for name, value in headers.items()}, body, now).nonce


def test_y1_merchants_with_a_public_key_of_wechat_need_no_certificates(shop: Shop, tmp_path: Path) -> None:
    """Since 2024 WeChat gives new merchants its public key; its id stands where the serial number stood."""
    home = tmp_path / "wechat"
    equip(tmp_path, shop.bench.keys, "http://127.0.0.1:9", "http://none")
    (home / "pub_key.pem").write_text(public_pem(shop.bench.keys.platform))
    with (home / "settings.toml").open("a") as file:
        file.write('public_key_id = "PUB_KEY_ID_0119000001092026"\n')
    face = wechat.connect(home)
    trade = shop.pays(shop.order("wechat", 100))
    headers, body = of_payment(shop.bench.keys, trade, clock.now())
    told = {name.lower(): value for name, value in headers.items()}
    told["wechatpay-serial"] = "PUB_KEY_ID_0119000001092026"
    assert face.notice(told, body, clock.now()).outcome.order_no == trade.order_no


@pytest.mark.parametrize("text", ["", "1.234", "abc", "nan", "1e999", "Infinity"])
def test_y1_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        fen_of(text)
