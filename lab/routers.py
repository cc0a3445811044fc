"""Writes the routers' configurations from the templates, starts and stops the routers, and talks to them."""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from string import Template

import namespaces

TEMPLATES = Path(__file__).parent / "templates"

# The users that Debian's packages make for their daemons. GoBGP has none, and runs as root in its namespace.
USERS = {"frr": "frr", "bird": "bird"}

BGPD = "/usr/lib/frr/bgpd"


def _fill(template, **values):
    return Template((TEMPLATES / template).read_text()).substitute(values)


class Daemons:
    """The routers' processes, each with the pid that it was started with."""

    def __init__(self, topology, folder):
        self.topology = topology
        self.folder = Path(folder)
        self.running = {}

    def folder_of(self, router):
        return self.folder / router.name

    def prepare(self, router):
        """The folder that a router writes to and its configuration."""
        folder = self.folder_of(router)
        folder.mkdir()
        name, text = self._configuration(router)
        (folder / name).write_text(text)
        if user := USERS.get(router.daemon):
            for path in (folder, folder / name):
                shutil.chown(path, user, user)

    def _configuration(self, router):
        values = dict(
            self.topology.timers,
            number=router.number,
            name=router.name,
            router_id=router.router_id,
            folder=self.folder_of(router),
        )
        if router.daemon == "frr":
            return "bgpd.conf", _frr(router, values)
        if router.daemon == "bird":
            return "bird.conf", _bird(router, values)
        return "gobgp.toml", _gobgp(router, values)

    def start(self, router):
        folder = self.folder_of(router)
        command = {
            # Neither zebra nor the kernel's routes: nothing is forwarded here.
            "frr": [BGPD, "-n", "-Z", "-f", folder / "bgpd.conf", "-i", folder / "pid", "--vty_socket", folder]
            + ["-z", folder / "zserv", "-P", "0", *(["-M", "bmp"] if router.station else [])],
            "bird": ["bird", "-f", "-c", folder / "bird.conf", "-s", folder / "control", "-u", "bird", "-g", "bird"],
            "gobgp": ["gobgpd", "-t", "toml", "-f", folder / "gobgp.toml", "--api-hosts", "127.0.0.1:50051"],
        }[router.daemon]
        with open(folder / "log", "a") as log:
            self.running[router.name] = subprocess.Popen(
                [*namespaces.within(router), *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A Ctrl-C at the terminal is for the runner, which then stops these in order.
                start_new_session=True,
            )

    def announce_what_gobgp_cannot_configure(self, router):
        """GoBGP knows no networks of its own in its configuration. False while it does not listen yet."""
        for network in router.networks:
            add = ["gobgp", "global", "rib", "add", network]
            if subprocess.run([*namespaces.within(router), *add], capture_output=True).returncode:
                return False
        return True

    def kill(self, router):
        process = self.running.pop(router.name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop_all(self):
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()

    def dead(self):
        return [name for name, process in self.running.items() if process.poll() is not None]

    def vtysh(self, router, *commands):
        """Lines typed at an FRR router; a wrong one is an error."""
        typed = [argument for command in commands for argument in ("-c", command)]
        done = subprocess.run(
            ["vtysh", "--vty_socket", str(self.folder_of(router)), "-d", "bgpd", *typed],
            capture_output=True,
            text=True,
        )
        if done.returncode or "% " in done.stdout:
            raise RuntimeError(f"{router.name}: {commands}: {done.stdout}{done.stderr}")
        return done.stdout

    def received(self, collector):
        """How many routes each of a collector's peers has sent; none while it does not listen yet."""
        if collector.daemon == "gobgp":
            ask = [*namespaces.within(collector), "gobgp", "neighbor", "--json"]
            told = subprocess.run(ask, capture_output=True, text=True)
            peers = json.loads(told.stdout) if told.returncode == 0 else []
            return [sum(it["state"].get("received", 0) for it in peer["afi_safis"]) for peer in peers]
        control = self.folder_of(collector) / {"frr": "bgpd.vty", "bird": "control"}[collector.daemon]
        if not control.exists():
            return []
        if collector.daemon == "frr":
            told = json.loads(self.vtysh(collector, "show bgp ipv4 unicast summary json"))
            return [peer.get("pfxRcd", 0) for peer in told.get("peers", {}).values()]
        ask = ["birdc", "-s", str(control), "show", "protocols", "all"]
        told = subprocess.run(ask, capture_output=True, text=True)
        return [int(count) for count in re.findall(r"Routes: +(\d+) imported, (?:\d+ filtered, )?0 exported", told.stdout)]


def _lines(form, values):
    return "\n".join(form.format(value) for value in values)


def _neighbors(router, template, values):
    of = lambda end: {
        "address": end.far_address,
        "own_address": end.address,
        "number": end.far.number,
        "own_number": router.number,
    }
    return "".join(_fill(template, **{**values, **of(end)}) for end in router.ends)


def _frr(router, values):
    # Collectors are no transit: nobody is asked to speak through them, so a collector among the neighbours gets all.
    addresses = [end.far_address for end in router.ends]
    values |= {
        "neighbors": _neighbors(router, "frr-neighbor.conf", values),
        "activate": _lines("  neighbor {} activate", addresses),
    }
    if not router.is_collector:
        # BIRD would keep the routes of a router that is away for a moment (RFC 4724), and a restart would not be seen.
        restart = " bgp graceful-restart-disable" if router.country else "!"
        return _fill("frr.conf", restart=restart, networks=_lines("  network {}", router.networks), **values)
    station = ""
    if router.station:
        address, port = router.station
        station = _fill("frr-station.conf", station_address=address, station_port=port)
    return _fill(
        "frr-collector.conf",
        silence=_lines("  neighbor {} route-map nothing out", addresses),
        # Without it FRR keeps no routes before policy, and its BMP tells of withdrawals alone.
        remember=_lines("  neighbor {} soft-reconfiguration inbound", addresses),
        station=station,
        **values,
    )


def _bird(router, values):
    if router.is_collector:
        return _fill("bird-collector.conf", neighbors=_neighbors(router, "bird-collector-neighbor.conf", values), **values)
    networks = _lines("    route {} blackhole;", router.networks)
    return _fill("bird.conf", networks=networks, neighbors=_neighbors(router, "bird-neighbor.conf", values), **values)


def _gobgp(router, values):
    if router.is_collector:
        values |= {"station_address": router.station[0], "station_port": router.station[1]}
        return _fill("gobgp-collector.toml", neighbors=_neighbors(router, "gobgp-neighbor.toml", values), **values)
    return _fill("gobgp.toml", neighbors=_neighbors(router, "gobgp-neighbor.toml", values), **values)
