"""Records the datagrams of flow exporters until `gonedark watch` listens in its place.

They are written as a capture (pcap, microseconds, raw IP), each with the moment of its arrival: `gonedark flows` reads it, and so
does any other tool.
"""

import argparse
import socket
import struct
import time
from pathlib import Path

# pcap's number for packets that begin with their IP header.
LINKTYPE_RAW = 101


def head():
    return struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, LINKTYPE_RAW)


def packet(micros, sender, receiver, data):
    """A datagram with the headers that it has lost on its way through the socket; they carry no checksums."""
    udp = struct.pack(">HHHH", sender[1], receiver[1], 8 + len(data), 0) + data
    ip = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, socket.inet_aton(sender[0]), socket.inet_aton(receiver[0])
    )
    size = len(ip) + len(udp)
    return struct.pack("=IIII", micros // 1_000_000, micros % 1_000_000, size, size) + ip + udp


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--out", required=True, type=Path, help="the capture")
    options = parser.parse_args()
    address, _, port = options.listen.rpartition(":")
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    receiver.bind((address, int(port)))
    with open(options.out, "wb") as capture:
        capture.write(head())
        while True:
            data, sender = receiver.recvfrom(65_535)
            capture.write(packet(time.time_ns() // 1000, sender, (address, int(port)), data))
            capture.flush()


if __name__ == "__main__":
    main()
