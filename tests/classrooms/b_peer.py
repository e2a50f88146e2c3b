# The peer of classroom B: serves one folder. Its owner answers each request with SIM or NAO.
#
#   python3 b_peer.py INDEX_PORT FOLDER [words]
#
# It takes any free port and prints it. It joins when Enter is pressed: with its list of names put into the text as Python prints
# it, or with `words` as names between spaces.

import os
import sys

from common import ask_owner, listen, read_request, request, send_blocks

folder = sys.argv[2]


def send_file(conn):
    text = read_request(conn, 1024)
    # Split once: the rest is the name, with its spaces.
    method, name = text.split(" ", 1)
    path = os.path.join(folder, name)
    if method != "DOWNLOAD" or not os.path.exists(path):
        conn.send("Arquivo não encontrado".encode())
        conn.close()
        return
    if ask_owner(path) == "SIM":
        conn.send(b"Arquivo Encontrado!")
        send_blocks(conn, path)
    else:
        conn.send(b"Download recusado")
    conn.close()
    print("fim", flush=True)


peer, port = listen()
print("port", port, flush=True)

sys.stdin.readline()
files = os.listdir(folder)
names = " ".join(files) if len(sys.argv) > 3 else str(files)
index, answer = request(int(sys.argv[1]), f"JOIN 127.0.0.1:{port} {names}")
print(">", answer, flush=True)
index.close()

while True:
    conn, address = peer.accept()
    try:
        send_file(conn)
    except ValueError as error:
        # A request that is not two words.
        print("bad request:", error, flush=True)
        conn.close()
