"""Sends flow records at a given rate for a given time, and says what it has sent.

    python3 scripts/traffic/sender.py --to 127.0.0.1:2055 --format v9 --rate 300000 --seconds 20
    python3 scripts/traffic/sender.py --to 127.0.0.1:2055 --format v5 --rate 29000 --seconds 20 --target 10.0.7.1
    python3 scripts/traffic/sender.py --to 127.0.0.1:2055 --format v5 --rate 400000 --seconds 250 --target 10.0.7.1 --sources 0

It sends to the loopback and to addresses kept for laboratories, and to nobody else. With `--target` every record is a packet
to that host: the rate is the attack's, in packets a second. At the end, and after SIGTERM, it prints one line of JSON.
"""

import argparse
import ipaddress
import json
import signal
import socket
import sys
import time

from datagrams import FORMATS, UPTIME, RandomSources, flows

# Datagrams made for each exporter before it begins.
POOL = 256

# Seconds between two templates.
TEMPLATES = 1.0

# Seconds between two looks at what is due.
TICK = 0.001

ALLOWED = [ipaddress.ip_network(it) for it in ("127.0.0.0/8", "198.18.0.0/15")]


class Exporter:
    """A router: its address, its sequence number and the clock since it was started."""

    def __init__(self, number, to, form, options):
        self.number, self.form = number, form
        self.begin = time.time_ns() - UPTIME * 10**6
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if ipaddress.ip_address(to[0]).is_loopback:
            self.socket.bind((f"127.0.3.{number + 1}", 0))
        self.socket.connect(to)
        self.pool = form.pool(flows(options, number), POOL)
        self.place = self.sequence = self.datagrams = self.records = self.refused = 0
        self.fresh = RandomSources() if options.sources == 0 else None
        self.next_template = 0.0
        self.lasts = int(options.flow_seconds * 1e9)

    def uptime(self, moment):
        return (moment - self.begin) // 10**6 & 0xFFFFFFFF

    def transmit(self, data):
        try:
            self.socket.send(data)
        except ConnectionRefusedError:
            # Of the datagram before: nobody listened.
            self.refused += 1
        self.datagrams += 1

    def template(self, now):
        if self.form.template and time.monotonic() >= self.next_template:
            self.next_template = time.monotonic() + TEMPLATES
            self.transmit(self.form.template(self, now, self.sequence))
            self.sequence += not self.form.counts_records

    def send(self):
        form, data = self.form, self.pool[self.place]
        self.place = (self.place + 1) % POOL
        now = time.time_ns()
        self.template(now)
        form.stamp(data, self, now, now - self.lasts, self.sequence)
        if self.fresh:
            form.sources(data, self.fresh.take(4 * form.records))
        self.transmit(data)
        self.records += form.records
        self.sequence += form.records if form.counts_records else 1


def run(exporters, rate, seconds, stop):
    """What is due is sent every TICK; what the machine kept it from sending is sent as soon as it can. Gives the longest
    delay of anything that was due."""
    per_second = rate / exporters[0].form.records
    total = round(per_second * seconds)
    begin, sent, late = time.monotonic(), 0, 0.0
    turn = 0
    while sent < total and not stop:
        elapsed = time.monotonic() - begin
        due = min(total, int(elapsed * per_second) + 1)
        if due > sent:
            late = max(late, elapsed - sent / per_second)
        for _ in range(due - sent):
            exporters[turn].send()
            turn = (turn + 1) % len(exporters)
        sent = due
        time.sleep(TICK)
    return late


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--format", choices=FORMATS, default="v5")
    parser.add_argument("--rate", type=float, required=True, help="records a second")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--exporters", type=int, default=1, help="routers, each with an address of its own (default 1)")
    parser.add_argument("--target", help="all records are packets of UDP to this host")
    parser.add_argument("--towards", default="10.0.0.0/16", help="otherwise everyday traffic to these (default 10.0.0.0/16)")
    parser.add_argument("--sources", type=int, default=65_536, help="how many for each router; 0: always new ones")
    parser.add_argument("--flow-seconds", type=float, default=0, help="how long each flow has lasted when it is told of")
    options = parser.parse_args()
    address, _, port = options.to.rpartition(":")
    if not any(ipaddress.ip_address(address) in network for network in ALLOWED):
        sys.exit(f"sender: {address} is no address of a laboratory")
    return options, (address, int(port))


def main():
    options, to = arguments()
    form = FORMATS[options.format]()
    exporters = [Exporter(number, to, form, options) for number in range(options.exporters)]
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    cpu, begin = time.process_time(), time.time()
    late = run(exporters, options.rate, options.seconds, stop)
    end = time.time()
    records = sum(it.records for it in exporters)
    print(json.dumps({
        "first": begin, "last": end, "records": records, "datagrams": sum(it.datagrams for it in exporters),
        "rate": records / max(end - begin, 1e-9), "latest": late, "cpu": time.process_time() - cpu,
        "refused": sum(it.refused for it in exporters),
    }))


if __name__ == "__main__":
    main()
