#!/usr/bin/env python3
"""Writes src/test/resources/golden/metrics.json: metrics of predictions, computed by scikit-learn.

The file holds
  classes  true classes, probabilities [rows x classes] and weights, and the metrics of the most probable classes
  outputs  outputs of networks before softmax or sigmoid [rows x outputs], by loss, with true classes or numbers
Weights are null where all rows count the same; so is a metric that is undefined.
"""
import json
import math
import pathlib
import warnings

import numpy as np
from scipy.special import expit, softmax
from sklearn import metrics

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/test/resources/golden/metrics.json"
R = np.random.RandomState(1)
# scikit-learn warns where a class does not occur, and where sigmoids of several classes do not sum to 1.
warnings.simplefilter("ignore")


def of_classes(truth, probabilities, weights):
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(1)
    # Each class against the rest; with two classes the second against the first.
    hits, scores = (truth == 1, probabilities[:, 1]) if classes == 2 else (np.eye(classes, dtype=int)[truth], probabilities)
    options = {"sample_weight": weights}
    figures = {
        "accuracy": metrics.accuracy_score(truth, predicted, **options),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted, **options),
        "macro_f1": metrics.f1_score(truth, predicted, average="macro", zero_division=0, **options),
        "log_loss": metrics.log_loss(truth, probabilities, labels=range(classes), **options),
        "roc_auc": metrics.roc_auc_score(hits, scores, **options),
        "pr_auc": metrics.average_precision_score(hits, scores, **options),
        "matthews": metrics.matthews_corrcoef(truth, predicted, **options),
    }
    if classes > 2 and np.allclose(probabilities.sum(1), 1):
        np.testing.assert_allclose(figures["roc_auc"], metrics.roc_auc_score(
            truth, probabilities, multi_class="ovr", labels=range(classes), **options), rtol=1e-15)
    return {key: None if math.isnan(value) else float(value) for key, value in figures.items()}


def listed(weights):
    return None if weights is None else weights.tolist()


def case(name, truth, probabilities, weights=None):
    truth = np.array(truth)
    probabilities = np.array(probabilities, dtype=float)
    if probabilities.ndim == 1:
        probabilities = np.stack([1 - probabilities, probabilities], 1)
    return {"name": name, "truth": truth.tolist(), "probabilities": probabilities.tolist(), "weights": listed(weights),
            "metrics": of_classes(truth, probabilities, weights)}


def output_case(name, loss, truth, outputs, weights=None):
    """truth: classes [rows], or numbers [rows x outputs]."""
    if loss == "mse":
        options = {"sample_weight": weights}
        figures = {"r2": metrics.r2_score(truth, outputs, **options),
                   "mae": metrics.mean_absolute_error(truth, outputs, **options),
                   "rmse": metrics.root_mean_squared_error(truth, outputs, **options)}
    else:
        probabilities = softmax(outputs, 1) if loss == "cross_entropy" else expit(outputs)
        if probabilities.shape[1] == 1:
            probabilities = np.hstack([1 - probabilities, probabilities])
        figures = of_classes(truth, probabilities, weights)
    return {"name": name, "loss": loss, "truth": truth.tolist(), "outputs": outputs.tolist(), "weights": listed(weights),
            "metrics": figures}


def skewed(truth, classes):
    """Probabilities that favor the true class a little."""
    return softmax(R.normal(size=(len(truth), classes)) + 1.0 * np.eye(classes)[truth], 1)


def eighths(truth, classes):
    """Probabilities with many ties: multiples of 1/8, exact in binary."""
    return np.array([R.multinomial(8, p) for p in skewed(truth, classes)]) / 8


two = R.randint(0, 2, 80)
rare = (R.uniform(size=150) < 0.06).astype(int)
four = R.choice(4, 90, p=[0.5, 0.3, 0.15, 0.05])
without_two = R.choice([0, 1, 3], 40)
numbers = R.normal(size=(50, 3)) * [1, 10, 0.1] + [0, 5, 1]

