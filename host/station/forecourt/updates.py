"""Releases of the firmware, and which pump is to take which (docs/update.md). The pumps check the signature themselves;
the station checks it as well, so that a wrong file is refused at the counter and not by a pump at night.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from sqlalchemy import Column, Connection, LargeBinary, Table, Text, func, insert, select

from pump.core import codes, fetch, release
from station.forecourt.pumps import pumps
from station.platform.database import STRICT, BigInt, append_only, metadata

PUBLIC_KEY = "release.pub"  # in the data directory; PEM

releases_table = append_only(
    Table(
        "releases",
        metadata,
        Column("version", BigInt, primary_key=True, autoincrement=False),
        Column("manifest", Text, nullable=False),  # JSON as signed, with its signature
        Column("image", LargeBinary, nullable=False),
        Column("made", BigInt, nullable=False),
        Column("made_by", Text, nullable=False),
        **STRICT,
    )
)

orders_table = append_only(
    Table(
        "update_orders",
        metadata,
        Column("id", BigInt, primary_key=True),
        Column("device", BigInt, nullable=False),
        Column("version", BigInt, nullable=False),  # 0: none any more
        Column("made", BigInt, nullable=False),
        Column("made_by", Text, nullable=False),
        **STRICT,
    )
)


@dataclass(frozen=True, slots=True)
class Release:
    """A release as the station keeps it; manifest: docs/update.md."""

    version: int
    software: str
    size: int
    made: int
    made_by: str
    manifest: Mapping[str, Any]


def signed_text(manifest: Mapping[str, Any]) -> bytes:
    """What the signature of a manifest is over: the pump's own code."""
    text: bytes = release.text(manifest)
    return text


def public_key(data_dir: Path) -> rsa.RSAPublicKey | None:
    """The key that this station's pumps trust; None if there is none. ValueError for a file without an RSA key."""
    try:
        return _load(data_dir / PUBLIC_KEY)
    except FileNotFoundError:
        return None


def _load(path: Path) -> rsa.RSAPublicKey:
    key = serialization.load_pem_public_key(path.read_bytes())
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048 or key.public_numbers().e != 65537:
        raise ValueError(f"{PUBLIC_KEY}: 须为 2048 位以上 RSA 公钥 must be an RSA public key of 2048 bits or more")
    return key


def trust_key(data_dir: Path, pem: bytes) -> None:
    """From now on this key signs releases. ValueError, and the old one stays, for anything but a fit public key."""
    fresh = data_dir / f"{PUBLIC_KEY}.new"
    fresh.write_bytes(pem)
    try:
        _load(fresh)
    except ValueError:
        fresh.unlink()
        raise
    fresh.replace(data_dir / PUBLIC_KEY)


def modulus(data_dir: Path) -> str:
    """What goes into a board's identity.json as `release_key`: hex, empty if there is no key."""
    key = public_key(data_dir)
    return key.public_numbers().n.to_bytes(key.key_size // 8, "big").hex() if key else ""


def add_release(conn: Connection, content: bytes, key: rsa.RSAPublicKey, by: str, now: int) -> Release:
    """Takes a release file in. ValueError if damaged, wrongly signed, or known with other content."""
    line, _, image = content.partition(b"\n")
    try:
        manifest = json.loads(line)
        signature = bytes.fromhex(manifest["sig"])
        key.verify(signature, signed_text(manifest), padding.PKCS1v15(), hashes.SHA256())
        right = (manifest["size"], manifest["sha"]) == (len(image), hashlib.sha256(image).hexdigest())
        version = int(manifest["version"])
    except InvalidSignature:
        raise ValueError("签名不符 the signature is not by the release key") from None
    except (ValueError, KeyError, TypeError):
        raise ValueError("不是固件发布文件 not a release file") from None
    if not right:
        raise ValueError("文件损坏 the file is damaged")
    known = conn.execute(select(releases_table.c.manifest).where(releases_table.c.version == version)).scalar()
    if known is None:
        row = {"version": version, "manifest": line.decode(), "image": image, "made": now, "made_by": by}
        conn.execute(insert(releases_table).values(row))
    elif json.loads(known)["sha"] != manifest["sha"]:
        raise ValueError(f"版本 {version} 已存在且内容不同 version {version} is known with other content")
    return releases(conn, version)[0]


def releases(conn: Connection, version: int | None = None) -> list[Release]:
    """All releases, newest first, or the one of this version."""
    t = releases_table.c
    query = select(t.version, t.manifest, t.made, t.made_by).order_by(t.version.desc())
    if version is not None:
        query = query.where(t.version == version)
    found = []
    for row in conn.execute(query):
        manifest = json.loads(row.manifest)
        found.append(Release(row.version, manifest["sw"], manifest["size"], row.made, row.made_by, manifest))
    return found


def order_update(conn: Connection, device: int, version: int, by: str, now: int) -> None:
    """The pump is to run this version; 0: nothing is to be fetched any more. ValueError for an unknown version."""
    if version and not releases(conn, version):
        raise ValueError(f"没有版本 {version} there is no release {version}")
    conn.execute(insert(orders_table).values(device=device, version=version, made=now, made_by=by))


def update_orders(conn: Connection) -> dict[int, int]:
    """The last order of each device: {device: version}, without those that were withdrawn."""
    last = select(func.max(orders_table.c.id)).group_by(orders_table.c.device)
    rows = conn.execute(select(orders_table.c.device, orders_table.c.version).where(orders_table.c.id.in_(last)))
    return {row.device: row.version for row in rows if row.version}


@dataclass(frozen=True, slots=True)
class UpdateState:
    """How a pump's update stands; code: fetching, refused, waiting, done, failed or none; detail: per cent while
    fetching, why while refused."""

    pump: str
    device: int
    software: str
    ordered: int
    code: str
    detail: str

    @property
    def text(self) -> str:
        """In Chinese and English."""
        return f"{TEXTS[self.code]} {self.detail}".strip()


TEXTS = {
    "fetching": "下载中 fetching",
    "refused": "油机拒绝 refused by the pump:",
    "waiting": "等待油机空闲或上线 waiting for the pump",
    "done": "已运行此版本 runs it",
    "failed": "更新失败，已退回 failed, rolled back",
    "none": "无更新 no update",
}


def update_states(conn: Connection) -> list[UpdateState]:
    """One for each pump, from its last `state`."""
    orders = update_orders(conn)
    wanted = {one.version: one.software for one in releases(conn)}
    found = []
    for pump in pumps(conn):
        order, running = orders.get(pump.device, 0), str(pump.state.get("sw", ""))
        code, detail = "none", ""
        told, fetched = pump.state.get("update") or [0, ""], pump.state.get("fetch") or ["", 0, 0, 1]
        if order and running == wanted.get(order):
            code = "done"
        elif order and codes.ALARM_UPDATE in pump.state.get("alarms", []):
            code = "failed"
        elif order and told[0] == order and told[1]:
            code, detail = "refused", str(told[1])
        elif order and fetched[:2] == ["image", order]:
            code, detail = "fetching", f"{100 * fetched[2] // max(1, fetched[3])} %"
        elif order:
            code = "waiting"
        found.append(UpdateState(pump.pump, pump.device, running, order, code, detail))
    return found


def image_part(conn: Connection, version: int, at: int) -> bytes:
    """Bytes of a release's image from offset `at` on, as many as fit into one answer; empty beyond its end."""
    piece = select(func.substr(releases_table.c.image, at + 1, fetch.PART))
    return bytes(conn.execute(piece.where(releases_table.c.version == version)).scalar() or b"")
