#!/usr/bin/env python3
"""`codetics-ocpp-service` from crates.io with a PostgreSQL of its own, for `make rivals`: OCPP 1.6 over TLS, kept in a database.

Both are its children, so that the loader counts them with it. The database is new, with PostgreSQL's own settings, and is
reached through a socket file. The stations of the bench are enrolled without passwords: checking one (Argon2id) would cost more
than all the rest of a connect. Says where it listens in one line, and lives as long as its standard input is open.

    codetics.py PROGRAM IDENTITY.pem
"""
import ctypes
import glob
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

PATIENCE_S = 60
PR_SET_PDEATHSIG = 1
USER = "bench"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def dies_with_us(with_signal):
    """For whatever is started: nothing outlives this process, also where it is killed."""
    return lambda: ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, with_signal)


def patiently(what, done):
    until = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > until:
            sys.exit(f"codetics.py: {what} did not come up in {PATIENCE_S} s")
        time.sleep(0.1)


def tool(name):
    newest = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)
    found = shutil.which(name) or (newest and newest[0])
    return found or sys.exit(f"codetics.py: PostgreSQL's {name} is not installed")


class Database:
    """A cluster in the bench's folder, which goes with it."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, f"postgresql-{os.getpid()}")
        os.mkdir(self.folder, 0o700)
        # PostgreSQL does not run as root
        self.who = {}
        if os.geteuid() == 0:
            self.who = {"user": "postgres", "group": "postgres", "extra_groups": []}
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.data = os.path.join(self.folder, "data")
        self.run("initdb", "-D", self.data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale")
        command = [tool("postgres"), "-D", self.data, "-k", self.folder, "-c", "listen_addresses=", "-c", "log_min_messages=fatal"]
        quick = dies_with_us(signal.SIGQUIT)
        self.process = subprocess.Popen(command, stdout=sys.stderr, stdin=subprocess.DEVNULL, cwd=self.folder, preexec_fn=quick, **self.who)
        ready = [tool("pg_isready"), "-q", "-h", self.folder, "-U", USER, "-d", "postgres"]
        patiently("PostgreSQL", lambda: subprocess.run(ready).returncode == 0)
        self.run("createdb", "-h", self.folder, "-U", USER, USER)

    def run(self, name, *arguments):
        done = subprocess.run([tool(name), *arguments], cwd=self.folder, text=True, capture_output=True, **self.who)
        if done.returncode:
            sys.exit(f"codetics.py: {name}: {done.stderr.strip()}")

    def url(self):
        return f"postgres://{USER}@localhost/{USER}?host={self.folder}"


def serve(program, identity, database):
    line, api = free_port(), free_port()
    settings = {
        "DATABASE_URL": database.url(),
        "OCPP_LISTEN": "none",
        "OCPP_TLS_LISTEN": f"127.0.0.1:{line}",
        "OCPP_TLS_CERT": identity,
        "OCPP_TLS_KEY": identity,
        "API_LISTEN": f"127.0.0.1:{api}",
        "AUTHORIZE_UNKNOWN_TOKENS": "true",
        "RUST_LOG": "error",
    }
    process = subprocess.Popen(
        [program], env=os.environ | settings, stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=dies_with_us(signal.SIGKILL)
    )

    def up():
        if process.poll() is not None:
            sys.exit(f"codetics.py: the service ended with {process.returncode}")
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{api}/health", timeout=1).status == 200
        except OSError:
            return False

    patiently("the service", up)
    return process, line, f"http://127.0.0.1:{api}/api/v1/stations"


def enrol(stations, address):
    for station in stations:
        body = json.dumps({"ocpp_identity": station, "name": station}).encode()
        request = urllib.request.Request(address, data=body, headers={"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE_S):
            pass


def main():
    program, identity = sys.argv[1:]
    folder = os.path.dirname(identity)
    database = Database(folder)
    process, line, stations = serve(program, identity, database)
    with open(os.path.join(folder, "accounts.tsv"), encoding="utf-8") as accounts:
        enrol([account.split("\t")[0] for account in accounts], stations)
    print(f"listening on 127.0.0.1:{line}", flush=True)
    # until the loader has no use for it any more
    sys.stdin.buffer.read()
    process.kill()
    database.process.send_signal(signal.SIGINT)
    database.process.wait()


main()
