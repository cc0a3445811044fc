"""Makes the namespaces and the links between them, and takes them away again, whoever left them behind."""

import os
import signal
import subprocess
import time

from topology import PREFIX, STATION_LINK

# The host's end of the link to a station outside; exists only under --station-on-host.
HOST_INTERFACE = PREFIX + "host"


def _batch(lines, *options):
    """Many commands of `ip` at once: a process for each would take most of the time."""
    subprocess.run(["ip", *options, "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)


def build(topology):
    for router in topology.routers:
        subprocess.run(["ip", "netns", "add", router.namespace], check=True)
    # Both ends are born in their namespaces: the host never sees them.
    _batch(
        f"link add {one.interface} netns {other.far.namespace} type veth "
        f"peer name {other.interface} netns {one.far.namespace}"
        for one, other in topology.links
    )
    for router in topology.routers:
        addresses = [f"address add {end.address}/30 dev {end.interface}" for end in router.ends]
        up = [f"link set {end.interface} up" for end in router.ends]
        _batch(["link set lo up", *addresses, *up], "-n", router.namespace)


def join_host(router):
    """A link between the host and one namespace, for a station that listens on the host."""
    ours, theirs = STATION_LINK
    _batch(
        [
            f"link add {HOST_INTERFACE} type veth peer name station netns {router.namespace}",
            f"address add {ours}/30 dev {HOST_INTERFACE}",
            f"link set {HOST_INTERFACE} up",
        ]
    )
    _batch([f"address add {theirs}/30 dev station", "link set station up"], "-n", router.namespace)


def within(router):
    """What to put before a command so that it runs in the router's namespace. The pid stays the command's."""
    return ["ip", "netns", "exec", router.namespace]


def link(router, ends, state):
    """Sets a router's ends of links up or down."""
    _batch([f"link set {end.interface} {state}" for end in ends], "-n", router.namespace)


def existing():
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in listed.splitlines() if line.startswith(PREFIX)]


def _processes(namespace):
    listed = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True).stdout
    return [int(pid) for pid in listed.split()]


def remove_all():
    """Whatever is in a namespace of the lab was started by a lab: it is stopped by its pid, then the namespace goes."""
    namespaces = existing()
    for namespace in namespaces:
        for pid in _processes(namespace):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    deadline = time.monotonic() + 5
    while any(map(_processes, namespaces)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for namespace in namespaces:
        subprocess.run(["ip", "netns", "delete", namespace], check=False)
    if os.path.exists(f"/sys/class/net/{HOST_INTERFACE}"):
        subprocess.run(["ip", "link", "delete", HOST_INTERFACE], check=False)
