"""A station's pages over a real database in a process of their own: `python -m tests.dashboard.office PORT DIR`."""

import sys
from pathlib import Path

import uvicorn

from station.api.app import create_app
from station.forecourt import LiveBoard
from station.platform.settings import load

if __name__ == "__main__":
    port, data_dir = int(sys.argv[1]), Path(sys.argv[2])
    app = create_app(load(data_dir=data_dir, bench=True), board=LiveBoard())
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
