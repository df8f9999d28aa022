#!/usr/bin/env python3
"""How soon a server is ready that has much behind it, and how fast its lists are then.

Makes a data directory with 10,000 jobs and 1,000,000 events: the server itself makes the schema and
one job, SQL multiplies that job's rows. Then it measures, several times each, the time from the
start to the first 200 of /readyz: after a clean end, after kill -9 in the middle of work, with the
file cache as it is and (--cold, as root) emptied; and requests at that size. Everything is asked of
the server over HTTP before it is believed.

    python3 tests/bench/bench_restart.py [--jobs N] [--events N] [--repeats N] [--cold] [--keep DIR]
"""

import argparse
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from ockserver import Server, program, slow_spec, spec  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10000)
    parser.add_argument("--events", type=int, default=1000000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--models", type=int, default=200, help="jobs whose model is a file")
    parser.add_argument("--cold", action="store_true", help="empty the file cache before starts")
    parser.add_argument("--keep", metavar="DIR", help="copy the directory there at the end")
    return parser.parse_args()


def job_id(number):
    """Sortable as the server's own ids, and before all of them."""
    return f"job_01{number:024d}"


def retold(body, old, new, seq):
    return re.sub(r'"seq":\d+', f'"seq":{seq}', body.replace(old, new), count=1)


def multiply(path, directory, job, args):
    """Rows like the job's, under other ids; every tenth job has a label, every 50th has failed."""
    store = sqlite3.connect(path, isolation_level=None)
    store.executescript("PRAGMA synchronous=OFF; BEGIN")
    columns = [row[1] for row in store.execute("PRAGMA table_info(jobs)")]
    old = dict(zip(columns, store.execute("SELECT * FROM jobs WHERE id = ?", (job,)).fetchone()))
    events = store.execute("SELECT key, body FROM events WHERE job = ? ORDER BY seq",
                           (old["number"],)).fetchall()
    epoch = max(events, key=lambda event: "epoch:" in (event[0] or ""))
    each = args.events // args.jobs - len(events)
    place = ",".join("?" * (len(columns) - 1))
    names = ",".join(columns[1:])
    for i in range(args.jobs - 1):
        new = {**old, "id": job_id(i), "name": f"job {i}", "status": 4 if i % 50 == 0 else 3,
               "labels": json.dumps({"team": "rare"} if i % 1000 == 7 else
                                    {"team": "vision", "run": str(i)} if i % 10 == 0 else {}),
               "created_ms": old["created_ms"] - 1000 * (args.jobs - i),
               "finished_ms": old["finished_ms"] - 1000 * (args.jobs - i),
               "seq": len(events) + each}
        cursor = store.execute(f"INSERT INTO jobs({names}) VALUES({place})",
                               [new[column] for column in columns[1:]])
        number = cursor.lastrowid
        rows = events[:-1] + [(f"again:{k}", epoch[1]) for k in range(each)] + events[-1:]
        store.executemany("INSERT INTO events(job, seq, key, body) VALUES(?, ?, ?, ?)",
                          ((number, seq, key, retold(body, job, new["id"], seq))
                           for seq, (key, body) in enumerate(rows, 1)))
        store.execute("INSERT INTO specs SELECT ?, spec, run_spec, resolved FROM specs"
                      " WHERE job = ?", (number, old["number"]))
        is_file = i < args.models
        store.execute("INSERT INTO models SELECT ?, which, bytes, sha256, iif(?, NULL, blob)"
                      " FROM models WHERE job = ?", (number, is_file, old["number"]))
        if is_file:
            os.makedirs(f"{directory}/jobs/{new['id']}", exist_ok=True)
            Path(f"{directory}/jobs/{new['id']}/best.safetensors").write_bytes(b"x")
    store.execute("UPDATE jobs SET bytes = (SELECT sum(length(CAST(body AS BLOB))) FROM events"
                  " WHERE job = number)")
    store.execute("COMMIT")
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def verify(server, args):
    """What was made by SQL is what the server serves."""
    counts = server.call("GET", "/v1/system").json["jobs"]
    assert sum(counts.values()) == args.jobs, counts
    seen, path = 0, "/v1/jobs?limit=100"
    while path:
        page = server.call("GET", path).json
        seen += len(page["items"])
        path = page["next"] and f"/v1/jobs?limit=100&after={page['next']}"
    assert seen == args.jobs, seen
    for number in (0, args.jobs // 2, args.jobs - 2):
        events = server.events(job_id(number))
        assert [e["seq"] for e in events] == list(range(1, args.events // args.jobs + 1))
        assert events[-1]["type"] == "end" and events[0]["job"] == job_id(number)


def empty_cache():
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")


def start(server, cold):
    """The seconds from exec to the first 200 of /readyz."""
    if cold:
        empty_cache()
    server.__enter__()
    return server.ready_s


def kill(server):
    server.process.kill()
    server.process.wait()
    server.log.close()


def end(server):
    code, _ = server.stop()
    assert code == 0
    server.log.close()


def say(what, seconds):
    print(f"{what:58} {1000 * min(seconds):9.1f} {1000 * statistics.median(seconds):9.1f}"
          f" {1000 * max(seconds):9.1f}", flush=True)


def restarts(server, args, cold):
    clean, killed = [], []
    for _ in range(args.repeats):
        clean.append(start(server, cold))
        end(server)
    for _ in range(args.repeats):
        start(server, False)
        job = server.submit(slow_spec())
        while server.call("GET", f"/v1/jobs/{job}").json["progress"]["epoch"] < 5:
            time.sleep(0.01)
        kill(server)
        killed.append(start(server, cold))
        status = server.call("GET", f"/v1/jobs/{job}").json["status"]
        assert status in ("queued", "running"), status
        server.call("POST", f"/v1/jobs/{job}/cancel")
        server.ended(job)
        end(server)
    words = ", cold file cache" if cold else ""
    say(f"ready after a clean end{words}", clean)
    say(f"ready after kill -9 with a job running{words}", killed)


def time_request(server, path, count, headers=None):
    took = []
    connection = server.connect()
    for _ in range(count):
        begin = time.perf_counter()
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        response.read()
        took.append(time.perf_counter() - begin)
        assert response.status == 200, (path, response.status)
    connection.close()
    say(f"GET {path}"[:58], took)


def requests(server, args):
    middle = job_id(args.jobs // 2)
    for path in (f"/v1/jobs/{middle}", "/v1/jobs?limit=20", f"/v1/jobs?limit=20&after={middle}",
                 "/v1/jobs?status=running,queued", "/v1/jobs?status=failed&limit=20",
                 "/v1/jobs?status=succeeded,failed&limit=20", "/v1/jobs?label.team=vision&limit=20",
                 "/v1/jobs?label.team=rare&limit=100", "/v1/jobs?label.team=none&limit=20",
                 "/v1/jobs?label.team=none&status=succeeded", f"/v1/jobs/{middle}/metrics",
                 f"/v1/jobs/{middle}/events?format=json&limit=100", "/v1/system", "/metrics"):
        time_request(server, path, 50)


def patches(server, job, while_true=None, count=300):
    """Seconds of writes, each a commit of its own, one after the other."""
    took = []
    connection = server.connect()
    while len(took) < count or (while_true and while_true()):
        begin = time.perf_counter()
        connection.request("PATCH", f"/v1/jobs/{job}", body=json.dumps({"name": "again"}),
                           headers={"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        took.append(time.perf_counter() - begin)
        assert response.status == 200
    connection.close()
    return took


def disturbances(server, job):
    """What a write waits while others of the store's long works go on."""
    say("PATCH, nothing else", patches(server, job))
    big = server.submit(spec(hidden=[], train={"epochs": 10000, "batch_size": 150,
                                               "report_every": 1}))
    server.ended(big)
    assert server.call("DELETE", f"/v1/jobs/{big}").status == 204
    say("PATCH, while 10,000 events of a deleted job go", patches(server, job))
    dest = server.directory + ".backup"
    begin = time.perf_counter()
    backup = subprocess.Popen([program(), "backup", "--data-dir", server.directory, dest],
                              stderr=subprocess.DEVNULL)
    took = patches(server, job, lambda: backup.poll() is None, 1)
    assert backup.wait() in (0, 1)  # 1: the models that are files were made up
    say("PATCH, while a backup is made", took)
    say("the backup", [time.perf_counter() - begin])
    shutil.rmtree(dest)
    said = server.text().count("was checked after an unclean end")
    kill(server)  # what follows is a check of the whole store
    start(server, False)
    begin = time.perf_counter()
    took = patches(server, job,
                   lambda: server.text().count("was checked after an unclean end") == said, 1)
    say("PATCH, while the store is checked after kill -9", took)
    say("the check", [time.perf_counter() - begin])


def main():
    args = arguments()
    server = Server()
    try:
        start(server, False)
        server.upload_table()
        job = server.submit(spec(20))
        server.ended(job)
        end(server)
        begin = time.perf_counter()
        path = f"{server.directory}/ockham.db"
        multiply(path, server.directory, job, args)
        print(f"{args.jobs} jobs, {args.events} events, {os.path.getsize(path) / 2**20:.0f} MiB, "
              f"made in {time.perf_counter() - begin:.0f} s")
        start(server, False)
        verify(server, args)
        end(server)
        print(f"{'ms':58} {'least':>9} {'median':>9} {'most':>9}")
        restarts(server, args, False)
        if args.cold:
            restarts(server, args, True)
        start(server, False)
        requests(server, args)
        disturbances(server, job_id(args.jobs // 2))
        end(server)
        if args.keep:
            shutil.copytree(server.directory, args.keep)
    finally:
        if server.process and server.process.poll() is None:
            kill(server)
        shutil.rmtree(server.directory, ignore_errors=True)
        Path(server.log_path).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
