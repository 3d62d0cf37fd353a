"""Estimates of steps by the layered planner: their launches, one after the other.

A launch: an empty kernel's time, and then the longest of its bytes by the global bandwidth and, for the busiest multiprocessor, its
blocks' ways through the kernel: from the entry through the main loop, as often as the shape needs it, to the exit.
"""
import dataclasses
import functools
import math

import gpu
import timing
from estimate import Estimate, NotModeled, is_multiply_add, loaded, named, stored


class Launches:
    """Launches of kernels on a GPU with a global bandwidth in TB/s. resident: blocks that a multiprocessor has at once, by kernel."""

    def __init__(self, kernels, resident, bandwidth=gpu.GLOBAL_TERABYTES_PER_SECOND):
        self.kernels = kernels
        self.resident = resident
        self.bandwidth = bandwidth

    def launch(self, name, kernel, ways_of_block, blocks, bytes_moved=0):
        """ways_of_block: of its warps. bytes_moved: from and to global memory."""
        rounds, left = divmod(math.ceil(blocks / gpu.MULTIPROCESSORS), self.resident[kernel])
        ways = ways_of_block * (self.resident[kernel] if rounds else left)
        clocks = timing.simulated(ways)
        computing = clocks * max(rounds, 1)
        if rounds and left:
            computing += timing.simulated(ways_of_block * left)
        computing /= gpu.CLOCK_GHZ * 1000
        moving = bytes_moved / self.bandwidth / 1e6
        loading = blocks * gpu.WARP * sum(loaded(instruction) for way in ways_of_block for instruction in way)
        reading = loading / gpu.CACHE_TERABYTES_PER_SECOND / 1e6
        longest = max(computing, moving, reading)
        bound = "global" if longest == moving else "cache" if longest == reading else timing.bound(ways, clocks)
        return name, gpu.LAUNCH_MICROSECONDS + longest, bound

    def other(self, name, blocks, loads, stores, bytes_moved=0, warps=8):
        """A kernel without products, in blocks of so many warps; loads, stores: bytes of a thread."""
        full = name if name in self.kernels else name + "_f32"
        way = self.kernels[full].to_exit(0, [(loaded, loads), (stored, stores)])
        if not way:
            raise NotModeled(f"not modeled: no way through {full} was found in the machine code")
        return self.launch(name, full, [way] * warps, blocks, bytes_moved)


def in_sequence(launches):
    """The estimate of launches one after the other."""
    total = sum(microseconds for _, microseconds, _ in launches)
    by_bound = {}
    for _, microseconds, bound in launches:
        by_bound[bound] = by_bound.get(bound, 0) + microseconds - gpu.LAUNCH_MICROSECONDS
    by_bound["launches"] = len(launches) * gpu.LAUNCH_MICROSECONDS
    bound = max(by_bound, key=by_bound.get)
    share = f", {100 * by_bound[bound] / total:.0f} %" if bound == "cuBLAS" else ""
    return Estimate(total, bound + share, launches)


