"""One pass of the lab: builds the Internet of topology.toml, does the outages of outages.toml, keeps what was recorded.

Needs root. Everything happens in namespaces named gdlab-*, which are gone when this ends, however it ends; what a run
that was killed outright left behind is removed by the next one, or by --clean.
"""

import argparse
import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import namespaces
import outages
import topology as topologies
import traffic
from routers import Daemons

HERE = Path(__file__).parent

# Only one lab at a time: names are fixed, so that leftovers are known. A name without a file, which is free again however
# its owner ends (unix(7), abstract sockets). Nothing listens there.
LOCK = "\0gdlab"

# Where the routers' configurations, sockets and recordings are while it runs.
WORK = Path("/run/gdlab")

# Seconds until all is up: GoBGP takes ten for its first sessions, the rest is a slow machine.
PATIENCE = 60


def tell(text):
    print(f"{datetime.now(timezone.utc):%H:%M:%S}  {text}", flush=True)


def wait_for(what, ready, daemons):
    tell(f"waiting for {what}")
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if dead := daemons.dead():
            raise RuntimeError(f"stopped by itself: {', '.join(dead)} (see its log)")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {PATIENCE} s")
        time.sleep(0.3)


def start_station(topology, collector, folder, options):
    """The listener for BMP (and for flows, if it says so): the recorder, or the command given in its place."""
    address = f"{collector.station[0]}:{collector.station[1]}"
    command = options.station_command
    if command:
        command = command.replace("{listen}", address).replace("{flows}", topology.flows.listen).split()
    else:
        command = [sys.executable, str(HERE / "station.py"), "--listen", address, "--out", str(folder)]
    where = [] if options.station_on_host else namespaces.within(collector)
    folder.mkdir()
    log = open(folder / "log", "w")
    return subprocess.Popen([*where, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def listens_for_flows(options):
    return "{flows}" in (options.station_command or "")


def converged(topology, daemons):
    """Every peer of every collector has sent every network."""
    everything = len(topology.networks)
    for collector in topology.collectors:
        received = daemons.received(collector)
        if len(received) != len(collector.ends) or any(count != everything for count in received):
            return False
    return True


def start_tables(topology, daemons):
    """FRR is told only now to write tables: the first one is to be whole. BIRD's early ones are not kept."""
    for collector in topology.collectors:
        if collector.daemon == "frr":
            file = daemons.folder_of(collector) / "rib.%Y%m%d.%H%M%S.mrt"
            daemons.vtysh(collector, "configure terminal", f"dump bgp routes-mrt {file} {topology.timers['table']}")
    return outages.now()


def tables(folder, since):
    """The tables of a collector that began after a moment and hold something."""
    return [path for path in folder.glob("rib.*") if path.stat().st_size and _named(path) * 1_000_000 >= since]


def _named(path):
    stamp = ".".join(path.name.split(".")[1:3])
    return int(datetime.strptime(stamp, "%Y%m%d.%H%M%S").replace(tzinfo=timezone.utc).timestamp())


def keep(topology, daemons, since, begin, out):
    """Packs the recordings as a public archive lays them out: a folder for each collector."""
    for collector in topology.collectors:
        if not collector.writes_mrt:
            continue
        source = daemons.folder_of(collector)
        folder = out / "mrt" / collector.name
        folder.mkdir(parents=True)
        for path in tables(source, since):
            pack(path, folder / f"{path.name.removesuffix('.mrt')}.gz")
        # One file, from the begin: FRR's of a minute each overwrite each other (README.md, "What went wrong here").
        named = f"updates.{datetime.fromtimestamp(begin, timezone.utc):%Y%m%d.%H%M%S}.gz"
        pack(source / "updates.mrt", folder / named)


def pack(path, to):
    # Neither name nor time in it: the same bytes give the same file.
    with open(to, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(path.read_bytes())


def one_pass(topology, plan, options, folder):
    daemons = Daemons(topology, folder)
    station, others = None, []
    try:
        tell(f"{len(topology.routers)} routers, {len(topology.links)} links")
        namespaces.build(topology)
        collector = next(it for it in topology.collectors if it.station)
        if options.station_on_host:
            namespaces.join_host(collector)
        begin = time.time()
        station = start_station(topology, collector, folder / "station", options)
        if not listens_for_flows(options):
            others.append(traffic.start_recorder(topology.flows, folder))
        others += [traffic.start_exporter(topology.flows, folder), traffic.start_everyday(topology)]
        for router in topology.routers:
            daemons.prepare(router)
            daemons.start(router)
        for router in topology.routers:
            if router.daemon == "gobgp":
                wait_for(router.name, lambda: daemons.announce_what_gobgp_cannot_configure(router), daemons)
        wait_for("all routes", lambda: converged(topology, daemons), daemons)
        since = start_tables(topology, daemons)
        folders = [daemons.folder_of(it) for it in topology.collectors if it.writes_mrt]
        wait_for("the first tables", lambda: all(tables(it, since) for it in folders), daemons)
        if options.settle:
            tell(f"quiet for {options.settle} s")
            time.sleep(options.settle)
        first = outages.now()
        operator = outages.Operator(topology, daemons)
        truths = outages.perform(plan, operator, tell)
        truth = {
            "schema": 1,
            "from": outages.written(first),
            "until": outages.written(outages.now()),
            "timers": topology.timers,
            "outages": truths,
            "attacks": operator.attacks(),
        }
        # Before anything is stopped: the end of the lab is no outage.
        keep(topology, daemons, since, begin, options.out)
        for path in (folder / "station").glob("bmp-*"):
            (options.out / "bmp").mkdir(exist_ok=True)
            pack(path, options.out / "bmp" / f"{path.name}.gz")
        if (folder / "flows.pcap").exists():
            (options.out / "flows").mkdir()
            pack(folder / "flows.pcap", options.out / "flows" / "flows.pcap.gz")
        (options.out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    finally:
        # A second Ctrl-C must not leave half of it standing.
        for number in CAUGHT:
            signal.signal(number, signal.SIG_IGN)
        # First who listens: the end of the lab is no outage for a live one either.
        if station:
            station.terminate()
            station.wait()
        for process in others:
            process.terminate()
            process.wait()
        daemons.stop_all()
        namespaces.remove_all()
        if options.keep_logs:
            shutil.copytree(folder, options.out / "logs", ignore=shutil.ignore_patterns("*.mrt", "*.vty", "*control"))


CAUGHT = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def interrupted(number, _frame):
    raise SystemExit(128 + number)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topology", type=Path, default=HERE / "topology.toml")
    parser.add_argument("--outages", type=Path, default=HERE / "outages.toml")
    parser.add_argument("--out", type=Path, default=Path("target/lab"), help="made anew (default target/lab)")
    parser.add_argument("--station-command", metavar="COMMAND", help="listens for BMP instead of the recorder; "
                        "{listen} becomes the address and port, {flows} those for NetFlow, which is recorded without it")
    parser.add_argument("--station-on-host", action="store_true", help="the station listens at a veth to the host")
    parser.add_argument("--settle", type=float, default=0, metavar="SECONDS", help="quiet before the first outage: a "
                        "live program takes what routers send for whole tables only once that has ended")
    parser.add_argument("--keep-logs", action="store_true", help="the routers' logs and configurations, in OUT/logs")
    parser.add_argument("--clean", action="store_true", help="remove what an earlier run left, and nothing else")
    return parser.parse_args()


def main():
    options = arguments()
    if os.geteuid() != 0:
        sys.exit("lab: needs root, for network namespaces")
    if options.station_on_host and listens_for_flows(options):
        sys.exit("lab: flows do not get to the host; leave out {flows} or --station-on-host")
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(LOCK)
    except OSError:
        sys.exit("lab: another one is running")
    namespaces.remove_all()
    shutil.rmtree(WORK, ignore_errors=True)
    if options.clean:
        return
    # Names of files and the wall clock of tables go by the daemons' time zone.
    os.environ["TZ"] = "UTC"
    topology = topologies.read(options.topology)
    plan = outages.read(options.outages)
    if options.station_on_host:
        collector = next(it for it in topology.collectors if it.station)
        collector.station = (topologies.STATION_LINK[0], collector.station[1])
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    for number in CAUGHT:
        signal.signal(number, interrupted)
    # The daemons have users of their own, who must be able to go in.
    WORK.mkdir(mode=0o755)
    try:
        one_pass(topology, plan, options, WORK)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    tell(f"recorded in {options.out}")


if __name__ == "__main__":
    main()
