"""A local account for the walks of clients: `local serve` on a data directory and a port of its own."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Account:
    """Served while the `with` lasts; nothing of it stays."""

    def __init__(self, local, *options):
        self.local = pathlib.Path(local or ROOT / "target/release/local").resolve()
        self.options = options

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="clients-walk-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [self.local, "serve", "--data-dir", self.folder / "data", "--port", str(self.port), *self.options]
        log = self.folder / "serve.log"
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=log.open("wb"), stderr=subprocess.STDOUT)
        for _ in range(600):
            assert self.process.poll() is None, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit(f"{self.local} serve does not answer")
        os.environ.update(self.environment())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    def environment(self):
        """What `local serve` tells clients to have; no key is real, and no call leaves this machine."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }


def until(ask, is_enough, seconds=30):
    """Asks until the answer is enough, and answers it."""
    end = time.monotonic() + seconds
    while not is_enough(found := ask()):
        assert time.monotonic() < end, f"waited {seconds} s in vain: {found}"
        time.sleep(0.02)
    return found


def walk(steps, *arguments):
    """Runs every step; the first that does not hold ends it all."""
    for step in steps:
        step(*arguments)
        print(f"ok  {step.__name__.replace('_', ' ')}", flush=True)
