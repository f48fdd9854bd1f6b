"""`python -m station` is the `pumpside` command."""

from station.cli.main import run

if __name__ == "__main__":
    run()
