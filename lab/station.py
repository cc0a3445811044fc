"""Records what a router says over BMP (RFC 7854), byte by byte, until `gonedark watch` listens in its place.

Every connection becomes `bmp-N.raw`, and beside it `bmp-N.arrivals` with a line for each piece that arrived: the time
in microseconds and how many bytes. So the stream can be played again as it came.
"""

import argparse
import socket
import sys
import time
from pathlib import Path


def record(connection, path):
    with open(f"{path}.raw", "wb") as stream, open(f"{path}.arrivals", "w") as arrivals:
        while piece := connection.recv(65536):
            print(time.time_ns() // 1000, len(piece), file=arrivals, flush=True)
            stream.write(piece)
            stream.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--out", required=True, type=Path)
    options = parser.parse_args()
    address, _, port = options.listen.rpartition(":")
    options.out.mkdir(parents=True, exist_ok=True)
    with socket.create_server((address, int(port))) as server:
        print("listening", file=sys.stderr, flush=True)
        count = 0
        while True:
            connection, _ = server.accept()
            count += 1
            with connection:
                record(connection, options.out / f"bmp-{count}")


if __name__ == "__main__":
    main()
