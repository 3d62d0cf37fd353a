"""Measures the cases that run.py sends to a peer's process: one JSON line in, one JSON line out. Imports none of the peers."""
import gc
import json
import math
import os
import statistics
import sys
import time
import traceback

from gpu_workloads import Case

MEASUREMENTS = 7
SECONDS = {"warm-up": 0.3, "measurement": 0.2}
QUICK_SECONDS = {"warm-up": 0.01, "measurement": 0.01}


class NotPossible(Exception):
    """A case that this device cannot measure: the message says why."""


def serve(description, trainer_of):
    """Answers cases until stdin ends, or until one fails: a failed capture or kernel can spoil those after it.

    trainer_of(case) is a context manager for a trainer: reset() goes back to the first weights, run(n) enqueues n times `chunk`
    steps, synchronize() waits for them, and final_loss() is the loss over all rows in double precision (None: it has none).
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")  # not inherited by a compiler's processes
    os.dup2(2, 1)  # what a library prints must not get between the answers
    print(json.dumps(description), file=answers, flush=True)
    for line in sys.stdin:
        start, answer = time.perf_counter(), answered(json.loads(line), trainer_of)
        gc.collect()
        print(json.dumps(answer | {"seconds": round(time.perf_counter() - start, 1)}), file=answers, flush=True)
        if answer.get("ended"):
            sys.exit(1)


def answered(request, trainer_of):
    case = Case(**request["case"])
    try:
        with trainer_of(case) as trainer:
            return measured(case, trainer, request["warm_caches"])
    except NotPossible as e:
        return {"error": str(e)}
    except Exception as e:
        traceback.print_exc()
        return {"error": f"{type(e).__name__}: {e}".strip().splitlines()[0], "ended": True}


def measured(case, trainer, warm_caches):
    trainer.reset()
    trainer.run(exact_quotient(case.definition.final_steps, trainer.chunk))
    trainer.synchronize()
    final_loss = trainer.final_loss()
    if final_loss is not None and not math.isfinite(final_loss):
        raise ArithmeticError(f"the final loss is {final_loss}")
    if warm_caches:
        return {"check": {"final_loss": final_loss}}
    needed = QUICK_SECONDS if case.quick else SECONDS
    chunks, seconds, warm_until = 1, timed(trainer, 1), time.perf_counter() + needed["warm-up"]
    while time.perf_counter() < warm_until or seconds < needed["measurement"]:
        chunks = max(1, math.ceil(chunks * 1.1 * needed["measurement"] / seconds))
        seconds = timed(trainer, chunks)
    figures = []
    while len(figures) < MEASUREMENTS:
        trainer.reset()
        seconds = timed(trainer, chunks)
        if seconds < needed["measurement"]:  # too short: a longer one takes its place
            chunks = math.ceil(1.1 * chunks)
        else:
            figures.append(case.figure(seconds, chunks * trainer.chunk))
    return {"unit": case.definition.unit, "median": statistics.median(figures), "min": min(figures), "max": max(figures),
            "check": {"final_loss": final_loss}}


def timed(trainer, chunks):
    trainer.synchronize()
    start = time.perf_counter()
    trainer.run(chunks)
    trainer.synchronize()
    return time.perf_counter() - start


def exact_quotient(steps, chunk):
    if steps % chunk:
        raise ValueError(f"{steps} steps are not a multiple of the {chunk} that are enqueued at once")
    return steps // chunk
