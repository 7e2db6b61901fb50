#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Ten rstats of all faces at once, while stress-ng does its worst: forks, clones, execs, fills memory and disk, takes CPUs
# away, and processes are frozen and thawed. `make soak` lets it last.
#
#	SOAK_MINUTES=N		how long the load lasts (0.4)
#	SOAK_ATTACH='HOW...'	the ways into the kernel, one after the other (btf perf)
#	RSTAT_DISTURB=1		takes CPUs away
#
# Every line is judged by parsers that are not rstat's: the schemas by jsonschema, markup by expat, OpenMetrics by Prometheus'
# own client. One reader is slow: it reads every 20 s only. Memory, descriptors and the kernel's maps are held against what
# they were, the slots in use against the tasks that are left.
import atexit
import collections
import glob
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.parsers.expat

import jsonschema
from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

minutes = float(os.environ.get("SOAK_MINUTES", "0.4"))
ways = os.environ.get("SOAK_ATTACH", "btf perf").split()
hotplug = os.environ.get("RSTAT_DISTURB")
# Who has few slots must, from how long a load on, not take more memory in the second half of it than in the first; usually, since
# storms come and go. The others take new slots whenever they do not get to a CPU for seconds, up to their number, half an hour long.
PLATEAU_MIN, PLATEAU_SLACK, PLATEAU_KIB = 5, 1.25, 128
PAGES_KIB = 16  # a few come with what has not been run before
FEW_SLOTS = 4096  # for some readers: all are taken within a minute
# Of a slot (collect/tasks.h): the mapped array with its mark, and what user space keeps while it is in use; what it keeps for good,
# with the mark. Afterwards some pieces are still held, in which tasks live that were born in the storm.
USED_BYTES, KEPT_BYTES = 64 + 1 + 32 + 2 * 72 + 6 * 4, 4 + 1
HELD_KIB = 768
GIVEN_BACK_S = 35  # three passes: by perf two of them take a slot back, the next gives its memory back
# What a CPU that is taken away was running is counted a line later, so lists are added up over several; and the kernel
# brings a running task's time up to date once a tick. A reading that others interrupt takes long, and says so.
WINDOW, LATE_US = 10, 50000
PEACE_S = 8  # before and after the load, for slots to come back
TASKS_SLACK = 16  # others come and go on this machine
SILENCE_S = 60  # a reader without a line for so long hangs: no measure of speed


def schema(name):
    with open(f"docs/{name}.schema.json", encoding="utf-8") as file:
        return json.load(file)


def validator(name, pointer=None):
    document = schema(name)
    if pointer:
        document = {"$defs": document["$defs"], **document["$defs"][pointer]}
    return jsonschema.Draft202012Validator(document)


# ---- judges: what is wrong with a line, or None


def refuse(word):
    raise ValueError(f"{word} is no JSON")


def parse_json(text):
    return json.loads(text, parse_constant=refuse)


def fits(judge, value):
    for error in judge.iter_errors(value):
        raise ValueError(error.message[:200])


def check_markup(text):
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: name in ("x", "span", "b", "i", "tt") or refuse(name)
    parser.Parse(f"<x>{text}</x>", True)


class Json:
    judge = validator("sample")

    def __init__(self):
        self.last = None
        self.used = collections.deque(maxlen=WINDOW)  # of all CPUs, and what there was, in microseconds

    def line(self, text):
        sample = parse_json(text)
        fits(self.judge, sample)
        ratios = [row["cpu_ratio"] for row in sample.get("top_cpu", [])]
        if ratios:
            self.used.append((sum(ratios) * sample["elapsed_us"], sample["elapsed_us"] * 1.02))
            used, there_was = (sum(times) for times in zip(*self.used))
            if used > there_was + LATE_US + sample["sample_ns"] / 1000:
                raise ValueError(f"top_cpu adds up to {used / there_was} in {len(self.used)} lines")
        for rows in ("top_cpu", "top_memory", "top_io"):
            pids = [row["pid"] for row in sample.get(rows, []) if "pid" in row]
            if len(pids) != len(set(pids)):
                raise ValueError(f"a process twice in {rows}")
        tasks = sample["tasks"]
        if not 0 < tasks["slots_used"] <= tasks["slots"]:
            raise ValueError(f"{tasks['slots_used']} of {tasks['slots']} slots")
        if self.last and tasks["dropped"] < self.last["tasks"]["dropped"]:
            raise ValueError("dropped went back")
        self.last = sample


