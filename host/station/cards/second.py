"""Two people above a cap (Y8): the second one proves on the spot who they are, before any money moves."""

from dataclasses import dataclass, field

from sqlalchemy import Engine

from station import staff
from station.platform import database
from station.platform.sealing import Sealer
from station.platform.secrets import Secrets

_WHY = {
    "password": "用户名或密码不对 name or password is wrong",
    "resting": "失败次数过多，请稍后再试 too many failures, try later",
    "code": "动态码不对或缺少 the one-time code is missing or wrong",
    "setup": "该员工尚未设置动态码 this person has no one-time code yet",
    "role": "该员工无复核权限 this person's role may not approve",
}


@dataclass(frozen=True)
class Second:
    """Who shares the decision, and the proof that they stand there."""

    name: str
    password: str = field(repr=False)
    code: str = field(default="", repr=False)


class SecondNeededError(ValueError):
    """Nobody, or nobody who may, has shared the decision; the message (Chinese, then English) says why."""


def cleared(
    engine: Engine,
    secrets: Secrets,
    by: str,
    second: Second | None,
    amount_fen: int,
    cap_fen: int,
    subject: str,
    now: int,
) -> str:
    """The second person's name; empty where the amount needs none. SecondNeededError; a failure counts as at the
    door."""
    if not staff.needs_second(amount_fen, cap_fen):
        return ""
    if second is None or not second.name.strip():
        raise SecondNeededError(
            f"超过 {cap_fen // 100} 元须第二人复核 above {cap_fen // 100} yuan a second person signs"
        )
    with database.write(engine) as conn:
        proof = (second.name, second.password, second.code)
        found = staff.approve(conn, Sealer(secrets.data_keys), by, *proof, staff.APPROVE, subject, now)
    if isinstance(found, staff.Denied):
        raise SecondNeededError(f"复核未通过：{_WHY[found.why]}")
    return found.name
