// The losses, their gradients with respect to the outputs, and the number of correct classifications (hits).
//
// Shapes, per replica: outputs Z and delta [batch x outputs]; targets Y [rows x outputs] or labels [rows] of the data. The batch is all
// rows or those in the step's row list. Each block writes the sum of its terms to partial [replica][block], always in double; the
// consumer sums them in block order. With a null delta no gradients are computed, with a null hits no hits are counted.
//
// The kernels with `_weighted` in their names multiply each term by the weight of its row. They read the weights [rows] of the data, and
// the divisors of the mean loss (common.cuh) unless delta is null.
//
// Bound by memory if there are many outputs: Z and Y are read once, delta is written once. So a thread loads several outputs at once;
// this was not measured.

#include "loss.cuh"

// Outputs that a thread of loss_terms loads at once.
enum { OUTPUTS_UNDER_WAY = 4 };

// All losses except cross_entropy. Blocks of SUM_THREADS: x over outputs, y over replicas. weights, divisors: only if WEIGHTED; terms:
// only if not.
template <bool WEIGHTED, typename T>
__device__ __forceinline__ void any_loss_terms(
    const int* cursor, const Step* steps, const int* rows, const T* z, const T* y, const T* weights, const double* divisors, T* delta,
    double* partial, long long* hits, long long batch, int outputs, double terms, int replicas, int loss) {
    long long step = (long long)gridDim.x * blockDim.x;
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        const int* numbers = rows_of_batch(cursor, steps, rows, replica);
        const T* replica_outputs = z + replica * batch * outputs;
        T* replica_delta = delta + replica * batch * outputs;
        double divisor = WEIGHTED ? (delta ? divisor_of_batch(cursor, divisors, replicas, replica) : 1) : terms;
        double sum = 0;
        long long right = 0;
        Element element(outputs);
        long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
        while (i < batch * outputs) {
            T output[OUTPUTS_UNDER_WAY];
            T target[OUTPUTS_UNDER_WAY];
            T weight[OUTPUTS_UNDER_WAY];
#pragma unroll
            for (int k = 0; k < OUTPUTS_UNDER_WAY; k++) {
                if (element.row < batch) {
                    output[k] = replica_outputs[i + k * step];
                    target[k] = y[(numbers ? numbers[element.row] : element.row) * (long long)outputs + element.column];
                    if (WEIGHTED) {
                        weight[k] = weights[numbers ? numbers[element.row] : element.row];
                    }
                }
                element.move();
            }
#pragma unroll 1
            for (int k = 0; k < OUTPUTS_UNDER_WAY && i < batch * outputs; k++, i += step) {
                T term = loss_term(output[0], target[0], loss);
                sum += WEIGHTED ? (double)weight[0] * (double)term : (double)term;
                if (delta) {
                    T of_output = loss_term_derivative(output[0], target[0], loss) / T(divisor);
                    replica_delta[i] = WEIGHTED ? weight[0] * of_output : of_output;
                }
                right += (output[0] > T(0)) == (target[0] > T(0.5));
#pragma unroll
                for (int next = 1; next < OUTPUTS_UNDER_WAY; next++) {
                    output[next - 1] = output[next];
                    target[next - 1] = target[next];
                    if (WEIGHTED) {
                        weight[next - 1] = weight[next];
                    }
                }
            }
        }
        sum = block_sum(sum);
        if (threadIdx.x == 0) {
            partial[replica * gridDim.x + blockIdx.x] = sum;
        }
        if (hits) {
            right = block_sum(right);
            if (threadIdx.x == 0) {
                hits[replica * gridDim.x + blockIdx.x] = right;
            }
        }
    }
}

template <typename T>
__device__ __forceinline__ void loss_terms(
    const int* cursor, const Step* steps, const int* rows, const T* z, const T* y, T* delta, double* partial, long long* hits,
    long long batch, int outputs, double terms, int replicas, int loss) {
    any_loss_terms<false>(cursor, steps, rows, z, y, (const T*)0, (const double*)0, delta, partial, hits, batch, outputs, terms, replicas,
                          loss);
}
KERNEL(loss_terms,
       (const int* cursor, const Step* steps, const int* rows, const T* z, const T* y, T* delta, double* partial, long long* hits,
        long long batch, int outputs, double terms, int replicas, int loss),
       (cursor, steps, rows, z, y, delta, partial, hits, batch, outputs, terms, replicas, loss))

template <typename T>
__device__ __forceinline__ void loss_terms_weighted(
    const int* cursor, const Step* steps, const int* rows, const T* z, const T* y, const T* weights, const double* divisors, T* delta,
    double* partial, long long* hits, long long batch, int outputs, int replicas, int loss) {
    any_loss_terms<true>(cursor, steps, rows, z, y, weights, divisors, delta, partial, hits, batch, outputs, 0, replicas, loss);
}
KERNEL(loss_terms_weighted,
       (const int* cursor, const Step* steps, const int* rows, const T* z, const T* y, const T* weights, const double* divisors,
        T* delta, double* partial, long long* hits, long long batch, int outputs, int replicas, int loss),
       (cursor, steps, rows, z, y, weights, divisors, delta, partial, hits, batch, outputs, replicas, loss))