class Waybar:
    judge = validator("waybar")

    def line(self, text):
        value = parse_json(text)
        fits(self.judge, value)
        check_markup(value["text"])
        check_markup(value["tooltip"])


class I3bar:
    header = validator("i3bar", "header")
    judge = validator("i3bar")

    def __init__(self):
        self.seen = 0

    def line(self, text):
        self.seen += 1
        if self.seen == 1:
            fits(self.header, parse_json(text))
        elif self.seen == 2:
            if text != "[[]":
                raise ValueError("no array that begins with an empty one")
        else:
            fits(self.judge, [[], parse_json(text[1:] if text[0] == "," else refuse(text[0]))])


class Text:
    def line(self, text):
        if not text or any(ord(c) < 32 for c in text):
            raise ValueError("a control character, or nothing")


class Exposition:
    def __init__(self):
        self.lines = []

    def line(self, text):
        self.lines.append(text)
        if text == "# EOF":
            families = list(openmetrics.text_string_to_metric_families("\n".join(self.lines) + "\n"))
            if not families:
                raise ValueError("no metrics")
            self.lines = []


class TextFile:
    """The file for node_exporter's textfile collector, whole."""

    def line(self, text):
        names = [family.name for family in prometheus.text_string_to_metric_families(text)]
        if names[-1:] != ["rstat_tasks_dropped"]:
            raise ValueError(f"ends with {names[-1:]}")


class Terminal:
    """The live view: what is written is UTF-8, with no control characters but those of its own sequences."""

    sequence = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][0B]|\x1b[=>78]|[\r\n]")

    def line(self, text):
        left = self.sequence.sub("", text)
        if any(ord(c) < 32 for c in left):
            raise ValueError(f"control characters: {left[:80]!r}")


# ---- readers


class Reader:
    def __init__(self, attach, name, judge, arguments, every_s=0, terminal=False, slots=0):
        self.name, self.judge, self.every_s, self.slots = f"{attach}, {name}", judge, every_s, slots
        self.lines, self.faults, self.buffer, self.next_s = 0, [], b"", 0
        self.watched, self.quiet_since, self.file = [], time.monotonic(), None
        command = ["./rstat", "--attach", attach, *arguments, *(["--max-tasks", str(slots)] if slots else [])]
        if "--file" in arguments:
            self.file = arguments[arguments.index("--file") + 1]
        self.errors = tempfile.TemporaryFile(dir="build/test")
        if terminal:
            self.out, child = pty.openpty()
            self.process = subprocess.Popen(command, stdin=child, stdout=child, stderr=self.errors)
            os.close(child)
        else:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
            self.out = self.process.stdout.fileno()
        os.set_blocking(self.out, False)
        self.terminal = terminal

    def judge_one(self, raw):
        self.lines += 1
        try:
            self.judge.line(raw.decode("utf-8"))
        except (ValueError, KeyError, TypeError, xml.parsers.expat.ExpatError) as error:
            if len(self.faults) < 20:
                self.faults.append(f"line {self.lines}: {error}: {raw[:300]!r}")

    def read(self):
        now = time.monotonic()
        self.next_s = now + self.every_s
        try:
            data = os.read(self.out, 1 << 16)
        except (BlockingIOError, OSError):
            return
        if not data:
            return
        self.quiet_since = now
        self.buffer += data
        if self.terminal:
            end = self.buffer.rfind(b"\x1b[")  # whole sequences and characters only
            if end > 0:
                self.judge_one(self.buffer[:end])
                self.buffer = self.buffer[end:]
            return
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            self.judge_one(line)

    def read_file(self):
        try:
            with open(self.file, "rb") as file:
                text = file.read()
        except FileNotFoundError:
            return
        self.quiet_since = time.monotonic()
        self.judge_one(text)

    def watch(self):
        """(RSS in KiB, of it its own, descriptors)"""
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
                kib = {k: int(v) for k, v in re.findall(r"^(VmRSS|RssAnon):\s+(\d+) kB", file.read(), re.M)}
            self.watched.append((kib["VmRSS"], kib["RssAnon"], len(os.listdir(f"/proc/{self.process.pid}/fd"))))
        except (FileNotFoundError, KeyError):
            pass
        return self.watched[-1]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < until:
            self.read()
            time.sleep(0.01)
        if self.process.poll() is None:
            self.process.kill()
            self.faults.append("does not end")
        self.process.wait()
        self.errors.seek(0)
        return self.process.returncode, self.errors.read().decode("utf-8", "replace")


