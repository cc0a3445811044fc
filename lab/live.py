"""Makes of the store of a `gonedark watch` the report that judge.py and attacks.py read: incidents, who was blind, attacks and
what they are beside."""

import argparse
import datetime
import json
import sqlite3
import sys


def stamp(micros):
    moment = datetime.datetime.fromtimestamp(micros // 1_000_000, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{micros % 1_000_000:06d}Z"


def traffic(store):
    """Attacks, and which of them the store has beside an incident."""
    attacks = {id: json.loads(body) for id, body in store.execute("SELECT id, body FROM attack ORDER BY start")}
    beside = store.execute("SELECT incident, lies, attack FROM evidence WHERE attack IS NOT NULL ORDER BY incident, attack")
    evidence = [
        {"incident": incident, "kind": "attack", "lies": lies, "attack": attacks[attack]} for incident, lies, attack in beside
    ]
    return {"attacks": list(attacks.values()), "evidence": evidence}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store")
    options = parser.parse_args()
    store = sqlite3.connect(f"file:{options.store}?mode=ro", uri=True)
    incidents = [json.loads(body) for (body,) in store.execute("SELECT body FROM incident ORDER BY first")]
    last = max((mark or 0 for (mark,) in store.execute("SELECT mark FROM stream")), default=0)
    blind = [
        {"collector": collector.rpartition("/")[2], "peer_asn": asn or None, "from": stamp(since), "until": stamp(until or last), "reason": reason}
        for collector, asn, since, reason, until in store.execute("SELECT * FROM blind ORDER BY since")
    ]
    report = {"incidents": incidents, "coverage": {"blind": blind}, **traffic(store)}
    json.dump(report, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
