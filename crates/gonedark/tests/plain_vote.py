#!/usr/bin/env python3
"""Losses and returns of networks by the voting rule for updates without a table (METHOD.md), short and naive.

usage: bgpdump -m FILE... | plain_vote.py PREFIX...

Prints one line a change: network, "lost" or "back", seconds since 1970. It knows one collector, no countries and no
origins, and no gap between files: after one the peers vote with what they held before it.
"""

import sys

EPOCH = 300  # the voters are chosen this often
TALKATIVE = 0.1  # of what the second most talkative AS spoke of; of what the AS's fullest session holds
PATIENCE = 3600  # from the first word on, until a network counts that was announced first
QUIET = 30  # a table has come when nothing of it came for this long
RESENT = 0.5  # ... and when it had this share of what was held before


class Session:
    def __init__(self, asn):
        self.asn = asn
        self.up = True
        self.holds = set()
        self.coming = None  # a table on its way: (last progress, what was held before, what came of it, what came)


class Network:
    def __init__(self):
        self.first = None
        self.withdrawn_first = False
        self.spoke = set()  # ASes
        self.holders = set()  # ASes
        self.fell = {}  # AS: when
        self.lost = False
        self.touched = [False, False]  # an AS lost it, an AS got it back
        self.changed = float("-inf")


def family(prefix):
    return int(":" in prefix)


