// The training kernel of fused_mlp.cu for rows with weights, which also computes the taps for the kernels of fused_narrow_weighted.cu. A
// separate module, because it is rarely needed and takes a driver as long to compile. Weights stay in global memory, also if the data
// are copied to shared memory: a row's weight is read once per step. Not measured.

#include "fused_train.cuh"

template <typename T>
__device__ __forceinline__ void fused_train_weighted(
    const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const T* x, const T* y, const int* labels,
    const FusedPlan& plan, const FusedLayer* layers, T* p, T* g, T* m, T* v, T* before, double* metrics, long long* first_not_finite,
    const T* weights, const double* divisors, T* taps, int tapped_replica) {
    train_network<true>(cursor, steps, learning_rates, rows, x, y, labels, plan, layers, p, g, m, v, before, metrics, first_not_finite,
                        weights, divisors, taps, tapped_replica);
}
KERNEL_OF(__launch_bounds__(MAX_FUSED_THREADS, 1), fused_train_weighted,
          (const int* cursor, const Step* steps, const double* learning_rates, const int* rows, const T* x, const T* y,
           const int* labels, const FusedPlan* __restrict__ plan, const FusedLayer* layers, T* p, T* g, T* m, T* v, T* before,
           double* metrics, long long* first_not_finite, const T* weights, const double* divisors, T* taps, int tapped_replica),
          (cursor, steps, learning_rates, rows, x, y, labels, *plan, layers, p, g, m, v, before, metrics, first_not_finite, weights,
           divisors, taps, tapped_replica))
