"""A small typed client of the bench service, sync and async. Errors: BenchError with a text in Chinese and English."""

from types import TracebackType
from typing import Any, Self, cast

import httpx

from tools.bench.acts import Act
from tools.bench.state import State

DEFAULT_URL = "http://127.0.0.1:8090"


class BenchError(Exception):
    """The act was refused (`status` 4xx) or the bench does not answer (`status` 0)."""

    def __init__(self, status: int, zh: str, en: str) -> None:
        super().__init__(f"{zh} · {en}")
        self.status, self.zh, self.en = status, zh, en


def _unreachable(url: str) -> BenchError:
    return BenchError(
        0, f"模拟台没有应答（{url}）", f"the bench does not answer at {url}: is `pumpside run --bench` running?"
    )


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.is_success:
        return cast(dict[str, Any], response.json())
    try:
        error = response.json()["error"]
        raise BenchError(response.status_code, error["zh"], error["en"])
    except (ValueError, KeyError, TypeError):
        code = response.status_code
        raise BenchError(code, f"模拟台出错（{code}）", f"the bench failed with status {code}") from None


class BenchClient:
    """with BenchClient() as bench: bench.do(acts.lift("p1")); bench.state()["pumps"][0]["lcd"]["lines"]"""

    def __init__(self, url: str = DEFAULT_URL, timeout_s: float = 10.0) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=timeout_s, trust_env=False)

    def state(self) -> State:
        try:
            return cast(State, _answer(self._http.get("/state")))
        except httpx.TransportError:
            raise _unreachable(self.url) from None

    def do(self, act: Act) -> dict[str, Any]:
        """Returns when the act was done; the answer is {"ok": true, ...}."""
        try:
            return _answer(self._http.post(act.path, json=dict(act.body)))
        except httpx.TransportError:
            raise _unreachable(self.url) from None

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class AsyncBenchClient:
    """The same for asyncio: `await bench.do(acts.lift("p1"))`."""

    def __init__(self, url: str = DEFAULT_URL, timeout_s: float = 10.0) -> None:
        self.url = url
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout_s, trust_env=False)

    async def state(self) -> State:
        try:
            return cast(State, _answer(await self._http.get("/state")))
        except httpx.TransportError:
            raise _unreachable(self.url) from None

    async def do(self, act: Act) -> dict[str, Any]:
        try:
            return _answer(await self._http.post(act.path, json=dict(act.body)))
        except httpx.TransportError:
            raise _unreachable(self.url) from None

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()
