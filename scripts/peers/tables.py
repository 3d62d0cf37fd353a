#!/usr/bin/env python3
"""Compares Plumb's default options with a scikit-learn pipeline on tables: the same splits into training and test rows.

    scripts/peers/tables.py [--splits N] [FILE:TARGET ...]

needs scikit-learn and pandas. PLUMB in the environment names another launcher than scripts/plumb. FILE is a CSV file, gzipped or not,
with column names and NA for missing values; without files, scikit-learn's five small tables are compared. For each seed (0 to N - 1, 10
without --splits), a permutation of the rows gives a fifth for the test. The pipeline is what a practitioner writes: missing numbers
filled by the mean, missing text by the most frequent category, one-hot encoding, StandardScaler for features and numeric targets, and
MLPClassifier or MLPRegressor with default parameters. Both get the seed. Prints the mean test scores, accuracy or R2, and the splits that
Plumb won and lost; exits with 1 where its mean is lower.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

PLUMB = os.environ.get("PLUMB", str(pathlib.Path(__file__).resolve().parents[1] / "plumb"))
FIVE = {"digits": datasets.load_digits, "wine": datasets.load_wine, "breast cancer": datasets.load_breast_cancer,
        "diabetes": lambda **options: datasets.load_diabetes(scaled=False, **options), "iris": datasets.load_iris}


def tables(files):
    """Yields name, rows, target column and whether it has classes."""
    if not files:
        for name, load in FIVE.items():
            table = load(as_frame=True)
            yield name, table.frame, "target", name != "diabetes"
    for file in files:
        path, target = file.rsplit(":", 1)
        frame = pd.read_csv(path, na_values=["NA"]).dropna(subset=[target]).reset_index(drop=True)
        for column in frame.select_dtypes("bool"):
            frame[column] = frame[column].astype(str)
        values = frame[target]
        classes = not pd.api.types.is_numeric_dtype(values) or (values == values.round()).all() and values.nunique() <= 10
        yield pathlib.Path(path).name.split(".")[0], frame, target, classes


def features_and_network(classes, seed):
    """Returns scikit-learn's pipeline, and the prefix of its network's parameters."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer([("numbers", numbers, make_column_selector(dtype_include="number")),
                                 ("texts", texts, make_column_selector(dtype_exclude="number"))])
    if classes:
        return make_pipeline(columns, MLPClassifier(random_state=seed)), "mlpclassifier__"
    network = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
    return make_pipeline(columns, network), "transformedtargetregressor__regressor__"


def pipeline(train, test, target, classes, seed):
    labels = [rows[target].astype(str) if classes else rows[target] for rows in (train, test)]
    model = features_and_network(classes, seed)[0].fit(train.drop(columns=target), labels[0])
    return model.score(test.drop(columns=target), labels[1])


def plumb(train, test, target, classes, seed):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        train.to_csv(folder / "train.csv", index=False, na_rep="NA")
        test.to_csv(folder / "test.csv", index=False, na_rep="NA")
        subprocess.run([PLUMB, "train", folder / "train.csv", "--target", target, "--task",
                        "classification" if classes else "regression", "--missing", "mean", "--seed", str(seed), "--runs", folder,
                        "--test", folder / "test.csv", "--device", "cpu", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        result = json.loads((folder / "train-1" / "manifest.json").read_text())["result"]
        return result["testAccuracy" if classes else "testR2"]


def main():
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("files", nargs="*", metavar="FILE:TARGET")
    given = parser.parse_args()
    lower = False
    print(f"mean test score of {given.splits} splits  scikit-learn     plumb  won-lost")
    for name, frame, target, classes in tables(given.files):
        ours, theirs = [], []
        for seed in range(given.splits):
            order = np.random.RandomState(seed).permutation(len(frame))
            tested = len(frame) // 5
            train, test = frame.iloc[order[tested:]], frame.iloc[order[:tested]]
            theirs.append(pipeline(train, test, target, classes, seed))
            ours.append(plumb(train, test, target, classes, seed))
        difference = np.subtract(ours, theirs)
        # A score over few rows is a sum of equal parts; the order of additions changes its last bit.
        won, lost = int(np.sum(difference > 1e-12)), int(np.sum(difference < -1e-12))
        lower |= np.mean(difference) < -1e-12
        print(f"{name:29} {np.mean(theirs):12.4f} {np.mean(ours):9.4f}  {won}-{lost}", flush=True)
    sys.exit(1 if lower else 0)


if __name__ == "__main__":
    main()
