"""Runs the pages over the fakes: `python -m tests.dashboard.serve PORT`. Tests steer it through `/_test/...`."""

import sys
import time

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from station.dashboard import build
from tests.dashboard.fakes import FakeBench, FakeSource


def application(port: int) -> FastAPI:
    app = FastAPI()
    source, bench = FakeSource(), FakeBench()

    @app.get("/_test/mode/{mode}")
    def mode(mode: str) -> JSONResponse:
        source.mode = mode
        return JSONResponse(mode)

    @app.get("/_test/acts")
    def acts() -> JSONResponse:
        return JSONResponse(bench.acts)

    @app.get("/_test/bench/{alive}")
    def alive(alive: str) -> JSONResponse:
        bench.dead = alive == "dead"
        return JSONResponse(alive)

    @app.get("/_test/fresh")
    def fresh() -> JSONResponse:
        """Everything as at the start: the pump begins to fuel anew, the bench forgets."""
        source.began = time.monotonic()
        bench.__init__()  # type: ignore[misc]
        return JSONResponse(True)

    app.mount("/_bench", bench.app())
    build(app, source, f"http://127.0.0.1:{port}/_bench")
    return app


if __name__ == "__main__":
    chosen = int(sys.argv[1])
    uvicorn.run(application(chosen), host="127.0.0.1", port=chosen, log_level="warning")
