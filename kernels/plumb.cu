// All kernels as one module, but for fused_mlp.cu, which is one by itself: it takes the driver long to compile.

#include "activation.cu"
#include "gather.cu"
#include "loss.cu"
#include "metrics.cu"
#include "product.cu"
#include "update.cu"
