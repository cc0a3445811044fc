"""Does what outages.toml says, and writes down to the microsecond when it did."""

import time
import tomllib
from datetime import datetime, timezone

import namespaces
import traffic

# Seconds from the end of a command until the last collector has stamped what it did. Four hops at most (country,
# provider, two of the mesh, collector), each with FRR's advertisement interval set to 0; what is left is FRR's timer for
# update groups (`subgroup coalesce-time`, 1 s) where a session is new, and a busy machine. Measured: under 0.5 s.
PROPAGATION = 2.0

# Seconds from the return of a link or a router until its session is up: a try to connect (`connect_retry`, which FRR
# lengthens by up to itself), a SYN that was lost and is sent again after 1 s and then 2 s more (RFC 6298), the start timer
# of FRR after a failure (1 s), the open messages. Measured: 1 to 4 s.
SESSION = 8.0

# What a step does to routes.
DOWN = {"withdraw", "cut", "isolate", "kill"}
UP = {"announce", "join", "rejoin", "start"}
BOTH = {"reset"}

# Nobody is told of these: the others notice when the hold time is over.
SILENT = {"cut", "isolate"}

# After these a session has to come up first.
NEW_SESSION = {"join", "rejoin", "start", "reset"}


def read(path):
    with open(path, "rb") as file:
        return tomllib.load(file)


def now():
    return time.time_ns() // 1000


def written(micros):
    """RFC 3339 with microseconds, as the report has its times."""
    seconds, fraction = divmod(micros, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.{fraction:06}Z"


class Operator:
    """Whoever pulls the plugs."""

    def __init__(self, topology, daemons):
        self.topology = topology
        self.daemons = daemons
        self.floods = []

    def do(self, step):
        """One step; gives when it began and ended, in microseconds."""
        begin = now()
        getattr(self, step["do"])(step)
        end = now()
        return begin, end

    def _router(self, step):
        if "collector" in step:
            return self.topology.collector(step["collector"])
        return self.topology.by_number(step["as"])

    def _ends(self, step):
        first, second = map(self.topology.by_number, step["between"])
        return first, first.end_to(second)

    def _networks(self, step, word):
        router = self._router(step)
        lines = [f"{word}network {network}" for network in step.get("networks", router.networks)]
        family = "address-family ipv4 unicast"
        self.daemons.vtysh(router, "configure terminal", f"router bgp {router.number}", family, *lines)

    def withdraw(self, step):
        self._networks(step, "no ")

    def announce(self, step):
        self._networks(step, "")

    def cut(self, step):
        router, end = self._ends(step)
        namespaces.link(router, [end], "down")

    def join(self, step):
        router, end = self._ends(step)
        namespaces.link(router, [end], "up")

    def isolate(self, step):
        router = self._router(step)
        namespaces.link(router, router.ends, "down")

    def rejoin(self, step):
        router = self._router(step)
        namespaces.link(router, router.ends, "up")

    def reset(self, step):
        router, end = self._ends(step)
        self.daemons.vtysh(router, f"clear bgp {end.far_address}")

    def kill(self, step):
        self.daemons.kill(self._router(step))

    def start(self, step):
        self.daemons.start(self._router(step))

    def flood(self, step):
        self.floods.append((step, traffic.flood(self.topology, step)))

    def attacks(self):
        """What the floods were in truth; waits for those that go on."""
        return [_attack(step, traffic.told(process), self.topology) for step, process in self.floods]


def perform(plan, operator, tell):
    """All outages in order; gives the truth about each."""
    truths = []
    for outage in plan["outage"]:
        tell(outage["name"])
        done = []
        for step in outage["steps"]:
            done.append((step, *operator.do(step)))
            time.sleep(step.get("wait", 0))
        time.sleep(plan["quiet"])
        truths.append(_truth(outage, done, operator.topology))
    return truths


def _attack(step, told, topology):
    victim = topology.announcing(step["to"])
    return {
        "target": step["to"],
        "country": victim.country,
        "as": victim.number,
        "kind": "tcp_syn",
        "first": written(told["first"]),
        "last": written(told["last"]),
        "packets": told["packets"],
        "sources": told["sources"],
    }


def _truth(outage, done, topology):
    """The commands with their times, and what follows from them for those who watch."""
    countries = [
        dict(it, before=len(topology.of_country(it["country"]).networks), flaps=it.get("flaps", 0))
        for it in outage["expect"]
    ]
    return {
        "name": outage["name"],
        "begin": written(done[0][1]),
        "end": written(now()),
        "commands": [
            {**{key: value for key, value in step.items() if key != "wait"}, "from": written(begin), "until": written(end)}
            for step, begin, end in done
        ],
        "countries": countries,
        "falls": _falls([it for it in done if "collector" not in it[0]], topology.timers) if countries else [],
        "blind": [
            {"collector": name, **_pair([it for it in done if it[0].get("collector") == name], topology.timers)}
            for name in outage.get("blind", [])
        ],
    }


def _falls(done, timers):
    """Every fall with its return."""
    falls, open_steps = [], []
    for it in done:
        open_steps.append(it)
        if it[0]["do"] in UP | BOTH:
            falls.append(_pair(open_steps, timers))
            open_steps = []
    return falls


def _pair(done, timers):
    """When something may have been stamped as lost and as back: `[earliest, latest]` each."""
    step, begin, end = next(it for it in done if it[0]["do"] in DOWN | BOTH)
    notice = (timers["hold"] if step["do"] in SILENT else 0) + PROPAGATION
    lost = [written(begin), written(end + int(notice * 1e6))]
    step, begin, end = next(it for it in done if it[0]["do"] in UP | BOTH)
    delay = (SESSION if step["do"] in NEW_SESSION else 0) + PROPAGATION
    return {"lost": lost, "back": [written(begin), written(end + int(delay * 1e6))]}
