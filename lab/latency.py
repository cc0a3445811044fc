"""How long after the message that decided it each incident of a `gonedark watch` was committed.

Reads the log of the watch (`--log json`: a line is written when what it says is in the store) and its incidents. What
decides is the vote that its first phase begins with; the confirmation time that is set (`min_duration`) is 1 ms in the lab.
One that began where nobody could see is decided by no message, but once nothing of a table came for 30 s: it is told apart.
Exit code 1 where one took over a second.
"""

import argparse
import json
import sys
from datetime import datetime

# Seconds, as it was asked for.
ALLOWED = 1.0


def moment(text):
    return datetime.fromisoformat(text)


def committed(lines, incident):
    """When the store first had it."""
    return next((moment(line["timestamp"]) for line in lines if line["fields"]["incident"] == incident["id"]), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log")
    parser.add_argument("report", help="what live.py gives")
    options = parser.parse_args()
    with open(options.log) as file:
        lines = [json.loads(line) for line in file if line.startswith("{")]
    lines = [line for line in lines if line["fields"].get("message") == "incident"]
    with open(options.report) as file:
        incidents = json.load(file)["incidents"]
    took, unseen = [], 0
    for incident in incidents:
        onset, at = incident["onset"], committed(lines, incident)
        if at is None:
            print(f"{incident['id']}  not in the log")
            continue
        seconds = (at - moment(incident["phases"][0]["from"])).total_seconds()
        if (moment(onset["latest"]) - moment(onset["earliest"])).total_seconds() > ALLOWED:
            print(f"{incident['id']}  {seconds:.2f} s; nobody saw it begin")
            unseen += 1
        else:
            took.append(seconds)
            print(f"{incident['id']}  committed {seconds:.2f} s after its vote")
    worst = max(took, default=0)
    print(f"{len(took)} of {len(incidents)} incidents: {worst:.2f} s at the most\n")
    sys.exit(1 if worst > ALLOWED or len(took) + unseen < len(incidents) else 0)


if __name__ == "__main__":
    main()
