"""The network of .ci/ssrf: a name server for domains that lead inside, and a look at every packet.

Called by .ci/ssrf: python3 ssrf.py FILE; prints the domains, one per line, and writes to FILE whom packets are for.
"""
import ipaddress
import socket
import struct
import sys
import threading

INSIDE = [
    "169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.51.100.1", "1.0.0.1",
    "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "2002:a00:1::1", "fd00::1", "fe80::1", "2001:db8::1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "0.0.0.0", "127.0.0.2", "::1",
]
A, NS, CNAME, SOA, MX, TXT, AAAA = 1, 2, 5, 6, 15, 16, 28
PUBLIC = "9.9.9.10"


def names(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.rstrip(".").split(".") if label) + b"\0"


def address(text):
    parsed = ipaddress.ip_address(text)
    return (A if parsed.version == 4 else AAAA), parsed.packed


domains, records, changing = [], {}, {}


def add(owner, kind, data):
    records.setdefault((owner, kind), []).append(data)


def domain(name, mx_host):
    domains.append(name)
    add(f"_mta-sts.{name}", TXT, b"\x0ev=STSv1; id=1;")
    add(name, MX, struct.pack("!H", 10) + names(mx_host))
    add(name, NS, names(f"ns.{name}"))


for number, inside in enumerate(INSIDE):
    name = f"d{number}.test"
    domain(name, f"mx.{name}")
    kind, data = address(inside)
    for owner in (f"mta-sts.{name}", f"mx.{name}", f"ns.{name}"):
        add(owner, kind, data)
# Aliases that lead inside, also through others.
domain("alias.test", "mx.alias.test")
for owner in ("mta-sts.alias.test", "mx.alias.test"):
    add(owner, CNAME, names("hop.test"))
add("hop.test", CNAME, names("metadata.test"))
add("metadata.test", A, address("169.254.169.254")[1])
# Names that are public when they are asked for the first time, and then are not; and a mixture.
domain("rebinding.test", "mx.rebinding.test")
for owner in ("mta-sts.rebinding.test", "mx.rebinding.test", "ns.rebinding.test"):
    changing[owner] = [PUBLIC, "10.0.0.1"]
domain("mixture.test", "mx.mixture.test")
for owner in ("mta-sts.mixture.test", "mx.mixture.test"):
    for text in (PUBLIC, "10.0.0.1", "169.254.169.254"):
        add(owner, A, address(text)[1])
# An MX record that is an address.
domain("literal.test", "10.0.0.1")
add("10.0.0.1", A, address("10.0.0.1")[1])


def answer(query):
    ident, flags, _, _, _, _ = struct.unpack("!6H", query[:12])
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode().lower())
        at += 1 + query[at]
    owner, (kind, _) = ".".join(labels), struct.unpack("!2H", query[at + 1 : at + 5])
    question = query[12 : at + 5]
    found = []
    if owner in changing and kind == A:
        turns = changing[owner]
        found = [(owner, A, address(turns[0])[1])]
        turns.append(turns.pop(0))
    for _ in range(5):
        found += [(owner, kind, data) for data in records.get((owner, kind), [])]
        alias = records.get((owner, CNAME), [])
        if kind == CNAME or not alias:
            break
        found.append((owner, CNAME, alias[0]))
        labels, rest = [], alias[0]
        while rest[0]:
            labels.append(rest[1 : 1 + rest[0]].decode())
            rest = rest[1 + rest[0] :]
        owner = ".".join(labels)
    authority = b"" if found else names("test") + struct.pack("!HHIH", SOA, 1, 1, 24) + b"\0\0" + b"\0" * 22
    text = struct.pack("!6H", ident, 0x8180 | (flags & 0x0100), 1, len(found), 0 if found else 1, 0) + question
    for name, type_, data in found:
        text += names(name) + struct.pack("!HHIH", type_, 1, 0, len(data)) + data
    return text + authority


def serve(server):
    while True:
        query, peer = server.recvfrom(4096)
        server.sendto(answer(query), peer)


def watch(packets, path):
    inside = {ipaddress.ip_address(text) for text in INSIDE}
    with open(path, "w", buffering=1) as file:
        while True:
            packet, (_, protocol, *_) = packets.recvfrom(256)
            if protocol == 0x0800:
                to, proto, port = ipaddress.ip_address(packet[16:20]), packet[9], packet[22:24]
            elif protocol == 0x86DD:
                to, proto, port = ipaddress.ip_address(packet[24:40]), packet[6], packet[42:44]
            else:
                continue
            if proto not in (6, 17):
                continue
            port = int.from_bytes(port, "big")
            if to in inside:
                print("inside", to, port, file=file)
            elif to == ipaddress.ip_address(PUBLIC):
                print("outside", to, port, file=file)


packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
threading.Thread(target=watch, args=(packets, sys.argv[1]), daemon=True).start()
print("\n".join(domains), flush=True)
serve(server)
