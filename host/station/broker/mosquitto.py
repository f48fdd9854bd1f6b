"""Writes the files for a Mosquitto in the embedded broker's place: same credentials, same rules, same certificate.

Two listeners: pumps come in where the user name is the client id, so that none can push another off the line; the
station's own processes, which are several with one user name, have a second one on the loopback interface.
The limits are there because Mosquitto without them lost messages (queues of 1,000) or filled the disk with sessions of
clients that never came back.
"""

import os
import shutil
from pathlib import Path

from station.broker.run import station_credentials
from station.platform import pki, topics
from station.platform.credentials import credentials_path
from station.platform.settings import Settings

_CONFIG = """\
# 由 pumpside broker-config 生成 · written by pumpside broker-config
# 本目录须可由运行用户读取 · the user that runs Mosquitto must be able to read all this:
#   chown -R mosquitto: {directory}
# 油站服务使用第二个端口 · the station's own processes use the second port: PUMPSIDE_BROKER_PORT={station_port}
{user}per_listener_settings false
allow_anonymous false
password_file {directory}/passwords
acl_file {directory}/acl

persistence true
persistence_location {directory}/data/
autosave_interval 60
persistent_client_expiration 7d
max_queued_messages 100000
max_queued_bytes 67108864
max_inflight_messages 100
max_packet_size 262144
max_keepalive 300
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages true

listener {port} {host}
use_username_as_clientid true
max_connections 2000
tls_version tlsv1.2
certfile {directory}/server.pem
keyfile {directory}/server.key

listener {station_port} 127.0.0.1
max_connections 100
tls_version tlsv1.2
certfile {directory}/server.pem
keyfile {directory}/server.key
"""


def write(settings: Settings, directory: Path, *, user: str = "", station_port: int = 0) -> Path:
    """Writes configuration, passwords, access rules and certificate to `directory`; returns the configuration's path.

    To be called again after a pump was provisioned or the certificate renewed (then: SIGHUP). user: whom Mosquitto
    shall run as when started by root; station_port: loopback port of the station's own processes, default the next one.
    """
    directory = directory.resolve()
    (directory / "data").mkdir(parents=True, exist_ok=True, mode=0o700)
    files = pki.ensure(settings.pki_dir)
    users = station_credentials(settings).users()
    _copy(credentials_path(settings.data_dir), directory / "passwords")
    _copy(files.server_pem, directory / "server.pem")
    _copy(files.server_key, directory / "server.key")
    _write(directory / "acl", acl(users))
    config = directory / "mosquitto.conf"
    _write(
        config,
        _CONFIG.format(
            directory=directory,
            user=f"user {user}\n" if user else "",
            host=settings.broker_host,
            port=settings.broker_port,
            station_port=station_port or settings.broker_port + 1,
        ),
    )
    return config


def acl(users: tuple[str, ...]) -> str:
    """Mosquitto's access file for these users, saying what station.platform.topics says."""
    lines = [f"user {topics.STATION_USER}", f"topic read {topics.PREFIX}/#"]
    lines += [f"topic write {topics.PREFIX}/+/+/{leaf}" for leaf in topics.DOWN]
    for user in users:
        if user != topics.STATION_USER:
            lines += ["", f"user {user}"]
            lines += [f"topic write {topics.PREFIX}/{user}/{leaf}" for leaf in topics.UP]
            lines += [f"topic read {topics.PREFIX}/{user}/{leaf}" for leaf in topics.DOWN]
    return "\n".join(lines) + "\n"


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    target.chmod(0o600)


def _write(target: Path, text: str) -> None:
    target.unlink(missing_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
