// The rows of a step's batch, gathered from the data: features X [rows x features], and targets Y [rows x targets] or labels
// [rows], into [replica][batch x ...]. targets is 0 where there are labels. Bound by memory, with reads as scattered as the batch.

#include "common.cuh"

// Blocks: x over a replica's batch, y over replicas.
template <typename T>
__device__ void gather_rows(
    const int* cursor, const Step* steps, const int* rows, const T* x, const T* y, const int* labels, T* batch_x, T* batch_y,
    int* batch_labels, long long batch, int features, int targets, int replicas) {
    Step step = steps[*cursor];
    int columns = features + (targets > 0 ? targets : 1);
    long long count = batch * columns;
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        const int* of_replica = rows + step.rows_at + replica * step.rows_stride;
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < count; i += (long long)gridDim.x * blockDim.x) {
            long long row = i / columns;
            int column = (int)(i % columns);
            long long from = of_replica[row];
            long long to = replica * batch + row;
            if (column < features) {
                batch_x[to * features + column] = x[from * features + column];
            } else if (targets > 0) {
                batch_y[to * targets + column - features] = y[from * targets + column - features];
            } else {
                batch_labels[to] = labels[from];
            }
        }
    }
}
KERNEL(gather_rows,
       (const int* cursor, const Step* steps, const int* rows, const T* x, const T* y, const int* labels, T* batch_x, T* batch_y,
        int* batch_labels, long long batch, int features, int targets, int replicas),
       (cursor, steps, rows, x, y, labels, batch_x, batch_y, batch_labels, batch, features, targets, replicas))