@dataclasses.dataclass(frozen=True)
class Division:
    """How a kernel divides a product; as struct Division of product_tile.cuh in fp32, and those of product_tf32.cu."""
    kernel: str
    rows: int
    columns: int
    warps: int
    terms: int = 16
    ahead: int = 1  # groups of terms per iteration

    @property
    def needs(self):
        """What an iteration has of multiply-adds, or of mma with 16 x 8 x 8 of them."""
        each = self.rows * self.columns * self.terms * self.ahead
        if self.kernel.endswith("_tf32"):
            return [(named("HMMA"), each // (16 * 8 * 8)), (loaded, self.loaded)]
        return [(is_multiply_add, each // gpu.WARP), (loaded, self.loaded)]

    @property
    def loaded(self):
        """Bytes that a lane loads for an iteration."""
        return (self.rows + self.columns) * self.terms * self.ahead * 4 // gpu.WARP


class OwnProducts(Launches):
    """The launches of a step in fp32 or TF32 with kernels of small products."""

    def __init__(self, kernels, resident, tf32):
        super().__init__(kernels, resident)
        suffix, ahead = ("_tf32", 2) if tf32 else ("_f32", 1)
        self.forward = Division("product_forward" + suffix, 16, 32, 8, ahead=ahead)
        self.forward_loss = Division("product_forward_loss" + suffix, 16, 32, 8, ahead=ahead)
        self.input_gradient = Division("product_input_gradient" + suffix, 16, 32, 8, ahead=ahead)
        self.weight_gradient = Division("product_weight_gradients" + suffix, 32, 32, 2)

    @functools.lru_cache
    def product_ways(self, division, terms, packed):
        """The ways of a block's warps, which have every so many-th group of terms."""
        kernel = self.kernels[division.kernel]
        ways = [(way, loop) for loop in kernel.innermost for way in [kernel.iteration(loop, division.needs)] if way]
        if not ways:
            raise NotModeled("not modeled: the loops of small products were not found in the machine code")
        # 16 bytes per load, or 4.
        repeated, loop = (min if packed else max)(ways, key=lambda of: sum(i.name == "LDG" for i in of[0]))
        first = kernel.way(0, lambda node: node == loop[0], None, [(loaded, division.loaded)])
        last = kernel.iteration(loop)
        leaving = kernel.to_exit(loop[0])
        groups = math.ceil(terms / division.terms)
        times = [groups // division.warps + (warp < groups % division.warps) for warp in range(division.warps)]
        times = [math.ceil(n / division.ahead) for n in times]
        return [first + (repeated * (n - 1) + last if n else []) + leaving for n in times]

    @functools.lru_cache
    def product(self, name, division, rows, columns, terms, packed):
        tiles = math.ceil(rows / division.rows) * math.ceil(columns / division.columns)
        return self.launch(name, division.kernel, self.product_ways(division, terms, packed), tiles)

    def step(self, widths, rows, classes):
        """A step over so many rows, as StepPlan lists its launches. Loads of a row list count in each of them, with a list or without."""
        layers = list(zip(widths, widths[1:]))
        parameters = sum((i + 1) * o for i, o in layers)
        launches = []
        loss_follows = len(layers) > 1 and widths[-1] <= self.forward_loss.columns
        for place, (i, o) in enumerate(layers):
            loss = loss_follows and place == len(layers) - 1
            launches.append(self.product(f"product_forward{'_loss' if loss else ''} {i}x{o}",
                                         self.forward_loss if loss else self.forward, rows, o, i, i % 4 == 0))
        if not loss_follows and classes:
            launches.append(self.other("softmax_loss", math.ceil(rows / 8), 4 + 4, 4 + 8))
        elif not loss_follows:
            launches.append(self.other("loss_terms", math.ceil(rows * widths[-1] / 1024), 4 + 4, 4 + 8))
        for i, o in reversed(layers[1:]):
            launches.append(self.product(f"product_input_gradient {i}x{o}", self.input_gradient, rows, i, o, o % 4 == 0))
        launches.append(self.weight_gradients(layers, rows))
        launches.append(self.other("update_sgd", math.ceil(parameters / 4 / 256), 16 + 16, 16, 12 * parameters))
        launches.append(self.other("finish_loss_and_step", 1, 4 + 4 + 8, 8 + 4))
        return in_sequence(launches)

    def weight_gradients(self, layers, rows):
        """All layers in one launch, with the ways of the layer that has the most tiles; a tile of db counts as one of dW."""
        tiles = {(i, o): math.ceil(o / 32) * math.ceil(i / 32) + math.ceil(o / 32) for i, o in layers}
        i, o = max(tiles, key=tiles.get)
        blocks = sum(tiles[layer] for layer in layers)
        ways = self.product_ways(self.weight_gradient, rows, i % 4 == 0 and o % 4 == 0)
        return self.launch("product_weight_gradients", self.weight_gradient.kernel, ways, blocks)


class WithCublas(Launches):
    """The launches of a step in fp32, TF32 or bf16 with cuBLAS's products, whose times are given, not modeled. In bf16, A of hidden
    layers, delta and a copy of the parameters are bfloat16; layers are as wide as their pitch, except the last. Other kernels take as
    long as their bytes, or as one wave of blocks with one iteration of their loops."""

    SINGLE, PACK = 4, 16
    ROWS_OF_SEGMENT, UNITS_OF_TILE = 256, 32
    GATHERED = 128
    ROWS_UNDER_WAY, OUTPUTS_UNDER_WAY = 4, 4

    def __init__(self, kernels, resident, precision, bandwidth=gpu.GLOBAL_TERABYTES_PER_SECOND):
        super().__init__(kernels, resident, bandwidth)
        self.rounded = precision == "bf16"
        self.factor = 2 if self.rounded else self.SINGLE  # bytes of a number of A or delta

    @functools.lru_cache
    def other(self, name, blocks, loads, stores, bytes_moved=0, warps=8):
        wave = self.resident[name if name in self.kernels else name + "_f32"] * gpu.MULTIPROCESSORS
        return super().other(name, min(blocks, wave), loads, stores, bytes_moved, warps)

    def named(self, kernel):
        return kernel + ("_bf16" if self.rounded else "_f32")

    def step(self, widths, rows, classes, gathered, product):
        """A step over so many rows, gathered or all. product(kind, inputs, outputs): microseconds of a launch."""
        layers = list(zip(widths, widths[1:]))
        last = len(layers) - 1
        launches = [self.gather(rows, widths[0])] if gathered else []

        def multiply(kind, i, o):
            launches.append((f"cuBLAS {kind} {i}x{o}", product(kind, i, o), "cuBLAS"))

        for place, (i, o) in enumerate(layers):
            multiply("forward", i, o)
            launches.append(self.bias_activation(rows, o, place == last))
        launches.append(self.loss(rows, widths[-1], classes))
        for place, (i, o) in reversed(list(enumerate(layers))):
            launches += self.activation_backward(rows, o, place == last)
            multiply("weight_gradient", i, o)
            if place > 0:
                multiply("input_gradient", i, o)
        launches.append(("gradient_squares", gpu.LAUNCH_MICROSECONDS, "launches"))  # ends at once in a step that records no norms
        launches.append(self.update(sum((i + 1) * o for i, o in layers)))
        launches.append(self.other("finish_loss_and_step", 1, 4 + 4 + 8, 8 + 4))
        return in_sequence(launches)

    def gather(self, rows, features):
        columns = features * self.factor // self.SINGLE
        warps = rows * math.ceil(columns / self.GATHERED)
        each = self.GATHERED // gpu.WARP * self.SINGLE
        return self.other("gather_rows", math.ceil(warps / 8), 4 + each, each, 2 * rows * columns * self.SINGLE)

    def bias_activation(self, rows, units, last):
        name, stored_bytes = ("bias_activation_f32", self.SINGLE) if last else (self.named("bias_activation"), self.factor)
        size = self.PACK // self.SINGLE if units % (self.PACK // self.SINGLE) == 0 else 1
        packs = rows * units // size
        return self.other(name, math.ceil(packs / 256), 2 * size * self.SINGLE, size * stored_bytes,
                          rows * units * (self.SINGLE + stored_bytes))

    def loss(self, rows, outputs, classes):
        moved = 3 * self.SINGLE * rows * outputs  # Z, Y, delta
        if classes:
            return self.other("softmax_loss", math.ceil(rows / 8), 4 + 4, 4 + 8, moved)
        return self.other("loss_terms", math.ceil(rows * outputs / 1024), 2 * self.SINGLE * self.OUTPUTS_UNDER_WAY,
                          self.SINGLE + 8, moved)

    def activation_backward(self, rows, units, last):
        """relu' is computed from Z, in bf16 from A. The last layer is linear: it reads neither, and writes delta only as a rounded copy."""
        segments = math.ceil(rows / self.ROWS_OF_SEGMENT)
        loads = self.SINGLE + (0 if last else self.factor)
        stores = 0 if last and not self.rounded else self.factor
        launches = [self.other(self.named("activation_backward"), math.ceil(units / self.UNITS_OF_TILE) * segments,
                               loads * self.ROWS_UNDER_WAY, stores + self.SINGLE, rows * units * (loads + stores), warps=16)]
        if segments > 1:
            launches.append(self.other("sum_segments", math.ceil(units / 256), self.SINGLE, self.SINGLE, 4 * units * (segments + 1)))
        return launches

    def update(self, parameters):
        packs = parameters * self.SINGLE // self.PACK
        copy = self.factor if self.rounded else 0
        return self.other("update_sgd_bf16" if self.rounded else "update_sgd", math.ceil(packs / 256), 2 * self.PACK,
                          self.PACK + self.PACK // self.SINGLE * copy, parameters * (3 * self.SINGLE + copy))