# ---- the kernel's side


def bpf_objects(pids):
    """(kind, id) => bytes, of what these processes hold in the kernel: programs, links, and the programs' maps."""
    held, programs = {}, set()
    for path in [path for pid in pids for path in glob.glob(f"/proc/{pid}/fdinfo/*")]:
        with open(path, encoding="utf-8") as file:
            ids = dict(re.findall(r"^(prog_id|link_id|map_id):\s+(\d+)", file.read(), re.M))
        held.update({(kind.removesuffix("_id"), int(number)): 0 for kind, number in ids.items()})
    programs = {number for kind, number in held if kind == "prog"}
    for program in bpftool("prog"):
        if program["id"] in programs:
            held.update({("map", number): 0 for number in program.get("map_ids", [])})
    sizes = {one["id"]: one["bytes_memlock"] for one in bpftool("map")}
    return {(kind, number): sizes[number] if kind == "map" else 0 for kind, number in held}


def bpftool(kind):
    return json.loads(subprocess.run(["bpftool", "-j", kind, "show"], check=True, capture_output=True).stdout or "[]")


def still_there(objects):
    listed = {(kind, one["id"]) for kind in ("prog", "map", "link") for one in bpftool(kind)}
    return [one for one in objects if one in listed]


def threads():
    return len(glob.glob("/proc/[0-9]*/task/[0-9]*"))


def unreclaimable_kib():
    with open("/proc/meminfo", encoding="utf-8") as file:
        found = dict(re.findall(r"^(\w+):\s+(\d+) kB", file.read(), re.M))
    return int(found["SUnreclaim"]), int(found["Percpu"])


