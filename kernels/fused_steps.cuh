// Shared by the fused training kernels: the size of a block, a step's rows, the table of layers, the update of a parameter.
#pragma once
#include "fused_sums.cuh"
#include "update.cuh"

// Blocks are never larger.
enum { MAX_FUSED_THREADS = 512 };

// The number of elements of a vector whose offsets a thread keeps from step to step.
enum { PLACES_KEPT = 2 };

// The index of a thread's row in the data: from the batch's row list, or the row's own number if there is no list.
__device__ __forceinline__ long long row_of_data(const int* batch_rows, int row) {
    return batch_rows ? batch_rows[row] : row;
}

// Copies the layers' table to the beginning of shared memory.
__device__ __forceinline__ const FusedLayer* copy_layers(unsigned char* shared, const FusedLayer* layers, int count) {
    for (int i = threadIdx.x; i < count * (int)(sizeof(FusedLayer) / sizeof(int)); i += blockDim.x) {
        ((int*)shared)[i] = ((const int*)layers)[i];
    }
    __syncthreads();
    return (const FusedLayer*)shared;
}

// A parameter after a step, from its clipped gradient. m, v: its moments; m may be null without momentum.
template <typename T>
__device__ __forceinline__ T updated(
    const FusedPlan& plan, T parameter, T gradient, T* m, T* v, T learning_rate, const AdamStep<T>& adam) {
    switch (plan.optimizer) {
        case SGD: return sgd_step(parameter, gradient, m, learning_rate, plan.decay1, (int)plan.nesterov, plan.weight_decay);
        case RMSPROP: return rmsprop_step(parameter, gradient, v, learning_rate, plan.decay1, plan.epsilon, plan.weight_decay);
        default:
            return adam_step(parameter, gradient, m, v, adam, plan.decay1, plan.decay2, plan.epsilon, plan.weight_decay,
                             plan.optimizer == ADAMW);
    }
}
