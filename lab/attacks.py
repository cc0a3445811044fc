"""Holds the attacks that a report tells of against the floods that there were.

Asks of every flood: was it told once, as what it was, to whom it was done, with a start and an end within two seconds of the
first and the last packet; is it told beside an incident of the country that it was done to; and was no other attack told.
Reads `attacks` (where there are any) and `evidence`, as docs/report-schema.md and docs/traffic-schema.md have them. Exit code 1
if anything is wrong.
"""

import argparse
import json
import sys
from datetime import datetime

from judge import clock, show

# Seconds, as it was asked for.
ALLOWED = 2.0


def moment(text):
    return datetime.fromisoformat(text)


def apart(told, truth):
    """Seconds from what was to what was told of it: of an interval the end that is farther off."""
    each = [(moment(told[key]) - moment(truth)).total_seconds() for key in ("earliest", "latest")]
    return max(each, key=abs)


def turn(name, told, truth):
    """The difference, and what is wrong with it."""
    if told is None:
        return None, [f"no {name}"]
    difference = apart(told, truth)
    return difference, [] if abs(difference) <= ALLOWED else [f"{name} {told['earliest']} to {told['latest']}"]


def judge_flood(flood, attacks, evidence, incidents):
    """One row, and the attacks that the flood explains."""
    row = {
        "flood": f"{flood['packets']} packets to {flood['target']} ({flood['country']})",
        "began": clock(flood["first"]), "told": "", "s": "-", "ended": clock(flood["last"]), "told as": "", "s ": "-",
        "alarm": "-", "beside": "",
    }
    found = [it for it in attacks if it["target"] == {"kind": "host", "code": flood["target"]}]
    if len(found) != 1:
        return row | {"verdict": "attacks: " + (", ".join(it["id"] for it in found) or "none")}, found
    attack = found[0]
    began, wrong = turn("start", attack["start"], flood["first"])
    ended, more = turn("stop", attack["stop"], flood["last"])
    wrong += more
    if flood["kind"] not in attack["misuse_types"]:
        wrong.append(f"told as {', '.join(attack['misuse_types'])}")
    whose = {(it["kind"], it["code"]) for it in attack["entities"]}
    for owner in (("country", flood["country"]), ("as", f"AS{flood['as']}")):
        if owner not in whose:
            wrong.append(f"not told as {owner[1]}'s")
    of_country = {it["id"] for it in incidents if it["entity"]["code"] == flood["country"]}
    beside = [it for it in evidence if it["attack"]["id"] == attack["id"] and it["incident"] in of_country]
    if not beside:
        wrong.append(f"beside no incident of {flood['country']}")
    row["told"], row["told as"] = clock(attack["start"]["earliest"]), clock(attack["stop"] and attack["stop"]["earliest"])
    row["s"], row["s "] = (f"{it:+.2f}" if it is not None else "-" for it in (began, ended))
    row["alarm"] = f"{(moment(attack['detected']) - moment(flood['first'])).total_seconds():+.2f}"
    row["beside"] = ", ".join(f"{it['lies']} {it['incident']}" for it in beside)
    return row | {"verdict": "; ".join(wrong) or "right"}, found


def judge(report, truth):
    evidence = report.get("evidence", [])
    attacks = {it["id"]: it for it in [*report.get("attacks", []), *(it["attack"] for it in evidence)]}
    attacks = [it for it in attacks.values() if it["part_of"] is None]
    rows, explained = [], []
    for flood in truth["attacks"]:
        row, found = judge_flood(flood, attacks, evidence, report["incidents"])
        rows.append(row)
        explained += found
    for attack in attacks:
        if attack not in explained:
            rows.append(dict.fromkeys(rows[0], "") | {"flood": "none", "told": attack["id"], "verdict": "no attack"})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", help="truth.json of the pass")
    parser.add_argument("report", help="the report as JSON")
    options = parser.parse_args()
    with open(options.truth) as truth, open(options.report) as report:
        rows = judge(json.load(report), json.load(truth))
    show(rows)
    bad = sum(it["verdict"] != "right" for it in rows)
    print(f"\n{len(rows) - bad} of {len(rows)} right")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
