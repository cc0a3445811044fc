"""The programs that are measured, each told to listen on the loopback: what they are asked, what they have used, what they say.

FastNetMon's `disable_usage_report` is on: as Debian has it, it tells its makers every hour who runs it.
"""

import ipaddress
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

# Where they all listen, one at a time.
PORT = 20_550
SERVE = 20_599

sys.path.append(str(Path(__file__).parents[1] / "soak"))
import senders  # noqa: E402

# Where gonedark's BMP station listens.
BMP = 20_598

# What everyday traffic goes to: sixteen networks of as many ASes, in two countries; watched as a prefix, too.
TOWARDS = ipaddress.ip_network("10.0.0.0/16")

TICKS = os.sysconf("SC_CLK_TCK")

# Seconds until a program listens.
PATIENCE = 60


class Collector:
    """A process that listens at PORT."""

    name = ""
    # What has to be installed for it, as Debian calls it.
    package = None
    program = ""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        log = open(folder / "log", "w")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while not self.sockets():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                raise RuntimeError(f"{self.name} does not listen; see {folder / 'log'}")
            time.sleep(0.1)
        # Whatever it does at its start is not counted.
        time.sleep(2)

    def command(self):
        raise NotImplementedError

    def cpu(self):
        """Seconds, of all its threads, in and out of the kernel."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")")[-1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        """Resident bytes, and the most there have been."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        said = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "VmHWM"))}
        return int(said["VmRSS"]) * 1024, int(said["VmHWM"]) * 1024

    def sockets(self):
        """What waits in each socket at PORT, and what the kernel has dropped of it."""
        lines = Path("/proc/net/udp").read_text().splitlines()[1:]
        rows = [line.split() for line in lines]
        return [(int(row[4].split(":")[1], 16), int(row[-1])) for row in rows if int(row[1].split(":")[1], 16) == PORT]

    def dropped(self):
        return sum(drops for _, drops in self.sockets())

    def drained(self, seconds=10):
        """Waits until nothing is left in the sockets."""
        deadline = time.monotonic() + seconds
        while any(waiting for waiting, _ in self.sockets()) and time.monotonic() < deadline:
            time.sleep(0.05)

    def own_counts(self):
        """What it says itself that it has received."""
        return {}

    def alarms(self):
        """Targets that it has raised an alarm for."""
        return set()

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Gonedark(Collector):
    name = "gonedark watch"
    binary = "target/release/gonedark"

    def __init__(self, folder):
        super().__init__(folder)
        self.router = announce(TOWARDS)
        # Routes that come after the first are told to the meter ten seconds later.
        time.sleep(12)

    def command(self):
        self.store = self.folder / "gonedark.db"
        config = self.folder / "gonedark.toml"
        halves = list(TOWARDS.subnets(1))
        rows = [f"apnic|{country}|ipv4|{half.network_address}|{half.num_addresses}|20140101|allocated" for country, half in zip(("KP", "SY"), halves)]
        (self.folder / "delegated").write_text("\n".join(["2|apnic|20261101|2|20140101|20261101|+0000", *rows]) + "\n")
        config.write_text(f"""
[store]
path = "{self.store}"
[serve]
listen = "127.0.0.1:{SERVE}"
[countries]
delegated = ["{self.folder / "delegated"}"]
[watch]
countries = ["KP", "SY"]
prefixes = ["{TOWARDS}"]
asns = "all"
[[source.bmp]]
name = "router"
listen = "127.0.0.1:{BMP}"
[[source.flows]]
name = "edge"
listen = "127.0.0.1:{PORT}"
sockets = 2
receive_buffer = "64 MiB"
""")
        return [self.binary, "watch", "--config", str(config), "--log", "json"]

    def end(self):
        if router := getattr(self, "router", None):
            router.close()
        super().end()

    def own_counts(self):
        """Of /metrics what is about its source."""
        with urllib.request.urlopen(f"http://127.0.0.1:{SERVE}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        told = [line.rsplit(" ", 1) for line in lines if line.startswith("gonedark_source_")]
        return {name: float(value) for name, value in told}

    def alarms(self):
        # The only place that knows what the store calls its attacks.
        store = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)
        try:
            return {target for (target,) in store.execute("SELECT target FROM attack WHERE kind = 'host'")}
        except sqlite3.OperationalError:
            # Not made yet, or locked for the moment.
            return set()
        finally:
            store.close()


def announce(towards):
    """A router that tells gonedark by BMP who originates sixteenths of a network, and stays."""
    connection = socket.create_connection(("127.0.0.1", BMP))
    peer = (64_496, 1)
    said = [senders.message(4, senders.tlv(1, b"peers") + senders.tlv(2, b"router"))]
    said.append(senders.message(3, senders.per_peer(*peer) + senders.PEER_UP))
    for number, network in enumerate(towards.subnets(4)):
        wire = bytes([network.prefixlen]) + network.network_address.packed[: -(-network.prefixlen // 8)]
        said.append(senders.announcement(peer, 64_600 + number, wire))
    connection.sendall(b"".join(said))
    return connection


class FastNetMon(Collector):
    name = "FastNetMon, default"
    package = "fastnetmon"
    program = "fastnetmon"
    tracking = "on"

    def command(self):
        told = self.folder / "told"
        told.touch()
        notify = self.folder / "notify.sh"
        # $1 is the address, $4 what has happened. The details come on standard input.
        notify.write_text(f'#!/bin/sh\n[ "$4" = ban ] && echo "$1" >>"{told}"\ncat >/dev/null\n')
        notify.chmod(0o755)
        for name, text in (("networks", "10.0.0.0/16\n"), ("whitelist", "")):
            (self.folder / name).write_text(text)
        settings = {
            "disable_usage_report": "on", "enable_connection_tracking": self.tracking, "netflow": "on", "netflow_port": PORT,
            "netflow_host": "127.0.0.1", "networks_list_path": self.folder / "networks",
            "white_list_path": self.folder / "whitelist", "notify_script_path": notify, "enable_api": "off",
            "prometheus": "off", "monitor_local_ip_addresses": "off", "pid_path": self.folder / "pid",
            "cli_stats_file_path": self.folder / "stats", "cli_stats_ipv6_file_path": self.folder / "stats6",
        }
        config = self.folder / "fastnetmon.conf"
        # As Debian has it, but for these.
        lines = Path("/etc/fastnetmon.conf").read_text().splitlines()
        kept = [line for line in lines if line.split("=")[0].strip() not in settings]
        config.write_text("\n".join([*kept, *(f"{key} = {value}" for key, value in settings.items())]) + "\n")
        log = ["--log_file", str(self.folder / "fastnetmon.log")]
        return ["fastnetmon", "--configuration_file", str(config), *log, "--disable_pid_logic"]

    def alarms(self):
        return set((self.folder / "told").read_text().split())


class FastNetMonWithoutTracking(FastNetMon):
    name = "FastNetMon, connection tracking off"
    tracking = "off"


class Nfcapd(Collector):
    name = "nfcapd"
    package = "nfdump"
    program = "nfcapd"

    def command(self):
        flows = self.folder / "flows"
        flows.mkdir(exist_ok=True)
        # It writes every record to the disk, and asks for as large a buffer as it may.
        return ["nfcapd", "-b", "127.0.0.1", "-p", str(PORT), "-w", str(flows), "-B", str(64 << 20)]

    def end(self):
        super().end()
        for path in (self.folder / "flows").glob("*"):
            path.unlink()


ALL = [Gonedark, FastNetMonWithoutTracking, FastNetMon, Nfcapd]
