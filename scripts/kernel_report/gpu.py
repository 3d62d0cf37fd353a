"""Constants: an H100 or H200 (SXM, compute capability 9.0) in the model of kernel-report, and the limits of all multiprocessors."""

MULTIPROCESSORS = 132
CLOCK_GHZ = 1.98
SCHEDULERS = 4  # per multiprocessor, each issues one instruction of a warp per clock

# Clocks for which an instruction of a warp keeps a pipe of its scheduler busy: 32 lanes of fp32 per clock, 16 of fp64, 4 of the
# special function unit (16 per multiprocessor), and half of the tensor core's dense rate for mma.m16n8k8 of TF32. Of all other
# instructions only the issue counts.
PIPE_CLOCKS = {"fma32": 1, "fp64": 2, "mufu": 8, "mma": 8}

# Loads and stores of shared and global memory go through one path, per multiprocessor. So 16 bytes per lane take 4 clocks, also where
# all lanes read the same ones (measured). Bank conflicts are not counted.
PATH_BYTES_PER_CLOCK = 128

# Reads of all multiprocessors from the second-level cache: assumed, close to published measurements.
CACHE_TERABYTES_PER_SECOND = 5.5

# Measured (kernels/MEASURED.md): an empty kernel in a graph; a copy, 4.24 TB/s, of which kernels are assumed to reach 4.0.
GLOBAL_TERABYTES_PER_SECOND = 4.0
LAUNCH_MICROSECONDS = 0.67
# The same share of an H100's memory bandwidth, 3.35 instead of an H200's 4.8 TB/s by NVIDIA's data sheets. Not measured.
H100_GLOBAL_TERABYTES_PER_SECOND = GLOBAL_TERABYTES_PER_SECOND * 3.35 / 4.8
# All products of a step of G4 by cuBLAS, without the rest of the step, TFLOP/s. Not modeled. Measured.
CUBLAS_G4 = {"fp32": 51.2, "TF32": 305, "bf16": 648}
# The products of G3's layers (inputs, outputs) by cuBLAS with TF32, each with its launch, measured: forward, input gradient, weight
# gradient. Those in bf16 are assumed to take as long; all of them together took 28.1 us, and 39.9 us with TF32.
CUBLAS_G3_TF32_MICROSECONDS = {(784, 512): (6.1, 6.5, 3.8), (512, 512): (5.2, 5.3, 3.7), (512, 10): (7.3, 3.0, 3.9)}

# Clocks until a result can be used: assumed, close to published microbenchmarks of Hopper. Global memory is assumed to be in the
# second-level cache, where the buffers of all workloads but G4 fit. A taken branch, a barrier.
LATENCY = {"fma32": 4, "mma": 33, "float": 4, "integer": 5, "fp64": 8, "mufu": 20, "shared": 30, "global": 270, "local": 35,
           "control": 0, "other": 20}
TAKEN_BRANCH_CLOCKS = 8
BARRIER_CLOCKS = 25

# Thread block clusters, assumed from published microbenchmarks and from the machine code: a barrier's release is a round trip to the
# second-level cache (MEMBAR.ALL.GPU), and its acquire empties the first-level cache (CCTL.IVALL). Bytes per clock that a
# multiprocessor sends to or gets from others. An H200 took 9,500 clocks for a step of G1, and these give 6,200.
CLUSTER_BLOCKS = 8
CLUSTER_BARRIER_CLOCKS = 700
REMOTE_BYTES_PER_CLOCK = 16

# By compute capability: warps and blocks per multiprocessor, bytes of shared memory per multiprocessor, and bytes of it that each
# block takes for the system (CUDA C++ Programming Guide). All have 65,536 registers, given to warps in units of 256.
OCCUPANCY = {
    75: (32, 16, 65536, 0),
    80: (64, 32, 167936, 1024),
    86: (48, 16, 102400, 1024),
    89: (48, 24, 102400, 1024),
    90: (64, 32, 233472, 1024),
    100: (64, 32, 233472, 1024),
    120: (48, 24, 102400, 1024),
}
REGISTERS = 65536
REGISTER_UNIT = 256
SHARED_UNIT = 128
WARP = 32
