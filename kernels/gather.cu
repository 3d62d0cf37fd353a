// The rows of a step's batch X [rows x features], gathered from the data into [replica][batch x features] for cuBLAS; the kernels of
// product_kernels.cuh read them in place. Bound by latency, first of the row's index and then of the row: a warp copies GATHERED
// features of one row, and a lane loads GATHERED / WARP of them at once.
//
// Tried: one element per thread. Its 64-bit division by the number of columns and one load in flight took 2.9 us for 128 rows of 784
// features on an H200; this version took 2.4 us, with a 64-bit division per piece. Without that division it was not measured.

#include "common.cuh"

// Features of a row that one warp copies.
enum { GATHERED = 128 };

// Blocks of SUM_THREADS: x over the pieces of a replica's rows, y over replicas.
template <typename T>
__device__ void gather_rows(
    const int* cursor, const Step* steps, const int* rows, const T* x, T* batch_x, int batch, int features, int replicas) {
    int pieces = (features + GATHERED - 1) / GATHERED;
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        const int* numbers = listed_rows(cursor, steps, rows, replica);
        for (Element element(pieces * WARP); element.row < batch; element.move()) {
            int first = element.column / WARP * GATHERED + element.column % WARP;
            const T* from = x + (long long)numbers[element.row] * features;
            T* to = batch_x + (replica * batch + element.row) * features;
            T values[GATHERED / WARP];
#pragma unroll
            for (int k = 0; k < GATHERED / WARP; k++) {
                int column = first + k * WARP;
                values[k] = column < features ? from[column] : T(0);
            }
#pragma unroll
            for (int k = 0; k < GATHERED / WARP; k++) {
                int column = first + k * WARP;
                if (column < features) {
                    to[column] = values[k];
                }
            }
        }
    }
}
KERNEL(gather_rows,
       (const int* cursor, const Step* steps, const int* rows, const T* x, T* batch_x, int batch, int features, int replicas),
       (cursor, steps, rows, x, batch_x, batch, features, replicas))
