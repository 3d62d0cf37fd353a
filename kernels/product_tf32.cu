// Products of small layers (product_kernels.cuh) by tensor cores, with factors rounded to TF32. The names of the kernels end in _tf32.
// They need compute capability 8.0, and are compiled for it.
//
// Forward passes and input gradients are bound by the bandwidth of the L2 cache, about 5.5 TB/s on an H200: a forward tile of 784 terms
// loads 150 KB, so the 128 tiles of 128 x 784 x 512 take 3.5 us, and with launch and latency 5.9 us. Its 51 million multiply-adds take
// 0.4 us at half the rate of dense products. The 705 tiles of weight gradients of 784-512-512-10 load 32 KB each, 4.2 us. By Nsight
// Compute they take 9.5 us with 64 threads per block, where all blocks are resident at once; with 128 threads per block, a second wave of
// blocks was needed, and they took 13.2 us. Larger tiles load less, but were not faster; figures are in MEASURED.md.

#include "product_kernels.cuh"
#include "product_fragments.cuh"

// Rows of the batch by units of a layer. AHEAD: how often TERMS terms are on their way to registers at once.
struct FragmentRows {
    enum { ROWS = 16, COLUMNS = 32, WARPS = 8, THREADS = WARP * WARPS, TERMS = 16, AHEAD = 2 };
    template <bool A_BY_ROW, bool B_BY_ROW, bool PACKED, bool A_GATHERED = false, bool B_GATHERED = false>
    using Product = FragmentTile<FragmentRows, A_BY_ROW, B_BY_ROW, PACKED, A_GATHERED, B_GATHERED>;
};

// The planner launches them with the grids of product.cu.
static_assert(FragmentRows::ROWS == 16 && FragmentRows::COLUMNS == 32, "as RowsDivision<float>");

// Units by inputs.
struct FragmentWeights {
    enum { ROWS = 32, COLUMNS = 32, WARPS = 2, THREADS = WARP * WARPS, TERMS = 16, AHEAD = 1 };
    template <bool A_BY_ROW, bool B_BY_ROW, bool PACKED, bool A_GATHERED = false, bool B_GATHERED = false>
    using Product = FragmentTile<FragmentWeights, A_BY_ROW, B_BY_ROW, PACKED, A_GATHERED, B_GATHERED>;
};

static_assert(FragmentWeights::ROWS == 32 && FragmentWeights::COLUMNS == 32, "as WeightsDivision<float>");

extern "C" __global__ void __launch_bounds__(FragmentRows::THREADS, 2) product_forward_tf32(
    const int* cursor, const Step* steps, const int* rows, const float* a, const float* w, const float* bias, float* z,
    float* activated, int n, int in, int out, long long a_stride, long long parameter_stride, int activation, int packed) {
    product_forward<FragmentRows>(
        cursor, steps, rows, a, w, bias, z, activated, n, in, out, a_stride, parameter_stride, activation, packed);
}

extern "C" __global__ void __launch_bounds__(FragmentRows::THREADS, 2) product_forward_loss_tf32(
    const int* cursor, const Step* steps, const int* rows, const float* a, const float* w, const float* bias, float* z, int n, int in,
    int out, long long parameter_stride, int packed, int loss, const float* y, const int* labels, const float* weights,
    const double* divisors, double terms, float* delta, double* partial) {
    product_forward_loss<FragmentRows>(
        cursor, steps, rows, a, w, bias, z, n, in, out, parameter_stride, packed,
        BatchLoss<float>{loss, y, labels, weights, divisors, terms, delta, partial});
}

extern "C" __global__ void __launch_bounds__(FragmentRows::THREADS, 2) product_input_gradient_tf32(
    const float* delta, const float* w, const float* z, const unsigned char* kept, float* below, int n, int in, int out,
    long long parameter_stride, int activation, double scale, int packed) {
    product_input_gradient<FragmentRows>(delta, w, z, kept, below, n, in, out, parameter_stride, activation, scale, packed);
}

extern "C" __global__ void __launch_bounds__(FragmentWeights::THREADS, 6) product_weight_gradients_tf32(
    const int* cursor, const Step* steps, const int* rows, const ProductLayer* layers, int layer_count, int tiles_of_replica,
    float* g, double* square_partial, int n, long long gradient_stride, int always) {
    product_weight_gradients<FragmentWeights>(
        cursor, steps, rows, layers, layer_count, tiles_of_replica, g, square_partial, n, gradient_stride, always);
}
