"""The servers that are measured against: nginx where it is installed, and a small one in C."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .runner import ROOT, WORK

LATENCY = 0.1
_ECHO = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
_VIDEO = (
    '{"id": "$video", "object": "video", "model": "sora-2", "status": "STATUS", "progress": 100, '
    '"created_at": 1790000000, "size": "1280x720", "seconds": "8", "remixed_from_video_id": "video_1"}'
)
_NGINX = """
load_module ECHO;
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  default_type application/json;
  keepalive_requests 1000000000;
  sendfile on;
  client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
  map $uri $video { ~^/v1/videos/(?<id>[^/]+) $id; }
  server {
    listen 127.0.0.1:FAST backlog=4096;
    location / { return 200 'COMPLETED'; }
    location ~ /remix$ { return 200 'QUEUED'; }
    location ~ /content$ { default_type video/mp4; alias FILE; }
  }
  server {
    listen 127.0.0.1:SLOW backlog=4096;
    location / { echo_sleep LATENCY; echo 'COMPLETED'; }
  }
}
"""


@dataclass(frozen=True)
class Servers:
    """Where the API is served.

    Attributes:
        kind: What answers, for the report.
        fast: The base URL at which answers come at once.
        slow: The one at which they take `LATENCY` seconds.
    """

    kind: str
    fast: str
    slow: str


@contextmanager
def c_server(file: Path, latency: float = 0.0) -> Iterator[str]:
    """The base URL of the server in C."""
    binary = WORK / "server"
    if compiler := shutil.which("cc"):
        subprocess.run([compiler, "-O2", "-o", binary, ROOT / "benchmarks" / "server.c"], check=True)
    else:
        raise SystemExit("make bench needs a C compiler named cc. On Debian or Ubuntu: apt install gcc libc6-dev")
    command: list[str | Path] = [binary, str(round(latency * 1000)), file]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None  # noqa: S101  # For the type checkers.
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


@contextmanager
def start(file: Path) -> Iterator[Servers]:
    """Nginx, or the server in C where nginx or its echo module is missing."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    with ExitStack() as stack:
        if nginx is None or not _ECHO.exists():
            fast, slow = (stack.enter_context(c_server(file, latency)) for latency in (0.0, LATENCY))
            yield Servers("the server in C (benchmarks/server.c)", fast, slow)
            return
        ports = _free_ports(2)
        replaced = {
            "ECHO": _ECHO,
            "FAST": ports[0],
            "SLOW": ports[1],
            "FILE": file,
            "LATENCY": LATENCY,
            "COMPLETED": _VIDEO.replace("STATUS", "completed"),
            "QUEUED": _VIDEO.replace("STATUS", "queued"),
        }
        text = _NGINX
        for name, value in replaced.items():
            text = text.replace(name, str(value))
        prefix = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=WORK)))
        (prefix / "nginx.conf").write_text(text)
        server = stack.enter_context(subprocess.Popen([nginx, "-p", prefix, "-c", "nginx.conf"]))
        stack.callback(server.send_signal, signal.SIGTERM)
        for port in ports:
            _await(port, server)
        version = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr.strip()
        yield Servers(version.rpartition(" ")[2], *(f"http://127.0.0.1:{port}" for port in ports))


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in listeners]


def _await(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(100):
        if server.poll() is not None:
            raise SystemExit("nginx did not start: see its message above")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("nginx does not answer")
