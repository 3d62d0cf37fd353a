#!/usr/bin/env python3
"""Writes the tables in src/test/resources/tables from the files that scikit-learn ships (Debian: python3-sklearn).

usage: scripts/golden/tables.py [FOLDER]; FOLDER is sklearn/datasets/data (default: where Debian installs it).
No figure is changed: lines get a header and class names, the two files of diabetes become one, digits stay without header.
"""
import csv
import gzip
import pathlib
import sys

DATA = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/lib/python3/dist-packages/sklearn/datasets/data")
OUT = pathlib.Path(__file__).resolve().parents[2] / "src/test/resources/tables"

IRIS = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]
WINE = ["alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids", "nonflavanoid_phenols",
        "proanthocyanins", "color_intensity", "hue", "od280_od315_of_diluted_wines", "proline", "class"]
CELL = ["radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave_points", "symmetry",
        "fractal_dimension"]
BREAST_CANCER = [f"{how}_{what}" for how in ("mean", "error", "worst") for what in CELL] + ["diagnosis"]
DIABETES = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6", "progression"]


def write(name, header, rows):
    with open(OUT / name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def classes(source, header, named):
    """The first line has the counts of rows and features, then the names of the classes, which the last column numbers."""
    with open(DATA / source, newline="") as file:
        (rows, features, *names), *lines = csv.reader(file)
    assert len(lines) == int(rows) and all(len(line) == int(features) + 1 == len(header) for line in lines)
    return [line[:-1] + [names[int(line[-1])] if named else line[-1]] for line in lines]


def words(source):
    with gzip.open(DATA / source, "rt") as file:
        return [line.split() for line in file]


OUT.mkdir(exist_ok=True)
write("iris.csv", IRIS, classes("iris.csv", IRIS, named=True))
write("wine.csv", WINE, classes("wine_data.csv", WINE, named=False))
write("breast_cancer.csv", BREAST_CANCER, classes("breast_cancer.csv", BREAST_CANCER, named=True))
write("diabetes.csv", DIABETES, [data + [str(int(float(target)))] for data, (target,) in
                                 zip(words("diabetes_data_raw.csv.gz"), words("diabetes_target.csv.gz"), strict=True)])
# The same bytes at every run: no time, no name in the gzip header.
with open(OUT / "digits.csv.gz", "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
    packed.write(gzip.decompress((DATA / "digits.csv.gz").read_bytes()))
