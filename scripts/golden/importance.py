#!/usr/bin/env python3
"""Writes src/test/resources/golden/importance.json: permutation importances of small networks, computed by scikit-learn.

Each case has
  columns   of the table with their encoding: numbers (mean, scale, fill, indicator) or text (categories, indicator); null is missing
  target    classes [rows] with the number of classes, or numbers [rows x targets] with their means and scales
  weights   of the rows, or null; parameters W [out x in] and b of the layers, with tanh between them; loss
  metrics   by Plumb's name: score, importances [columns x repeats], mean and std of sklearn.inspection.permutation_importance with
            random_state = seed. Scores of errors are positive here, those of scikit-learn's scorers are negative.
"""
import json
import pathlib
import warnings

import numpy as np
from scipy.special import expit, softmax
from sklearn import metrics
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.inspection import permutation_importance

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/test/resources/golden/importance.json"
R = np.random.RandomState(3)
# scikit-learn warns where a class does not occur in the rows.
warnings.simplefilter("ignore")


def log_loss(estimator, x, y, sample_weight=None):
    return -metrics.log_loss(y, estimator.predict_proba(x), labels=estimator.classes_, sample_weight=sample_weight)


SCORERS = {"accuracy": "accuracy", "balanced_accuracy": "balanced_accuracy", "macro_f1": "f1_macro", "log_loss": log_loss,
           "roc_auc": "roc_auc_ovr", "pr_auc": "average_precision", "matthews": "matthews_corrcoef", "r2": "r2",
           "mae": "neg_mean_absolute_error", "rmse": "neg_root_mean_squared_error"}


def numbers(name, values, mean=0.0, scale=1.0, fill=None, indicator=False):
    return {"name": name, "numbers": [None if v is None else float(v) for v in values], "mean": mean, "scale": scale, "fill": fill,
            "indicator": indicator}


def text(name, values, categories, indicator=False):
    return {"name": name, "texts": list(values), "categories": categories, "indicator": indicator}


def encode(column, values):
    if "numbers" in column:
        missing = np.array([v is None for v in values])
        filled = np.array([column["fill"] if v is None else v for v in values], dtype=float)
        inputs = [(filled - column["mean"]) / column["scale"]]
        return inputs + ([missing.astype(float)] if column["indicator"] else [])
    inputs = [np.array([v == c for v in values], dtype=float) for c in column["categories"]]
    return inputs + ([np.array([v is None for v in values], dtype=float)] if column["indicator"] else [])


