// Products of small layers, fused with the elementwise work that follows each: bias and activation, the activation's derivative, the
// bias gradient. The shapes are those of CublasProducts.java, per replica:
//
//   forward         Z [n x out] = A [n x in] . W^T + b, A' = f(Z); in the last layer, if it is narrow, the loss and its dLoss/dZ
//   input gradient  D' [n x in] = (D [n x out] . W) * f'(Z'), Z' and D' of the layer below
//   weight gradient dW [out x in] = D^T . A, db [out] = sums of D over rows, of all layers in one launch
//
// The first layer's A may be a batch of the data, whose rows are listed in the step table and read in place. Weight gradients also
// yield the sum of their squares, one per tile. Separate launches for both took 2.5 and 1.1 us of a step of 784-512-512-10 with 128
// rows on an H200.
//
// Tried: updating the parameters in the launch of their gradients. It became 3.8 us longer with SGD and 9 us with Adam, and a launch for
// the update takes 2.5 us.
//
// A block computes one tile of a result. Its terms are divided among the block's warps, whose sums are added in their order.
//
// D: the division of a product into tiles: Division, or one of product_tf32.cu.
#pragma once
#include "loss.cuh"
#include "product_tile.cuh"

// A thread's elements of Z in the tile that begins at a row and a column.
template <typename T, typename D, bool PACKED>
struct ForwardSums {
    typedef typename D::template Product<true, true, PACKED, true> Of;
    T of[Of::RESULTS];

    __device__ __forceinline__ ForwardSums(
        const T* a, const int* numbers, const T* w, const T* bias, int first_row, int first_column, int n, int in, int out, T* shared) {
        // Loaded ahead of what they are added to.
        T biases[Of::RESULTS];
#pragma unroll
        for (int i = 0; i < Of::RESULTS; i++) {
            int column = first_column + Of::column(i);
            biases[i] = column < out ? bias[column] : T(0);
        }
        typename Of::A of_a(
            numbers ? a : a + (long long)first_row * in, in, n - first_row, in, numbers ? numbers + first_row : numbers);
        typename Of::B of_b(w + (long long)first_column * in, in, out - first_column, in);
        Of::multiply(of_a, of_b, in, shared);
#pragma unroll
        for (int i = 0; i < Of::RESULTS; i++) {
            of[i] = Of::total(shared, in, i) + biases[i];
        }
    }
};

template <typename T, typename D, bool PACKED>
__device__ __forceinline__ void forward_tile(
    const T* a, const int* numbers, const T* w, const T* bias, T* z, T* activated, int tile, int n, int in, int out, int activation,
    T* shared) {
    typedef typename ForwardSums<T, D, PACKED>::Of Of;
    int across = (out + D::COLUMNS - 1) / D::COLUMNS;
    int first_row = tile / across * D::ROWS;
    int first_column = tile % across * D::COLUMNS;
    ForwardSums<T, D, PACKED> sums(a, numbers, w, bias, first_row, first_column, n, in, out, shared);
#pragma unroll
    for (int i = 0; i < Of::RESULTS; i++) {
        int row = first_row + Of::row(i);
        int column = first_column + Of::column(i);
        if (row < n && column < out) {
            long long at = (long long)row * out + column;
            z[at] = sums.of[i];
            activated[at] = activate(sums.of[i], activation);
        }
    }
}

// The number of tiles of a result [rows x columns].
template <typename D>
__device__ __forceinline__ int tiles(int rows, int columns) {
    return (rows + D::ROWS - 1) / D::ROWS * ((columns + D::COLUMNS - 1) / D::COLUMNS);
}

// Z and A of a layer. a_stride 0: all replicas read the same A. With a row list, A's rows are those of the step's batch in the data.
// Blocks of D::THREADS: the tiles of replica 0, of replica 1, and so on.
template <typename D, typename T>
__device__ void product_forward(
    const int* cursor, const Step* steps, const int* rows, const T* a, const T* w, const T* bias, T* z, T* activated, int n, int in,
    int out, long long a_stride, long long parameter_stride, int activation, int packed) {
    __shared__ __align__(16) T shared[D::WARPS * D::template Product<true, true, true>::ELEMENTS];
    int of_replica = tiles<D>(n, out);
    long long replica = blockIdx.x / of_replica;
    int tile = blockIdx.x % of_replica;
    a += replica * a_stride;
    w += replica * parameter_stride;
    bias += replica * parameter_stride;
    z += replica * n * out;
    activated += replica * n * out;
    const int* numbers = rows_of_batch(cursor, steps, rows, replica);
    if (packed) {
        forward_tile<T, D, true>(a, numbers, w, bias, z, activated, tile, n, in, out, activation, shared);
    } else {
        forward_tile<T, D, false>(a, numbers, w, bias, z, activated, tile, n, in, out, activation, shared);
    }
}