class Freezer:
    """A control group with forking processes in it, that is frozen and thawed every half second."""

    def __init__(self):
        self.mount = tempfile.mkdtemp(prefix="rstat-soak-")
        subprocess.run(["mount", "-t", "cgroup2", "none", self.mount], check=True)
        self.group = f"{self.mount}/rstat-soak-{os.getpid()}"
        os.mkdir(self.group)
        self.frozen, self.turns = False, 0
        self.load = subprocess.Popen(["stress-ng", "--quiet", "--fork", "1", "--switch", "1", "--yield", "1"],
                                     preexec_fn=self.join, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def put(self, file, word):
        with open(f"{self.group}/{file}", "w", encoding="utf-8") as out:
            out.write(word)

    def join(self):
        self.put("cgroup.procs", str(os.getpid()))

    def turn(self):
        self.frozen = not self.frozen
        self.turns += 1
        self.put("cgroup.freeze", "1" if self.frozen else "0")

    def end(self):
        self.put("cgroup.freeze", "0")
        self.load.terminate()
        try:
            self.load.wait(20)
        except subprocess.TimeoutExpired:
            pass
        for _ in range(200):
            with open(f"{self.group}/cgroup.procs", encoding="utf-8") as file:
                left = file.read().split()
            for pid in left:
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if self.load.poll() is not None and not left:
                break
            time.sleep(0.1)
        os.rmdir(self.group)
        subprocess.run(["umount", self.mount], check=True)
        os.rmdir(self.mount)


def start_load(seconds, folder):
    command = ["stress-ng", "--quiet", "--timeout", f"{int(seconds)}s", "--temp-path", folder,
               "--fork", "1", "--fork-max", "64", "--clone", "1", "--clone-max", "256", "--exec", "2", "--vfork", "1",
               "--vm", "2", "--vm-bytes", "256M", "--io", "1", "--hdd", "1", "--hdd-bytes", "64M",
               "--pthread", "1", "--switch", "1", "--zombie", "1", "--zombie-max", "64"]
    if hotplug:
        command += ["--cpu-online", "1"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


# ---- verdicts

count = failed = 0


def ok(good, name, *why):
    global count, failed
    count += 1
    failed += not good
    print(("ok" if good else "not ok"), count, "-", name, flush=True)
    if not good:
        for line in why:
            print("#  ", line, file=sys.stderr, flush=True)


def note(text):
    print("#", text, flush=True)


def readers(attach, folder):
    return [
        Reader(attach, "json", Json(), ["-o", "json", "-i", "1000"]),
        Reader(attach, "json, all rows, 200 ms", Json(), ["-o", "json", "-i", "200", "-t", "20", "--min-cpu", "0", "--min-io", "0"]),
        Reader(attach, "waybar, few slots", Waybar(), ["-o", "waybar", "-i", "1000"], slots=FEW_SLOTS),
        Reader(attach, "waybar, 100 ms", Waybar(), ["-o", "waybar", "-i", "100", "--min-cpu", "0"]),
        Reader(attach, "waybar, read every 20 s", Waybar(), ["-o", "waybar", "-i", "50", "-t", "20", "--min-cpu", "0"], every_s=20),
        Reader(attach, "i3bar, few slots", I3bar(), ["-o", "i3bar", "-i", "500"], slots=FEW_SLOTS),
        Reader(attach, "text, few slots", Text(), ["-o", "text", "-i", "250"], slots=FEW_SLOTS),
        Reader(attach, "openmetrics", Exposition(), ["-o", "openmetrics", "-i", "1000", "--names"]),
        Reader(attach, "openmetrics in a file", TextFile(), ["-o", "openmetrics", "-i", "500", "--file", f"{folder}/soak.prom"], every_s=1),
        Reader(attach, "live view", Terminal(), ["-o", "term", "-i", "250"], terminal=True),
    ]


def watch_all(all_readers, load, freezer, until):
    next_watch = next_turn = 0
    while time.monotonic() < until or (load and load.poll() is None):
        now = time.monotonic()
        ready = {r.out: r for r in all_readers if not r.every_s}
        for out in select.select(list(ready), [], [], 0.05)[0]:
            ready[out].read()
        for reader in all_readers:
            if reader.every_s and now >= reader.next_s:
                reader.read()
                if reader.file:
                    reader.read_file()
        if now >= next_watch:
            next_watch = now + 5
            for reader in all_readers:
                reader.watch()
                if now - reader.quiet_since > SILENCE_S + reader.every_s and len(reader.faults) < 20:
                    reader.faults.append(f"no line for {SILENCE_S} s")
                    reader.quiet_since = now
                if reader.process.poll() is not None:
                    raise EOFError(f"{reader.name} has ended with {reader.process.returncode}")
        if freezer and now >= next_turn:
            next_turn = now + 0.5
            freezer.turn()


def peaks(values):
    """The highest of the first half, and of the second."""
    return max(values[: len(values) // 2]), max(values[len(values) // 2 :])


def check_memory(reader, before, under_load, after, slots):
    slots = reader.slots or slots
    halves = under_load[: len(under_load) // 2], under_load[len(under_load) // 2 :]
    first, second = (sorted(rss for rss, _, _ in half) for half in halves)
    usual = [half[len(half) // 2] for half in (first, second)]
    most = max(first[-1], second[-1])
    said = f"{reader.name}: {before[0]} KiB resident before, {after[0]} after; under load usually {usual[0]} and then {usual[1]}, at most {most}"
    good = most <= before[0] + PAGES_KIB + slots * USED_BYTES // 1024
    good = good and after[0] <= before[0] + PAGES_KIB + slots * KEPT_BYTES // 1024 + HELD_KIB
    if minutes >= PLATEAU_MIN and reader.slots:
        good = good and usual[1] <= usual[0] * PLATEAU_SLACK + PLATEAU_KIB
    ok(good, said)
    ok(after[2] == before[2], f"{reader.name}: {before[2]} descriptors before and {after[2]} after")


def tasks_agree(tasks, there):
    return abs(tasks["total"] - there) <= TASKS_SLACK and tasks["slots_used"] <= tasks["total"] + TASKS_SLACK and not tasks["without_slot"]


def settle(all_readers):
    """What the first reader says of tasks, and how many there are: once they agree, or after some tries."""
    for _ in range(10):
        watch_all(all_readers, None, None, time.monotonic() + PEACE_S)
        tasks, there = all_readers[0].judge.last["tasks"], threads()
        if tasks_agree(tasks, there):
            break
    return tasks, there


def end_all(all_readers, folder):
    """Where the test is over before its time, nothing of it stays."""
    for reader in all_readers:
        if reader.process.poll() is None:
            reader.process.kill()
            reader.process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def soak(attach):
    folder = tempfile.mkdtemp(prefix="rstat-soak-")
    slab = unreclaimable_kib()
    all_readers = readers(attach, folder)
    atexit.register(end_all, all_readers, folder)
    pids = [reader.process.pid for reader in all_readers]
    watch_all(all_readers, None, None, time.monotonic() + PEACE_S)
    objects = bpf_objects(pids)
    quiet = [reader.watch() for reader in all_readers]

    freezer = Freezer()
    load = start_load(minutes * 60, folder)
    begun, loaded_from = time.monotonic(), len(all_readers[0].watched)
    try:
        watch_all(all_readers, load, freezer, begun + minutes * 60)
    finally:
        if load.poll() is None:
            load.terminate()
        load.wait()
        freezer.end()
    took, loaded_to = time.monotonic() - begun, len(all_readers[0].watched)
    said = load.stderr.read().decode()
    ok(load.returncode in (0, 3), f"{attach}: stress-ng ran for {took / 60:.1f} min, {freezer.turns} freezings and thawings", said)

    now_there, there = settle(all_readers)
    watch_all(all_readers, None, None, time.monotonic() + GIVEN_BACK_S)
    objects_now = bpf_objects(pids)
    for reader, before in zip(all_readers, quiet):
        under_load, after = reader.watched[loaded_from:loaded_to], reader.watch()
        status, errors = reader.stop()
        name = reader.name
        ok(reader.lines >= took / (SILENCE_S + reader.every_s) and not reader.faults, f"{name}: {reader.lines} lines, all of them valid", *reader.faults)
        ok(status in (-signal.SIGTERM, 128 + signal.SIGTERM) and not errors, f"{name}: ended when asked to, and has complained of nothing",
           f"exit {status}", errors)
        check_memory(reader, before, under_load, after, now_there["slots"])
    kinds = [sum(kind == one for kind, _ in objects) for one in ("prog", "link", "map")]
    ok(objects_now == objects, attach + ": in the kernel {} programs, {} links and {} maps of {} KiB, before and after".format(*kinds, sum(objects.values()) >> 10),
       f"{objects}", f"{objects_now}")
    ok(tasks_agree(now_there, there), f"{attach}: afterwards {now_there['slots_used']} slots for {there} tasks; dropped {now_there['dropped']}, lost {now_there['lost']}",
       f"{now_there}")
    for _ in range(300):  # the kernel frees them in its own time
        if not (left := still_there(objects)):
            break
        time.sleep(0.1)
    ok(not left, f"{attach}: none of them is left in the kernel", f"{left}")
    slab_now = unreclaimable_kib()
    note(f"unreclaimable slab {slab[0]} KiB before, {slab_now[0]} KiB after; per-CPU memory {slab[1]}, {slab_now[1]} KiB (of the whole machine)")
    left = os.listdir(folder)
    for name in left:
        os.unlink(f"{folder}/{name}")
    os.rmdir(folder)
    ok(left in ([], ["soak.prom"]), f"{attach}: no file but its own is left", *left)


def main():
    if os.geteuid():
        print("1..0 # SKIP needs root, to load the probe")
        return 0
    os.makedirs("build/test", exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what is to be done at the end is done
    for attach in ways:
        soak(attach)
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