// The largest value of a row and its first index, computed by a warp. A NaN at index 0 stays the largest, as no value compares larger.
template <typename T>
__device__ int first_largest(const T* row, int classes, T* largest) {
    int lane = threadIdx.x % WARP;
    int best = lane < classes ? lane : 0;
    T value = row[best];
    for (int j = lane + WARP; j < classes; j += WARP) {
        if (row[j] > value || value != value) {
            best = j;
            value = row[j];
        }
    }
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        T other = __shfl_down_sync(0xffffffffu, value, distance);
        int other_best = __shfl_down_sync(0xffffffffu, best, distance);
        if (other > value || (other == value && other_best < best) || value != value) {
            best = other_best;
            value = other;
        }
    }
    *largest = __shfl_sync(0xffffffffu, value, 0);
    best = __shfl_sync(0xffffffffu, best, 0);
    return row[0] != row[0] ? 0 : best;
}

// cross_entropy: log of the sum of e^z, minus the label's z; the largest z is subtracted first, so that nothing overflows. One warp per
// row. Blocks of SUM_THREADS: x over rows, y over replicas. weights, divisors: only if WEIGHTED; terms: only if not.
template <bool WEIGHTED, typename T>
__device__ __forceinline__ void any_softmax_loss(
    const int* cursor, const Step* steps, const int* rows, const T* z, const int* labels, const T* weights, const double* divisors,
    T* delta, double* partial, long long* hits, long long batch, int classes, double terms, int replicas) {
    int lane = threadIdx.x % WARP;
    int warps = SUM_THREADS / WARP;
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        const int* numbers = rows_of_batch(cursor, steps, rows, replica);
        double divisor = WEIGHTED ? (delta ? divisor_of_batch(cursor, divisors, replicas, replica) : 1) : terms;
        double sum = 0;
        long long right = 0;
        for (long long i = blockIdx.x * (long long)warps + threadIdx.x / WARP; i < batch; i += (long long)gridDim.x * warps) {
            const T* row = z + (replica * batch + i) * classes;
            int label = labels[numbers ? numbers[i] : i];
            T weight = WEIGHTED ? weights[numbers ? numbers[i] : i] : T(1);
            T largest;
            int best = first_largest(row, classes, &largest);
            T exponentials = T(0);
            for (int j = lane; j < classes; j += WARP) {
                exponentials += exp(row[j] - largest);
            }
            exponentials = __shfl_sync(0xffffffffu, warp_sum(exponentials), 0);
            T log_sum = log(exponentials);
            if (lane == 0) {
                double term = (double)log_sum - ((double)row[label] - (double)largest);
                sum += WEIGHTED ? (double)weight * term : term;
                right += best == label;
            }
            if (delta) {
                T* delta_row = delta + (replica * batch + i) * classes;
                for (int j = lane; j < classes; j += WARP) {
                    T probability = exp(row[j] - largest) / exponentials;
                    T of_output = (probability - (j == label ? T(1) : T(0))) / T(divisor);
                    delta_row[j] = WEIGHTED ? weight * of_output : of_output;
                }
            }
        }
        sum = block_sum(sum);
        if (threadIdx.x == 0) {
            partial[replica * gridDim.x + blockIdx.x] = sum;
        }
        if (hits) {
            right = block_sum(right);
            if (threadIdx.x == 0) {
                hits[replica * gridDim.x + blockIdx.x] = right;
            }
        }
    }
}

template <typename T>
__device__ __forceinline__ void softmax_loss(
    const int* cursor, const Step* steps, const int* rows, const T* z, const int* labels, T* delta, double* partial, long long* hits,
    long long batch, int classes, double terms, int replicas) {
    any_softmax_loss<false>(cursor, steps, rows, z, labels, (const T*)0, (const double*)0, delta, partial, hits, batch, classes, terms,
                            replicas);
}
KERNEL(softmax_loss,
       (const int* cursor, const Step* steps, const int* rows, const T* z, const int* labels, T* delta, double* partial,
        long long* hits, long long batch, int classes, double terms, int replicas),
       (cursor, steps, rows, z, labels, delta, partial, hits, batch, classes, terms, replicas))

template <typename T>
__device__ __forceinline__ void softmax_loss_weighted(
    const int* cursor, const Step* steps, const int* rows, const T* z, const int* labels, const T* weights, const double* divisors,
    T* delta, double* partial, long long* hits, long long batch, int classes, int replicas) {
    any_softmax_loss<true>(cursor, steps, rows, z, labels, weights, divisors, delta, partial, hits, batch, classes, 0, replicas);
}
KERNEL(softmax_loss_weighted,
       (const int* cursor, const Step* steps, const int* rows, const T* z, const int* labels, const T* weights, const double* divisors,
        T* delta, double* partial, long long* hits, long long batch, int classes, int replicas),
       (cursor, steps, rows, z, labels, weights, divisors, delta, partial, hits, batch, classes, replicas))
