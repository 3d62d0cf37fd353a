// Products of small layers (product_kernels.cuh) in single and double precision, by multiply-adds of each lane.
//
// The terms of a warp are divided once more, among groups of lanes. So a product of 128 rows has enough blocks and warps to keep the GPU
// busy, and each lane still has a tile of 8 x 8 sums (8 x 4 in double). The sums of groups are added in a fixed order.
//
// Bound by shared memory: a warp's loads from it deliver 128 bytes per clock and multiprocessor, whether or not lanes read the same
// address. In single precision a warp loads 3 KiB for 16 terms of a forward tile, stores 3 KiB in shared memory and reads 8 KiB back: 112
// clocks, about 900 for the block's 8 warps, whose multiply-adds take 512. An H200 takes about 1,300. Launch, first loads and the sums
// of warps and groups take 2.4 us more. Blocks of weight gradients have only two warps, so that in single precision all tiles of a
// network such as 784-512-512-10 are resident at once. Versions and figures are in MEASURED.md.

#include "product_kernels.cuh"

// Rows of the batch by units of a layer.
template <typename T>
struct RowsDivision;
template <>
struct RowsDivision<float> : Division<float, 8, 8, 2, 4, 8> {};
template <>
struct RowsDivision<double> : Division<double, 8, 4, 2, 8, 8> {};

// Units by inputs.
template <typename T>
struct WeightsDivision;
template <>
struct WeightsDivision<float> : Division<float, 8, 8, 4, 4, 2> {};
template <>
struct WeightsDivision<double> : Division<double, 8, 4, 4, 8, 2> {};

KERNEL_OF(__launch_bounds__(RowsDivision<T>::THREADS), product_forward,
          (const int* cursor, const Step* steps, const int* rows, const T* a, const T* w, const T* bias, T* z, T* activated, int n,
           int in, int out, long long a_stride, long long parameter_stride, int activation, int packed),
          <RowsDivision<T>>(cursor, steps, rows, a, w, bias, z, activated, n, in, out, a_stride, parameter_stride, activation, packed))

KERNEL_OF(__launch_bounds__(RowsDivision<T>::THREADS), product_forward_loss,
          (const int* cursor, const Step* steps, const int* rows, const T* a, const T* w, const T* bias, T* z, int n, int in, int out,
           long long parameter_stride, int packed, int loss, const T* y, const int* labels, const T* weights, const double* divisors,
           double terms, T* delta, double* partial),
          <RowsDivision<T>>(cursor, steps, rows, a, w, bias, z, n, in, out, parameter_stride, packed,
                            BatchLoss<T>{loss, y, labels, weights, divisors, terms, delta, partial}))

KERNEL_OF(__launch_bounds__(RowsDivision<T>::THREADS), product_input_gradient,
          (const T* delta, const T* w, const T* z, const unsigned char* kept, T* below, int n, int in, int out,
           long long parameter_stride, int activation, double scale, int packed),
          <RowsDivision<T>>(delta, w, z, kept, below, n, in, out, parameter_stride, activation, scale, packed))

KERNEL_OF(__launch_bounds__(WeightsDivision<T>::THREADS, sizeof(T) == 4 ? 6 : 4), product_weight_gradients,
          (const int* cursor, const Step* steps, const int* rows, const ProductLayer* layers, int layer_count, int tiles_of_replica,
           T* g, double* square_partial, int n, long long gradient_stride, int always),
          <WeightsDivision<T>>(cursor, steps, rows, layers, layer_count, tiles_of_replica, g, square_partial, n, gradient_stride, always))
