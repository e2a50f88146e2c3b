"""
A network of two machines at the two ends of a long line: `long_line.py NAME_A NAME_B RTT_MS MBIT LOSS`.

Makes two network namespaces (10.88.0.1 in the first, 10.88.0.2 in the second) and carries packets
between them with a delay, at a rate with a bounded queue, and with losses, in both directions. Prints
"ready", and on SIGTERM how many packets it carried and dropped. Needs root and /dev/net/tun. Called by
tests/bench/long_lines.ts.
"""

import collections
import fcntl
import os
import random
import select
import signal
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
PACKET_BYTES_MAX = 1500
# How much a router keeps for a line: so many bytes at least, else what the line carries in a round trip.
QUEUE_BYTES_MIN = 256 * 1024


def ip(*args):
    subprocess.run(["ip", *args], check=True)


def open_end(name, namespace, address):
    """Opens the end of the line that is in a namespace."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    ip("netns", "add", namespace)
    ip("link", "set", "dev", name, "netns", namespace)
    inside = ("-n", namespace)
    ip(*inside, "link", "set", "dev", "lo", "up")
    ip(*inside, "address", "add", f"{address}/24", "dev", name)
    ip(*inside, "link", "set", "dev", name, "mtu", str(PACKET_BYTES_MAX), "txqueuelen", "10000", "up")
    return end


class Direction:
    """One direction of the line. Packets leave it in the order in which they came."""

    def __init__(self, source, target, delay_s, bytes_per_s, loss):
        self.source, self.target = source, target
        self.delay_s, self.bytes_per_s, self.loss = delay_s, bytes_per_s, loss
        self.queue_s = max(QUEUE_BYTES_MIN / bytes_per_s, 2 * delay_s)
        self.free_s = 0.0
        self.on_the_way = collections.deque()
        self.carried = self.lost = self.overflowed = 0

    def accept(self, now_s):
        """Accepts what has arrived at this end."""
        read, source, on_the_way = os.read, self.source, self.on_the_way
        free_s, queue_s, delay_s, loss = self.free_s, self.queue_s, self.delay_s, self.loss
        second_per_byte = 1 / self.bytes_per_s
        try:
            while True:
                packet = read(source, PACKET_BYTES_MAX)
                begin_s = free_s if free_s > now_s else now_s
                if begin_s - now_s > queue_s:
                    self.overflowed += 1
                    continue
                free_s = begin_s + len(packet) * second_per_byte
                if loss and random.random() < loss:
                    self.lost += 1
                else:
                    on_the_way.append((free_s + delay_s, packet))
        except BlockingIOError:
            pass
        self.free_s = free_s

    def deliver(self, now_s):
        """Delivers what is due, and returns when the next packet is."""
        write, target, on_the_way = os.write, self.target, self.on_the_way
        while on_the_way and on_the_way[0][0] <= now_s:
            packet = on_the_way.popleft()[1]
            try:
                write(target, packet)
                self.carried += 1
            except OSError:
                self.lost += 1
        return on_the_way[0][0] if on_the_way else None


def main():
    namespaces = sys.argv[1:3]
    rtt_ms, mbit, loss_percent = map(float, sys.argv[3:6])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    directions = []
    try:
        ends = [open_end(f"line{os.getpid()}{which}", name, f"10.88.0.{number}")
                for which, number, name in zip("ab", (1, 2), namespaces)]
        for source, target in (ends, ends[::-1]):
            directions.append(Direction(source, target, rtt_ms / 2000, mbit * 125_000, loss_percent / 100))
        print("ready", flush=True)
        poll = select.epoll()
        for end in ends:
            poll.register(end, select.EPOLLIN)
        next_s = None
        while True:
            wait_s = -1 if next_s is None else max(0.0005, next_s - time.monotonic())
            poll.poll(wait_s)
            now_s = time.monotonic()
            due = []
            for direction in directions:
                direction.accept(now_s)
                due.append(direction.deliver(now_s))
            next_s = min((each for each in due if each is not None), default=None)
    finally:
        counts = [(each.carried, each.lost, each.overflowed) for each in directions]
        print(f"carried, lost and overflowed: {counts}", flush=True)
        for name in namespaces:
            subprocess.run(["ip", "netns", "delete", name], check=False)


main()
