"""A scheduler and workers of dask, each a process of its own, started as people start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parents[1]
PATIENCE = 60


class Machines:
    """A scheduler, and workers that can be started and killed.

    Args:
        folder: For what they write.
    """

    def __init__(self, folder):
        self.folder = folder
        self.told = folder / "scheduler.json"
        self.scheduler = self.start("scheduler", "--host", "127.0.0.1", "--port", "0")
        until(lambda: self.told.exists() and self.told.read_text().endswith("}"))
        self.address = json.loads(self.told.read_text())["address"]
        self.running = [self.scheduler]

    def worker(self, **environment):
        """Start one; variables of its environment besides those of this process."""
        started = self.start("worker", "--nthreads", "1", "--no-nanny", **environment)
        self.running.append(started)
        return started

    def start(self, what, *options, **environment):
        command = [sys.executable, "-m", "dask", what, *options, "--scheduler-file", self.told, "--no-dashboard"]
        path = os.pathsep.join((str(TESTS), str(TESTS.parent)))
        there = {**os.environ, "PYTHONPATH": path, **environment}
        with open(self.folder / "said.txt", "a") as said:
            return subprocess.Popen(command, env=there, stdout=said, stderr=said, cwd=self.folder)

    def end(self):
        for process in self.running:
            process.kill()
            process.wait()


def until(done, seconds=PATIENCE):
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
