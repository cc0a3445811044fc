"""Has a `gonedark watch` hear 20,000 messages a second for an hour, and makes its life hard.

    python3 scripts/soak/soak.py target/release/gonedark --out FOLDER [--minutes 60] [--rate 20000]

Eight BMP routers and a server of RIS Live, all on the loopback, say things of 50,000 networks. Meanwhile, at random:
routers and the server hang up, now and then without reading what is on the way; somebody else locks the store for some
seconds; the clock steps, where libfaketime is installed. In the first minutes everybody loses all networks, twice. At the end every message that was sent has to be accounted for,
memory has to be flat, and the store has to be whole. Exit code 1 if anything is wrong.

FOLDER keeps `samples.csv` (a row every five seconds), `memory.svg`, `result.json`, the log and the store.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import chart
from senders import RisServer, Router, World

# What is hard about its life: a mean time between two of each, in seconds.
ROUTER_HANGS_UP = 60
SERVER_HANGS_UP = 180
STORE_IS_LOCKED = 90
CLOCK_STEPS = 120

FAKETIME = [*Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")]

# The worst of it comes first, in seconds from the begin: the clock is far behind, so that all wait, and meanwhile the store is
# locked for as long as it ever is. What was freed stays with the allocator, so that memory is what the largest wait took: where that
# comes by chance, late, it looks like growth, and hides what is.
WORST = (30, 100)
WORST_STEP, LONGEST_LOCK = -30, 8

# Memory is flat where the last quarter of the hour is not above the second quarter by more than this share.
FLAT = 0.05


class Watch:
    """The program, its configuration and its store, in a folder."""

    def __init__(self, binary, folder, ris_port):
        self.folder = folder
        self.store = folder / "soak.db"
        self.bmp_port, self.serve_port = free_port(), free_port()
        self.clock = folder / "clock"
        self.clock.write_text("+0\n")
        config = folder / "gonedark.toml"
        config.write_text(f"""
