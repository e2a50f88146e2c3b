# The peer of classroom A: serves the folder that is called like its port. Its owner answers each request with SIM or NAO.
#
#   python3 a_peer.py INDEX_PORT    (takes any free port and prints it; joins when Enter is pressed)

import json
import os
import sys

from common import ask_owner, listen, read_request, request, send_blocks


def send_file(conn):
    data = json.loads(read_request(conn, 1024))
    # The port in the request is the name of the folder.
    path = os.path.join(data["data"]["port"], data["data"]["filename"])
    if not os.path.exists(path):
        conn.send(json.dumps({"status": "FILE_NOT_FOUND"}).encode())
        conn.close()
        return
    decision = ask_owner(path)
    size = os.path.getsize(path)
    conn.send(json.dumps({"status": "OK", "file_size": size, "data": decision}).encode())
    if decision == "SIM":
        send_blocks(conn, path)
    conn.close()
    print("fim", flush=True)


peer, port = listen()
port = str(port)
os.makedirs(port, exist_ok=True)
print("port", port, flush=True)

sys.stdin.readline()
index, answer = request(int(sys.argv[1]), json.dumps({"method": "JOIN", "data": {"files": os.listdir(port), "port": port}}))
print(">", answer, flush=True)
index.close()

while True:
    conn, address = peer.accept()
    send_file(conn)
