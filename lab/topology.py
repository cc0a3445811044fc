"""Reads topology.toml and gives every router its namespace, its links and its addresses."""

import ipaddress
import itertools
import tomllib
from dataclasses import dataclass, field

# Everything that the lab makes is called so; what is not called so it never touches.
PREFIX = "gdlab-"

# Links get a /30 each from here. 198.18.0.0/15 is for laboratories (RFC 2544, RFC 6890), and exists only in namespaces.
LINKS = ipaddress.ip_network("198.18.0.0/16")

# The one link to the host, made only where the station listens there.
STATION_LINK = ("198.19.255.1", "198.19.255.2")


@dataclass
class End:
    """One router's end of a link."""

    interface: str
    address: str
    far: "Router"
    far_address: str


@dataclass
class Router:
    """An AS or a collector."""

    name: str
    number: int
    daemon: str
    networks: list = field(default_factory=list)
    country: str | None = None
    is_collector: bool = False
    station: tuple | None = None
    ends: list = field(default_factory=list)
    router_id: str = ""

    @property
    def namespace(self):
        return PREFIX + self.name

    @property
    def writes_mrt(self):
        return self.is_collector and self.daemon in ("frr", "bird")

    def end_to(self, far):
        return next(end for end in self.ends if end.far is far)


@dataclass
class Flows:
    """Whose traffic is told of: what goes over one link of a router, to who listens at a neighbour."""

    exporter: Router
    towards: Router
    source: Router
    collector: Router
    port: int

    @property
    def listen(self):
        return f"{self.exporter.end_to(self.collector).far_address}:{self.port}"


@dataclass
class Topology:
    timers: dict
    routers: list
    # Pairs of ends.
    links: list
    flows: Flows

    def by_number(self, number):
        return next(router for router in self.routers if router.number == number and not router.is_collector)

    def collector(self, name):
        return next(router for router in self.collectors if router.name == name)

    @property
    def collectors(self):
        return [router for router in self.routers if router.is_collector]

    @property
    def networks(self):
        return [network for router in self.routers for network in router.networks]

    def announcing(self, address):
        address = ipaddress.ip_address(address)
        return next(it for it in self.routers if any(address in ipaddress.ip_network(network) for network in it.networks))

    def of_country(self, code):
        return next(router for router in self.routers if router.country == code)


def _collector(said):
    address, _, port = said.get("station", "").rpartition(":")
    station = (address, int(port)) if port else None
    return Router(said["name"], said["number"], said["daemon"], is_collector=True, station=station)


def _link(subnet, first, second):
    """Interfaces are named after who is at the other end: `to3356`."""
    hosts = [str(host) for host in subnet.hosts()]
    ends = [
        End(f"to{second.name.removeprefix('as')}", hosts[0], second, hosts[1]),
        End(f"to{first.name.removeprefix('as')}", hosts[1], first, hosts[0]),
    ]
    first.ends.append(ends[0])
    second.ends.append(ends[1])
    return ends


def read(path):
    with open(path, "rb") as file:
        said = tomllib.load(file)
    routers = [
        Router(f"as{it['number']}", it["number"], it["daemon"], it.get("networks", []), it.get("country"))
        for it in said["as"]
    ]
    by_number = {router.number: router for router in routers}
    pairs = [*itertools.combinations(said["links"]["mesh"], 2), *map(tuple, said["links"]["pairs"])]
    pairs = [(by_number[first], by_number[second]) for first, second in pairs]
    for it in said["collector"]:
        collector = _collector(it)
        routers.append(collector)
        pairs += [(collector, by_number[number]) for number in it["peers"]]
    subnets = LINKS.subnets(new_prefix=30)
    links = [_link(next(subnets), first, second) for first, second in pairs]
    for place, router in enumerate(routers, start=1):
        router.router_id = f"198.19.0.{place}"
    flows = said["flows"]
    collector = next(it for it in routers if it.name == flows["collector"])
    flows = Flows(*(by_number[flows[it]] for it in ("exporter", "towards", "source")), collector, flows["port"])
    return Topology(said["timers"], routers, links, flows)
