// Shared by all kernels: the step table, and sums in a fixed order.
//
// T is float or double. Networks trained side by side are replicas: every buffer holds them one after the other, a fixed number
// of elements apart (its stride). Matrices are row-major. Index arithmetic is 64-bit wherever rows times units may pass 2^31.
//
// Values that differ from step to step are not launch arguments: they are in the step table, in device memory, and the cursor is the
// index of the current step's entry. So a recorded graph computes the same as single launches.
#pragma once

// One entry of the step table; StepTable.java writes it.
struct Step {
    long long number;     // since the beginning of training, from 0
    double correction1;   // 1 - beta1^t, of adam
    double correction2;   // 1 - beta2^t
    long long rows_at;    // where in the row list the step's batch begins
    int rows_stride;      // rows from one replica's batch to the next one's; 0 where all share one
    int record_at;        // the step's index among the recorded metrics, or -1
    int batch;            // rows of the batch, or 0 for all rows of the data in their own order
    int norms;            // whether gradient norms are recorded with the loss
};

// The row indices of a replica's batch in the data, from the row list.
__device__ __forceinline__ const int* listed_rows(const int* cursor, const Step* steps, const int* rows, long long replica) {
    const Step* step = steps + *cursor;
    return rows + step->rows_at + replica * step->rows_stride;
}

// The same, or null if there is no row list and the batch is all rows in their own order.
__device__ __forceinline__ const int* rows_of_batch(const int* cursor, const Step* steps, const int* rows, long long replica) {
    return rows ? listed_rows(cursor, steps, rows, replica) : (const int*)0;
}

// The divisor of a replica's mean loss if rows have weights: the sum of the weights of the batch's rows, and for all losses except
// cross_entropy times the outputs. StepTable.java writes the divisors [entry][replica].
__device__ __forceinline__ double divisor_of_batch(const int* cursor, const double* divisors, long long replicas, long long replica) {
    return divisors[*cursor * replicas + replica];
}

// Threads per block of every kernel that sums over its block.
enum { SUM_THREADS = 256, WARP = 32 };

template <typename T>
__device__ __forceinline__ T warp_sum(T value) {
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        value += __shfl_down_sync(0xffffffffu, value, distance);
    }
    return value;
}

// The sum over a block of THREADS threads, in a fixed order. Every thread must call it; thread 0 gets the sum.
template <int THREADS = SUM_THREADS, typename T>
__device__ T block_sum(T value) {
    __shared__ T warp_sums[THREADS / WARP];
    value = warp_sum(value);
    if (threadIdx.x % WARP == 0) {
        warp_sums[threadIdx.x / WARP] = value;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int warp = 1; warp < THREADS / WARP; warp++) {
            value += warp_sums[warp];
        }
    }
    __syncthreads();  // before the next sum overwrites what thread 0 reads
    return value;
}

// SIZE elements, 16 bytes by default, that are loaded and stored together.
template <typename T, int SIZE_ = 16 / sizeof(T)>
struct alignas(SIZE_ * sizeof(T)) Pack {
    enum { SIZE = SIZE_ };
    T of[SIZE];
};

// The row and column of the element that a thread works on, in a grid-stride loop over a matrix. It takes one division per thread
// instead of one per element.
struct Element {
    int row;
    int column;

    // The thread's first element in a grid along x. Each thread takes `size` elements per step of the loop.
    __device__ __forceinline__ Element(int columns_, int size = 1) : columns(columns_) {
        unsigned int first = (blockIdx.x * blockDim.x + threadIdx.x) * size;
        unsigned int step = gridDim.x * blockDim.x * size;
        row = (int)(first / columns);
        column = (int)(first % columns);
        rows_of_step = (int)(step / columns);
        columns_of_step = (int)(step % columns);
    }

    __device__ __forceinline__ void move() {
        row += rows_of_step;
        column += columns_of_step;
        if (column >= (int)columns) {
            column -= columns;
            row++;
        }
    }

  private:
    unsigned int columns;
    int rows_of_step;
    int columns_of_step;
};

// Dynamic shared memory (its size is a launch argument), as bytes.
#define DYNAMIC_SHARED(name) extern __shared__ __align__(16) unsigned char name[]

// Declares a kernel for both precisions, name_f32 and name_f64: KERNEL(name, (parameters with T), (arguments)).
#define KERNEL(name, parameters, arguments) KERNEL_OF(, name, parameters, arguments)

// As above, with __launch_bounds__ or nothing.
#define KERNEL_OF(bounds, name, parameters, arguments)                          \
    namespace name##_float {                                                    \
    typedef float T;                                                            \
    extern "C" __global__ void bounds name##_f32 parameters { name arguments; } \
    }                                                                           \
    namespace name##_double {                                                   \
    typedef double T;                                                           \
    extern "C" __global__ void bounds name##_f64 parameters { name arguments; } \
    }                                                                           \
    using name##_float::name##_f32;                                             \
    using name##_double::name##_f64;
