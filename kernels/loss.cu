// The losses with their derivatives by the outputs, and the hits of the classifications.
//
// Shapes, per replica: outputs Z and delta [batch x outputs], targets Y [batch x outputs] or labels [batch]. Each block leaves the
// sum of its terms in partial [replica][block], in double whatever T is; who reads them adds them in the order of the blocks.
// A null delta leaves derivatives out, a null hits leaves hits out. Bound by memory: Z and Y are read once, delta written once.

#include "loss.cuh"

// All losses but cross_entropy; count is batch x outputs. Blocks of SUM_THREADS: x over outputs, y over replicas.
template <typename T>
__device__ void loss_terms(
    const T* z, const T* y, T* delta, double* partial, long long* hits, long long count, long long y_stride, double terms,
    int replicas, int loss) {
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        double sum = 0;
        long long right = 0;
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < count; i += (long long)gridDim.x * blockDim.x) {
            T output = z[replica * count + i];
            T target = y[replica * y_stride + i];
            sum += loss_term(output, target, loss);
            if (delta) {
                delta[replica * count + i] = loss_term_derivative(output, target, loss) / T(terms);
            }
            right += (output > T(0)) == (target > T(0.5));
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
KERNEL(loss_terms,
       (const T* z, const T* y, T* delta, double* partial, long long* hits, long long count, long long y_stride, double terms,
        int replicas, int loss),
       (z, y, delta, partial, hits, count, y_stride, terms, replicas, loss))

// The largest value of a row and its first place, over the lanes of a warp. A NaN in the first place stays the largest, as no
// value is larger.
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

// cross_entropy: log of the sum of e^z, minus the label's z; the largest z is taken out first, so that nothing overflows. One warp
// a row. Blocks of SUM_THREADS: x over rows, y over replicas.
template <typename T>
__device__ void softmax_loss(
    const T* z, const int* labels, T* delta, double* partial, long long* hits, long long batch, int classes,
    long long labels_stride, double terms, int replicas) {
    int lane = threadIdx.x % WARP;
    int warps = SUM_THREADS / WARP;
    for (long long replica = blockIdx.y; replica < replicas; replica += gridDim.y) {
        double sum = 0;
        long long right = 0;
        for (long long i = blockIdx.x * (long long)warps + threadIdx.x / WARP; i < batch; i += (long long)gridDim.x * warps) {
            const T* row = z + (replica * batch + i) * classes;
            int label = labels[replica * labels_stride + i];
            T largest;
            int best = first_largest(row, classes, &largest);
            T exponentials = T(0);
            for (int j = lane; j < classes; j += WARP) {
                exponentials += exp(row[j] - largest);
            }
            exponentials = __shfl_sync(0xffffffffu, warp_sum(exponentials), 0);
            T log_sum = log(exponentials);
            if (lane == 0) {
                sum += (double)log_sum - ((double)row[label] - (double)largest);
                right += best == label;
            }
            if (delta) {
                T* delta_row = delta + (replica * batch + i) * classes;
                for (int j = lane; j < classes; j += WARP) {
                    T probability = exp(row[j] - largest) / exponentials;
                    delta_row[j] = (probability - (j == label ? T(1) : T(0))) / T(terms);
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
KERNEL(softmax_loss,
       (const T* z, const int* labels, T* delta, double* partial, long long* hits, long long batch, int classes,
        long long labels_stride, double terms, int replicas),
       (z, labels, delta, partial, hits, batch, classes, labels_stride, terms, replicas))