classes = [
    case("two classes", two, skewed(two, 2)),
    case("two classes, the second rare", rare, skewed(rare, 2)),
    case("two classes, ties", two, eighths(two, 2)),
    case("two classes, probabilities 0 and 1 only", two, np.where(R.uniform(size=80) < 0.8, two, 1 - two)),
    case("two classes, all probabilities equal", two, np.full(80, 0.5)),
    case("two classes, all right", two, np.where(two == 1, 0.9, 0.2)),
    case("two classes, all wrong", two, np.where(two == 1, 0.1, 0.7)),
    case("two classes, weights", two, skewed(two, 2), R.uniform(0.1, 3, 80)),
    case("two classes, weights and ties", two, eighths(two, 2), R.uniform(0.1, 3, 80)),
    case("two classes, whole weights and zeros", two, eighths(two, 2), R.randint(0, 4, 80)),
    case("two classes, all rows of one have weight 0", two, skewed(two, 2), two * 0.3),
    case("two classes, probabilities next to 0 and 1", [0, 1, 0, 1, 1, 0],
         [1e-300, 1 - 1e-16, 1e-17, 1e-10, 5e-324, 1 - 1e-10]),
    case("two classes, the second does not occur", [0, 0, 0], [0.1, 0.6, 0.3]),
    case("two classes, the first does not occur", [1, 1, 1], [0.1, 0.6, 0.3]),
    case("two classes, one row", [1], [0.25]),
    case("four classes", four, skewed(four, 4)),
    case("four classes, ties", four, eighths(four, 4)),
    case("four classes, weights", four, skewed(four, 4), R.uniform(0, 2, 90)),
    case("four classes, weights and ties", four, eighths(four, 4), R.uniform(0, 2, 90)),
    case("four classes, probabilities 0 and 1 only", four, np.eye(4)[np.where(R.uniform(size=90) < 0.6, four, 0)]),
    case("four classes, all rows of one have weight 0", four, skewed(four, 4), np.where(four == 3, 0, 1.5)),
    case("four classes, sums other than 1", four, R.uniform(0, 1, (90, 4))),
    case("four classes, one is never predicted", four, skewed(four, 4) * [1, 0, 1, 1]),
    case("four classes, one does not occur", without_two, skewed(without_two, 4)),
    case("four classes, one does not occur and is not predicted", without_two, skewed(without_two, 4) * [1, 1, 0, 1]),
    case("four classes, one does not occur, weights", without_two, skewed(without_two, 4), R.uniform(0.5, 2, 40)),
    case("four classes, only one occurs and is predicted", [2, 2], [[0, 0, 1, 0], [0.2, 0.1, 0.4, 0.3]]),
    case("four classes, one row", [2], [[0.1, 0.4, 0.3, 0.2]]),
]
outputs = [
    output_case("softmax", "cross_entropy", four, 2 * R.normal(size=(90, 4))),
    output_case("softmax of two, weights", "cross_entropy", two, 2 * R.normal(size=(80, 2)), R.uniform(0.1, 3, 80)),
    output_case("softmax that saturates", "cross_entropy", two, 400 * R.normal(size=(80, 2))),
    output_case("one sigmoid", "binary_cross_entropy", two, 2 * R.normal(size=(80, 1)) + two[:, None]),
    output_case("one sigmoid, weights", "binary_cross_entropy", two, R.normal(size=(80, 1)), R.uniform(0.1, 3, 80)),
    output_case("four sigmoids", "binary_cross_entropy", four, R.normal(size=(90, 4)), R.uniform(0.1, 3, 90)),
    output_case("numbers", "mse", numbers[:, :1], numbers[:, :1] + R.normal(size=(50, 1))),
    output_case("three numbers", "mse", numbers, numbers + R.normal(size=(50, 3))),
    output_case("three numbers, weights", "mse", numbers, numbers + R.normal(size=(50, 3)), R.uniform(0, 2, 50)),
    output_case("constant number", "mse", np.full((10, 1), 0.5), R.normal(size=(10, 1))),
    output_case("constant number, predicted exactly", "mse", np.full((10, 1), 0.5), np.full((10, 1), 0.5)),
]


def lines(cases):
    return ",\n".join(json.dumps(c, allow_nan=False) for c in cases)


OUT.write_text(f'{{"classes": [\n{lines(classes)}\n],\n"outputs": [\n{lines(outputs)}\n]}}\n')
