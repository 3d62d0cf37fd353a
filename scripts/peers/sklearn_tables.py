#!/usr/bin/env python3
"""Compares Plumb's default options with scikit-learn's on five real tables: the same splits, each with its own defaults.

    scripts/peers/sklearn_tables.py [SEEDS]

needs Debian's python3-sklearn. PLUMB in the environment names another launcher than scripts/plumb. For each seed (0 to SEEDS - 1, 5 without it) a quarter of the rows is held out for the test, in
proportion by class; MLPClassifier or MLPRegressor gets the seed as random_state, and Plumb as --seed. Prints the mean of the test
scores, accuracy or R2, and exits with 1 where Plumb's is lower.
"""
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor

PLUMB = os.environ.get("PLUMB", str(pathlib.Path(__file__).resolve().parents[1] / "plumb"))
TABLES = {
    "digits": datasets.load_digits,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "diabetes": lambda: datasets.load_diabetes(scaled=False),
    "iris": datasets.load_iris,
}


def write(path, x, y):
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([f"x{i}" for i in range(x.shape[1])] + ["y"])
        for features, target in zip(x, y):
            rows.writerow([repr(float(value)) for value in features] + [target])


def plumb(folder, seed, x, y, test_x, test_y):
    write(folder / "train.csv", x, y)
    write(folder / "test.csv", test_x, test_y)
    runs = folder / f"runs-{seed}"
    device = ["--device", "cpu", "--quiet"]
    subprocess.run([PLUMB, "train", folder / "train.csv", "--seed", str(seed), "--runs", runs, *device],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run([PLUMB, "evaluate", runs / "train-1", folder / "test.csv", "--json", folder / "scores.json", *device],
                   check=True, stdout=subprocess.DEVNULL)
    scores = json.loads((folder / "scores.json").read_text())
    return scores.get("accuracy", scores.get("r2"))


def main():
    warnings.simplefilter("ignore")
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    lower = False
    print(f"mean test score over {seeds} splits  scikit-learn     plumb")
    for name, load in TABLES.items():
        table = load()
        classes = name != "diabetes"
        ours, theirs = [], []
        for seed in range(seeds):
            x, test_x, y, test_y = train_test_split(
                table.data, table.target, test_size=0.25, random_state=seed, stratify=table.target if classes else None)
            model = (MLPClassifier if classes else MLPRegressor)(random_state=seed).fit(x, y)
            theirs.append(model.score(test_x, test_y))
            with tempfile.TemporaryDirectory() as folder:
                ours.append(plumb(pathlib.Path(folder), seed, x, y, test_x, test_y))
        # A score over few rows is a sum of equal parts; the order of additions changes its last bit.
        lower |= np.mean(ours) < np.mean(theirs) - 1e-12
        print(f"{name:31} {np.mean(theirs):12.4f} {np.mean(ours):9.4f}", flush=True)
    sys.exit(1 if lower else 0)


if __name__ == "__main__":
    main()
