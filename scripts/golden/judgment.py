#!/usr/bin/env python3
"""Writes src/test/resources/golden/judgment.json: what judges predicted probabilities and numbers, computed by scikit-learn and NumPy.

The file holds
  classes  true classes, probabilities [rows x classes] and weights (null where all rows count the same), and for them
    curves      per class (of two classes, the second): roc_curve, precision_recall_curve, roc_auc_score, average_precision_score
    brier       brier_score_loss; for several classes with scale_by_half=False, the sum over the classes
    bins        calibration_curve with 10 uniform bins; with weights, the same by NumPy
    ece         the mean over the bins, by NumPy
    top_k       top_k_accuracy_score
    thresholds  two classes: precision_score, recall_score, f1_score at 0.1 to 0.9, and the best thresholds of all probabilities
  numbers  true and predicted numbers, and numpy.quantile of the residuals over 10 groups of predictions
Undefined figures are null. Curves lack the points in the middle of a run in which only other classes are added, which are on the
line between their neighbors.
"""
import json
import math
import pathlib
import warnings

import numpy as np
from scipy.special import softmax
from sklearn import metrics
from sklearn.calibration import calibration_curve

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/test/resources/golden/judgment.json"
R = np.random.RandomState(1)
BINS = 10
# scikit-learn warns where a class does not occur.
warnings.simplefilter("ignore")