[store]
path = "{self.store}"
snapshot = "5m"
[serve]
listen = "127.0.0.1:{self.serve_port}"
[[source.bmp]]
name = "bmp"
listen = "127.0.0.1:{self.bmp_port}"
[[source.ris_live]]
name = "ris"
url = "ws://127.0.0.1:{ris_port}/v1/ws/?client=soak"
""")
        environment = dict(os.environ)
        if FAKETIME:
            environment |= {
                "LD_PRELOAD": str(FAKETIME[0]),
                "FAKETIME_TIMESTAMP_FILE": str(self.clock),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        log = open(folder / "watch.log", "w")
        command = [binary, "watch", "--config", str(config), "--log", "json"]
        self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def step_clock(self, seconds):
        self.clock.write_text(f"{seconds:+.1f}\n")

    def status(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.serve_port}/status", timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return None

    def memory(self):
        """Resident bytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))

    def cpu(self):
        """Seconds of CPU."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")")[-1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=120)


def free_port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def trouble(watch, counts, until):
    """Locks the store and steps the clock, until told otherwise."""
    dice = random.Random(3)
    if until.wait(WORST[0]):
        return
    if FAKETIME:
        watch.step_clock(WORST_STEP)
        counts["steps"] += 1
    if until.wait(WORST[1] - WORST[0] - LONGEST_LOCK):
        return
    lock(watch, counts, until, LONGEST_LOCK)
    next_lock = time.monotonic() + dice.expovariate(1 / STORE_IS_LOCKED)
    next_step = time.monotonic() + dice.expovariate(1 / CLOCK_STEPS)
    while not until.wait(0.5):
        now = time.monotonic()
        if now >= next_lock:
            next_lock = now + dice.expovariate(1 / STORE_IS_LOCKED)
            lock(watch, counts, until, dice.uniform(1, LONGEST_LOCK))
        if FAKETIME and now >= next_step:
            next_step = now + dice.expovariate(1 / CLOCK_STEPS)
            watch.step_clock(dice.choice([0, 0.7, 3, 20, -0.5, -4, -30]))
            counts["steps"] += 1


def lock(watch, counts, until, seconds):
    """Holds the store for some seconds."""
    store = sqlite3.connect(watch.store, timeout=30, isolation_level=None)
    try:
        store.execute("BEGIN IMMEDIATE")
        counts["locks"] += 1
        until.wait(seconds)
        store.execute("ROLLBACK")
    except sqlite3.OperationalError:
        pass
    store.close()


def sample(watch, senders, begin, writer):
    status = watch.status()
    if status is None:
        return None
    sources = {source["name"]: source for source in status["sources"]}
    row = {
        "seconds": round(time.monotonic() - begin, 1),
        "memory": watch.memory(),
        "cpu": watch.cpu(),
        "sent": sum(sender.sent for sender in senders),
        "read": sum(source["messages"] for source in sources.values()),
        "observations": sum(source["observations"] for source in sources.values()),
        "applied": status["applied"],
        "waiting": status["waiting"],
        "store": status["store_bytes"],
        "fault": int(status["store_fault"] is not None),
    }
    if writer.tell() == 0:
        print(",".join(row), file=writer)
    print(",".join(map(str, row.values())), file=writer, flush=True)
    return row | {"sources": sources}


def settle(watch, senders, begin, writer):
    """Until all that was sent is read and applied, or nothing moves for ten seconds."""
    last, quiet = None, 0
    while quiet < 10:
        time.sleep(1)
        row = sample(watch, senders, begin, writer)
        now = row and (row["read"], row["applied"], row["waiting"])
        quiet = quiet + 1 if now == last else 0
        last = now
    return row


def account(row, routers, server, store):
    """What became of every message: a list of complaints, and the figures."""
    bmp, ris = row["sources"]["bmp"], row["sources"]["ris"]
    sent = sum(router.sent for router in routers)
    cut = sum(router.cut for router in routers)
    unread = sent - bmp["messages"]
    blind = store.execute("SELECT count(*) FROM blind WHERE collector LIKE 'bmp/%' AND peer_asn = 0").fetchone()[0]
    resets = sum(router.resets for router in routers)
    hangups = sum(router.connections for router in routers)
    ris_unread = server.sent - (ris["messages"] - server.answers)
    figures = {
        "bmp": {"sent": sent, "read": bmp["messages"], "unread": unread, "sent on connections that were reset": cut,
                "resets": resets, "connections": hangups, "told blind": blind, "missed": bmp["missed"],
                "damaged": bmp["damaged"]},
        "ris": {"sent": server.sent, "read": ris["messages"] - server.answers, "unread": ris_unread,
                "sent on connections that were reset": server.cut, "connections": server.connections,
                "missed": ris["missed"], "damaged": ris["damaged"]},
        "observations": row["observations"], "applied": row["applied"], "wait for the next": row["waiting"],
    }
    wrong = []
    if not 0 <= unread <= cut:
        wrong.append(f"BMP: {unread} of {sent} messages are not accounted for")
    if unread and not resets:
        wrong.append("BMP: unread, though no connection was reset")
    if not 0 <= ris_unread <= server.cut:
        wrong.append(f"RIS Live: {ris_unread} of {server.sent} messages are not accounted for")
    # A router that comes back at once can have no more than one blindness a hang-up.
    if resets and not blind:
        wrong.append("no blindness told of routers that hung up")
    # The last of each stream that has ended have nobody behind them who would say that nothing earlier comes.
    if row["observations"] != row["applied"] + row["waiting"]:
        wrong.append(f"{row['observations']} observations handed on, {row['applied']} applied, {row['waiting']} wait")
    return wrong, figures


def flat(rows):
    """The median of the last quarter against that of the second."""
    memory = [row["memory"] for row in rows]
    quarter = len(memory) // 4
    median = lambda some: sorted(some)[len(some) // 2]
    second, last = median(memory[quarter : 2 * quarter]), median(memory[3 * quarter :])
    return second, last


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gonedark")
    parser.add_argument("--out", type=Path, required=True, help="made, if it is not there")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=int, default=20_000, help="messages a second")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for old in options.out.glob("soak.db*"):
        old.unlink()
    stop, over = threading.Event(), threading.Event()
    world = World(50_000)
    # Twelve of twenty by routers: Python makes JSON more slowly.
    server = RisServer(world, options.rate * 8 // 20, SERVER_HANGS_UP, stop)
    watch = Watch(options.gonedark, options.out, server.port)
    routers = [
        Router(number, world, watch.bmp_port, options.rate * 12 / 20 / 8, ROUTER_HANGS_UP, stop) for number in range(8)
    ]
    threads = [threading.Thread(target=sender.run) for sender in [server, *routers]]
    counts = {"locks": 0, "steps": 0}
    threads.append(threading.Thread(target=trouble, args=(watch, counts, stop)))
    begin, rows = time.monotonic(), []
    for thread in threads:
        thread.start()
    with open(options.out / "samples.csv", "w") as writer:
        while time.monotonic() - begin < options.minutes * 60 and watch.process.poll() is None:
            time.sleep(5)
            if row := sample(watch, [server, *routers], begin, writer):
                rows.append(row)
        stop.set()
        for thread in threads:
            thread.join()
        last = settle(watch, [server, *routers], begin, writer)
    code = watch.end()
    store = sqlite3.connect(watch.store)
    wrong, figures = account(last, routers, server, store)
    second, final = flat(rows)
    figures |= {
        "minutes": options.minutes, "messages a second": last["sent"] / (options.minutes * 60),
        "CPU seconds": last["cpu"], "memory, second quarter": second, "memory, last quarter": final,
        "most memory": max(row["memory"] for row in rows), "store": last["store"], **counts,
    }
    if final > second * (1 + FLAT):
        wrong.append(f"memory grew from {second} to {final} bytes")
    if code != 0:
        wrong.append(f"the watch ended with {code}")
    if (check := store.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
        wrong.append(f"the store: {check}")
    (options.out / "memory.svg").write_text(chart.memory(rows))
    (options.out / "result.json").write_text(json.dumps({"wrong": wrong, **figures}, indent=1) + "\n")
    print(json.dumps(figures, indent=1))
    print("\n".join(wrong) or "every message is accounted for, and memory is flat")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
