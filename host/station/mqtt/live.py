"""The web process's own ear at the broker: fills the live board, writes nothing."""

import time

import paho.mqtt.client as paho
import structlog

from station.forecourt import LiveBoard
from station.mqtt import messages
from station.mqtt.client import KEEPALIVE_S, make_client
from station.mqtt.work import split
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.platform.topics import PREFIX

log = structlog.get_logger()


class LiveSubscriber:
    """Keeps `board` up to date from the broker, in paho's thread."""

    def __init__(self, settings: Settings, secrets: Secrets, board: LiveBoard) -> None:
        self.settings, self.board = settings, board
        self.client = make_client(settings, secrets, "live")
        self.client.manual_ack_set(False)
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message

    def start(self) -> None:
        """Connects in the background and keeps reconnecting."""
        self.client.connect_async(self.settings.broker_host, self.settings.broker_port, KEEPALIVE_S)
        self.client.loop_start()

    def stop(self) -> None:
        """Disconnects and ends the thread."""
        self.client.disconnect()
        self.client.loop_stop()

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, reason: object, _props: object) -> None:
        if getattr(reason, "is_failure", False):
            log.error("broker refused us", reason=str(reason))
            return
        client.subscribe([(f"{PREFIX}/+/+/state", 1), (f"{PREFIX}/+/+/live", 0)])

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        place = split(message.topic)
        if place is None:
            return
        station, pump, leaf = place
        payload = bytes(message.payload)
        try:
            if leaf == "state":
                self.board.heard_state(station, pump, messages.parse_state(payload), time.monotonic())
            elif leaf == "live":
                self.board.heard_live(station, pump, messages.parse_live(payload), time.monotonic())
        except messages.MalformedError as error:  # the ingest process keeps it; here it is only not shown
            log.warning("malformed", topic=message.topic, why=str(error))
