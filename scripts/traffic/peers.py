"""Measures `gonedark watch` beside FastNetMon and nfcapd, as Debian has them: CPU for each record, time to alarm, memory.

    python3 scripts/traffic/peers.py target/release/gonedark --out FOLDER [cost] [alarm] [memory]

cost    the same records at the same rate to each in turn, round after round: CPU and loss
alarm   attacks of UDP on one host at so many times the threshold, to each in turn: seconds from the first datagram
memory  100 million packets to one host, each from another address, to gonedark alone: resident memory every second

As root, with the Debian packages fastnetmon and nfdump; whatever is not installed is named, and left out with --without-peers.
All of it happens in a network of its own that has nothing but a loopback, and ends with this. FOLDER keeps `result.json`.
"""

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from collectors import ALL, PORT, FastNetMon, Gonedark

SENDER = Path(__file__).with_name("sender.py")

# FastNetMon's threshold, and gonedark's host_pps.
THRESHOLD = 20_000

# What was measured of FastNetMon before, and just over the threshold.
TIMES = [1.05, 1.16, 1.2, 1.45, 2.9, 9.86]

# Seconds after which no alarm is waited for any more; FastNetMon's average takes 15 at 1.05 times.
NO_ALARM = 30


def alone():
    """Begins anew in a network of its own (network_namespaces(7)); it has a loopback that is down."""
    if os.environ.get("GONEDARK_PEERS") != "alone":
        if os.geteuid() != 0:
            sys.exit("peers: needs root, for a network of its own")
        command = ["unshare", "--net", sys.executable, *sys.argv]
        os.execvpe("unshare", command, {**os.environ, "GONEDARK_PEERS": "alone"})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def start_sender(form, rate, seconds, *more):
    command = [sys.executable, str(SENDER), "--to", f"127.0.0.1:{PORT}", "--format", form, "--rate", str(rate)]
    command += ["--seconds", str(seconds), *map(str, more)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def sent(process):
    return json.loads(process.communicate()[0])


def cost_of_one(kind, form, options, folder):
    """One round of one program."""
    collector = kind(folder)
    try:
        before = collector.cpu()
        told = sent(start_sender(form, options.rate, options.seconds, "--exporters", 4, "--flow-seconds", 1))
        collector.drained()
        # What was read is still to be worked on, and FastNetMon sums up every second.
        time.sleep(2)
        cpu = collector.cpu() - before
        return {
            "program": kind.name, "format": form, "sent": told["records"], "rate": told["rate"], "sender_late": told["latest"],
            "datagrams": told["datagrams"], "dropped": collector.dropped(), "cpu": cpu, "memory": collector.memory()[1],
            "own": collector.own_counts(),
        }
    finally:
        collector.end()


def cost(kinds, options):
    rows = []
    for form in options.formats:
        for turn in range(options.rounds):
            for kind in kinds:
                row = cost_of_one(kind, form, options, options.out / "work" / "cost")
                shutil.rmtree(options.out / "work")
                arrived = row["sent"] * (1 - row["dropped"] / row["datagrams"])
                row["micros"] = row["cpu"] / arrived * 1e6
                rows.append(row)
                print(f"  {form} {turn + 1} {kind.name}: {row['micros']:.3f} µs a record, {row['dropped']} of "
                      f"{row['datagrams']} datagrams dropped, {row['memory'] >> 20} MiB", file=sys.stderr)
    return rows


def show_cost(rows, kinds):
    print("\n| records | program | CPU µs a record, median (least to most) | M records/s of one core | times gonedark's, median "
          "of the rounds | dropped | peak memory |\n|---|---|---|---|---|---|---|")
    for form in dict.fromkeys(row["format"] for row in rows):
        of = lambda kind: [row for row in rows if row["format"] == form and row["program"] == kind.name]
        for kind in kinds:
            micros = [row["micros"] for row in of(kind)]
            ratio = "-"
            if Gonedark in kinds:
                ratio = f"{statistics.median(one / ours['micros'] for one, ours in zip(micros, of(Gonedark))):.2f}"
            drops = 100 * sum(row["dropped"] for row in of(kind)) / sum(row["datagrams"] for row in of(kind))
            middle = statistics.median(micros)
            print(f"| {form} | {kind.name} | {middle:.3f} ({min(micros):.3f} to {max(micros):.3f}) | {1 / middle:.2f} | {ratio} | "
                  f"{drops:.2f} % | {max(row['memory'] for row in of(kind)) >> 20} MiB |")


def alarm_of_one(collector, times, number):
    """Seconds from the first datagram to the alarm, or None."""
    target = f"10.0.{number}.1"
    process = start_sender("v5", times * THRESHOLD, NO_ALARM, "--target", target)
    try:
        # The sender makes its datagrams first; it says at its end when it began to send.
        deadline = time.monotonic() + NO_ALARM + 5
        while time.monotonic() < deadline and process.poll() is None:
            if target in collector.alarms():
                at = time.time()
                break
            time.sleep(0.02)
        else:
            at = None
    finally:
        process.send_signal(signal.SIGTERM)
    begin = sent(process)["first"]
    return at and at - begin


def alarm(kinds, options):
    """Every attack is on another host: FastNetMon bans one for half an hour, and averages over five seconds."""
    rows, number = [], 0
    for kind in kinds:
        collector = kind(options.out / "work" / kind.__name__)
        try:
            for _ in range(options.repeats):
                for times in TIMES:
                    number += 1
                    seconds = alarm_of_one(collector, times, number)
                    rows.append({"program": kind.name, "times": times, "seconds": seconds})
                    print(f"  {times} x {kind.name}: {seconds and round(seconds, 2)} s", file=sys.stderr)
                    # Both look once a second: attacks are to begin at any time of it.
                    time.sleep(random.uniform(1, 2))
        finally:
            collector.end()
    shutil.rmtree(options.out / "work")
    return rows


def show_alarm(rows, kinds):
    print("\n| offered | times the threshold | " + " | ".join(f"{kind.name}, s" for kind in kinds) + " |")
    print("|---|---|" + "---|" * len(kinds))
    for times in TIMES:
        cells = []
        for kind in kinds:
            each = [row["seconds"] for row in rows if row["times"] == times and row["program"] == kind.name]
            cells.append(", ".join(f"{it:.1f}" if it else "none" for it in each))
        print(f"| {times * THRESHOLD:,.0f} pps | {times} | " + " | ".join(cells) + " |")


def memory(options):
    """Random sources; FastNetMon keeps nothing of sources, so that there is nothing to hold this against."""
    collector = Gonedark(options.out / "work" / "memory")
    rows = []
    try:
        before, begin = collector.cpu(), time.monotonic()
        where = [] if options.spread else ["--target", "10.0.7.1"]
        seconds = options.million * 1e6 / options.flood_rate
        process = start_sender("v5", options.flood_rate, seconds, "--sources", 0, "--exporters", 4, *where)
        while process.poll() is None:
            rows.append({"seconds": round(time.monotonic() - begin, 1), "memory": collector.memory()[0]})
            time.sleep(1)
        told = sent(process)
        collector.drained()
        time.sleep(2)
        rows.append({"seconds": round(time.monotonic() - begin, 1), "memory": collector.memory()[0]})
        return {
            "sent": told["records"], "rate": told["rate"], "datagrams": told["datagrams"], "dropped": collector.dropped(),
            "cpu": collector.cpu() - before, "most": collector.memory()[1], "alarms": sorted(collector.alarms())[:5],
            "own": collector.own_counts(), "memory": rows,
        }
    finally:
        collector.end()
        shutil.rmtree(options.out / "work")


def show_memory(flood):
    print("\n| seconds | resident MiB |\n|---|---|")
    rows = flood["memory"]
    for share in (0, 0.02, 0.1, 0.25, 0.5, 0.75, 1):
        row = rows[min(int(share * len(rows)), len(rows) - 1)]
        print(f"| {row['seconds']:.0f} | {row['memory'] / 2**20:.1f} |")
    print(f"\n{flood['sent']:,} records sent, {flood['rate']:,.0f} a second; {flood['dropped']} of {flood['datagrams']} datagrams "
          f"dropped; CPU {flood['cpu'] / flood['sent'] * 1e6:.3f} µs a record; the most memory {flood['most'] / 2**20:.1f} MiB")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gonedark", help="the program; - measures the others alone")
    parser.add_argument("what", nargs="*", metavar="cost|alarm|memory", help="default: all three")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rate", type=int, default=300_000, help="cost: records a second (default 300,000)")
    parser.add_argument("--seconds", type=float, default=20, help="cost: of each round (default 20)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--formats", nargs="*", default=["v9"], choices=["v5", "v9", "ipfix"])
    parser.add_argument("--repeats", type=int, default=3, help="alarm: of each rate")
    parser.add_argument("--flood-rate", type=int, default=400_000, help="memory: records a second (default 400,000)")
    parser.add_argument("--million", type=float, default=100, help="memory: million records (default 100)")
    parser.add_argument("--spread", action="store_true", help="memory: everyday traffic to 65,536 hosts instead of one target")
    parser.add_argument("--without-peers", action="store_true", help="gonedark alone")
    options = parser.parse_intermixed_args()
    options.what = options.what or ["cost", "alarm", "memory"]
    if unknown := set(options.what) - {"cost", "alarm", "memory"}:
        parser.error(f"nothing is called {', '.join(unknown)}")
    return options


def chosen(options):
    kinds = [kind for kind in ALL if not options.without_peers or kind is Gonedark]
    if options.gonedark == "-":
        kinds.remove(Gonedark)
    elif not os.access(options.gonedark, os.X_OK):
        sys.exit(f"peers: {options.gonedark} is no program (cargo build --release --package gonedark)")
    else:
        Gonedark.binary = os.path.abspath(options.gonedark)
    missing = {kind.package for kind in kinds if kind.package and not shutil.which(kind.program)}
    if missing:
        sys.exit(f"peers: not installed: {', '.join(sorted(missing))} (Debian: apt install --no-install-recommends "
                 f"{' '.join(sorted(missing))}; a /usr/sbin/policy-rc.d that ends with 101 keeps their services from starting); "
                 "--without-peers measures gonedark alone")
    return kinds


def main():
    options = arguments()
    kinds = chosen(options)
    alone()
    # So that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    options.out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(options.out / "work", ignore_errors=True)
    result = {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "arguments": sys.argv[1:]}
    keep = lambda: (options.out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    if "cost" in options.what:
        result["cost"] = cost(kinds, options)
        keep()
        show_cost(result["cost"], kinds)
    # nfcapd raises none, and tracking does not matter to an alarm.
    raising = [kind for kind in kinds if kind in (Gonedark, FastNetMon)]
    if "alarm" in options.what:
        result["alarm"] = alarm(raising, options)
        keep()
        show_alarm(result["alarm"], raising)
    if "memory" in options.what and Gonedark in kinds:
        result["memory"] = memory(options)
        keep()
        show_memory(result["memory"])


if __name__ == "__main__":
    main()
