#!/usr/bin/env python3
"""Measures the peers on the workloads of plumb bench, each in a process of its own, and prints a table."""
import argparse
import importlib.util
import json
import pathlib
import subprocess
import sys

import gpu_peers
from measuring import WORKLOADS

PEERS = ["numpy", "jax", "torch"]
# How far final losses may be apart: single precision's rounding after 400, 40 and 1,000 steps, the last along relu's kinks.
AGREE = {"W2": 1e-4, "W3": 1e-6, "W4": 1e-4}


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu",
                        help="cpu: W1 to W4; cuda: G1 to G4 (default: cpu)")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS + gpu_peers.WORKLOADS, help="default: all of the device")
    parser.add_argument("--peers", nargs="+", choices=list(dict.fromkeys(PEERS + gpu_peers.PEERS)),
                        help="default: all of the workloads")
    cpu = parser.add_argument_group("W1 to W4")
    cpu.add_argument("--threads", type=int, nargs="+", choices=[1, 2], default=[1, 2])
    cpu.add_argument("--runs", default="5", help="timed runs of each measurement (default: 5)")
    gpu = parser.add_argument_group("G1 to G4")
    gpu.add_argument("--seconds", type=float, default=600, help="total budget: no measurement starts later (default: 600)")
    gpu.add_argument("--quick", action="store_true", help="small sizes, and NumPy's losses as a check; also without a GPU")
    gpu.add_argument("--warm-caches", action="store_true", help="only compile into --cache-dir; measure nothing")
    gpu.add_argument("--cache-dir", help="folder for compiled code (default: a temporary one)")
    gpu.add_argument("--json", metavar="FILE", help="append the lines of JSON to FILE")
    chosen = parser.parse_args()
    for_gpu = chosen.device == "cuda" or chosen.quick
    if chosen.workloads is None:
        chosen.workloads = gpu_peers.WORKLOADS if for_gpu else WORKLOADS
    chosen.gpu_workloads = chosen.workloads[0] in gpu_peers.WORKLOADS
    known_workloads, known_peers = (gpu_peers.WORKLOADS, gpu_peers.PEERS) if chosen.gpu_workloads else (WORKLOADS, PEERS)
    chosen.peers = chosen.peers or known_peers
    if not set(chosen.workloads) <= set(known_workloads):
        parser.error("W1 to W4 and G1 to G4 cannot be measured in one run")
    if not set(chosen.peers) <= set(known_peers):
        parser.error(f"--peers for {', '.join(chosen.workloads)} must be of {', '.join(known_peers)}")
    if chosen.device == "cuda" and not chosen.gpu_workloads:
        parser.error("W1 to W4 run with --device cpu")
    return chosen


def measured(peer, workload, threads, runs):
    """The measurements of one process, and whether it did well; their JSON goes to stderr as it comes."""
    script = pathlib.Path(__file__).with_name(f"{peer}_peer.py")
    arguments = [sys.executable, script, "--threads", str(threads), "--runs", runs, "--workloads", workload]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", file=sys.stderr, flush=True)
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode == 0


def table(rows):
    print("     unit        peer           version      threads      median         min         max  others")
    for row in rows:
        figures = (f"{row[key]:11.4g}" if row[key] < 1000 else f"{row[key]:11.0f}" for key in ("median", "min", "max"))
        print(f"{row['workload']}   {row['unit']:11} {row['peer']:14} {row['version']:12} {row['threads']:7} {' '.join(figures)}"
              f"  {row['others']:6.2f}")


def disagreements(rows):
    for workload, allowed in AGREE.items():
        losses = [row["check"]["final_loss"] for row in rows if row["workload"] == workload]
        if losses and max(losses) - min(losses) > allowed * min(losses):
            yield f"{workload}: the final losses are further apart than {allowed:g} of them: {losses}"


def main():
    chosen, rows, problems = options(), [], []
    if chosen.gpu_workloads:
        return gpu_peers.main(chosen)
    missing = [peer for peer in chosen.peers if importlib.util.find_spec(peer) is None]
    for workload in chosen.workloads:
        for threads in chosen.threads:
            for peer in chosen.peers:
                if peer not in missing:
                    lines, well = measured(peer, workload, threads, chosen.runs)
                    rows += lines
                    problems += [] if well else [f"{peer} failed on {workload} with {threads} threads"]
    table(rows)
    for peer in missing:
        print(f"{peer}: missing, not measured (pip install {peer})")
    problems += disagreements(rows)
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
