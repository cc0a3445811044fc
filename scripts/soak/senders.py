"""Routers that speak BMP (RFC 7854) and a server of RIS Live, which count what they send."""

import base64
import hashlib
import json
import random
import socket
import struct
import threading
import time

# Batches a second: what is due is sent in so many pieces.
TICKS = 20

# Who loses a network is kept for as long as its country is in trouble, at the worst of it and since. So all go twice at the begin, and
# some stay away, or memory grows until each went by chance, and hides what else would grow: from so many seconds after the begin on so
# many of twenty networks are lost by everybody, the second time not quite as many. Then all is as chance has it.
BLACKOUTS = [(150, 20), (165, 3), (180, 19), (195, 3), (210, None)]


class World:
    """Networks, each with its bytes on the wire and as text."""

    def __init__(self, count):
        self.texts, self.wires = [], []
        for number in range(count):
            octets = bytes([1 + (number >> 16), number >> 8 & 255, number & 255])
            self.wires.append(bytes([24]) + octets)
            self.texts.append("{}.{}.{}.0/24".format(*octets))
        # As many as fit into one UPDATE (RFC 4271 section 4: 4,096 bytes).
        self.pieces = [range(begin, min(begin + 800, count)) for begin in range(0, count, 800)]
        self.begin = time.monotonic()

    def lost(self):
        """How many of twenty networks are lost by everybody now; None where chance has it."""
        passed = time.monotonic() - self.begin
        return next((lost for begin, lost in reversed(BLACKOUTS) if passed >= begin), None)

    def between(self, some, more):
        """The networks that are lost where `more` of twenty are and `some` are not, by pieces."""
        pieces = ([network for network in piece if some <= network % 20 < more] for piece in self.pieces)
        return [piece for piece in pieces if piece]

    def wire(self, piece):
        return b"".join(self.wires[network] for network in piece)

    def text(self, piece):
        return [self.texts[network] for network in piece]


def pace(stop, rate):
    """Gives, TICKS times a second, how many messages are due; what is missed is not made up for beyond a second."""
    begin, given = time.monotonic(), 0.0
    while not stop.is_set():
        due = (time.monotonic() - begin) * rate
        if due - given > rate:
            given = due - rate
        count = int(due - given)
        given += count
        yield count
        time.sleep(1 / TICKS)


def hang_up(connection, reset):
    """In good order, or so that what is on the way is lost."""
    try:
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.shutdown(socket.SHUT_WR)
            # Until the other side has read it all.
            connection.settimeout(60)
            while connection.recv(4096):
                pass
    except OSError:
        pass
    connection.close()


