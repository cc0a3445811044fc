"""Flow records on the wire: NetFlow v5, NetFlow v9 (RFC 3954) and IPFIX (RFC 7011), made once and stamped as they go.

A pool of datagrams is built before anything is sent. What has to be true of the moment (the times, the sequence number, and
sources that are to be new each time) is written over it column by column, one slice assignment a byte: a record of its own for
each flow would take a Python all of its core at a tenth of the rate.
"""

import ipaddress
import os
import random
import struct

# Copies of each byte value, as many as a datagram has records: a column is written with one of them.
MOST_RECORDS = 30
COPIES = [bytes([value]) * MOST_RECORDS for value in range(256)]

# Milliseconds that an exporter has been up when it starts to send.
UPTIME = 3_600_000

# Source ports that could be an amplifying service's lie below.
LEAST_PORT = 50_000


class Flow:
    """What a record tells, before it has a form."""

    def __init__(self, source, target, source_port, target_port, protocol, flags, packets, size):
        self.source, self.target = source, target
        self.source_port, self.target_port = source_port, target_port
        self.protocol, self.flags = protocol, flags
        self.packets, self.octets = packets, packets * size


def everyday(dice, sources, towards):
    """Nine of ten are conversations over TCP, the tenth UDP; so many hosts share them that none is attacked."""
    target = towards.network_address._ip + dice.randrange(towards.num_addresses)
    source = dice.choice(sources)
    port = dice.randrange(LEAST_PORT, 65_536)
    if dice.random() < 0.9:
        return Flow(source, target, 443, port, 6, 0x1B, dice.randrange(4, 20), dice.randrange(200, 1400))
    return Flow(source, target, dice.randrange(LEAST_PORT, 65_536), port, 17, 0, dice.randrange(1, 3), dice.randrange(80, 500))


def attack(dice, sources, target):
    """A packet of UDP in each record, from and to any port."""
    ports = dice.randrange(LEAST_PORT, 65_536), dice.randrange(LEAST_PORT, 65_536)
    return Flow(dice.choice(sources), target, *ports, 17, 0, 1, 120)


class Format:
    """A header, then records of one size. `columns` are the offsets in a record that are written over."""

    def pool(self, flows, count):
        return [self.build([next(flows) for _ in range(self.records)]) for _ in range(count)]

    def build(self, flows):
        data = bytearray(self.head())
        for flow in flows:
            data += self.record(flow)
        return data

    def column(self, data, offset, value):
        """The same four octets in all records."""
        size, records = self.size, self.records
        at, end = self.first + offset, self.first + size * records
        for octet in value.to_bytes(4, "big"):
            data[at:end:size] = COPIES[octet][:records]
            at += 1

    def sources(self, data, octets):
        """Other sources: four octets for each record."""
        size, records = self.size, self.records
        at, end = self.first + self.source, self.first + size * records
        for place in range(0, 4 * records, records):
            data[at:end:size] = octets[place : place + records]
            at += 1