class Network(BaseEstimator):
    def __init__(self, case):
        self.case = case

    def fit(self, x, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def outputs(self, x):
        h = np.stack([i for k, c in enumerate(self.case["columns"]) for i in encode(c, x[:, k])], 1)
        layers = list(zip(self.case["W"], self.case["b"]))
        for n, (w, b) in enumerate(layers):
            h = h @ np.array(w).T + np.array(b)
            h = np.tanh(h) if n < len(layers) - 1 else h
        return h


class Classifier(ClassifierMixin, Network):
    @property
    def classes_(self):
        return np.arange(self.case["classes"])

    def predict_proba(self, x):
        out = self.outputs(x)
        if out.shape[1] == 1:
            return np.hstack([1 - expit(out), expit(out)])
        return softmax(out, 1)

    def predict(self, x):
        return self.predict_proba(x).argmax(1)


class Regressor(RegressorMixin, Network):
    def predict(self, x):
        return self.outputs(x) * self.case["scale"] + self.case["mean"]


def case(name, loss, columns, widths, names, seed, repeats=4, weights=None, zero_inputs=(), target=None, **encoding):
    """target: None for the network's own predictions with errors."""
    inputs = sum(len(encode(c, c["numbers" if "numbers" in c else "texts"][:1])) for c in columns)
    sizes = [inputs] + widths
    w = [np.round(R.normal(size=(o, i)), 2) for i, o in zip(sizes, sizes[1:])]
    for i in zero_inputs:
        w[0][:, i] = 0
    made = {"name": name, "loss": loss, "seed": seed, "repeats": repeats, "columns": columns, **encoding,
            "weights": None if weights is None else weights.tolist(), "W": [v.tolist() for v in w],
            "b": [np.round(R.normal(size=o), 2).tolist() for o in widths]}
    x = np.array([c["numbers" if "numbers" in c else "texts"] for c in columns], dtype=object).T
    estimator = (Regressor if loss == "mse" else Classifier)(made)
    # Outputs around 0, so that more than one class is predicted.
    made["b"][-1] = np.round(made["b"][-1] - estimator.outputs(x).mean(0), 2).tolist()
    if target is None:
        predicted = estimator.predict(x)
        target = np.round(predicted + R.normal(size=predicted.shape) * predicted.std(0) / 3, 2) if loss == "mse" else \
            np.where(R.uniform(size=len(x)) < 0.25, R.randint(0, encoding["classes"], len(x)), predicted)
    made["target"] = np.array(target).tolist()
    made["metrics"] = {}
    for metric in names:
        scorer = SCORERS[metric]
        if metric == "roc_auc" and encoding["classes"] == 2:
            scorer = "roc_auc"
        sign = -1 if metric in ("log_loss", "mae", "rmse") else 1
        result = permutation_importance(estimator, x, np.array(target), scoring=scorer, n_repeats=repeats, random_state=seed,
                                        sample_weight=weights)
        score = scorer if callable(scorer) else metrics.get_scorer(scorer)
        weighted = {} if weights is None else {"sample_weight": weights}
        made["metrics"][metric] = {
            "score": float(sign * score(estimator, x, np.array(target), **weighted)),
            "importances": result.importances.tolist(), "mean": result.importances_mean.tolist(),
            "std": result.importances_std.tolist()}
    return made


def drawn(rows, decimals=2):
    return np.round(R.normal(size=rows), decimals)


def some_missing(values):
    return [None if R.uniform() < 0.15 else v for v in values]


def mixed(rows):
    """A number with an input for missing values, text with a category of missing values, text with an unknown value, a number."""
    return [numbers("age", some_missing(drawn(rows) * 10 + 40), mean=41.5, scale=9.0, fill=40.25, indicator=True),
            text("color", some_missing(R.choice(["blue", "green", "red"], rows)), ["blue", "green", "red"], indicator=True),
            text("size", R.choice(["large", "small", "unknown"], rows).tolist(), ["large", "small"]),
            numbers("height", drawn(rows), mean=0.1, scale=1.25)]


def steps(rows):
    """Few different values: many rows are equal, and many probabilities are."""
    return [numbers("x", R.randint(0, 3, rows)), numbers("constant", np.full(rows, 2.5), mean=1.0), numbers("y", R.randint(0, 2, rows))]


CLASS_METRICS = ["accuracy", "balanced_accuracy", "macro_f1", "log_loss", "roc_auc", "pr_auc", "matthews"]
NUMBER_METRICS = ["r2", "mae", "rmse"]

cases = [
    case("one number, one column ignored, one constant", "mse",
         [numbers("a", drawn(40)), numbers("ignored", drawn(40)), numbers("constant", np.full(40, 3.0)),
          numbers("b", drawn(40) * 100, mean=3.0, scale=97.0)], [5, 1], NUMBER_METRICS, 42, zero_inputs=[1], mean=[0.5], scale=[2.0]),
    case("two numbers, weights", "mse", mixed(30), [4, 2], NUMBER_METRICS, 7, weights=np.round(R.uniform(0.1, 3, 30), 2),
         mean=[20.0, 0.0], scale=[40.0, 1.0]),
    case("one number, linear, one repeat", "mse", [numbers("a", drawn(12)), numbers("b", drawn(12))], [1], NUMBER_METRICS, 0,
         repeats=1, mean=[0.0], scale=[1.0]),
    case("three classes, text and missing values", "cross_entropy", mixed(45), [6, 3], CLASS_METRICS, 42, classes=3),
    case("three classes, weights", "cross_entropy", mixed(30), [6, 3], CLASS_METRICS, 4294967295,
         weights=np.round(R.uniform(0.1, 3, 30), 2), classes=3),
    case("two classes, one output, ties", "binary_cross_entropy", steps(50), [3, 1], CLASS_METRICS, 1, repeats=7, classes=2),
    case("two classes, two outputs, ties and weights", "cross_entropy", steps(25), [2], CLASS_METRICS, 2,
         weights=R.randint(1, 4, 25).astype(float), classes=2),
    case("only one of two classes occurs", "cross_entropy", steps(20), [3, 2],
         [m for m in CLASS_METRICS if m != "roc_auc"], 5, target=[0] * 20, classes=2),
    case("two rows", "binary_cross_entropy", [numbers("a", [1.0, -1.0]), numbers("b", [0.5, 2.0])], [1], CLASS_METRICS, 3,
         repeats=6, target=[1, 0], classes=2),
]
lines = ",\n".join(json.dumps(c, allow_nan=False) for c in cases)
OUT.write_text(f'{{"cases": [\n{lines}\n]}}\n')
