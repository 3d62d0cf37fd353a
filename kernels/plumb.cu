// All kernels as one module.

#include "activation.cu"
#include "fused_mlp.cu"
#include "gather.cu"
#include "loss.cu"
#include "metrics.cu"
#include "update.cu"
