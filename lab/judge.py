"""Holds a report (`gonedark replay --format json`, or what `gonedark watch` came to, in the same form) against the truth.

Asks of every outage: was it reported, with the right level, number of networks and flaps, and do all its times lie where
they may; was every blindness told; and was nothing else reported. Exit code 1 if anything is wrong.
"""

import argparse
import json
import sys
from datetime import datetime, timedelta

SECOND = timedelta(seconds=1)


def moment(text):
    return datetime.fromisoformat(text)


def reported(text):
    """A time of a report as `[first, last]`: without a fraction it names a whole second (docs/report-schema.md)."""
    first = moment(text)
    return first, first if "." in text else first + SECOND


def within(text, window):
    first, last = reported(text)
    return last >= moment(window[0]) and first <= moment(window[1])


def overlaps(incident, outage):
    """Whether the two share a moment. A report may begin earlier than the truth where nobody could see. The last second
    of an outage's quiet is nobody's: a stamp in whole seconds may be of the next one."""
    # From its first phase on: where nobody could see, an onset may reach back into the quiet of the outage before.
    begin = reported(incident["phases"][0]["from"])[0]
    end = incident["recovery"] and reported(incident["recovery"]["latest"])[1]
    return begin <= moment(outage["end"]) - SECOND and (end is None or end >= moment(outage["begin"]))


def turn(name, told, window, unseen):
    """What is wrong with an onset or a recovery."""
    if told is None:
        return [f"no {name}"]
    if unseen:
        # Seen by nobody: the report has to leave room for the truth.
        earliest, latest = reported(told["earliest"])[0], reported(told["latest"])[1]
        contains = earliest <= moment(window[0]) and latest >= moment(window[0])
        return [] if contains else [f"{name} {told['earliest']} to {told['latest']} leaves out the truth"]
    return [f"{name} {key} is {told[key]}" for key in ("earliest", "vote", "latest") if not within(told[key], window)]


def wrong(incident, expected, falls):
    """Everything that is wrong with an incident, as short texts."""
    # Of equal losses the longest is told as the main one.
    fall = max(falls, key=lambda it: moment(it["back"][0]) - moment(it["lost"][0]))
    problems = []
    if incident["level"] != expected["level"]:
        problems.append(f"level {incident['level']}")
    networks = incident["families"]["ipv4"]["networks"]
    if (networks["lost"], networks["before"]) != (expected["lost"], expected["before"]):
        problems.append(f"{networks['lost']} of {networks['before']} networks")
    flaps = sum(phase["flaps"] for phase in incident["phases"])
    if flaps != expected["flaps"]:
        problems.append(f"{flaps} flaps")
    problems += turn("onset", incident["onset"], fall["lost"], expected.get("unseen"))
    problems += turn("recovery", incident["recovery"], fall["back"], False)
    if len(falls) > 1 and not within(incident["phases"][0]["from"], falls[0]["lost"]):
        problems.append(f"first fall {incident['phases'][0]['from']}")
    return problems, fall


def difference(told, truth):
    """Seconds from the command to what was reported of it."""
    return f"{(reported(told)[0] - moment(truth)).total_seconds():+.2f}" if told else "-"


def judge_country(outage, expected, incidents):
    """One row of the table, and the incidents that it explains."""
    found = [
        it for it in incidents if it["entity"]["code"] == expected["country"] and overlaps(it, outage)
    ]
    if len(found) != 1:
        codes = ", ".join(it["id"] for it in found) or "none"
        return row(outage, expected["country"], expected["level"], [f"incidents: {codes}"]), found
    incident = found[0]
    problems, fall = wrong(incident, expected, outage["falls"])
    what = f"{expected['level']} {expected['lost']}/{expected['before']}"
    what += f", {expected['flaps']} flaps" if expected["flaps"] else ""
    onset, recovery = incident["onset"]["vote"], incident["recovery"] and incident["recovery"]["vote"]
    times = (fall["lost"][0], onset, fall["back"][0], recovery)
    return row(outage, expected["country"], what, problems, times), found


def judge_blind(outage, expected, blind):
    """Everything that a collector's peers lost sight of during the cut."""
    window = expected["lost"][0], expected["back"][1]
    told = [it for it in blind if it["collector"] == expected["collector"] and within(it["from"], window)]
    problems = [] if told else ["no blindness told"]
    times = None
    if told:
        first = min((it["from"] for it in told), key=moment)
        last = max((it["until"] for it in told), key=moment)
        problems += [] if within(first, expected["lost"]) else [f"blind from {first}"]
        problems += [] if moment(last) >= moment(expected["back"][0]) else [f"blind until {last}"]
        times = (expected["lost"][0], first, expected["back"][0], last)
    peers = len({it["peer_asn"] for it in told})
    return row(outage, expected["collector"], f"blind, {peers} peers", problems, times)


def row(outage, who, what, problems, times=None):
    lost, onset, back, recovery = times or ("", "", "", "")
    return {
        "outage": outage["name"],
        "who": who,
        "truth": what,
        "went": clock(lost),
        "reported": clock(onset),
        "s": difference(onset, lost),
        "came back": clock(back),
        "told as": clock(recovery),
        "s ": difference(recovery, back),
        "verdict": "; ".join(problems) or "right",
    }


def clock(text):
    """Hours, minutes, seconds and two digits of the fraction, where there is one."""
    return text[11:22].rstrip("Z") if text else ""


def judge(report, truth, collectors=None):
    """A row for each claim; of the collectors' blindness only those of `collectors`, where they are named."""
    rows, explained = [], []
    for outage in truth["outages"]:
        for expected in outage["countries"]:
            judged, incidents = judge_country(outage, expected, report["incidents"])
            rows.append(judged)
            explained += incidents
        for expected in outage["blind"]:
            if collectors and expected["collector"] not in collectors:
                continue
            rows.append(judge_blind(outage, expected, report["coverage"]["blind"]))
        if not outage["countries"] and not outage["blind"]:
            rows.append(row(outage, "nobody", "no outage", []))
    for incident in report["incidents"]:
        if incident not in explained:
            during = next((it for it in truth["outages"] if overlaps(incident, it)), {"name": "between outages"})
            rows.append(row(during, incident["entity"]["code"], "no outage", [f"reported {incident['id']}"]))
    return rows


def show(rows):
    columns = list(rows[0])
    width = {name: max(len(name), *(len(it[name]) for it in rows)) for name in columns}
    for line in [dict(zip(columns, columns)), *rows]:
        print("  ".join(line[name].ljust(width[name]) for name in columns).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", help="truth.json of the pass")
    parser.add_argument("report", help="the report as JSON, - for standard input")
    parser.add_argument("--collector", action="append", help="judge only the blindness of these")
    options = parser.parse_args()
    with open(options.truth) as file:
        truth = json.load(file)
    with sys.stdin if options.report == "-" else open(options.report) as file:
        rows = judge(json.load(file), truth, options.collector)
    show(rows)
    bad = sum(it["verdict"] != "right" for it in rows)
    print(f"\n{len(rows) - bad} of {len(rows)} right")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
