"""The CUDA Toolkit's programs: ptxas for what kernels use, nvdisasm or cuobjdump for their machine code."""
import os
import pathlib
import re
import shutil
import subprocess

import gpu

MODULES = sorted((pathlib.Path(__file__).resolve().parents[2] / "src/main/resources/ptx").glob("*.ptx"))
# The block sizes that Plumb launches kernels without .maxntid with: Launches.Grid, and ActivationNodes.tiles.
LAUNCHED = {f"{kernel}_{of}": 512
            for kernel in ("activation_backward", "normalization_batch_statistics", "normalization_output_gradient", "normalization_delta")
            for of in ("bf16", "f32", "f64")}
LAUNCHED_OTHERWISE = 256
PROPERTIES = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")


class ToolkitError(Exception):
    pass


def folder():
    """Where ptxas is: next to nvcc, which NVCC, PATH or the usual place names."""
    nvcc = os.environ.get("NVCC") or shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    place = pathlib.Path(nvcc).resolve().parent
    if not os.access(place / "ptxas", os.X_OK):
        raise ToolkitError(f"no ptxas next to {nvcc}; install the CUDA toolkit (12 or newer), or set NVCC to its nvcc")
    return place


def disassembler():
    """The command that prints a cubin's machine code: nvdisasm, which also prints the targets of a switch, or else cuobjdump."""
    for name, option in ("nvdisasm", "-c"), ("cuobjdump", "-sass"):
        for path in os.environ.get(name.upper()), folder() / name, shutil.which(name):
            if path and os.access(path, os.X_OK):
                return [str(path), option]
    return None


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise ToolkitError(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def version():
    return re.search(r"release.*", run([folder() / "ptxas", "--version"]))[0]


def target(module):
    """The oldest architecture that a module's PTX is for."""
    return int(re.search(r"^\.target sm_(\d+)", module.read_text(), re.M)[1])


def block_sizes():
    """Threads per block of each kernel, and whether the PTX declares them (.maxntid)."""
    sizes = {}
    for module in MODULES:
        for name, bounds in re.findall(r"^\.visible \.entry (\w+)\([^)]*\)\n((?:\.\w+ [^\n]*\n)*)", module.read_text(), re.M):
            declared = re.search(r"\.maxntid (\d+), (\d+), (\d+)", bounds)
            sizes[name] = ((int(declared[1]) * int(declared[2]) * int(declared[3]), True) if declared
                           else (LAUNCHED.get(name, LAUNCHED_OTHERWISE), False))
    return sizes


def assembled(module, architecture, cubin):
    """Assembles a module; returns what each kernel uses: registers, stack, spill stores, spill loads, static shared memory."""
    usage, kernel, of, properties = {}, None, None, (0, 0, 0)
    for line in run([folder() / "ptxas", "-v", f"-arch=sm_{architecture}", "-o", cubin, module]).splitlines():
        if found := re.search(r"Compiling entry function '(\w+)'", line):
            kernel = found[1]
        elif found := re.search(r"Function properties for (\w+)", line):
            of = found[1]
        # Subroutines have properties, too; only those of the kernel itself count.
        elif (found := PROPERTIES.search(line)) and of == kernel:
            properties = tuple(map(int, found.groups()))
        elif found := re.search(r"Used (\d+) registers", line):
            shared = re.search(r"(\d+) bytes smem", line)
            usage[kernel] = (int(found[1]), *properties, int(shared[1]) if shared else 0)
    return usage


def blocks(architecture, registers, shared, threads):
    """Blocks per multiprocessor, and what allows no more: registers, threads, shared memory or the number of blocks."""
    most_warps, most_blocks, memory, reserved = gpu.OCCUPANCY[architecture]
    warps = -(-threads // gpu.WARP)
    of_warp = -(-registers * gpu.WARP // gpu.REGISTER_UNIT) * gpu.REGISTER_UNIT
    of_block = -(-(shared + reserved) // gpu.SHARED_UNIT) * gpu.SHARED_UNIT
    # Each scheduler has its part of the registers.
    of_scheduler = gpu.REGISTERS // gpu.SCHEDULERS // of_warp
    limits = {"threads": most_warps // warps, "registers": of_scheduler * gpu.SCHEDULERS // warps,
              "shared": memory // of_block if of_block else most_blocks, "blocks": most_blocks}
    least = min(limits, key=limits.get)
    return limits[least], least
