// All kernels as one module, but for fused_mlp.cu and product.cu, which are modules by themselves: a driver takes long to compile
// them, and not every session needs them.

#include "activation.cu"
#include "gather.cu"
#include "loss.cu"
#include "metrics.cu"
#include "update.cu"
