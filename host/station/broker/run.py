"""Runs the embedded broker in this process until SIGTERM or Ctrl-C."""

import asyncio
import contextlib
import logging
import signal

from station.broker.embedded import EmbeddedBroker
from station.platform import pki
from station.platform.credentials import Credentials, credentials_path
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.platform.topics import STATION_USER

STOP_S = 8.0
RENEWAL_CHECK_S = 86_400.0


def station_credentials(settings: Settings) -> Credentials:
    """The station's password file, holding at least the station's own user."""
    secrets = Secrets.load(settings.secrets_path)
    credentials = Credentials(credentials_path(settings.data_dir))
    credentials.set(STATION_USER, settings.broker_password or secrets.station_mqtt_password)
    return credentials


def run(settings: Settings) -> None:
    """Serves on settings.broker_host:broker_port; returns after SIGTERM or SIGINT. OSError if the port is taken."""
    # amqtt tells every message at INFO and lost clients as errors with tracebacks; ours says what matters.
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    hosts = () if settings.broker_host in ("0.0.0.0", "::") else (settings.broker_host,)  # noqa: S104
    files = pki.ensure(settings.pki_dir, hosts)
    broker = EmbeddedBroker(settings.broker_host, settings.broker_port, files, station_credentials(settings))
    await broker.start()
    renewal = asyncio.create_task(_renew(broker, settings, hosts))
    try:
        await stop.wait()
    finally:
        renewal.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(broker.shutdown(), STOP_S)


async def _renew(broker: EmbeddedBroker, settings: Settings, hosts: tuple[str, ...]) -> None:
    """A broker may run longer than its certificate: new connections get the renewed one."""
    while True:
        await asyncio.sleep(RENEWAL_CHECK_S)
        broker.load_certificate(pki.ensure(settings.pki_dir, hosts))
