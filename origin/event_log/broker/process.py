"""The local broker as a process: fetch its jars, format its storage, start it, stop it.

Everything about one broker lies in one directory: ``server.properties``, ``data/``, ``broker.log``
and ``broker.pid``. The jars are fetched once by Maven into a cache that brokers share.
"""
# ruff: noqa: S603 - every command line is a constant; java, mvn and ps come from the PATH

import asyncio
import base64
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

HERE = Path(__file__).parent
JARS = Path.home() / ".cache" / "attune" / "kafka-4.4.0"

FETCH_TIMEOUT_S = 600
"""43 MB of jars: 10 s on a good line, minutes on a bad one."""
START_TIMEOUT_S = 60
"""3 s on an idle machine; a loaded one needs ten times that."""
STOP_TIMEOUT_S = 30

JAVA_FLAGS = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-Dlog4j2.level=WARN",
)


class BrokerError(RuntimeError):
    """The broker could not be fetched, started or stopped; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Broker:
    """One local broker: where it keeps its files and where it listens."""

    home: Path
    port: int
    advertised_port: int | None = None
    """Where clients are sent once they have connected, if not to ``port``: a line in between."""

    @property
    def bootstrap_servers(self) -> str:
        """Return the address for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        """Return where the broker writes its warnings."""
        return self.home / "broker.log"

    @property
    def pid_file(self) -> Path:
        """Return where the process id is kept while the broker runs."""
        return self.home / "broker.pid"


def start(broker: Broker) -> None:
    """Start the broker unless it runs; return when it answers."""
    if running_pid(broker) is None:
        fetch_jars()
        _configure(broker)
        _format_storage(broker)
        _launch(broker)
    _wait_until_healthy(broker)


def stop(broker: Broker) -> bool:
    """Stop the broker cleanly; return whether it ran."""
    pid = running_pid(broker)
    if pid is None:
        return False
    _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while running_pid(broker) is not None:
        if time.monotonic() > deadline:
            _signal(pid, signal.SIGKILL)
        time.sleep(0.05)
    broker.pid_file.unlink(missing_ok=True)
    return True


def running_pid(broker: Broker) -> int | None:
    """Return the process id of the running broker, or None."""
    try:
        pid = int(broker.pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if _is_ours(pid, broker) else None


def is_healthy(broker: Broker) -> bool:
    """Return whether the broker answers a metadata request."""
    return asyncio.run(_answers(broker.bootstrap_servers))


def fetch_jars() -> Path:
    """Return the directory of the broker's jars, fetched by Maven if they are not there."""
    if JARS.exists():
        return JARS
    if shutil.which("mvn") is None or shutil.which("java") is None:
        raise BrokerError("Apache Kafka needs Java 17 and Maven: install a JRE 17 and mvn")
    JARS.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=JARS.parent) as unfinished:
        pom = str(HERE / "pom.xml")
        goal = ("dependency:copy-dependencies", "-DincludeScope=runtime")
        command = ("mvn", "-q", "-B", "-f", pom, *goal, f"-DoutputDirectory={unfinished}/jars")
        fetched = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S)
        if fetched.returncode != 0:
            raise BrokerError(f"Maven could not fetch Apache Kafka: {fetched.stdout[-800:]}")
        # All at once, so that another process never starts on half of them; who comes second
        # finds the directory taken and the same jars in it.
        with suppress(OSError):
            (Path(unfinished) / "jars").rename(JARS)
    return JARS


def free_port() -> int:
    """Return a port that nobody listens on, with a free one after it for the controller."""
    for _ in range(100):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with suppress(OSError):
                second.bind(("127.0.0.1", port + 1))
                return port
    raise BrokerError("no two neighbouring ports are free")


def _configure(broker: Broker) -> None:
    broker.home.mkdir(parents=True, exist_ok=True)
    template = Template((HERE / "server.properties").read_text())
    filled = template.safe_substitute(
        port=broker.port,
        advertised_port=broker.advertised_port or broker.port,
        controller_port=broker.port + 1,
        log_dir=broker.home / "data",
    )
    (broker.home / "server.properties").write_text(filled)


def _format_storage(broker: Broker) -> None:
    # The first letter is fixed: an id that begins with "-" would be read as an option.
    cluster_id = "A" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
    command = (
        *_java("-Xmx128m"),
        "kafka.tools.StorageTool",
        "format",
        "--ignore-formatted",
        "-t",
        cluster_id,
        "-c",
        str(broker.home / "server.properties"),
    )
    if (broker.home / "data" / "meta.properties").exists():
        return
    formatted = subprocess.run(command, capture_output=True, text=True, timeout=START_TIMEOUT_S)
    if formatted.returncode != 0:
        raise BrokerError(f"could not format the storage: {formatted.stderr[-800:]}")


def _launch(broker: Broker) -> None:
    command = (*_java(*JAVA_FLAGS), "kafka.Kafka", str(broker.home / "server.properties"))
    with broker.log_file.open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    broker.pid_file.write_text(str(process.pid))
    # The broker outlives this handle on purpose; stop() finds it by its pid file.
    process.returncode = 0


def _java(*flags: str) -> tuple[str, ...]:
    return ("java", *flags, "-cp", f"{JARS}/*")


def _wait_until_healthy(broker: Broker) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not is_healthy(broker):
        if running_pid(broker) is None:
            raise BrokerError(f"the broker stopped while starting: {_log_tail(broker)}")
        if time.monotonic() > deadline:
            stop(broker)
            raise BrokerError(f"no answer in {START_TIMEOUT_S} s: {_log_tail(broker)}")
        time.sleep(0.2)


async def _answers(bootstrap_servers: str) -> bool:
    with socket.socket() as probe:
        host, port = bootstrap_servers.split(":")
        if probe.connect_ex((host, int(port))) != 0:
            return False
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, request_timeout_ms=3000)
    try:
        await admin.start()
        await admin.list_topics()
    except (KafkaError, OSError, TimeoutError):
        return False
    else:
        return True
    finally:
        await admin.close()


def _log_tail(broker: Broker) -> str:
    return broker.log_file.read_text(errors="replace")[-800:]


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_ours(pid: int, broker: Broker) -> bool:
    """Return whether the process is this broker, not a later one that got its process id."""
    command = ("ps", "-ww", "-o", "args=", "-p", str(pid))
    listed = subprocess.run(command, capture_output=True, text=True)
    return str(broker.home / "server.properties") in listed.stdout