class Router:
    """Connects, says that its neighbours are up, then announces and withdraws, and hangs up at random."""

    def __init__(self, number, world, port, rate, hangs_up, stop):
        self.number, self.world, self.port, self.rate = number, world, port, rate
        self.hangs_up, self.stop = hangs_up, stop
        self.dice = random.Random(number)
        self.sent = self.cut = self.resets = self.connections = 0
        self.peers = [(64_496 + number, 4 * number + place) for place in range(4)]

    def run(self):
        while not self.stop.is_set():
            try:
                connection = socket.create_connection(("127.0.0.1", self.port), source_address=(f"127.0.2.{self.number + 1}", 0))
            except OSError:
                # It has not begun to listen.
                self.stop.wait(0.2)
                continue
            self.connections += 1
            sent = self.talk(connection)
            reset = self.dice.random() < 0.3 and not self.stop.is_set()
            if reset:
                self.resets += 1
                self.cut += sent
            hang_up(connection, reset)
            self.stop.wait(self.dice.expovariate(1 / 3))

    def talk(self, connection):
        """Until it hangs up; how many messages that were."""
        until = time.monotonic() + self.dice.expovariate(1 / self.hangs_up)
        first = [message(4, tlv(1, b"soak") + tlv(2, f"router{self.number}".encode()))]
        first += [message(3, per_peer(*peer) + PEER_UP) for peer in self.peers]
        sent = self.send(connection, first)
        for peer in self.peers:
            sent += self.send(connection, self.table(peer))
        lost = None
        for due in pace(self.stop, self.rate):
            before, lost = lost, self.world.lost()
            if lost is None:
                sent += self.send(connection, [self.route() for _ in range(due)])
            elif lost != before:
                sent += self.send(connection, self.turn(before or 0, lost))
            if time.monotonic() >= until:
                break
        return sent

    def turn(self, before, lost):
        """Of twenty networks so many are lost by all neighbours, where it were others before."""
        away, back = self.world.between(before, lost), self.world.between(lost, before)
        turn = [withdrawal(peer, self.world.wire(piece)) for peer in self.peers for piece in away]
        return turn + [announcement(peer, 64_600, self.world.wire(piece)) for peer in self.peers for piece in back]

    def table(self, peer):
        """All that a neighbour holds, and that this was all (RFC 4724 section 2)."""
        whole = [announcement(peer, 64_600, self.world.wire(piece)) for piece in self.world.pieces]
        return whole + [monitoring(peer, b"\0\0\0\0")]

    def send(self, connection, messages):
        connection.sendall(b"".join(messages))
        self.sent += len(messages)
        return len(messages)

    def route(self):
        peer = self.dice.choice(self.peers)
        wire = self.world.wires[int(self.dice.random() ** 2 * len(self.world.wires))]
        if self.dice.random() < 0.3:
            return withdrawal(peer, wire)
        return announcement(peer, 64_600 + wire[2] % 100, wire)


def withdrawal(peer, wire):
    return monitoring(peer, struct.pack(">H", len(wire)) + wire + b"\0\0")


def announcement(peer, origin, wire):
    """A neighbour announces a network, as it is written in an UPDATE, of an AS behind AS3356."""
    path = struct.pack(">BBIII", 2, 3, peer[0], 3356, origin)
    attributes = b"\x40\x01\x01\x00" + b"\x40\x02" + bytes([len(path)]) + path + b"\x40\x03\x04\xc0\x00\x02\x01"
    return monitoring(peer, b"\0\0" + struct.pack(">H", len(attributes)) + attributes + wire)


def monitoring(peer, update):
    bgp = b"\xff" * 16 + struct.pack(">HB", 19 + len(update), 2) + update
    return message(0, per_peer(*peer) + bgp)


def message(kind, body):
    return struct.pack(">BIB", 3, 6 + len(body), kind) + body


def tlv(kind, value):
    return struct.pack(">HH", kind, len(value)) + value


