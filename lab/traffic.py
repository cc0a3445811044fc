"""Real packets between the namespaces, and the router that tells of them.

The routers' routes are never the kernel's here, so that packets have their own: from the AS where they begin through a neighbour
of whom they are for, which alone forwards. The addresses at their end are nobody's, so that nothing answers.
"""

import ipaddress
import json
import subprocess
import sys
from pathlib import Path

import namespaces

FLOOD = Path(__file__).parent / "flood.py"

# softflowd looks every second for flows that have lasted one, or rested one: a flood is told of while it goes on. Its own limit
# of flows, 8,192, is less than two seconds of one.
TIMES = ["maxlife=1", "expint=1", "tcp=1", "udp=1", "icmp=1", "general=1"]
FLOWS = ["-m", "65536", *(it for time in TIMES for it in ("-t", time))]

# Packets a second of everyday traffic. softflowd gets packets only when a block of them is full (libpcap's timeout is 0): without
# other traffic the end of a flood would never be told of.
EVERYDAY = 300

# Seconds of it, if nothing stops it before.
LONGEST = 900

# Seconds that a flood may take longer than it was asked to.
PATIENCE = 30


def start_recorder(flows, folder):
    """Keeps what the router tells, where no `gonedark watch` listens."""
    command = [sys.executable, str(FLOOD.with_name("collector.py")), "--listen", flows.listen, "--out", str(folder / "flows.pcap")]
    return subprocess.Popen([*namespaces.within(flows.collector), *command], stdin=subprocess.DEVNULL, start_new_session=True)


def start_exporter(flows, folder):
    end = flows.exporter.end_to(flows.towards)
    command = ["softflowd", "-d", "-N", "-i", end.interface, "-v", "9", "-n", flows.listen, *FLOWS]
    command += ["-p", str(folder / "softflowd.pid"), "-c", str(folder / "softflowd.control")]
    log = open(folder / "softflowd.log", "w")
    return subprocess.Popen(
        [*namespaces.within(flows.exporter), *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )


def start_everyday(topology):
    """Conversations to the last network of whom the exporter looks at."""
    flows = topology.flows
    address = str(ipaddress.ip_network(flows.towards.networks[-1])[9])
    return send(topology, flows.source, flows.exporter, address, EVERYDAY, LONGEST, "--everyday")


def flood(topology, step):
    """Starts one; gives its process."""
    source, middle = topology.by_number(step["from"]), topology.by_number(step["through"])
    return send(topology, source, middle, step["to"], step["pps"], step["seconds"])


def send(topology, source, middle, address, pps, seconds, *more):
    victim = topology.announcing(address)
    network = next(it for it in victim.networks if ipaddress.ip_address(address) in ipaddress.ip_network(it))
    for router, following in ((source, middle), (middle, victim)):
        way = ["route", "replace", network, "via", router.end_to(following).far_address]
        subprocess.run(["ip", "-n", router.namespace, *way], check=True)
    # The namespace's own settings: it forwards, also what comes from where it knows no way back to.
    for setting, value in (("ip_forward", 1), ("conf/all/rp_filter", 0), (f"conf/{middle.end_to(source).interface}/rp_filter", 0)):
        write = ["tee", f"/proc/sys/net/ipv4/{setting}"]
        subprocess.run([*namespaces.within(middle), *write], input=f"{value}\n", text=True, stdout=subprocess.DEVNULL, check=True)
    command = [sys.executable, str(FLOOD), "--to", address, "--pps", str(pps), "--seconds", str(seconds), *more]
    return subprocess.Popen(
        [*namespaces.within(source), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def told(process):
    """What a flood says of itself at its end."""
    out, _ = process.communicate(timeout=PATIENCE)
    return json.loads(out)
