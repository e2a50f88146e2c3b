# One side of the libtorrent reference. The two sides connect directly: no trackers, no DHT, no
# search for peers on the network, no uTP and no encryption.
#
#   python3 libtorrent_peer.py version
#   python3 libtorrent_peer.py seed FOLDER TORRENT      makes TORRENT of FOLDER, and seeds it until it is ended
#   python3 libtorrent_peer.py get TORRENT FOLDER PORT  downloads into FOLDER, and prints how long that took

import json
import os
import sys
import time

import libtorrent as lt

DEADLINE_S = 600


def session():
    # The defaults with larger buffers are faster here than the preset for fast servers.
    settings = lt.default_settings()
    settings.update({
        "send_buffer_watermark": 3 * 2 ** 20,
        "max_queued_disk_bytes": 64 * 2 ** 20,
        "listen_interfaces": "127.0.0.1:0",
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_incoming_utp": False,
        "enable_outgoing_utp": False,
        "in_enc_policy": int(lt.enc_policy.disabled),
        "out_enc_policy": int(lt.enc_policy.disabled),
        "allow_multiple_connections_per_ip": True,
        "alert_mask": lt.alert.category_t.status_notification | lt.alert.category_t.storage_notification
        | lt.alert.category_t.error_notification,
    })
    return lt.session(settings)


def wait_for(opened, kind):
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        opened.wait_for_alert(1000)
        for alert in opened.pop_alerts():
            if isinstance(alert, (lt.torrent_error_alert, lt.file_error_alert)):
                sys.exit(alert.message())
            if isinstance(alert, kind):
                return alert
    sys.exit("libtorrent: there was no %s" % kind.__name__)


def torrent_params(torrent, folder):
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(torrent)
    params.save_path = folder
    params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    return params


def seed(folder, torrent):
    storage = lt.file_storage()
    lt.add_files(storage, folder)
    made = lt.create_torrent(storage, 0, lt.create_torrent.v1_only)
    lt.set_piece_hashes(made, os.path.dirname(folder))
    with open(torrent, "wb") as file:
        file.write(lt.bencode(made.generate()))
    opened = session()
    params = torrent_params(torrent, os.path.dirname(folder))
    params.flags |= lt.torrent_flags.seed_mode
    opened.add_torrent(params)
    while opened.listen_port() == 0:
        time.sleep(0.01)
    print("listening %d" % opened.listen_port(), flush=True)
    while True:
        time.sleep(1)
        opened.pop_alerts()


def get(torrent, folder, port):
    opened = session()
    params = torrent_params(torrent, folder)
    params.peers = [("127.0.0.1", port)]
    begun = time.monotonic()
    handle = opened.add_torrent(params)
    wait_for(opened, lt.torrent_finished_alert)
    handle.flush_cache()
    wait_for(opened, lt.cache_flushed_alert)
    print(json.dumps({"tookMs": (time.monotonic() - begun) * 1000}), flush=True)
    # Ends without the seconds that libtorrent takes to close.
    os._exit(0)


if sys.argv[1] == "version":
    print(lt.version)
elif sys.argv[1] == "seed":
    seed(sys.argv[2], sys.argv[3])
else:
    get(sys.argv[2], sys.argv[3], int(sys.argv[4]))
