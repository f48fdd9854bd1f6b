"""What a station needs before its processes can start: directories, secrets, certificates, database, pumps.

Every step is idempotent, so a start that was interrupted is simply made again. Progress goes to `say`.
"""

from collections.abc import Callable

from station import setup
from station.forecourt.provision import BrokerAddress, Nozzle, provision
from station.platform import pki
from station.platform.secrets import Secrets
from station.platform.settings import Settings


def prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """Makes whatever is missing. Raises the parts' own errors (SecretsError, DatabaseError, ValueError, OSError)."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)  # keys lie in many corners of it
    fresh = not settings.secrets_path.exists()
    secrets = Secrets.load(settings.secrets_path)
    if fresh:
        say(f"新油站，数据目录 {settings.data_dir}：密钥已生成 · new station in {settings.data_dir}: secrets made")
    pki.ensure(settings.pki_dir)
    say("证书就绪 · certificates ready")
    if settings.bench:
        _equip_bench(settings)
    setup.prepare(settings).dispose()
    say("数据库就绪 · database ready")
    broker = BrokerAddress(settings.broker_host, settings.broker_port, settings.broker_name)
    for pump in settings.pumps:
        nozzles = tuple(Nozzle(nozzle.grade, nozzle.pulses_per_l, nozzle.meter) for nozzle in pump.nozzles)
        provision(
            settings.station,
            pump.pump,
            data_dir=settings.data_dir,
            secrets=secrets,
            broker=broker,
            mode=pump.mode,
            display=pump.display,
            receipt_url=settings.receipt_url,
            nozzles=nozzles,
            issuer=settings.issuer,
            device=settings.device_id(pump),
        )
    names = "、".join(pump.pump for pump in settings.pumps)
    say(f"加油机已登记：{names} · pumps provisioned")


def _equip_bench(settings: Settings) -> None:
    """Payments at the bench go to its own gateway, unless the station has settings for others."""
    from tools.bench.gateway import HOME, keys

    if not (settings.data_dir / "payments").exists() or (settings.data_dir / HOME).exists():
        own = keys.load(settings.data_dir / HOME)
        station = f"http://127.0.0.1:{settings.http_port}"
        keys.equip(settings.data_dir / "payments", own, f"{settings.bench_url}/gateway", station)
