"""Shared by the measuring scripts: options, threads, clock, and the line of JSON. Imports none of the peers."""
import argparse
import json
import os
import statistics
import time

WORKLOADS = ["W1", "W2", "W3", "W4"]


def parser(description):
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--threads", type=int, choices=[1, 2], default=1)
    return options


def options(description):
    options = parser(description)
    options.add_argument("--runs", type=int, default=5, help="timed runs, after one that is not counted (default: 5)")
    options.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=WORKLOADS)
    return options.parse_args()


def use_threads(threads):
    """Before a peer is imported: pools are sized on loading, XLA's by the processors that the process may use."""
    for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
        os.environ[name] = str(threads)
    for name in ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]:  # where set, OpenBLAS computes as if on another processor
        os.environ.pop(name, None)
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=" + ("true" if threads > 1 else "false")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def measure(peer, version, workload, options, train):
    """Prints one measurement of train(). The workload checks its result and raises if it is wrong."""
    workload.judge(train())
    seconds, own, others = [], sum(os.times()[:4]), processor_seconds()
    for _ in range(options.runs):
        start = time.perf_counter()
        result = train()
        seconds.append(time.perf_counter() - start)
    others = processor_seconds() - others - (sum(os.times()[:4]) - own)
    figures = [workload.work / s for s in seconds] if workload.work else seconds
    print(json.dumps({"peer": peer, "version": version, "workload": workload.name, "threads": options.threads,
                      "unit": workload.unit, "median": statistics.median(figures), "min": min(figures), "max": max(figures),
                      "others": max(0, round(others / sum(seconds), 2)), "check": workload.judge(result)}), flush=True)


def processor_seconds():
    """What all processes together have used since the machine started."""
    with open("/proc/stat", encoding="ascii") as stat:
        return sum(map(int, stat.readline().split()[1:4])) / os.sysconf("SC_CLK_TCK")
