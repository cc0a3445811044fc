"""The runner behind bench.sh: commands take turns, each as a whole process, and medians are printed as Markdown.

usage: bench.py RELEASE_FOLDER RECORDINGS_FOLDER REPETITIONS
"""

import glob
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time

GZ = "bgpguard-rrc04/updates.*.gz"
BZ2 = "caida-libbgpstream/routeviews.route-views.jinx.ribs.1401487200.bz2"
# Of the full table; each is twice the one before, so that growth shows.
TABLES = [(300_000, 325), (600_000, 325), (1_200_000, 325)]


def once(command):
    """Runs a command to its end: wall seconds, CPU seconds, peak MiB."""
    null = os.open(os.devnull, os.O_WRONLY)
    start = time.perf_counter()
    actions = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    os.close(null)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"bench: {' '.join(command)[:300]}: exit status {os.waitstatus_to_exitcode(status)}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def in_turns(commands, repetitions):
    """`commands` is a list of (name, list of commands that run one after the other)."""
    runs = {name: [] for name, _ in commands}
    for repetition in range(repetitions + 1):
        for name, steps in commands:
            walls, cpus, peaks = zip(*(once(step) for step in steps))
            # The first turn only warms up.
            if repetition:
                runs[name].append((sum(walls), sum(cpus), max(peaks)))
    return runs


def ms(seconds):
    return f"{seconds * 1000:.0f} ms"


def row(name, runs, base):
    wall, cpu, peak = (statistics.median(values) for values in zip(*runs))
    walls = [run[0] for run in runs]
    # Turn by turn, so that what else the machine did in a turn is in both.
    ratio = statistics.median(run[0] / other[0] for run, other in zip(runs, base))
    spread = f"{ms(min(walls))} to {ms(max(walls))}"
    # A child starts as a copy of this process, whose size is thus the least that can be told.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = f"{peak:.0f}" if peak > own * 1.05 else f"under {own:.0f}"
    return f"| {name} | {ms(wall)} | {ratio:.2f} | {spread} | {ms(cpu)} | {size} MiB |"


def table(title, commands, repetitions):
    runs = in_turns(commands, repetitions)
    print(f"\n{title}; {repetitions} repetitions in turns\n")
    print("| command | wall, median | ratio to the first | wall, least to most | CPU | peak memory |")
    print("|---|---|---|---|---|---|")
    base = runs[commands[0][0]]
    for name, _ in commands:
        print(row(name, runs[name], base), flush=True)


def against_others(release, title, files, repetitions):
    commands = [
        ("bare decompression, one thread", [[f"{release}/examples/bare_decompress", *files]]),
        ("`gonedark replay`", [[f"{release}/gonedark", "replay", *files]]),
        ("bgpkit-parser, elements counted", [[f"{release}/examples/bgpkit_elements", *files]]),
    ]
    if shutil.which("bgpdump"):
        commands.append(("`bgpdump -m`, to /dev/null", [["bgpdump", "-m", file] for file in files]))
    size = sum(os.path.getsize(file) for file in files) / 1e6
    table(f"{title}: {len(files)} file{'s'[:len(files) > 1]}, {size:.1f} MB", commands, repetitions)


def growth(release, files, repetitions):
    """The same updates as given by 1, 2 and 4 collectors."""
    with tempfile.TemporaryDirectory() as folder:
        commands = []
        for copies in (1, 2, 4):
            root = f"{folder}/{copies}"
            for copy in range(copies):
                os.makedirs(f"{root}/rrc{copy:02}")
                for file in files:
                    # No links: a file that is reached by two names is read once.
                    shutil.copyfile(file, f"{root}/rrc{copy:02}/{os.path.basename(file)}")
            commands.append((f"`gonedark replay`, {copies}x", [[f"{release}/gonedark", "replay", root]]))
        table("Growth with input: the updates above, as of 1, 2 and 4 collectors", commands, repetitions)


def big_tables(release, repetitions):
    name = "Generated table, {} prefixes x {} peers"
    commands = [
        (
            name.format(f"{prefixes:,}", peers),
            [[f"{release}/examples/big_table", "--prefixes", str(prefixes), "--peers", str(peers)]],
        )
        for prefixes, peers in TABLES
    ]
    table("Growth with a table (whole process, with what making its bytes costs)", commands, repetitions)
    print("\nThe largest in its own words:\n", flush=True)
    os.spawnvp(os.P_WAIT, commands[-1][1][0][0], commands[-1][1][0])


def main():
    release, recordings, repetitions = sys.argv[1], os.path.abspath(sys.argv[2]), int(sys.argv[3])
    cases = os.environ.get("BENCH_CASES", "gz bz2 growth table").split()
    updates = sorted(glob.glob(f"{recordings}/{GZ}"))
    print(f"{os.cpu_count()} CPUs seen; load {os.getloadavg()[0]:.1f} at the begin")
    if "gz" in cases:
        against_others(release, "gz updates (RIS rrc04, 2022)", updates, repetitions)
    if "bz2" in cases:
        against_others(release, "bz2 RIB (route-views.jinx, 2014)", [f"{recordings}/{BZ2}"], repetitions)
    if "growth" in cases:
        growth(release, updates, repetitions)
    if "table" in cases:
        # A minute each: five turns show what there is to see.
        big_tables(release, min(repetitions, 5))


main()
