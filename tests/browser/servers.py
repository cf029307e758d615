"""Jupyter servers of our own, and pages by Voilà."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import nbformat
from playwright.sync_api import expect

START_S = 180
TAKEN_MS = 20_000
"""How long a server may take to start, and a key to be taken, on a busy machine."""
LOCAL = ("http://127.0.0.1", "data:", "blob:", "about:")


def write_notebook(path, sources):
    """A notebook of some cells of code."""
    book = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    book.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(book, path)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def listens(port):
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=60):
            return True
    except OSError:
        return False


def kernels(server, method="GET", kernel=""):
    """What a server says of its kernels, or of one of them."""
    url, head = f"{server.address}/api/kernels/{kernel}".rstrip("/"), {"Authorization": f"token {server.token}"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=head, method=method), timeout=60) as answer:
        return json.loads(answer.read() or "null")


def is_ready(server):
    """Whether a page has a kernel that waits for work: before that, keys that run a cell open a dialog.

    While a kernel is being started, a server asked for its list may answer with an error of its own.
    """
    try:
        return any(one["execution_state"] == "idle" and one["connections"] for one in kernels(server))
    except OSError:
        return False


def start_cell(page, cell):
    """Press the keys until the cell has a star: while a page settles, JupyterLab may overlook them."""
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    for _ in range(5):
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        with suppress(AssertionError):
            expect(prompt).not_to_have_text(before, timeout=TAKEN_MS)
            return
    raise AssertionError(f"the cell did not start: {before}")


@contextmanager
def serving(home, program):
    """JupyterLab or Notebook, with a folder for notebooks."""
    (home / "books").mkdir(exist_ok=True)
    folders = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    port, token = free_port(), secrets.token_hex(16)
    command = [sys.executable, "-m", program, "--no-browser", "--allow-root", f"--port={port}"]
    command += [
        f"--ServerApp.root_dir={home / 'books'}",
        f"--IdentityProvider.token={token}",
        "--ServerApp.ip=127.0.0.1",
    ]
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, **folders, "KTVIZ_DISPLAY": "both"}
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or answers(f"{address}/api?token={token}"))
        assert process.poll() is None, (home / "log").read_text()[-2000:]
        yield SimpleNamespace(address=address, token=token, books=home / "books")
    finally:
        process.terminate()
        stop(process)


def stop(process):
    """Wait for it to end, not for ever; kernels end when they find themselves alone."""
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def until(true):
    """Ask again until something is true."""
    deadline = time.monotonic() + START_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def workbench(home):
    """`ktviz workbench`: its address."""
    port = free_port()
    with (home / "log").open("w") as log:
        command = [sys.executable, "-m", "ktviz", "workbench", "--no-browser", f"--port={port}"]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        until(lambda: process.poll() is not None or listens(port))
        assert process.poll() is None, (home / "log").read_text()[-2000:]
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGINT)
        stop(process)
