"""Two ClickHouse tables on one server, compared there: a Plumbline of its own is the server."""

import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """`plumbline up` in a folder, with nothing to do but answer SQL."""

    def __init__(self, binary: str, folder: pathlib.Path):
        self.port = free_port()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        listen = {"ingest": free_port(), "console": free_port(), "kafka": free_port(), "clickhouse": self.port}
        lines = ", ".join(f'{role}: "127.0.0.1:{port}"' for role, port in listen.items())
        (folder / "plumbline.yaml").write_text(f"listen: {{ {lines} }}\n")
        self.log = open(folder / "server.log", "wb")
        self.process = subprocess.Popen([os.path.abspath(binary), "up", "--config", "plumbline.yaml"], cwd=folder, stdout=self.log, stderr=self.log)
        self.until_it_answers()

    def until_it_answers(self) -> None:
        for _ in range(600):
            try:
                self.query("SELECT 1")
                return
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None:
                    raise RuntimeError(f"the server ended: see {self.log.name}")
                time.sleep(0.1)
        raise RuntimeError(f"the server does not answer: see {self.log.name}")

    def query(self, sql: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", data=sql.encode()) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as refused:
            raise RuntimeError(f"{sql}: {refused.read().decode()}") from refused

    def load(self, folder: pathlib.Path) -> None:
        self.query("CREATE DATABASE bench")
        for side in "ab":
            self.query(f"CREATE TABLE bench.{side} ENGINE = MergeTree ORDER BY id SETTINGS allow_nullable_key = 1 AS SELECT * FROM file('{folder}/{side}.parquet')")

    def address(self, side: str) -> str:
        return f"clickhouse+http://127.0.0.1:{self.port}/bench#{side}"

    def cpu(self) -> float:
        """CPU seconds of the server and its engine so far."""
        total = 0.0
        for pid in [self.process.pid] + self.children():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return total

    def children(self) -> list:
        found = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for f in found for pid in f.read_text().split()]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)
        self.log.close()
