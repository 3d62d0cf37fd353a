"""Runs the GPU workloads: one process per peer, which measures one case after the other, the most important first."""
import contextlib
import dataclasses
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

from gpu_workloads import WORKLOADS, Case

PEERS = ["torch-graph", "jax", "jax-sums", "jax-rows", "jax-unroll", "torch-compile", "torch-compile-sums", "torch-eager",
         "torch-matmul"]
QUICK_REPLICAS = {1: 1, 132: 2, 1024: 3, 16384: 5}
CASE_LIMIT_SECONDS = 150  # then the process is stopped
GRACE_SECONDS = 20  # how long after the end of --seconds the last case may take
# How far final losses may be apart, relative to the smallest: rounding, amplified along relu's kinks. In bf16, PyTorch also rounds the
# results of products.
AGREE = {"fp64": 1e-9, "fp32": 1e-5, "tf32": 1e-3, "bf16": 1e-2}
CACHES = {"TORCHINDUCTOR_CACHE_DIR": "inductor", "TRITON_CACHE_DIR": "triton", "JAX_COMPILATION_CACHE_DIR": "jax",
          "CUDA_CACHE_PATH": "cuda"}


def cases():
    """All, the most informative first."""
    for peer in ["torch-graph", "jax", "jax-sums"]:
        yield Case(peer, "G1")
    for replicas in [1024, 16384]:
        for peer in ["jax", "jax-sums", "torch-graph"]:
            yield Case(peer, "G2", replicas=replicas)
    for workload in ["G3", "G4"]:
        for peer in ["torch-graph", "jax"]:
            for precision in ["fp32", "tf32", "bf16"]:
                yield Case(peer, workload, precision)
    for precision in ["fp32", "tf32", "bf16"]:
        yield Case("torch-matmul", "G4", precision)
    for workload in ["G1", "G3"]:
        yield Case("jax-unroll", workload)
    for replicas in [1024, 16384]:
        for peer in ["torch-compile-sums", "torch-compile"]:
            yield Case(peer, "G2", replicas=replicas)
    for peer in ["torch-compile", "torch-compile-sums"]:
        yield Case(peer, "G1")
    for precision in ["fp32", "tf32", "bf16"]:
        yield Case("torch-compile", "G3", precision)
    yield Case("torch-compile", "G4", "bf16")
    for replicas in [1024, 16384]:
        for peer in ["jax", "jax-sums", "torch-graph"]:
            yield Case(peer, "G2", "fp64", replicas)
    for peer in ["torch-graph", "jax"]:
        yield Case(peer, "G1", activation="sigmoid")
    for workload in ["G1", "G3"]:
        yield Case("torch-eager", workload)
    for workload in ["G3", "G4"]:
        yield Case("torch-eager", workload, "bf16")
    for replicas in [132, 1]:
        for precision in ["fp32", "fp64"]:
            for peer in ["jax", "torch-graph"]:
                yield Case(peer, "G2", precision, replicas)
    yield Case("torch-eager", "G2", replicas=1024)
    yield Case("jax-rows", "G1")
    for replicas in [1024, 16384]:
        yield Case("jax-rows", "G2", replicas=replicas)
    yield Case("torch-compile", "G4", "tf32")


