"""The broker's jars, copied once by Maven into a cache outside every work tree."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from agentopic.errors import BedUnavailableError
from agentopic.testing.program import run_program

KAFKA_VERSION = "4.1.2"
_POM = Path(__file__).with_name("kafka.pom.xml")


def broker_jars(cache: Path, java_home: Path | None, version: str = KAFKA_VERSION) -> Path:
    """Return the folder with the jars of broker `version`, filling the cache when it lacks them.

    Raises:
        BedUnavailableError: when they are not there and Maven is missing or cannot get them.
    """
    jars = cache / f"kafka-{version}"
    if jars.is_dir():
        return jars
    maven = shutil.which("mvn")
    if maven is None:
        raise BedUnavailableError(
            "Apache Kafka needs Maven once, to get its jars: install maven (apt-get install maven)"
        )
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kafka-", dir=cache) as work:
        gathered = Path(work) / "jars"
        _copy(maven, java_home, version, Path(work), gathered)
        _publish(gathered, jars)
    return jars


def _copy(maven: str, java_home: Path | None, version: str, work: Path, gathered: Path) -> None:
    shutil.copy(_POM, work / "pom.xml")
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={gathered}"]
    runtime = [] if java_home is None else ["env", f"JAVA_HOME={java_home}"]
    command = [*runtime, maven, "-q", "-B", "-f", str(work / "pom.xml"), f"-Dkafka.version={version}", *goal]
    ended = run_program(command)
    if ended.returncode != 0:
        last = "\n".join((ended.stdout + ended.stderr).splitlines()[-10:])
        raise BedUnavailableError(f"Maven could not get Apache Kafka {version}:\n{last}")


def _publish(gathered: Path, jars: Path) -> None:
    """Put the complete folder in its place in one move; another process may have been first."""
    try:
        gathered.rename(jars)
    except OSError:
        if not jars.is_dir():
            raise
