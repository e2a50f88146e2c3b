# What the programs of classrooms A and B have in common. Both are written as a student would in a week: one thread a connection,
# one request a connection, blocks of 1,024 bytes, no line feeds, no checks. What they say to each other is in their own files.

import socket
import sys
import threading


# A server: prints its port, and calls serve(connection, ip) for each connection.
def run_server(port, serve):
    server = socket.socket()
    server.bind(("127.0.0.1", port))
    server.listen()
    print("port", server.getsockname()[1], flush=True)
    while True:
        conn, (ip, _) = server.accept()
        threading.Thread(target=serve, args=(conn, ip)).start()


# A peer that listens at any free port.
def listen():
    peer = socket.socket()
    peer.bind(("127.0.0.1", 0))
    peer.listen()
    return peer, peer.getsockname()[1]


# Says one thing, and reads the answer once. The connection stays open for what may follow.
def request(port, text):
    sock = socket.socket()
    sock.connect(("127.0.0.1", port))
    sock.send(text.encode())
    return sock, sock.recv(1024).decode()


# Reads a request, and shows it.
def read_request(conn, count):
    text = conn.recv(count).decode()
    print("<", text, flush=True)
    return text


# Asks the owner whether a file may be sent.
def ask_owner(path):
    print("Enviar " + path + "? (SIM/NAO)", flush=True)
    return sys.stdin.readline().strip()


# Sends a file after its header.
def send_blocks(conn, path):
    # The client reads the header by itself first, and only then asks for more.
    threading.Event().wait(0.3)
    with open(path, "rb") as file:
        while True:
            block = file.read(1024)
            if not block:
                break
            conn.sendall(block)


# Writes what comes into a file, until there is no more or `size` bytes are there.
def receive_blocks(sock, path, size=None):
    received = 0
    with open(path, "wb") as file:
        while size is None or received < size:
            block = sock.recv(1024)
            if not block:
                break
            file.write(block)
            received += len(block)
    sock.close()
    return received
