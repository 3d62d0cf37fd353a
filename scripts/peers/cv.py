#!/usr/bin/env python3
"""Compares the throughput of plumb cv with scikit-learn's cross_val_score: networks per second on one core.

    scripts/peers/cv.py [--runs N] [--repeats N] [--peer-repeats N] [--units N] [--table NAME ...] [--csv FILE ...]

needs scikit-learn. PLUMB in the environment names another launcher than scripts/plumb. Both train MLPs of one hidden layer of tanh
units on five folds, repeated, with Adam, batches of 32, the same learning rate and 50 epochs without early stopping; scikit-learn
standardizes in a pipeline. They run in turns. A figure is the median of the runs; a run of plumb is the whole process with --repeats
(100: 500 networks), in which Java starts and compiles; one of scikit-learn is the call after the imports, with --peer-repeats (4: its
rate does not depend on it). --csv adds a table whose last column is the target. Prints the ratios, and exits with 1 if one is below 5.
"""
import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[name] = "1"
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])

import numpy as np
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PLUMB = os.environ.get("PLUMB", str(pathlib.Path(__file__).resolve().parents[1] / "plumb"))
TABLES = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "diabetes": lambda: datasets.load_diabetes(scaled=False),
}
FOLDS = 5
EPOCHS = 50
RATE = 0.003


def load(name):
    table = TABLES[name]()
    return table.data, table.target, name != "diabetes"


def read(path):
    """Reads a table of numbers whose last column is the target: a class if it is text."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))[1:]
    x = np.array([[float(value) for value in row[:-1]] for row in rows])
    try:
        return x, np.array([float(row[-1]) for row in rows]), False
    except ValueError:
        return x, np.array([row[-1] for row in rows]), True


def write(path, x, y):
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([f"x{i}" for i in range(x.shape[1])] + ["y"])
        for features, target in zip(x, y):
            rows.writerow([repr(float(value)) for value in features] + [target])


def scikit_learn(x, y, classes, repeats, units):
    size = dict(hidden_layer_sizes=(units,), activation="tanh", solver="adam", batch_size=32, learning_rate_init=RATE, alpha=0,
                max_iter=EPOCHS, n_iter_no_change=EPOCHS + 1, tol=0, random_state=0)
    folds = (RepeatedStratifiedKFold if classes else RepeatedKFold)(n_splits=FOLDS, n_repeats=repeats, random_state=0)
    network = (MLPClassifier if classes else MLPRegressor)(**size)
    model = make_pipeline(StandardScaler(), network)
    if not classes:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    start = time.perf_counter()
    scores = cross_val_score(model, x, y, cv=folds)
    return FOLDS * repeats / (time.perf_counter() - start), scores.mean()


def plumb(path, scores, classes, repeats, units):
    start = time.perf_counter()
    subprocess.run([PLUMB, "cv", path, "--task", "classification" if classes else "regression", "--folds", str(FOLDS),
                    "--repeats", str(repeats), "--epochs", str(EPOCHS), "--early-stopping", "0", "--validation", "0",
                    "--schedule", "constant", "--lr", str(RATE), "--batch-size", "32", "--layers", str(units), "--activation", "tanh",
                    "--device", "cpu", "--threads", "1", "--quiet", "--json", scores], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    result = json.loads(pathlib.Path(scores).read_text())
    return FOLDS * repeats / seconds, result["scores"]["accuracy" if classes else "r2"]["mean"]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--repeats", type=int, default=100)
    options.add_argument("--peer-repeats", type=int, default=4)
    options.add_argument("--units", type=int, default=100)
    options.add_argument("--table", nargs="*", choices=TABLES, default=list(TABLES))
    options.add_argument("--csv", nargs="*", default=[])
    given = options.parse_args()
    warnings.simplefilter("ignore")
    slow = False
    print(f"networks of {given.units} units per second on one core, {FOLDS * given.repeats} networks by plumb,"
          f" {FOLDS * given.peer_repeats} by scikit-learn; mean test score in brackets")
    print(f"{'table':20} {'scikit-learn':>18} {'plumb cv':>18} {'ratio':>7}")
    with tempfile.TemporaryDirectory() as folder:
        path, scores = f"{folder}/table.csv", f"{folder}/cv.json"
        for name, table in [(name, load(name)) for name in given.table] + [(pathlib.Path(file).stem, read(file)) for file in given.csv]:
            x, y, classes = table
            write(path, x, y)
            theirs, ours = [], []
            for _ in range(given.runs):
                theirs.append(scikit_learn(x, y, classes, given.peer_repeats, given.units))
                ours.append(plumb(path, scores, classes, given.repeats, given.units))
            sklearn_rate, plumb_rate = (statistics.median(rate for rate, _ in runs) for runs in (theirs, ours))
            slow |= plumb_rate < 5 * sklearn_rate
            print(f"{name:20} {sklearn_rate:9.2f} ({theirs[0][1]:.3f}) {plumb_rate:10.2f} ({ours[0][1]:.3f}) {plumb_rate / sklearn_rate:7.2f}",
                  flush=True)
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