class Vote:
    def __init__(self, asked):
        self.networks = {prefix: Network() for prefix in asked}
        self.sessions = {}
        self.spoken = {}  # AS: networks it spoke of, per family
        self.voting = (set(), set())  # sessions, per family
        self.seen = (set(), set())  # ASes that voted when last asked, per family
        self.epoch = None
        self.now = None

    # What the ASes hold.

    def settle(self, prefix, asn, at):
        """Brings an AS's vote in line with its sessions: those that vote and can see, or all, if none can."""
        network = self.networks.get(prefix)
        if network is None:
            return
        own = [session for session in self.sessions.values() if session.asn == asn]
        if len(own) > 1:
            voting = [session for session in own if session in self.voting[family(prefix)]]
            seeing = [session for session in own if session.up]
            own = [session for session in (voting or own) if session.up or not seeing]
        holds = any(prefix in session.holds for session in own)
        if holds == (asn in network.holders):
            return
        (network.holders.add if holds else network.holders.discard)(asn)
        if asn in network.spoke and not holds:
            network.fell[asn] = at
            network.touched[0] = True
        elif asn in network.spoke:
            network.fell.pop(asn, None)
            network.touched[1] = True

    def speak(self, session, prefix):
        """Tells whether it is the AS's first word on the network."""
        names = self.spoken.setdefault(session.asn, (set(), set()))[family(prefix)]
        first = prefix not in names
        names.add(prefix)
        return first

    def announce(self, session, prefix, at):
        if session.coming and prefix not in session.coming[3]:
            session.coming[3].add(prefix)
            if prefix in session.holds:
                session.coming[0] = at
                session.coming[2][family(prefix)] += 1
        session.holds.add(prefix)
        self.speak(session, prefix)
        if prefix in self.networks:
            network = self.networks[prefix]
            network.first = network.first or at
            self.settle(prefix, session.asn, at)
            network.spoke.add(session.asn)

    def withdraw(self, session, prefix, at):
        first = self.speak(session, prefix)
        session.holds.discard(prefix)
        if prefix in self.networks:
            network = self.networks[prefix]
            network.first = network.first or at
            network.spoke.add(session.asn)
            if first:
                network.withdrawn_first = True
                network.fell[session.asn] = at
                network.touched[0] = True
            self.settle(prefix, session.asn, at)

    # Who can see.

    def state(self, session, old, new, at):
        if old == 6 or new == 6:
            if new != 6:
                session.up, session.coming = False, None
            else:
                self.arrive(session, at)
            self.look_anew(at)

    def arrive(self, session, at):
        """The session is up again: its table is coming."""
        if not session.up and not session.coming:
            before = [sum(family(prefix) == f for prefix in session.holds) for f in (0, 1)]
            session.coming = [at, before, [0, 0], set()]

    def transfers(self, at):
        """Tables that have come by `at`: what did not come is lost."""
        for session in self.sessions.values():
            if not session.coming:
                continue
            progress, before, came, names = session.coming
            whole = [before[f] > 0 and came[f] >= RESENT * before[f] for f in (0, 1)]
            if (any(whole) or before == [0, 0]) and at > progress + QUIET:
                session.up, session.coming = True, None
                for prefix in [it for it in session.holds if it not in names and whole[family(it)]]:
                    session.holds.discard(prefix)
                    self.settle(prefix, session.asn, progress)
                self.look_anew(progress + QUIET)
                self.judge_all(progress + QUIET)

    def choose(self, at):
        """The voters: ASes that spoke of enough networks, by those of their sessions that hold enough."""
        for f in (0, 1):
            counts = {asn: len(names[f]) for asn, names in self.spoken.items()}
            ranked = sorted(counts.values(), reverse=True) + [0, 0]
            measure = ranked[1] or ranked[0]
            talkative = {asn for asn, count in counts.items() if count and count >= TALKATIVE * measure}
            held = {it: sum(family(prefix) == f for prefix in it.holds) for it in self.sessions.values()}
            self.voting[f].clear()
            for session in held:
                most = max(held[other] for other in held if other.asn == session.asn)
                if session.asn in talkative and held[session] >= TALKATIVE * most:
                    self.voting[f].add(session)
        self.look_anew(at)

    def electorate(self, f):
        """ASes that vote, and of them those that can see."""
        return {it.asn for it in self.voting[f]}, {it.asn for it in self.voting[f] if it.up}

    def look_anew(self, at):
        """Who votes or sees has changed: those that see again give cause to judge what they lost or may hold."""
        for prefix in self.networks:
            for asn in {session.asn for session in self.sessions.values()}:
                self.settle(prefix, asn, at)
        for f in (0, 1):
            seeing = self.electorate(f)[1]
            gained = seeing - self.seen[f]
            self.seen[f].clear()
            self.seen[f].update(seeing)
            for prefix, network in self.networks.items():
                if family(prefix) == f and gained:
                    network.touched[0] |= any(asn in network.fell for asn in gained)
                    network.touched[1] |= network.lost

    # The vote.

    def judge_all(self, at):
        for prefix, network in self.networks.items():
            if any(network.touched):
                voters, seeing = self.electorate(family(prefix))
                if seeing and 2 * len(seeing) >= len(voters):
                    self.judge(prefix, network, voters, seeing, at)

    def judge(self, prefix, network, voters, seeing, at):
        fell, rose = network.touched
        network.touched = [False, False]
        spoke = len(network.spoke & voters)
        old = network.withdrawn_first or at - network.first >= PATIENCE
        if not (old and spoke > 0 and 2 * spoke >= len(voters)):
            return
        usual = network.spoke & seeing
        held = len(network.holders & usual)
        if not network.lost and fell and 2 * held < len(usual):
            times = sorted(when for asn, when in network.fell.items() if asn in seeing)
            tipped = times[len(usual) // 2] if len(times) > len(usual) // 2 else at
            self.tell(prefix, network, True, min(tipped, at))
        elif network.lost and rose and held >= 0.8 * len(usual):
            self.tell(prefix, network, False, at)

    def tell(self, prefix, network, lost, at):
        network.lost = lost
        network.changed = max(network.changed, at)
        print(prefix, "lost" if lost else "back", network.changed)

    # The recording.

    def until(self, at):
        """Closes the second before, and does what is due before `at`."""
        if self.now is not None and at > self.now:
            self.judge_all(self.now)
            self.transfers(at)
            if self.epoch is not None and at > self.epoch:
                self.choose(self.epoch)
                self.judge_all(self.epoch)
                self.epoch = None
        self.now = max(at, self.now or at)

    def line(self, text):
        fields = text.rstrip("\n").split("|")
        at, kind, address, asn = int(fields[1].split(".")[0]), fields[2], fields[3], int(fields[4])
        self.until(at)
        at = self.now
        key = (asn, address)
        if kind == "STATE":
            if key in self.sessions:
                self.state(self.sessions[key], int(fields[5]), int(fields[6]), at)
            return
        if key not in self.sessions:
            self.sessions[key] = Session(asn)
            self.look_anew(at)
        session = self.sessions[key]
        self.arrive(session, at)
        if kind == "A":
            self.announce(session, fields[5], at)
        elif kind == "W":
            self.withdraw(session, fields[5], at)
        if self.epoch is None:
            self.epoch = (at // EPOCH + 1) * EPOCH


def main():
    vote = Vote(sys.argv[1:])
    for text in sys.stdin:
        vote.line(text)
    vote.judge_all(vote.now)


if __name__ == "__main__":
    main()
