# The peer of classroom B: serves one folder. Its owner answers each request with SIM or NAO.
#
#   python3 b_peer.py INDEX_PORT FOLDER [words]
#
# It takes any free port and prints it. It joins when Enter is pressed: with its list of names put into the text as Python prints
# it, or with `words` as names between spaces.

import os
import socket
import sys
import threading

folder = sys.argv[2]


def send_file(conn):
    text = conn.recv(1024).decode()
    print("<", text, flush=True)
    # Split once: the rest is the name, with its spaces.
    method, name = text.split(" ", 1)
    path = os.path.join(folder, name)
    if method != "DOWNLOAD" or not os.path.exists(path):
        conn.send("Arquivo não encontrado".encode())
        conn.close()
        return
    print("Enviar " + path + "? (SIM/NAO)", flush=True)
    if sys.stdin.readline().strip() == "SIM":
        conn.send(b"Arquivo Encontrado!")
        threading.Event().wait(0.3)
        with open(path, "rb") as file:
            while True:
                block = file.read(1024)
                if not block:
                    break
                conn.sendall(block)
    else:
        conn.send(b"Download recusado")
    conn.close()
    print("fim", flush=True)


peer = socket.socket()
peer.bind(("127.0.0.1", 0))
peer.listen()
port = peer.getsockname()[1]
print("port", port, flush=True)

sys.stdin.readline()
files = os.listdir(folder)
names = " ".join(files) if len(sys.argv) > 3 else str(files)
index = socket.socket()
index.connect(("127.0.0.1", int(sys.argv[1])))
index.send(f"JOIN 127.0.0.1:{port} {names}".encode())
print(">", index.recv(1024).decode(), flush=True)
index.close()

while True:
    conn, address = peer.accept()
    try:
        send_file(conn)
    except ValueError as error:
        # A request that is not two words.
        print("bad request:", error, flush=True)
        conn.close()
