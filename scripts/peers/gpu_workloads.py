"""The GPU workloads G1 to G4, as `plumb bench --device cuda` defines them. Imports none of the peers."""
from dataclasses import dataclass

WORKLOADS = ["G1", "G2", "G3", "G4"]
NOTEBOOK_ROWS = 400
NOTEBOOK_WIDTHS = (3, *8 * [8], 1)


@dataclass(frozen=True)
class Definition:
    """One workload, for all precisions and numbers of replicas."""
    unit: str
    widths: tuple
    loss: str
    learning_rate: float
    rows: int
    batch: int
    final_steps: int  # the final loss is the loss over all rows after so many steps from the first weights
    initializer: str  # "notebook" or "pytorch"


def definitions(quick):
    square, wide = (64, 512) if quick else (4096, 10_240)
    g3 = (64, 32, 32, 10) if quick else (784, 512, 512, 10)
    return {
        "G1": Definition("us/epoch", NOTEBOOK_WIDTHS, "mse", 0.01, NOTEBOOK_ROWS, NOTEBOOK_ROWS, 100, "notebook"),
        "G2": Definition("network-epochs/s", NOTEBOOK_WIDTHS, "mse", 0.01, NOTEBOOK_ROWS, NOTEBOOK_ROWS, 100, "notebook"),
        "G3": Definition("us/step", g3, "cross_entropy", 0.05, wide, 128, wide // 128, "pytorch"),
        "G4": Definition("TFLOP/s", 9 * (square,), "mse", 0.5, square, square, 10, "pytorch"),
    }


@dataclass(frozen=True)
class Case:
    """One figure of one peer."""
    peer: str
    workload: str
    precision: str = "fp32"  # fp32, tf32, bf16 or fp64
    replicas: int = 1
    activation: str = "relu"
    quick: bool = False

    @property
    def definition(self):
        return definitions(self.quick)[self.workload]

    @property
    def label(self):
        words = [self.workload, f"x{self.replicas}" if self.workload == "G2" else "",
                 self.activation if self.activation != "relu" else "", self.precision]
        return " ".join(filter(None, words))

    @property
    def dtype(self):
        return "float64" if self.precision == "fp64" else "float32"

    def figure(self, seconds, steps):
        """In the workload's unit. G4 counts the matrix products only: forward, dW, and dX except the first layer's."""
        if self.workload == "G2":
            return self.replicas * steps / seconds
        if self.workload == "G4":
            layers, rows, width = len(self.definition.widths) - 1, self.definition.rows, self.definition.widths[0]
            products = 1 if self.peer == "torch-matmul" else 3 * layers - 1
            return products * 2 * rows * width * width * steps / seconds / 1e12
        return seconds / steps * 1e6
