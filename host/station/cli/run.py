"""`pumpside run`: the whole station in one command, supervised."""

import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from station.first_start import prepare
from station.platform.database import DatabaseError
from station.platform.portcheck import PortTakenError, check_free, is_listening
from station.platform.secrets import SecretsError
from station.platform.settings import Settings, SettingsError, is_loopback, load
from station.supervisor import AlreadyRunningError, RunLock, Service, Supervisor

app = typer.Typer()


@app.command()
def run(
    bench: Annotated[bool, typer.Option("--bench", help="连同模拟油机一起运行 · with simulated pumps")] = False,
) -> None:
    """启动整个油站，Ctrl-C 停止 · Start the whole station; Ctrl-C stops it.

    例 Example: pumpside run --bench
    """
    began = float(os.environ.get("PUMPSIDE_STARTED_AT", "0")) or time.time()

    def say(text: str) -> None:
        typer.echo(f"[{time.time() - began:5.1f} s] {text}")

    try:
        settings = load(bench=True) if bench else load()
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with RunLock(settings.data_dir / "run.lock"):
            check_free(ports(settings))
            prepare(settings, say)
            supervisor = Supervisor(services(settings), settings.data_dir, say)
            code = supervisor.run(lambda: say(ready_text(settings, time.time() - began)))
            say("已停止 · stopped")
    except (
        SettingsError,
        AlreadyRunningError,
        PortTakenError,
        SecretsError,
        DatabaseError,
        ValueError,
        OSError,
    ) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(code)


def page_url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.http_port}/"


def ready_text(settings: Settings, seconds: float) -> str:
    url = page_url(settings)
    bench = f"\n    模拟台 bench:   {url}bench" if settings.bench else ""
    return (
        f"油站已运行，{seconds:.1f} 秒后首页可用；Ctrl-C 停止 · first page after {seconds:.1f} s; Ctrl-C stops"
        f"\n    看板 dashboard: {url}{bench}"
    )


def ports(settings: Settings) -> Mapping[str, tuple[str, int]]:
    taken = {
        "PUMPSIDE_HTTP_PORT": ("看板 dashboard", settings.http_port),
        "PUMPSIDE_PORTAL_PORT": ("小票 receipts", settings.portal_port),
    }
    if is_loopback(settings.broker_host):
        taken["PUMPSIDE_BROKER_PORT"] = ("消息代理 broker", settings.broker_port)
    if settings.bench:
        taken["PUMPSIDE_BENCH_PORT"] = ("模拟台 bench", settings.bench_port)
    return taken


def services(settings: Settings) -> list[Service]:
    """The station's processes in the order of their start; they stop in the opposite one."""
    # The children read the same settings; what came by option here goes to them by environment.
    env = {"PUMPSIDE_DATA_DIR": str(settings.data_dir.resolve()), "PUMPSIDE_BENCH": str(settings.bench).lower()}
    if settings.bench:  # its payment gateway is on the loopback: no proxy leads there
        env["no_proxy"] = ",".join(filter(None, ("127.0.0.1", os.environ.get("no_proxy", os.environ.get("NO_PROXY")))))
    started = [
        Service("ingest", ["ingest"], env=env),
        Service("web", ["web"], _answers(page_url(settings)), env=env),
        Service("portal", ["portal"], env=env),
    ]
    if is_loopback(settings.broker_host):  # elsewhere: a broker of its own, on a machine of its own
        started.insert(0, Service("broker", ["broker"], lambda: is_listening(settings.broker_port), env=env))
    if settings.head_office_url:
        started.append(Service("network", ["network", "sync"], env=env))
    if settings.bench:
        answers = _answers(f"http://127.0.0.1:{settings.bench_port}/state")
        started.append(Service("bench", ["bench", "serve"], answers, stop_timeout_s=15.0, env=env))
    return started


def _answers(url: str) -> Callable[[], bool]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never ask a proxy for loopback

    def ready() -> bool:
        try:
            with opener.open(url, timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return ready