class Worker:
    """A process that measures the cases of one script."""

    def __init__(self, name, device):
        script = pathlib.Path(__file__).with_name(f"gpu_{framework(name)}_peer.py")
        self.process = subprocess.Popen([sys.executable, script, device], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.description = None

    def wait_until_ready(self, limit):
        if self.description is None:
            self.description = self.answer(limit)
        return self.description

    def measure(self, case, warm_caches, limit):
        request = json.dumps({"case": dataclasses.asdict(case), "warm_caches": warm_caches})
        with contextlib.suppress(BrokenPipeError):
            print(request, file=self.process.stdin, flush=True)
        return self.answer(limit)

    def answer(self, limit):
        """The next answer; raises WorkerEnded where the process ends without one, or is stopped after the limit in seconds."""
        timer = threading.Timer(limit, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timed_out = not timer.is_alive()
        timer.cancel()
        if not line:
            code = self.process.wait()
            raise WorkerEnded(f"stopped after {limit:.0f} s" if timed_out else f"the process ended with code {code}")
        return json.loads(line)

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class WorkerEnded(Exception):
    pass


def framework(peer):
    return peer.split("-")[0]


def worker_name(peer):
    """torch.compile has a process of its own."""
    return "torch-compile" if peer.startswith("torch-compile") else framework(peer)


class Workers:
    def __init__(self, device, end):
        self.device, self.end, self.workers = device, end, {}

    def limit(self):
        return min(CASE_LIMIT_SECONDS, max(0, self.end - time.monotonic()) + GRACE_SECONDS)

    def start(self, names):
        """All at once: loading a framework takes seconds, and must not happen while another measures."""
        for name in names:
            self.workers[name] = Worker(name, self.device)
        for name in names:
            try:
                yield {"process": name} | self.workers[name].wait_until_ready(self.limit())
            except WorkerEnded as e:
                yield {"process": name, "error": str(e)}

    def measure(self, case, warm_caches):
        name = worker_name(case.peer)
        try:
            if name not in self.workers:
                self.workers[name] = Worker(name, self.device)
            worker = self.workers[name]
            version = worker.wait_until_ready(self.limit())["version"]
            result = {"version": version} | worker.measure(case, warm_caches, self.limit())
        except WorkerEnded as e:
            result = {"error": str(e), "ended": True}
        if result.pop("ended", False):
            self.workers.pop(name).close()  # the next case starts another
        return result

    def close(self):
        for worker in self.workers.values():
            worker.close()


def prepare_environment(options, temporary_folder):
    """Compiled code is kept only in --cache-dir, or where the environment's own variables say."""
    for variable, folder in CACHES.items():
        if options.cache_dir:
            os.environ[variable] = str(pathlib.Path(options.cache_dir).resolve() / folder)
        else:
            os.environ.setdefault(variable, str(pathlib.Path(temporary_folder) / folder))
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.pop("NVIDIA_TF32_OVERRIDE", None)


def driver():
    query = ["nvidia-smi", "--query-gpu=name,driver_version,clocks.max.sm,memory.total", "--format=csv,noheader"]
    try:
        return subprocess.run(query, check=True, stdout=subprocess.PIPE, text=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError) as e:
        return f"unknown ({e})"


def table(rows):
    print(f"{'workload':18}{'unit':18}{'peer':20}{'version':14}{'median':>10}{'min':>10}{'max':>10}  {'final loss':14}took")
    for row in rows:
        start = f"{row['workload']:18}{row.get('unit', ''):18}{row['peer']:20}{row.get('version', ''):14}"
        if "error" in row:
            print(f"{start}not measured: {row['error']}")
            continue
        figures = (row.get(key) for key in ("median", "min", "max"))
        printed = "".join(f"{'' if f is None else format(f, '.4g' if f < 1000 else '.0f'):>10}" for f in figures)
        loss = row["check"]["final_loss"]
        print(f"{start}{printed}  {'' if loss is None else format(loss, '.9g'):14}{row['seconds']:.1f} s")


def disagreements(rows):
    losses = {}
    for row in rows:
        if row.get("check", {}).get("final_loss") is not None:
            losses.setdefault(row["workload"], {})[row["peer"]] = row["check"]["final_loss"]
    for label, of_peer in losses.items():
        allowed = AGREE[label.split()[-1]]
        if max(of_peer.values()) - min(of_peer.values()) > allowed * min(of_peer.values()):
            yield f"{label}: the final losses are further apart than {allowed:g} of them: {of_peer}"


def chosen_cases(options):
    chosen = [case for case in cases() if case.workload in options.workloads and case.peer in options.peers]
    if options.warm_caches:
        chosen = [case for case in chosen if case.peer.startswith(("jax", "torch-compile"))]
    if options.quick:
        chosen = [dataclasses.replace(case, quick=True, replicas=QUICK_REPLICAS[case.replicas]) for case in chosen]
        by_numpy = {case.label: dataclasses.replace(case, peer="numpy") for case in chosen}
        chosen = list(by_numpy.values()) + chosen
    return chosen


def main(options):
    with tempfile.TemporaryDirectory(prefix="peers-", ignore_cleanup_errors=True) as temporary_folder:
        prepare_environment(options, temporary_folder)
        with open(options.json or os.devnull, "a", encoding="utf-8") as file:
            return run(options, file)


def run(options, file):
    def report(line):
        for output in (file, sys.stderr):
            print(json.dumps(line), file=output, flush=True)

    def describe(**facts):
        report(facts)
        print(*(f"{key}: {value}" for key, value in facts.items()), sep=", ")

    end = time.monotonic() + options.seconds
    chosen, rows, workers = chosen_cases(options), [], Workers(options.device, end)
    if options.device == "cuda":
        describe(gpu=driver())
    missing = {name for name in ["numpy", "torch", "jax"] if importlib.util.find_spec(name) is None}
    measurable = [case for case in chosen if framework(case.peer) not in missing]
    try:
        for line in workers.start(list(dict.fromkeys(worker_name(case.peer) for case in measurable))):
            describe(**line)
        for case in chosen:
            if case not in measurable:
                result = {"error": f"{framework(case.peer)} is not installed"}
            elif time.monotonic() > end:
                result = {"error": f"the {options.seconds:g} s were over"}
            else:  # NumPy only computes what the loss should be
                result = workers.measure(case, options.warm_caches or case.peer == "numpy")
            rows.append({"peer": case.peer, "workload": case.label, "replicas": case.replicas, "precision": case.precision,
                         "device": options.device, "quick": options.quick} | result)
            report(rows[-1])
    finally:
        workers.close()
    labels = [row["workload"] for row in rows]
    rows.sort(key=lambda row: (row["workload"].split()[0], labels.index(row["workload"])))
    table(rows)
    problems = list(disagreements(rows))
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0