def per_peer(asn, place):
    """RFC 7854 section 4.2: a neighbour over IPv4, its routes before policy, four octets an AS number."""
    now = time.time_ns() // 1000
    address = b"\0" * 12 + bytes([198, 51, 100, place])
    return b"\0\0" + b"\0" * 8 + address + struct.pack(">I4sII", asn, address[12:], now // 1_000_000, now % 1_000_000)


def _open(asn):
    # With the capability of four-octet AS numbers (RFC 6793).
    capability = b"\x02\x06\x41\x04" + struct.pack(">I", asn)
    body = struct.pack(">BHH4sB", 4, asn, 90, b"\xc0\x00\x02\x01", len(capability)) + capability
    return b"\xff" * 16 + struct.pack(">HB", 19 + len(body), 1) + body


PEER_UP = b"\0" * 12 + b"\xc0\x00\x02\x01" + struct.pack(">HH", 179, 50_000) + _open(64_496) + _open(64_496)

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class RisServer:
    """Takes one client at a time, and gives it messages of three collectors."""

    def __init__(self, world, rate, hangs_up, stop):
        self.world, self.rate, self.hangs_up, self.stop = world, rate, hangs_up, stop
        self.dice = random.Random(99)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.5)
        self.port = self.listener.getsockname()[1]
        self.sent = self.cut = self.connections = self.answers = 0

    def run(self):
        while not self.stop.is_set():
            try:
                connection, _ = self.listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(None)
            self.connections += 1
            before = self.sent
            try:
                self.talk(connection)
                reset = self.dice.random() < 0.3 and not self.stop.is_set()
            except OSError:
                # The client hung up.
                reset = True
            if reset:
                self.cut += self.sent - before
            hang_up(connection, reset)

    def talk(self, connection):
        shake_hands(connection)
        until = time.monotonic() + self.dice.expovariate(1 / self.hangs_up)
        lock = threading.Lock()
        threading.Thread(target=self.answer, args=(connection, lock), daemon=True).start()
        if self.connections == 1:
            # RIS Live gives no tables: what all hold is said once, so that memory is full from the begin.
            for lines in self.turn(20, 0):
                self.send(connection, lock, lines)
        lost = None
        for due in pace(self.stop, self.rate):
            before, lost = lost, self.world.lost()
            if lost is None:
                self.send(connection, lock, [self.line() for _ in range(due)])
            elif lost != before:
                for lines in self.turn(before or 0, lost):
                    self.send(connection, lock, lines)
            if time.monotonic() >= until:
                break

    def turn(self, before, lost):
        """Of twenty networks so many are lost by all peers, where it were others before: the lines of one peer after another."""
        away, back = self.world.between(before, lost), self.world.between(lost, before)
        for host in range(3):
            for peer in range(10):
                lines = [self.said(host, peer, self.withdrawn(self.world.text(piece))) for piece in away]
                yield lines + [self.said(host, peer, self.announced(peer, self.world.text(piece))) for piece in back]

    def send(self, connection, lock, lines):
        with lock:
            connection.sendall(b"".join(map(frame, lines)))
        self.sent += len(lines)

    def answer(self, connection, lock):
        """Pings are answered, or the client would think that nobody is there."""
        try:
            while text := read_frame(connection):
                if b"ping" in text:
                    with lock:
                        connection.sendall(frame('{"type":"pong","data":null}'))
                    self.answers += 1
        except (OSError, ValueError):
            pass

    def line(self):
        host, peer = self.dice.randrange(3), self.dice.randrange(10)
        network = self.world.texts[int(self.dice.random() ** 2 * len(self.world.texts))]
        what = self.withdrawn([network]) if self.dice.random() < 0.3 else self.announced(peer, [network])
        return self.said(host, peer, what)

    def withdrawn(self, networks):
        return f'"withdrawals":{json.dumps(networks)}'

    def announced(self, peer, networks):
        networks = json.dumps(networks)
        path = f"[{64_700 + peer},3356,{64_600 + len(networks) % 10}]"
        return f'"path":{path},"announcements":[{{"next_hop":"192.0.2.1","prefixes":{networks}}}]'

    def said(self, host, peer, what):
        return (
            f'{{"type":"ris_message","data":{{"timestamp":{time.time():.2f},"peer":"192.0.2.{peer}","peer_asn":"{64_700 + peer}",'
            f'"id":"x","host":"rrc{host:02}.ripe.net","type":"UPDATE",{what}}}}}'
        )


def shake_hands(connection):
    """RFC 6455 section 4.2.2."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    key = next(line.split(b":")[1].strip() for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def frame(text):
    """A text frame of a server (RFC 6455 section 5.2)."""
    payload = text.encode()
    length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + struct.pack(">H", len(payload))
    return b"\x81" + length + payload


def read_frame(connection):
    """What a client says: masked. Empty where it has gone."""

    def take(count):
        data = b""
        while len(data) < count:
            piece = connection.recv(count - len(data))
            if not piece:
                raise OSError("gone")
            data += piece
        return data

    head = take(2)
    length = head[1] & 127
    if length == 126:
        length = struct.unpack(">H", take(2))[0]
    mask = take(4)
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(take(length))) or b" "
