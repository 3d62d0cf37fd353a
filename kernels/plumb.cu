// All kernels as one module.

#include "activation.cu"
#include "gather.cu"
#include "loss.cu"
#include "metrics.cu"
#include "update.cu"
