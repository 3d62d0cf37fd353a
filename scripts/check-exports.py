"""Loads model files into PyTorch as training.md shows, and compares the predictions with those of plumb predict.

Usage: scripts/check-exports.py PLUMB, where PLUMB is the launcher; needs torch and safetensors.
"""
import csv
import json
import os
import subprocess
import sys
import tempfile

import torch
from safetensors import safe_open

IRIS = os.path.abspath("src/test/resources/tables/iris.csv")


def sequential():
    from torch import nn
    from safetensors.torch import load_file

    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    # With --normalization batch; nn.LayerNorm(16) with --normalization layer:
    net = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    net.load_state_dict(load_file("model.safetensors"))
    net.eval()
    return net


def residual():
    from torch import nn
    from safetensors.torch import load_file

    class Layer(nn.Module):
        def __init__(self, inputs, units, norm=nn.Identity, activation=nn.Identity(), residual=False):
            super().__init__()
            self.linear, self.norm, self.activation = nn.Linear(inputs, units), norm(units), activation
            self.residual = residual and inputs == units
        def forward(self, x):
            y = self.activation(self.norm(self.linear(x)))
            return x + y if self.residual else y

    layers = nn.Sequential(Layer(4, 16, nn.BatchNorm1d, nn.ReLU(), True), Layer(16, 16, nn.BatchNorm1d, nn.ReLU(), True), Layer(16, 3))
    nn.ModuleDict({"layers": layers}).load_state_dict(load_file("model.safetensors"))
    layers.eval()
    return layers


def check(plumb, name, load, *options):
    subprocess.run([plumb, "train", IRIS, "--name", name, "--runs", ".", "--device", "reference", "--epochs", "5", "--quiet",
                    "--validation", "0.2", "--normalization", "batch", *options], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([plumb, "export", name + "-1", "model.safetensors"], check=True)
    with safe_open("model.safetensors", "pt") as file:
        features = json.loads(file.metadata()["plumb.encoding"])["features"]
    with open(IRIS) as file:
        rows = [[(float(row[column["name"]]) - column["mean"]) / column["scale"] for column in features] for row in csv.DictReader(file)]
    with torch.no_grad():
        found = torch.softmax(load().double()(torch.tensor(rows, dtype=torch.float64)), 1)
    lines = subprocess.run([plumb, "predict", name + "-1", IRIS, "--device", "reference"], check=True, capture_output=True, text=True)
    expected = torch.tensor([[float(p) for p in row[1:4]] for row in list(csv.reader(lines.stdout.splitlines()))[1:]],
                            dtype=torch.float64)
    error = (found - expected).abs().max().item()
    print(f"{name}: largest difference of a probability {error:.1e}")
    return error < 1e-5


plumb = os.path.abspath(sys.argv[1])
os.chdir(tempfile.mkdtemp())
passed = [check(plumb, "sequential", sequential, "--layers", "16"),
          check(plumb, "residual", residual, "--layers", "16,16", "--residual")]
sys.exit(0 if all(passed) else 1)
