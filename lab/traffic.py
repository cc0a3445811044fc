"""Real packets between the namespaces, and the router that tells of them.

The routers' routes are never the kernel's here, so that a flood has its own: from the AS where it begins through a neighbour of
the victim, which alone forwards. The victim's address is nobody's, so that nothing answers.
"""

import ipaddress
import json
import subprocess
import sys
from pathlib import Path

import namespaces

FLOOD = Path(__file__).parent / "flood.py"

# softflowd looks every second for flows that have lasted one: a flood is told of while it goes on. Its own limit of flows,
# 8,192, is less than two seconds of one.
TIMES = ["-t", "maxlife=1", "-t", "expint=1", "-m", "65536"]

# Seconds that a flood may take longer than it was asked to.
PATIENCE = 30


def start_recorder(flows, folder):
    """Keeps what the router tells, where no `gonedark watch` listens."""
    command = [sys.executable, str(FLOOD.with_name("collector.py")), "--listen", flows.listen, "--out", str(folder / "flows.pcap")]
    return subprocess.Popen([*namespaces.within(flows.collector), *command], stdin=subprocess.DEVNULL, start_new_session=True)


def start_exporter(flows, folder):
    end = flows.exporter.end_to(flows.towards)
    command = ["softflowd", "-d", "-N", "-i", end.interface, "-v", "9", "-n", flows.listen, *TIMES]
    command += ["-p", str(folder / "softflowd.pid"), "-c", str(folder / "softflowd.control")]
    log = open(folder / "softflowd.log", "w")
    return subprocess.Popen(
        [*namespaces.within(flows.exporter), *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )


def flood(topology, step):
    """Starts one; gives its process."""
    source, middle, victim = topology.by_number(step["from"]), topology.by_number(step["through"]), topology.announcing(step["to"])
    network = next(it for it in victim.networks if ipaddress.ip_address(step["to"]) in ipaddress.ip_network(it))
    for router, following in ((source, middle), (middle, victim)):
        way = ["route", "replace", network, "via", router.end_to(following).far_address]
        subprocess.run(["ip", "-n", router.namespace, *way], check=True)
    # The namespace's own settings: it forwards, also what comes from where it knows no way back to.
    for setting, value in (("ip_forward", 1), ("conf/all/rp_filter", 0), (f"conf/{middle.end_to(source).interface}/rp_filter", 0)):
        write = ["tee", f"/proc/sys/net/ipv4/{setting}"]
        subprocess.run([*namespaces.within(middle), *write], input=f"{value}\n", text=True, stdout=subprocess.DEVNULL, check=True)
    command = [sys.executable, str(FLOOD), "--to", step["to"], "--pps", str(step["pps"]), "--seconds", str(step["seconds"])]
    return subprocess.Popen(
        [*namespaces.within(source), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def told(process):
    """What a flood says of itself at its end."""
    out, _ = process.communicate(timeout=PATIENCE)
    return json.loads(out)
