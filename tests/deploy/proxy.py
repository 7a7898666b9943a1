"""`configs/deploy/nginx.conf` run on the loopback, before replicas of a test."""

import http.client
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from tests.benchmarks.serving.process import free_port
from tests.deploy.files import NGINX

COMMAND: Final = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
OPENSSL: Final = shutil.which("openssl")
START_S: Final = 10.0

needs_nginx: Final = pytest.mark.skipif(
    not (COMMAND and OPENSSL),
    reason="nginx and openssl are not installed; `.ci/packages` installs them on Debian",
)


@dataclass(frozen=True)
class Proxy:
    """A running nginx.

    Attributes:
        process: its first process.
        log: its access log.
    """

    port: int
    tls: ssl.SSLContext
    process: "subprocess.Popen[bytes]"
    log: Path

    def connect(self, timeout: float = 60.0) -> http.client.HTTPSConnection:
        """Return a connection that trusts its certificate."""
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, timeout=timeout)


def write_config(
    folder: Path, replicas: Sequence[int], changes: Mapping[str, str] = MappingProxyType({})
) -> tuple[Path, int]:
    """Write the project's configuration with a certificate, paths and ports of this machine.

    Args:
        folder: for everything that nginx writes.
        replicas: ports.
        changes: parts of the configuration, and what a test has in place of them.

    Returns:
        The file, and the port that nginx is to listen on.
    """
    port = free_port()
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
    subprocess.run(
        [str(OPENSSL), "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, *files],
        check=True,
        capture_output=True,
    )
    text = NGINX
    for found, put in (
        (" /tmp/", f" {folder}/"),  # first: the others may put such paths in
        ("listen 8443", f"listen 127.0.0.1:{port}"),
        ("/etc/nginx/tls/", f"{folder}/"),
        ("/dev/stdout", f"{folder}/access.log"),
        *((f"propense-{n}:8000", f"127.0.0.1:{replica}") for n, replica in enumerate(replicas, 1)),
        *changes.items(),
    ):
        assert found in text, found
        text = text.replace(found, put)
    (folder / "nginx.conf").write_text(text)
    return folder / "nginx.conf", port


def command(config: Path) -> list[str]:
    """Return the command that runs nginx with a configuration, as the user of this process."""
    user = "user root; " if os.geteuid() == 0 else ""
    return [
        str(COMMAND),
        "-e",
        "stderr",
        "-p",
        str(config.parent),
        "-c",
        str(config),
        "-g",
        f"{user}daemon off;",
    ]


@contextmanager
def running(
    folder: Path, replicas: Sequence[int], changes: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Proxy]:
    """Run nginx in front of replicas at ports of this machine; stop it at the end."""
    config, port = write_config(folder, replicas, changes)
    with subprocess.Popen(command(config)) as process:
        try:
            tls = ssl.create_default_context(cafile=str(folder / "tls.crt"))
            proxy = Proxy(port, tls, process, folder / "access.log")
            _wait_until_open(proxy)
            yield proxy
        finally:
            process.terminate()
            process.wait(START_S)


def _wait_until_open(proxy: Proxy) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            with closing(proxy.connect()) as connection:
                connection.connect()
        except ConnectionRefusedError:
            assert proxy.process.poll() is None, "nginx ended at its start"
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"nginx did not listen within {START_S:.0f} s")