def plain(value):
    """Returns lists and numbers for JSON, with null for what is not finite."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (str, int, np.integer)):
        return value if value is None or isinstance(value, str) else int(value)
    return float(value) if math.isfinite(value) else None


def curve(hits, scores, weights):
    options = {"sample_weight": weights}
    fpr, tpr, thresholds = metrics.roc_curve(hits, scores, drop_intermediate=False, **options)
    precision, recall, at = metrics.precision_recall_curve(hits, scores, **options)
    # Descending, from the point that predicts nothing, as roc_curve has them.
    precision, recall, at = precision[::-1], recall[::-1], np.r_[np.inf, at[::-1]]
    np.testing.assert_array_equal(thresholds, at)
    used = slice(None) if weights is None else np.asarray(weights) > 0
    positive = set(np.asarray(scores)[used][np.asarray(hits)[used].astype(bool)])
    grows = [threshold in positive for threshold in thresholds]
    keep = [i for i in range(len(grows)) if i in (0, len(grows) - 1) or grows[i] or grows[i + 1]]
    if not positive:
        recall = np.full(len(recall), np.nan)  # scikit-learn says 1.
    both = len(set(np.asarray(hits)[used])) == 2
    return {"thresholds": thresholds[keep], "fpr": fpr[keep], "recall": recall[keep], "precision": precision[keep],
            "roc_auc": metrics.roc_auc_score(hits, scores, **options) if both else None,
            "average_precision": metrics.average_precision_score(hits, scores, **options)}


def reliability(hits, scores, weights):
    all_weights = np.ones(len(scores)) if weights is None else np.asarray(weights, dtype=float)
    index = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], scores)
    bins = []
    for b in range(BINS):
        here = index == b
        weight = all_weights[here].sum()
        bins.append({"rows": int(here.sum()), "weight": weight,
                     "mean": np.average(scores[here], weights=all_weights[here]) if weight > 0 else np.nan,
                     "observed": np.average(hits[here], weights=all_weights[here]) if weight > 0 else np.nan})
    if weights is None:
        observed, mean = calibration_curve(hits, scores, n_bins=BINS)
        np.testing.assert_allclose([b["mean"] for b in bins if b["rows"]], mean, rtol=1e-14)
        np.testing.assert_allclose([b["observed"] for b in bins if b["rows"]], observed, rtol=1e-14)
    ece = sum(b["weight"] * abs(b["mean"] - b["observed"]) for b in bins if b["weight"] > 0) / all_weights.sum()
    return bins, ece


def threshold_rows(hits, scores, weights):
    rows = []
    for tenth in range(1, 10):
        chosen = scores >= tenth / 10
        options = {"sample_weight": weights, "zero_division": np.nan}
        recall = metrics.recall_score(hits, chosen, **options)
        specificity = metrics.recall_score(~hits, ~chosen, **options)
        rows.append({"threshold": tenth / 10, "precision": metrics.precision_score(hits, chosen, **options), "recall": recall,
                     "f1": metrics.f1_score(hits, chosen, **options), "specificity": specificity,
                     "youden": recall + specificity - 1, "predicted": int(chosen.sum())})
    return rows


def best(hits, scores, weights):
    """Returns the highest of the best thresholds, by counting at every distinct probability."""
    all_weights = np.ones(len(scores)) if weights is None else np.asarray(weights, dtype=float)
    positives, negatives = all_weights[hits].sum(), all_weights[~hits].sum()
    if positives == 0 or negatives == 0:
        return {"f1": None, "youden": None}
    found = {}
    for name in ("f1", "youden"):
        top, at = -np.inf, None
        for threshold in sorted(set(scores[all_weights > 0]), reverse=True):
            true = all_weights[hits & (scores >= threshold)].sum()
            false = all_weights[~hits & (scores >= threshold)].sum()
            value = 2 * true / (true + false + positives) if name == "f1" else true / positives - false / negatives
            if value > top + 1e-12:
                top, at = value, threshold
        found[name] = at
    return found


def case(name, truth, probabilities, weights=None):
    truth = np.array(truth)
    probabilities = np.array(probabilities, dtype=float)
    if probabilities.ndim == 1:
        probabilities = np.stack([1 - probabilities, probabilities], 1)
    classes = probabilities.shape[1]
    options = {"sample_weight": weights}
    result = {"name": name, "truth": truth, "probabilities": probabilities, "weights": weights,
              "curves": [curve(truth == c, probabilities[:, c], weights) for c in ([1] if classes == 2 else range(classes))]}
    if classes == 2:
        hits, scores = truth == 1, probabilities[:, 1]
        result["brier"] = metrics.brier_score_loss(hits, scores, pos_label=True, **options)
        result["thresholds"] = threshold_rows(hits, scores, weights)
        result["best"] = best(hits, scores, weights)
    else:
        predicted = probabilities.argmax(1)
        hits, scores = truth == predicted, probabilities.max(1)
        if np.allclose(probabilities.sum(1), 1):
            result["brier"] = metrics.brier_score_loss(truth, probabilities, labels=range(classes), scale_by_half=False, **options)
        else:
            result["brier"] = np.average(((probabilities - np.eye(classes)[truth]) ** 2).sum(1), weights=weights)
    result["bins"], result["ece"] = reliability(hits, scores, weights)
    result["top_k"] = {str(k): metrics.top_k_accuracy_score(truth, probabilities, k=k, labels=range(classes), **options)
                       for k in (2, 3, 5) if k < classes}
    return plain(result)


def residual_case(name, truth, predicted):
    order = np.argsort(predicted, kind="stable")
    count = min(10, len(order))
    groups = []
    for g in range(count):
        rows = order[g * len(order) // count:(g + 1) * len(order) // count]
        groups.append({"rows": len(rows), "low": predicted[rows].min(), "high": predicted[rows].max(), "mean": predicted[rows].mean(),
                       "quantiles": np.quantile(truth[rows] - predicted[rows], [0.05, 0.25, 0.5, 0.75, 0.95])})
    return plain({"name": name, "truth": truth, "predicted": predicted, "groups": groups})


def skewed(truth, classes):
    """Probabilities that favor the true class a little."""
    return softmax(R.normal(size=(len(truth), classes)) + 1.0 * np.eye(classes)[truth], 1)


def eighths(truth, classes):
    """Probabilities with many ties: multiples of 1/8, exact in binary."""
    return np.array([R.multinomial(8, p) for p in skewed(truth, classes)]) / 8


two = R.randint(0, 2, 80)
rare = (R.uniform(size=150) < 0.06).astype(int)
four = R.choice(4, 90, p=[0.5, 0.3, 0.15, 0.05])
seven = R.choice(7, 90)
without_two = R.choice([0, 1, 3], 40)
classes = [
    case("two classes", two, skewed(two, 2)),
    case("two classes, the second rare", rare, skewed(rare, 2)),
    case("two classes, ties", two, eighths(two, 2)),
    case("two classes, limits of bins", two, R.randint(0, 11, 80) * 0.1),
    case("two classes, probabilities 0 and 1 only", two, np.where(R.uniform(size=80) < 0.8, two, 1 - two)),
    case("two classes, all probabilities equal", two, np.full(80, 0.5)),
    case("two classes, all right", two, np.where(two == 1, 0.9, 0.2)),
    case("two classes, all wrong", two, np.where(two == 1, 0.1, 0.7)),
    case("two classes, weights", two, skewed(two, 2), R.uniform(0.1, 3, 80)),
    case("two classes, weights and ties", two, eighths(two, 2), R.uniform(0.1, 3, 80)),
    case("two classes, whole weights and zeros", two, eighths(two, 2), R.randint(0, 4, 80)),
    case("two classes, zeros among weights", two, skewed(two, 2), R.randint(0, 3, 80)),
    case("two classes, the second does not occur", [0, 0, 0], [0.1, 0.6, 0.3]),
    case("two classes, the first does not occur", [1, 1, 1], [0.1, 0.6, 0.3]),
    case("two classes, one row", [1], [0.25]),
    case("three classes", four[four < 3], skewed(four[four < 3], 3)),
    case("four classes", four, skewed(four, 4)),
    case("four classes, ties", four, eighths(four, 4)),
    case("four classes, weights", four, skewed(four, 4), R.uniform(0, 2, 90)),
    case("four classes, weights and ties", four, eighths(four, 4), R.uniform(0, 2, 90)),
    case("four classes, sums other than 1", four, R.uniform(0, 1, (90, 4))),
    case("four classes, one does not occur", without_two, skewed(without_two, 4)),
    case("four classes, only one occurs", [2, 2], [[0, 0, 1, 0], [0.2, 0.1, 0.4, 0.3]]),
    case("seven classes, ties", seven, eighths(seven, 7)),
]
numbers = 10 * R.normal(size=237)
residuals = [
    residual_case("numbers", numbers, numbers + R.normal(size=237)),
    residual_case("ties", numbers, np.round(numbers / 5)),
    residual_case("few rows", numbers[:4], numbers[:4] * 0.9),
    residual_case("one prediction", numbers[:25], np.full(25, 0.5)),
]


def lines(cases):
    return ",\n".join(json.dumps(c, allow_nan=False) for c in cases)


OUT.write_text(f'{{"classes": [\n{lines(classes)}\n],\n"numbers": [\n{lines(residuals)}\n]}}\n')
