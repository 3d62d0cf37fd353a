// What all kernels share: the step table, and sums in a fixed order.
//
// T is float or double. Networks trained side by side are replicas: every buffer holds them one after the other, a fixed number
// of elements apart (its stride). Matrices are row-major. Index arithmetic is 64-bit wherever rows times units may pass 2^31.
//
// Nothing that differs from step to step is an argument of a launch: it stands in the step table, in device memory, and the
// cursor says which entry is the running step's. So a recorded graph computes what single launches compute.
#pragma once

// One entry of the step table; StepTable.java writes it.
struct Step {
    long long number;     // since the beginning of training, from 0
    double correction1;   // 1 - beta1^t, of adam
    double correction2;   // 1 - beta2^t
    long long rows_at;    // where in the row list the step's batch begins
    int rows_stride;      // rows from one replica's batch to the next one's; 0 where all share one
    int record_at;        // the step's place among the recorded metrics, or -1
    int batch;            // rows of the batch, or 0 for all rows of the data in their own order
    int norms;            // whether gradient norms are recorded with the loss
};

// The numbers of the rows of a replica's batch in the data, from the row list.
__device__ __forceinline__ const int* listed_rows(const int* cursor, const Step* steps, const int* rows, long long replica) {
    const Step* step = steps + *cursor;
    return rows + step->rows_at + replica * step->rows_stride;
}

// The same, or null where there is no row list and the rows are in their own order.
__device__ __forceinline__ const int* rows_of_batch(const int* cursor, const Step* steps, const int* rows, long long replica) {
    return rows ? listed_rows(cursor, steps, rows, replica) : (const int*)0;
}

// Threads of a block in every kernel that sums over its block.
enum { SUM_THREADS = 256, WARP = 32 };

template <typename T>
__device__ __forceinline__ T warp_sum(T value) {
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        value += __shfl_down_sync(0xffffffffu, value, distance);
    }
    return value;
}

// The sum over a block of so many threads, always in the same order. Every thread must call it; thread 0 gets the sum.
template <int THREADS = SUM_THREADS, typename T>
__device__ T block_sum(T value) {
    __shared__ T of_warp[THREADS / WARP];
    value = warp_sum(value);
    if (threadIdx.x % WARP == 0) {
        of_warp[threadIdx.x / WARP] = value;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int warp = 1; warp < THREADS / WARP; warp++) {
            value += of_warp[warp];
        }
    }
    __syncthreads();  // before the next sum overwrites what thread 0 reads
    return value;
}

// 16 bytes, or so many elements, which are loaded and stored together.
template <typename T, int SIZE_ = 16 / sizeof(T)>
struct alignas(SIZE_ * sizeof(T)) Pack {
    enum { SIZE = SIZE_ };
    T of[SIZE];
};

// The place in a matrix of a thread that takes every so many-th element: a division for each thread instead of one for each element.
struct Element {
    int row;
    int column;

    // The first element of a thread of a grid along x; a step passes over all threads' `size` elements.
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

// The shared memory whose size the launch gives, as bytes.
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