// The loss of a batch, as in loss.cu; arguments of a kernel, then those of a replica.
template <typename T>
struct BatchLoss {
    int loss;
    const T* y;              // targets [rows of the data x out]; of cross_entropy labels
    const int* labels;
    const T* weights;        // of the rows of the data, or null
    const double* divisors;  // with weights
    double terms;            // without
    T* delta;                // dLoss/dZ [n x out]
    double* partial;         // sums of terms by tile
};

// The largest output of a row that the lanes of a warp have. NaN is treated as in first_largest of loss.cu.
template <typename T>
__device__ __forceinline__ T largest_of_lanes(T output, int classes) {
    int lane = threadIdx.x % WARP;
    T value = __shfl_sync(0xffffffffu, output, lane < classes ? lane : 0);
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        T other = __shfl_down_sync(0xffffffffu, value, distance);
        if (other > value || value != value) {
            value = other;
        }
    }
    return __shfl_sync(0xffffffffu, value, 0);
}

// Z of the last layer, dLoss/dZ, and the sum of the tile's terms. A warp has whole rows, a lane one output of each.
template <typename T, typename D, bool PACKED>
__device__ __forceinline__ void forward_loss_tile(
    const T* a, const int* numbers, const T* w, const T* bias, T* z, const BatchLoss<T>& of, double divisor, int tile, int n, int in,
    int out, T* shared) {
    typedef typename ForwardSums<T, D, PACKED>::Of Of;
    static_assert((int)D::COLUMNS == (int)WARP && (int)D::THREADS % (int)WARP == 0, "a lane per output");
    int first_row = tile * D::ROWS;
    int column = threadIdx.x % WARP;
    // Loaded ahead, because each waits for the load of its row's number.
    int label[Of::RESULTS];
    T target[Of::RESULTS];
    T weight[Of::RESULTS];
#pragma unroll
    for (int i = 0; i < Of::RESULTS; i++) {
        int row = first_row + Of::row(i);
        label[i] = 0;
        target[i] = T(0);
        weight[i] = T(1);
        if (row < n) {
            long long number = numbers ? numbers[row] : row;
            if (of.loss == CROSS_ENTROPY) {
                label[i] = of.labels[number];
            } else if (column < out) {
                target[i] = of.y[number * out + column];
            }
            if (of.weights) {
                weight[i] = of.weights[number];
            }
        }
    }
    ForwardSums<T, D, PACKED> sums(a, (const int*)0, w, bias, first_row, 0, n, in, out, shared);
    double sum = 0;
#pragma unroll
    for (int i = 0; i < Of::RESULTS; i++) {
        int row = first_row + Of::row(i);
        if (row < n) {  // the same for all lanes
            T output = sums.of[i];
            T of_output = T(0);
            if (of.loss == CROSS_ENTROPY) {
                T largest = largest_of_lanes(output, out);
                T exponential = column < out ? exp(output - largest) : T(0);
                T exponentials = __shfl_sync(0xffffffffu, warp_sum(exponential), 0);
                T of_label = __shfl_sync(0xffffffffu, output, label[i]);
                of_output = exponential / exponentials - (column == label[i] ? T(1) : T(0));
                if (column == 0) {
                    double of_row = (double)log(exponentials) - ((double)of_label - (double)largest);
                    sum += of.weights ? (double)weight[i] * of_row : of_row;
                }
            } else if (column < out) {
                T term = loss_term(output, target[i], of.loss);
                of_output = loss_term_derivative(output, target[i], of.loss);
                sum += of.weights ? (double)weight[i] * (double)term : (double)term;
            }
            if (column < out) {
                long long at = (long long)row * out + column;
                of_output /= T(divisor);
                z[at] = output;
                of.delta[at] = of.weights ? weight[i] * of_output : of_output;
            }
        }
    }
    sum = block_sum<D::THREADS>(sum);
    if (threadIdx.x == 0) {
        of.partial[blockIdx.x] = sum;
    }
}

