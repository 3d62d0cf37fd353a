// All kernels as one module, except those of bf16.cu, normalization.cu, fused_*.cu and product*.cu, which are separate modules: a driver
// takes long to compile them, and not every session needs them.

#include "activation.cu"
#include "gather.cu"
#include "loss.cu"
#include "metrics.cu"
#include "update.cu"
