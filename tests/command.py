"""The command line in the process of the tests: starting another costs seconds, and shows nothing more."""

from __future__ import annotations

import io
import signal
import sys
import warnings
from contextlib import chdir, redirect_stderr, redirect_stdout
from subprocess import CompletedProcess
from unittest import mock

import pytest

from ktviz.cli.main import main


def ktviz(*arguments, cwd=".", check=True):
    """Run a command; its exit code (0, if it is checked), and what it printed."""
    command, out, err = ["ktviz", *map(str, arguments)], io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGINT)
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("default")
        with mock.patch.object(sys, "argv", command), pytest.raises(SystemExit) as ended:
            main()
    signal.signal(signal.SIGINT, before)
    done = CompletedProcess(command, ended.value.code or 0, out.getvalue(), err.getvalue())
    assert not check or done.returncode == 0, done.stderr
    return done