// The last layer, which is linear and has at most D::COLUMNS outputs, with the loss of the batch. rows: those of the targets; A is not of
// the data. Blocks of D::THREADS: the tiles of rows of replica 0, of replica 1, and so on.
template <typename D, typename T>
__device__ void product_forward_loss(
    const int* cursor, const Step* steps, const int* rows, const T* a, const T* w, const T* bias, T* z, int n, int in, int out,
    long long parameter_stride, int packed, BatchLoss<T> of) {
    __shared__ __align__(16) T shared[D::WARPS * D::template Product<true, true, true>::ELEMENTS];
    int of_replica = tiles<D>(n, out);
    long long replica = blockIdx.x / of_replica;
    int tile = blockIdx.x % of_replica;
    a += replica * n * in;
    w += replica * parameter_stride;
    bias += replica * parameter_stride;
    z += replica * n * out;
    of.delta += replica * n * out;
    double divisor = of.weights ? divisor_of_batch(cursor, of.divisors, gridDim.x / of_replica, replica) : of.terms;
    const int* numbers = rows_of_batch(cursor, steps, rows, replica);
    if (packed) {
        forward_loss_tile<T, D, true>(a, numbers, w, bias, z, of, divisor, tile, n, in, out, shared);
    } else {
        forward_loss_tile<T, D, false>(a, numbers, w, bias, z, of, divisor, tile, n, in, out, shared);
    }
}

template <typename T, typename D, bool PACKED>
__device__ __forceinline__ void input_gradient_tile(
    const T* delta, const T* w, const T* z, const unsigned char* kept, T* below, int tile, int n, int in, int out, int activation,
    T scale, T* shared) {
    typedef typename D::template Product<true, false, PACKED> Of;
    int across = (in + D::COLUMNS - 1) / D::COLUMNS;
    int first_row = tile / across * D::ROWS;
    int first_column = tile % across * D::COLUMNS;
    T before[Of::RESULTS];
#pragma unroll
    for (int i = 0; i < Of::RESULTS; i++) {
        int row = first_row + Of::row(i);
        int column = first_column + Of::column(i);
        before[i] = row < n && column < in ? z[(long long)row * in + column] : T(0);
    }
    typename Of::A of_a(delta + (long long)first_row * out, out, n - first_row, out);
    typename Of::B of_b(w + first_column, in, in - first_column, out);
    Of::multiply(of_a, of_b, out, shared);
#pragma unroll
    for (int i = 0; i < Of::RESULTS; i++) {
        int row = first_row + Of::row(i);
        int column = first_column + Of::column(i);
        if (row < n && column < in) {
            long long at = (long long)row * in + column;
            T sum = Of::total(shared, out, i);
            if (kept) {
                sum *= kept[at] ? scale : T(0);
            }
            below[at] = sum * derivative(before[i], activation);
        }
    }
}

// dLoss/dZ of the layer below. z, activation, kept and scale are that layer's; null kept: no dropout.
// Blocks as above, over tiles of the layer's inputs.
template <typename D, typename T>
__device__ void product_input_gradient(
    const T* delta, const T* w, const T* z, const unsigned char* kept, T* below, int n, int in, int out, long long parameter_stride,
    int activation, double scale, int packed) {
    __shared__ __align__(16) T shared[D::WARPS * D::template Product<true, false, true>::ELEMENTS];
    int of_replica = tiles<D>(n, in);
    long long replica = blockIdx.x / of_replica;
    int tile = blockIdx.x % of_replica;
    delta += replica * n * out;
    w += replica * parameter_stride;
    z += replica * n * in;
    kept = kept ? kept + replica * n * in : kept;
    below += replica * n * in;
    if (packed) {
        input_gradient_tile<T, D, true>(delta, w, z, kept, below, tile, n, in, out, activation, T(scale), shared);
    } else {
        input_gradient_tile<T, D, false>(delta, w, z, kept, below, tile, n, in, out, activation, T(scale), shared);
    }
}

// One layer of product_weight_gradients; ProductTable.java writes it. Addresses are those of replica 0.
struct ProductLayer {
    long long delta;  // D [n x out]
    long long input;  // A [n x in]
    long long input_stride;
    long long weights;  // offset of dW in a replica's gradients
    long long biases;   // offset of db
    int in;
    int out;
    int first_tile;  // the tiles of dW, then one for every WARP elements of db
    int packed;
};

