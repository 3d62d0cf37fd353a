#!/usr/bin/env python3
"""Compares plumb tune with plumb train, with random search, and with scikit-learn's HalvingRandomSearchCV: the same splits, one core.

    scripts/peers/tune.py [--splits N] [--trials N] [--table NAME ...] [--peer-epochs N | --without-peer] [FILE:TARGET ...]

needs scikit-learn, scipy and pandas. PLUMB in the environment names another launcher than scripts/plumb. Tables and splits are those
of tables.py: for each seed (0 to N - 1, 3 without --splits), a fifth of the rows is for the test. scikit-learn searches by five folds of
the training rows; plumb too, but by held-out rows of more than 2,000. The random search is plumb tune --rungs 1 with as many candidates
as have the epochs of the halving. scikit-learn searches the hyperparameters of its MLP that plumb tune searches, in the ranges of plumb
tune for small tables, with the same number of candidates, in rungs of a ninth, a third and all of --peer-epochs (200, the default of its
MLP), on standardized features (and targets, if numeric). Prints mean test scores (accuracy or R2), the mean log loss where there are
classes, and seconds of the whole process of plumb, and of the fit of scikit-learn. Exits with 1 where the mean score of plumb tune over
all tables is below one of the others, or it takes more than a fifth of scikit-learn's time.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[name] = "1"
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])

import numpy as np
from scipy.stats import loguniform
from sklearn.compose import TransformedTargetRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import log_loss
from sklearn.model_selection import HalvingRandomSearchCV

from tables import FIVE, PLUMB, features_and_network, tables


class Result:
    def __init__(self, score, loss, seconds):
        self.score, self.loss, self.seconds = score, loss, seconds


def scikit_learn(train, test, target, classes, seed, trials, epochs):
    model, prefix = features_and_network(classes, seed)
    space = {"learning_rate_init": loguniform(3e-4, 3e-2), "hidden_layer_sizes": [(w,) * d for w in (16, 32, 64, 128) for d in (1, 2, 3)],
             "activation": ["relu", "tanh"], "alpha": loguniform(1e-5, 1), "batch_size": [16, 32, 64, 128]}
    search = HalvingRandomSearchCV(model, {prefix + key: values for key, values in space.items()}, n_candidates=trials, factor=3,
                                   resource=prefix + "max_iter", min_resources=epochs // 9, max_resources=epochs, cv=5,
                                   random_state=seed, n_jobs=1)
    labels = [rows[target].astype(str) if classes else rows[target] for rows in (train, test)]
    start = time.perf_counter()
    search.fit(train.drop(columns=target), labels[0])
    seconds = time.perf_counter() - start
    rows = test.drop(columns=target)
    loss = log_loss(labels[1], search.predict_proba(rows), labels=search.classes_) if classes else np.nan
    return Result(search.score(rows, labels[1]), loss, seconds)


def plumb(folder, target, classes, seed, command, *options):
    """Runs a command that trains a model; returns its result and the parsed JSON of plumb tune."""
    start = time.perf_counter()
    options = [*options] + (["--json", folder / "tune.json", "--log", folder / "log.runs"] if command == "tune" else [])
    out = subprocess.run([PLUMB, command, folder / "train.csv", "--target", target, "--task",
                          "classification" if classes else "regression", "--missing", "mean", "--seed", str(seed), "--runs",
                          folder / "runs", "--device", "cpu", "--threads", "1", "--quiet", *options], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    seconds = time.perf_counter() - start
    run = [line for line in out.splitlines() if line.startswith("run: ")][-1][5:]
    subprocess.run([PLUMB, "evaluate", run, folder / "test.csv", "--device", "cpu", "--quiet", "--json", folder / "test.json"],
                   check=True, stdout=subprocess.DEVNULL)
    scores = json.loads((folder / "test.json").read_text())
    search = None
    if command == "tune":
        search = json.loads((folder / "tune.json").read_text())
        (folder / "log.runs").unlink()
    return Result(scores["accuracy" if classes else "r2"], scores["logLoss"] if classes else np.nan, seconds), search


def random_trials(search):
    """The number of candidates of a random search with the epochs of a halving: plumb tune --rungs 1 trains each for all epochs, but
    at most 66, and its three finalists from other seeds too."""
    epochs = min(66, search["rungs"][-1]["epochs"])
    other_seeds = max(candidate["otherSeeds"] for candidate in search["candidates"])
    return max(4, round(search["epochs"] / search["folds"] / epochs - 3 * other_seeds))


def main():
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--table", nargs="*", choices=FIVE, default=None)
    parser.add_argument("--peer-epochs", type=int, default=200)
    parser.add_argument("--without-peer", action="store_true", help="leave scikit-learn out")
    parser.add_argument("files", nargs="*", metavar="FILE:TARGET")
    given = parser.parse_args()
    names = ["plumb train", "random search", "plumb tune"] + ([] if given.without_peer else ["scikit-learn"])
    every = {name: [] for name in names}
    print(f"mean of {given.splits} splits: test score (log loss), seconds")
    print(f"{'table':14}" + "".join(f"{name:>26}" for name in names), flush=True)
    for table, frame, target, classes in tables(given.files):
        if given.table is not None and table not in given.table:
            continue
        results = {name: [] for name in names}
        for seed in range(given.splits):
            order = np.random.RandomState(seed).permutation(len(frame))
            tested = len(frame) // 5
            train, test = frame.iloc[order[tested:]], frame.iloc[order[:tested]]
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                train.to_csv(folder / "train.csv", index=False, na_rep="NA")
                test.to_csv(folder / "test.csv", index=False, na_rep="NA")
                result, search = plumb(folder, target, classes, seed, "tune", "--trials", str(given.trials))
                results["plumb tune"].append(result)
                results["plumb train"].append(plumb(folder, target, classes, seed, "train")[0])
                results["random search"].append(
                    plumb(folder, target, classes, seed, "tune", "--rungs", "1", "--trials", str(random_trials(search)))[0])
            if not given.without_peer:
                results["scikit-learn"].append(scikit_learn(train, test, target, classes, seed, given.trials, given.peer_epochs))
        print_row(table, results)
        for name in names:
            every[name].extend(results[name])
    print_row("all", every)
    mean = {name: np.mean([result.score for result in every[name]]) for name in names}
    ok = all(mean["plumb tune"] >= mean[name] - 1e-12 for name in names)
    if not given.without_peer:
        ratio = total(every["plumb tune"]) / total(every["scikit-learn"])
        print(f"time of plumb tune / scikit-learn: {ratio:.2f}")
        ok &= ratio <= 0.2
    sys.exit(0 if ok else 1)


def total(results):
    return sum(result.seconds for result in results)


def print_row(table, results):
    cells = []
    for runs in results.values():
        loss = np.mean([run.loss for run in runs if not np.isnan(run.loss)] or [np.nan])
        cells.append(f"{np.mean([run.score for run in runs]):.4f} ({loss:.4f}) {total(runs) / len(runs):7.1f}")
    print(f"{table:14}" + "".join(f"{cell:>26}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
