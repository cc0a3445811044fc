"""Makes of the store of a `gonedark watch` the report that judge.py reads: incidents, and who was blind."""

import argparse
import datetime
import json
import sqlite3
import sys


def stamp(micros):
    moment = datetime.datetime.fromtimestamp(micros // 1_000_000, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{micros % 1_000_000:06d}Z"


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
    json.dump({"incidents": incidents, "coverage": {"blind": blind}}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