class V5(Format):
    records, size, first, source = 30, 48, 24, 0
    # What a sequence number counts: records or datagrams.
    counts_records = True
    template = None

    def head(self):
        return bytes(24)

    def record(self, flow):
        return struct.pack(
            ">III HH IIII HH BBBB HHBBH", flow.source, flow.target, 0x0A640001, 1, 2, flow.packets, flow.octets, 0, 0,
            flow.source_port, flow.target_port, 0, flow.flags, flow.protocol, 0, 3356, 4837, 16, 24, 0,
        )

    def stamp(self, data, exporter, now, began, sequence):
        """`now` and `began` are of the flows, in nanoseconds since 1970."""
        up = exporter.uptime(now)
        struct.pack_into(">HHIIIIBBH", data, 0, 5, self.records, up, now // 10**9, now % 10**9, sequence & 0xFFFFFFFF, 0, exporter.number, 0)
        self.column(data, 24, exporter.uptime(began))
        self.column(data, 28, up)


class V9(Format):
    records, size, first, source = 24, 54, 24, 0
    counts_records = False
    fields = [
        (8, 4), (12, 4), (15, 4), (10, 4), (14, 4), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2), (11, 2), (6, 1), (4, 1), (5, 1),
        (61, 1), (16, 4), (17, 4), (9, 1), (13, 1),
    ]

    def head(self):
        return bytes(20) + struct.pack(">HH", 260, 4 + self.size * self.records)

    def record(self, flow):
        return struct.pack(
            ">IIIII IIII HHBBBB IIBB", flow.source, flow.target, 0x0A640001, 1, 2, flow.packets, flow.octets, 0, 0,
            flow.source_port, flow.target_port, flow.flags, flow.protocol, 0, 0, 3356, 4837, 16, 24,
        )

    def stamp(self, data, exporter, now, began, sequence):
        up = exporter.uptime(now)
        struct.pack_into(">HHIIII", data, 0, 9, self.records, up, now // 10**9, sequence & 0xFFFFFFFF, exporter.number)
        self.column(data, 28, exporter.uptime(began))
        self.column(data, 32, up)

    def template(self, exporter, now, sequence):
        body = struct.pack(">HH", 260, len(self.fields)) + b"".join(struct.pack(">HH", *field) for field in self.fields)
        head = struct.pack(">HHIIII", 9, 1, exporter.uptime(now), now // 10**9, sequence & 0xFFFFFFFF, exporter.number)
        return head + struct.pack(">HH", 0, 4 + len(body)) + body


class Ipfix(Format):
    records, size, first, source = 25, 55, 20, 0
    counts_records = True
    fields = [
        (8, 4), (12, 4), (1, 8), (2, 8), (152, 8), (153, 8), (7, 2), (11, 2), (4, 1), (6, 1), (5, 1), (10, 4), (14, 4),
    ]

    def head(self):
        return bytes(16) + struct.pack(">HH", 260, 4 + self.size * self.records)

    def record(self, flow):
        return struct.pack(
            ">II QQQQ HHBBB II", flow.source, flow.target, flow.octets, flow.packets, 0, 0, flow.source_port,
            flow.target_port, flow.protocol, flow.flags, 0, 1, 2,
        )

    def stamp(self, data, exporter, now, began, sequence):
        length = self.first + self.size * self.records
        struct.pack_into(">HHIII", data, 0, 10, length, now // 10**9, sequence & 0xFFFFFFFF, exporter.number)
        for offset, moment in ((24, began), (32, now)):
            millis = moment // 10**6
            self.column(data, offset, millis >> 32)
            self.column(data, offset + 4, millis & 0xFFFFFFFF)

    def template(self, exporter, now, sequence):
        body = struct.pack(">HH", 260, len(self.fields)) + b"".join(struct.pack(">HH", *field) for field in self.fields)
        head = struct.pack(">HHIII", 10, 20 + len(body), now // 10**9, sequence & 0xFFFFFFFF, exporter.number)
        return head + struct.pack(">HH", 2, 4 + len(body)) + body


FORMATS = {"v5": V5, "v9": V9, "ipfix": Ipfix}


class RandomSources:
    """Addresses that have not been drawn before, but for chance: of 100 million some 1.2 million are drawn twice."""

    BLOCK = 1 << 20

    def __init__(self):
        self.octets, self.at = b"", 0

    def take(self, count):
        if self.at + count > len(self.octets):
            self.octets, self.at = os.urandom(self.BLOCK), 0
        self.at += count
        return self.octets[self.at - count : self.at]


def flows(options, number):
    """The endless flows of one exporter."""
    dice = random.Random(number)
    sources = [dice.randrange(1 << 24, 224 << 24) for _ in range(options.sources or 65_536)]
    if options.target:
        target = int(ipaddress.ip_address(options.target))
        while True:
            yield attack(dice, sources, target)
    towards = ipaddress.ip_network(options.towards)
    while True:
        yield everyday(dice, sources, towards)
