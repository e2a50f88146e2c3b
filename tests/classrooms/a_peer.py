# The peer of classroom A: serves the folder that is called like its port. Its owner answers each request with SIM or NAO.
#
#   python3 a_peer.py INDEX_PORT    (takes any free port and prints it; joins when Enter is pressed)

import json
import os
import socket
import sys
import threading


def send_file(conn):
    text = conn.recv(1024).decode()
    print("<", text, flush=True)
    data = json.loads(text)
    # The port in the request is the name of the folder.
    path = os.path.join(data["data"]["port"], data["data"]["filename"])
    if not os.path.exists(path):
        conn.send(json.dumps({"status": "FILE_NOT_FOUND"}).encode())
        conn.close()
        return
    print("Enviar " + path + "? (SIM/NAO)", flush=True)
    decision = sys.stdin.readline().strip()
    size = os.path.getsize(path)
    conn.send(json.dumps({"status": "OK", "file_size": size, "data": decision}).encode())
    if decision == "SIM":
        # The client reads the size by itself first, and only then asks for more.
        threading.Event().wait(0.3)
        with open(path, "rb") as file:
            while True:
                block = file.read(1024)
                if not block:
                    break
                conn.sendall(block)
    conn.close()
    print("fim", flush=True)


peer = socket.socket()
peer.bind(("127.0.0.1", 0))
peer.listen()
port = str(peer.getsockname()[1])
os.makedirs(port, exist_ok=True)
print("port", port, flush=True)

sys.stdin.readline()
index = socket.socket()
index.connect(("127.0.0.1", int(sys.argv[1])))
index.send(json.dumps({"method": "JOIN", "data": {"files": os.listdir(port), "port": port}}).encode())
print(">", index.recv(1024).decode(), flush=True)
index.close()

while True:
    conn, address = peer.accept()
    send_file(conn)
