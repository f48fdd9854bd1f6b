"""The bench as a process: `python -m station bench serve`. World, first cards, gauge, HTTP; ends on SIGTERM, Ctrl-C."""

import logging
import os
import signal
import sys
import threading

import uvicorn

from station.platform import database
from station.platform.settings import Settings
from tools.bench import gateway
from tools.bench.api import create_app
from tools.bench.cashier import Cashier
from tools.bench.gateway.app import Gateway
from tools.bench.gauge import Gauge
from tools.bench.world import World

_log = logging.getLogger("pumpside.bench")


def serve(settings: Settings) -> None:
    """Blocks until a stop signal."""
    # Four plants, eight threads: a thread that wants the interpreter for a moment must not wait 5 ms for it.
    sys.setswitchinterval(0.0005)
    # The boards' heap as on an ESP32; another one is for trying out firmware that does not fit yet.
    heap = os.environ.get("PUMPSIDE_BENCH_HEAP", "50wK")
    world = World(settings.data_dir, (settings.broker_host, settings.broker_port), heap=heap)
    for tank in settings.tanks:
        world.tanks.fill(tank.grade, tank.opening_ml, tank.capacity_ml)
    for name in world.wallet.broken:
        _log.warning("damaged card file left alone: %s", name)
    world.setting_up.add("cards")
    for number in (signal.SIGINT, signal.SIGTERM):
        # The server raises it once more when it has ended, which would end us before the world is put away.
        signal.signal(number, lambda _number, _frame: None)
    with world:
        threading.Thread(target=Cashier(world, settings).run, name="cashier", daemon=True).start()
        gauge = Gauge(database.open_database(settings))
        threading.Thread(target=gauge.run, args=(world,), name="gauge", daemon=True).start()
        uvicorn.Server(
            uvicorn.Config(
                create_app(world, Gateway(settings.data_dir / gateway.HOME).app),
                host=settings.bench_host,
                port=settings.bench_port,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=2,
            )
        ).run()