// Returns the sum of the squares of the elements that the calling thread has written.
template <typename T, typename D, bool PACKED>
__device__ __forceinline__ double weight_gradient_tile(
    const T* delta, const T* a, const int* numbers, T* weights, int tile, int n, int in, int out, T* shared) {
    typedef typename D::template Product<false, false, PACKED, false, true> Of;
    int across = (in + D::COLUMNS - 1) / D::COLUMNS;
    int first_row = tile / across * D::ROWS;
    int first_column = tile % across * D::COLUMNS;
    typename Of::A of_a(delta + first_row, out, out - first_row, n);
    typename Of::B of_b(a + first_column, in, in - first_column, n, numbers);
    Of::multiply(of_a, of_b, n, shared);
    double squares = 0;
#pragma unroll
    for (int i = 0; i < Of::RESULTS; i++) {
        int row = first_row + Of::row(i);
        int column = first_column + Of::column(i);
        if (row < out && column < in) {
            T gradient = Of::total(shared, n, i);
            weights[(long long)row * in + column] = gradient;
            squares += (double)gradient * (double)gradient;
        }
    }
    return squares;
}

// WARP elements of a bias gradient: a lane sums one unit over every WARPS-th row. Returns as above.
template <typename T, typename D>
__device__ __forceinline__ double bias_gradient_tile(const T* delta, T* biases, int tile, int n, int out, T* shared) {
    int warp = threadIdx.x / WARP;
    int lane = threadIdx.x % WARP;
    int unit = tile * WARP + lane;
    T sum = T(0);
    if (unit < out) {
#pragma unroll 8
        for (int row = warp; row < n; row += D::WARPS) {
            sum += delta[(long long)row * out + unit];
        }
    }
    shared[warp * WARP + lane] = sum;
    __syncthreads();
    if (warp != 0 || unit >= out) {
        return 0;
    }
    for (int other = 1; other < D::WARPS; other++) {
        sum += shared[other * WARP + lane];
    }
    biases[unit] = sum;
    return (double)sum * (double)sum;
}

// Weight and bias gradients of all layers. With a row list, the rows of the first layer's A are those of the step's batch in the data.
// Each block also sums the squares of its gradients into square_partial [replica][tiles], as gradient_squares does for cuBLAS's products.
// This is skipped if the step's norms are not recorded and clipping does not need them (always is 0).
// Blocks of D::THREADS: the tiles of all layers of replica 0, and so on.
template <typename D, typename T>
__device__ void product_weight_gradients(
    const int* cursor, const Step* steps, const int* rows, const ProductLayer* layers, int layer_count, int tiles_of_replica, T* g,
    double* square_partial, int n, long long gradient_stride, int always) {
    __shared__ __align__(16) T shared[D::WARPS * D::template Product<false, false, true>::ELEMENTS];
    long long replica = blockIdx.x / tiles_of_replica;
    int tile = blockIdx.x % tiles_of_replica;
    int l = 0;
    while (l + 1 < layer_count && tile >= layers[l + 1].first_tile) {
        l++;
    }
    ProductLayer layer = layers[l];
    tile -= layer.first_tile;
    int of_weights = tiles<D>(layer.out, layer.in);
    const T* delta = (const T*)layer.delta + replica * n * layer.out;
    const T* a = (const T*)layer.input + replica * layer.input_stride;
    __builtin_assume(__isGlobal(delta) && __isGlobal(a));  // so that nvcc makes no generic loads of addresses from the table
    const int* numbers = rows_of_batch(cursor, steps, l == 0 ? rows : (const int*)0, replica);
    int norms = always ? 1 : steps[*cursor].norms;
    T* gradients = g + replica * gradient_stride;
    double squares;
    if (tile >= of_weights) {
        squares = bias_gradient_tile<T, D>(delta, gradients + layer.biases, tile - of_weights, n, layer.out, shared);
    } else if (layer.packed) {
        squares = weight_gradient_tile<T, D, true>(
            delta, a, numbers, gradients + layer.weights, tile, n, layer.in, layer.out, shared);
    } else {
        squares = weight_gradient_tile<T, D, false>(
            delta, a, numbers, gradients + layer.weights, tile, n, layer.in, layer.out, shared);
    }
    if (norms) {
        squares = block_sum<D::THREADS>(squares);
        if (threadIdx.x == 0) {
            square_partial[blockIdx.x] = squares;
        }
    }
}
