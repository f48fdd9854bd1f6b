"""The broker's process as the bench sees it: hung, killed, brought back. The supervisor owns it and restarts it."""

import os
import signal
import socket
from pathlib import Path

from tools.bench.refusal import Refused
from tools.bench.state import Broker


class BrokerProcess:
    def __init__(self, pid_file: Path, address: tuple[str, int]) -> None:
        self._pid_file, self._address = pid_file, address

    def state(self) -> Broker:
        pid = self._pid()
        if pid is None:
            return "running" if self._answers() else "down"
        try:
            status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return "down"
        return "stopped" if status in "Tt" else "running"

    def freeze(self) -> None:
        """It keeps its connections and answers nothing, as a hung machine does (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _pid(self) -> int | None:
        try:
            return int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None

    def _answers(self) -> bool:
        """Without a pid file the broker is somebody else's (tests, production): all we can see is its port."""
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(self._address) == 0

    def _signal(self, number: signal.Signals) -> None:
        pid = self._pid()
        if pid is None:
            raise Refused(
                409, "消息代理不由本油站管理，或正在重启", "the broker is not run by this station, or is restarting"
            )
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            raise Refused(409, "消息代理正在重启", "the broker is being restarted") from None
